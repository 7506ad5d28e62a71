/**
 * The names of an image's addresses: symbols of its ELF file, and source lines from DWARF.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import { CallFrames } from './call-frames.js';
import { demangle } from './demangle.js';
import { readLines } from './dwarf-lines.js';
import { type ElfSymbol, readSymbols } from './elf.js';
import { DebugInfo } from './info/debug-info.js';
import { debugSections } from './info/sections.js';
import { printable } from './printable.js';
import { countUpTo, lastAtOrBefore } from './sorted.js';
import { type AddressRange, SourceLines } from './source-lines.js';

/** How far after a symbol an address still belongs to it where the symbol has no size. */
const REACH = 0x10000n;

/** A symbol with a printable name: the file may contain any bytes as its name. */
const named = (symbol: ElfSymbol): ElfSymbol => {
  const name = printable(demangle(symbol.name));
  return name === symbol.name ? symbol : { ...symbol, name };
};

/** A function, or the code between two labels. */
export interface FunctionRange extends AddressRange {
  name: string;
}

/** Names for addresses. */
export class SymbolTable {
  readonly lines: SourceLines;
  /** Where functions store return addresses; missing where the file does not have it. */
  readonly callFrames?: CallFrames;
  /** Functions, variables and types from the compiler; missing where the file does not have them. */
  readonly debugInfo?: DebugInfo;
  readonly #own: readonly ElfSymbol[];
  readonly #byName: ReadonlyMap<string, ElfSymbol>;
  readonly #later: (() => SymbolTable | undefined) | undefined;
  #found: SymbolTable | undefined | null = null;

  /**
   * @param image with `symbols`, sorted by address, instead of an ELF file's sections
   * @param later where the image has no symbols: those that the guest itself has by now; asked once after each `refresh`
   */
  constructor(
    image: Pick<Image, 'format' | 'sections' | 'bias'> & { symbols?: readonly ElfSymbol[] },
    later?: () => SymbolTable | undefined,
  ) {
    const bias = BigInt(image.bias ?? 0);
    const moved = <T extends { address: bigint }>(one: T): T =>
      bias === 0n ? one : { ...one, address: one.address + bias };
    const section = (name: string) => image.sections?.find((one) => one.name === name)?.bytes;
    const table = section('.symtab');
    const strings = section('.strtab');
    this.#later = later;
    this.#own =
      table && strings
        ? readSymbols(table, strings, image.format === 'elf64')
            .map(moved)
            .map(named)
        : (image.symbols ?? []).map(named);
    // Of several symbols with one name the first in memory counts.
    this.#byName = new Map(this.#own.toReversed().map((symbol) => [symbol.name, symbol]));
    const lines = section('.debug_line');
    const texts = { lineStrings: section('.debug_line_str'), strings: section('.debug_str') };
    this.lines = new SourceLines(lines ? readLines(lines, texts).map(moved) : []);
    const frames = section('.debug_frame');
    const info = debugSections(section);
    const compiled = info && new DebugInfo(info, bias);
    if (compiled && !compiled.isEmpty) this.debugInfo = compiled;
    if (frames !== undefined) this.callFrames = new CallFrames(frames, image.format === 'elf64', bias);
  }

  /** Sorted by address. */
  get symbols(): readonly ElfSymbol[] {
    return this.#guests()?.symbols ?? this.#own;
  }

  /** The guest has run: it may have symbols now. */
  refresh(): void {
    this.#found = null;
  }

  /** The symbol of that name; of several the first in memory. */
  symbol(name: string): ElfSymbol | undefined {
    return this.#byName.get(name) ?? this.#guests()?.symbol(name);
  }

  /** `start+0x5`: the nearest symbol at or before an address. */
  symbolAt(address: bigint): string | undefined {
    const found = this.#nearest(address);
    if (found === undefined) return undefined;
    const distance = address - found.address;
    return distance === 0n ? found.name : `${found.name}+0x${distance.toString(16)}`;
  }

  /**
   * The function that contains an address, with its size from the file, else up to the next symbol. In assembler a label within a function
   * is a symbol of its own, and the function ends there.
   */
  functionAt(address: bigint): FunctionRange | undefined {
    const found = this.#nearest(address);
    if (found === undefined || found.kind === 'variable') return undefined;
    const next = this.symbols[countUpTo(this.symbols, found.address)];
    const open = found.address + REACH;
    const to =
      found.size > 0n ? found.address + found.size : next && next.address < open ? next.address : open;
    return { name: found.name, from: found.address, to };
  }

  /** The symbols at `from` and after it, before `to`. */
  symbolsWithin({ from, to }: AddressRange): readonly ElfSymbol[] {
    return this.symbols.slice(countUpTo(this.symbols, from - 1n), countUpTo(this.symbols, to - 1n));
  }

  /** `kernel.S:12`. */
  lineAt(address: bigint): string | undefined {
    const found = this.lines.at(address);
    return found && `${found.file.name}:${found.line}`;
  }

  /** Both, as far as they are known: `<start+0x5>  kernel.S:12`. */
  locate(address: bigint): string | undefined {
    const symbol = this.symbolAt(address);
    const line = this.lineAt(address);
    const parts = [...(symbol === undefined ? [] : [`<${symbol}>`]), ...(line === undefined ? [] : [line])];
    return parts.length === 0 ? undefined : parts.join('  ');
  }

  /** The guest's own names, where the image has none. */
  #guests(): SymbolTable | undefined {
    if (this.#later === undefined || this.#own.length > 0) return undefined;
    if (this.#found === null) this.#found = this.#later();
    return this.#found;
  }

  #nearest(address: bigint): ElfSymbol | undefined {
    const found = lastAtOrBefore(this.symbols, address);
    if (found === undefined || address - found.address >= (found.size || REACH)) return undefined;
    return found;
  }
}
