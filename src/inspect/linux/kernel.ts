/**
 * A Linux kernel in a guest's RAM, found from outside: where it is, its symbols, its memory by its own addresses.
 *
 * It is found without registers, so that it works for a guest that runs, in any ring: kallsyms' table is searched in RAM; it has the
 * distance from the kernel's beginning to its banner; a banner at that distance after a multiple of 2 MiB says where the kernel is. Random
 * addresses (KASLR) make no difference: the kernel itself has corrected its table.
 *
 * @module
 */
import { SymbolTable } from '../../symbols/index.js';
import { CR0, CR4, EFER } from '../../x86/index.js';
import { type Paging, walkPages } from '../explorer/page-walk.js';
import type { PhysicalMemory } from '../explorer/words.js';
import { Btf } from './btf.js';
import { findKallsyms, type Kallsyms, KERNEL_MAP } from './kallsyms.js';
import { isWhole, Ram, type WholeMemory } from './ram.js';

/** CONFIG_PHYSICAL_ALIGN of x86-64. */
const ALIGNMENT = 0x20_0000;
const BANNER = 'Linux version ';
/** KERNEL_IMAGE_SIZE. */
const LARGEST = 1 << 30;
/** The most bytes of one read. */
const MOST_READ = 1 << 26;

/** See the module's comment. */
export class LinuxKernel {
  readonly memory: WholeMemory;
  readonly symbols: SymbolTable;
  /** `Linux version 6.1.0-…`. */
  readonly banner: string;
  /** Guest physical address of its beginning. */
  readonly physical: number;
  /** Guest physical address of its symbol table's tokens. */
  readonly symbolsAt: number;
  readonly #kallsyms: Kallsyms;
  readonly #text: bigint;
  readonly #end: bigint;
  readonly #paging: Paging | undefined;
  readonly #pages = new Map<bigint, number | undefined>();
  #btf: Btf | undefined | null = null;

  private constructor(memory: WholeMemory, kallsyms: Kallsyms, symbols: SymbolTable, physical: number) {
    this.memory = memory;
    this.#kallsyms = kallsyms;
    this.symbolsAt = kallsyms.at;
    this.symbols = symbols;
    this.physical = physical;
    this.#text = symbols.symbol('_text')!.address;
    this.#end = symbols.symbol('_end')!.address;
    this.#paging = this.#readPaging();
    this.banner = this.text(symbols.symbol('linux_banner')!.address, 512).trimEnd();
  }

  /** The kernel in this memory, if there is one. */
  static find(memory: PhysicalMemory): LinuxKernel | undefined {
    if (!isWhole(memory)) return undefined;
    const known = found.get(memory);
    if (known?.isStill()) return known.again();
    const ram = new Ram(memory);
    for (const kallsyms of findKallsyms(ram)) {
      const kernel = LinuxKernel.#place(ram, kallsyms);
      if (kernel === undefined) continue;
      found.set(memory, kernel);
      return kernel;
    }
    return undefined;
  }

  static #place(ram: Ram, kallsyms: Kallsyms): LinuxKernel | undefined {
    const symbols = new SymbolTable({ format: 'elf64', symbols: kallsyms.symbols });
    const [text, end, banner] = ['_text', '_end', 'linux_banner'].map(
      (name) => symbols.symbol(name)?.address,
    );
    if (text === undefined || end === undefined || banner === undefined) return undefined;
    if (text < KERNEL_MAP || banner < text || end < banner || end - text > BigInt(LARGEST)) return undefined;
    const size = Number(end - text);
    const inside = Number(banner - text);
    const begin = Number(text % BigInt(ALIGNMENT));
    const first = Math.max(0, Math.ceil((kallsyms.at - size - begin) / ALIGNMENT) * ALIGNMENT) + begin;
    for (let physical = first; physical <= kallsyms.at; physical += ALIGNMENT) {
      const words = ram.window(physical + inside, physical + inside + BANNER.length);
      if (words !== undefined && String.fromCharCode(...words.bytes) === BANNER)
        return new LinuxKernel(ram.memory, kallsyms, symbols, physical);
    }
    return undefined;
  }

  /** The same kernel, whose tables are read again: the guest may have changed them. */
  again(): LinuxKernel {
    return new LinuxKernel(this.memory, this.#kallsyms, this.symbols, this.physical);
  }

  /** False once the memory has something else: the guest has booted again. */
  isStill(): boolean {
    const banner = this.text(this.symbols.symbol('linux_banner')!.address, 512).trimEnd();
    return banner !== '' && banner === this.banner;
  }

  /** Its description of its own types; undefined for a kernel without CONFIG_DEBUG_INFO_BTF. */
  get btf(): Btf | undefined {
    if (this.#btf === null) {
      const [from, to] = ['__start_BTF', '__stop_BTF'].map((name) => this.address(name));
      const bytes = from !== undefined && to !== undefined && to > from && this.read(from, Number(to - from));
      this.#btf = bytes ? Btf.parse(bytes) : undefined;
    }
    return this.#btf;
  }

  /** The address of a symbol. */
  address(name: string): bigint | undefined {
    return this.symbols.symbol(name)?.address;
  }

  /** Bytes at one of the kernel's addresses; undefined where not all of them are mapped to RAM. */
  read(address: bigint, length: number): Uint8Array | undefined {
    if (length < 0 || length > MOST_READ) return undefined;
    const at = BigInt.asUintN(64, address);
    // The kernel's image is in one piece; also before its page tables are complete.
    if (at >= this.#text && at + BigInt(length) <= this.#end) {
      const physical = this.physical + Number(at - this.#text);
      return this.memory.contains(physical, length) ? this.memory.readBytes(physical, length) : undefined;
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const here = BigInt.asUintN(64, at + BigInt(done));
      const inPage = Number(here & 0xfffn);
      const piece = Math.min(length - done, 4096 - inPage);
      const page = this.#page(here - BigInt(inPage));
      if (page === undefined || !this.memory.contains(page + inPage, piece)) return undefined;
      bytes.set(this.memory.readBytes(page + inPage, piece), done);
      done += piece;
    }
    return bytes;
  }

  /** The physical address; undefined where it is not mapped. */
  physicalOf(address: bigint): number | undefined {
    const page = this.#page(address & ~0xfffn);
    return page === undefined ? undefined : page + Number(address & 0xfffn);
  }

  /** A little-endian number; undefined as for `read`. */
  number(address: bigint, size: number): bigint | undefined {
    const bytes = size >= 1 && size <= 8 ? this.read(address, size) : undefined;
    return bytes?.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** Text up to a NUL, of at most `most` bytes. */
  text(address: bigint, most: number): string {
    const bytes = this.read(address, most);
    if (bytes === undefined) return '';
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  #page(address: bigint): number | undefined {
    if (this.#paging === undefined) return undefined;
    if (!this.#pages.has(address)) {
      const { physical } = walkPages({ system: this.#paging, memory: this.memory }, address);
      const usable = physical !== undefined && physical <= BigInt(Number.MAX_SAFE_INTEGER);
      this.#pages.set(address, usable ? Number(physical) : undefined);
    }
    return this.#pages.get(address);
  }

  /** The page tables of init, `init_top_pgt`: all others have its half for the kernel. */
  #readPaging(): Paging | undefined {
    const table = this.address('init_top_pgt');
    if (table === undefined || table < this.#text || table >= this.#end) return undefined;
    const level5 = this.address('__pgtable_l5_enabled');
    const five = level5 !== undefined && this.number(level5, 4) === 1n;
    return {
      cr0: CR0.PE | CR0.PG,
      cr3: BigInt(this.physical) + table - this.#text,
      cr4: CR4.PAE | (five ? 1n << 12n : 0n),
      efer: EFER.LME | EFER.LMA | EFER.NXE,
    };
  }
}

/** The kernel that was found in a memory: to search and to read 90,000 names takes a third of a second. */
const found = new WeakMap<object, LinuxKernel>();

/** The names of the kernel that runs in a memory, as `SymbolTable` asks for them. */
export const kernelNames = (memory: () => PhysicalMemory) => (): SymbolTable | undefined =>
  LinuxKernel.find(memory())?.symbols;
