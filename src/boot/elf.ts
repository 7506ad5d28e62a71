/**
 * ELF, as far as a kernel without an operating system needs it: the file header and the program headers.
 * Source: "System V ABI", chapters 4 (object files) and 5 (program loading).
 *
 * @module
 */
import { readSections } from './elf-sections.js';
import { type Image, ImageError, type ImageSegment } from './image.js';
import { hex, PHYSICAL_BITS } from './numbers.js';

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1n;
/** `e_phnum` where the true count is elsewhere: more segments than any kernel has. */
const PN_XNUM = 0xffff;

/** The differences between the two classes: sizes and offsets of the fields. */
interface Layout {
  format: 'elf32' | 'elf64';
  bits: 32 | 64;
  machine: number;
  headerSize: number;
  entry: number;
  phoff: number;
  phentsize: number;
  phnum: number;
  programHeaderSize: number;
  /** Offsets in a program header. */
  offset: number;
  vaddr: number;
  paddr: number;
  filesz: number;
  memsz: number;
}

const elf32: Layout = {
  format: 'elf32',
  bits: 32,
  machine: 3, // EM_386
  headerSize: 52,
  entry: 24,
  phoff: 28,
  phentsize: 42,
  phnum: 44,
  programHeaderSize: 32,
  offset: 4,
  vaddr: 8,
  paddr: 12,
  filesz: 16,
  memsz: 20,
};

const elf64: Layout = {
  format: 'elf64',
  bits: 64,
  machine: 62, // EM_X86_64
  headerSize: 64,
  entry: 24,
  phoff: 32,
  phentsize: 54,
  phnum: 56,
  programHeaderSize: 56,
  offset: 8,
  vaddr: 16,
  paddr: 24,
  filesz: 32,
  memsz: 40,
};

/** Machines of common cross compilers, by `e_machine`. */
const machines = new Map<number, string>([
  [2, 'SPARC'],
  [3, '32-bit x86'],
  [4, 'Motorola 68000'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, '64-bit PowerPC'],
  [22, 's390'],
  [40, '32-bit ARM'],
  [43, '64-bit SPARC'],
  [62, '64-bit x86'],
  [83, 'AVR'],
  [183, 'AArch64 (64-bit ARM)'],
  [243, 'RISC-V'],
  [247, 'BPF'],
  [258, 'LoongArch'],
]);

const otherTypes = new Map<number, [what: string, hint: string]>([
  [1, ['an object file that was not linked (ET_REL)', 'link it: ld -o kernel -Ttext 0x100000 kernel.o']],
  [
    3,
    [
      'position-independent or a shared library (ET_DYN): its addresses are not fixed',
      'link it for fixed addresses: gcc -static -no-pie -nostdlib -ffreestanding, or ld without -pie',
    ],
  ],
  [4, ['a core dump (ET_CORE)', 'give the program, not its dump']],
]);

/** One PT_LOAD entry, with the 64-bit fields as the file has them. */
interface Load {
  index: number;
  vaddr: bigint;
  /** The file names no physical address of its own. */
  virtual: boolean;
  segment: ImageSegment;
}

/** True where the file starts with ELF's magic number; a file that only starts to is a flat image. */
export function isElf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads an ELF file. Segments go to their physical addresses (`p_paddr`).
 * @throws ImageError
 */
export function parseElf(bytes: Uint8Array, name: string): Image {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const layout = checkHeader(view, name);
  const loads = readLoads(view, bytes, layout, name);
  if (loads.length === 0) {
    throw new ImageError(
      `${name}: the ELF file has no segment to load (no PT_LOAD program header)`,
      'link it with code in it: ld -o kernel kernel.o',
    );
  }
  checkOverlap(loads, name);
  const entry = physicalEntry(word(view, layout.entry, layout), loads, layout, name);
  const sections = readSections(bytes, layout.bits);
  return {
    format: layout.format,
    name,
    segments: loads.map((load) => load.segment),
    entry,
    virtual: loads.every(({ virtual }) => virtual),
    ...(sections.length > 0 && { sections }),
  };
}

/** An address-sized field: 4 bytes in ELF32, 8 in ELF64. */
function word(view: DataView, offset: number, layout: Layout): bigint {
  return layout.bits === 64 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
}

function checkHeader(view: DataView, name: string): Layout {
  const fail = (message: string, offset: number, hint?: string) =>
    new ImageError(`${name}: ${message} (offset ${hex(offset)})`, hint);
  if (view.byteLength < 6) {
    throw fail(
      `the ELF header is cut off: the file ends after ${view.byteLength} bytes`,
      4,
      'build it again',
    );
  }
  const fileClass = view.getUint8(4);
  const layout = fileClass === 1 ? elf32 : fileClass === 2 ? elf64 : undefined;
  if (layout === undefined) {
    throw fail(
      `the ELF class is ${fileClass}, neither 1 (32 bits) nor 2 (64 bits)`,
      4,
      'the file is damaged',
    );
  }
  const order = view.getUint8(5);
  if (order !== 1) {
    throw fail(
      `the ELF file is ${order === 2 ? 'big-endian' : `of unknown byte order ${order}`}; x86 is little-endian`,
      5,
      'compile for x86: gcc -m32 or gcc -m64',
    );
  }
  if (view.byteLength < layout.headerSize) {
    throw fail(
      `the ELF header is cut off: it needs ${layout.headerSize} bytes, the file has ${view.byteLength}`,
      0,
      'the file is damaged: build it again',
    );
  }
  checkMachine(view.getUint16(18, true), layout, fail);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC) {
    const [what, hint] = otherTypes.get(type) ?? [`of the unknown type ${type}`, 'the file is damaged'];
    throw fail(`the ELF file is ${what}`, 16, hint);
  }
  return layout;
}

function checkMachine(
  machine: number,
  layout: Layout,
  fail: (message: string, offset: number, hint?: string) => ImageError,
): void {
  if (machine === layout.machine) return;
  if (layout === elf32 && machine === elf64.machine) {
    throw fail(
      'the ELF file is 64-bit x86 code in a 32-bit file (the x32 ABI)',
      18,
      'use gcc -m64 or gcc -m32',
    );
  }
  throw fail(
    `the ELF file is for ${machines.get(machine) ?? `machine ${machine}`}, not for ${layout.bits}-bit x86`,
    18,
    `compile for x86: gcc -m${layout.bits}, or a cross compiler such as x86_64-linux-gnu-gcc`,
  );
}

function readLoads(view: DataView, bytes: Uint8Array, layout: Layout, name: string): Load[] {
  const size = view.byteLength;
  const table = word(view, layout.phoff, layout);
  const count = view.getUint16(layout.phnum, true);
  const entrySize = view.getUint16(layout.phentsize, true);
  if (count === 0) return [];
  if (count === PN_XNUM) {
    throw new ImageError(
      `${name}: the ELF file has 65535 or more program headers (offset ${hex(layout.phnum)})`,
      'the file is damaged: build it again',
    );
  }
  if (entrySize !== layout.programHeaderSize) {
    throw new ImageError(
      `${name}: program headers of ${entrySize} bytes where ELF has ${layout.programHeaderSize} (offset ${hex(layout.phentsize)})`,
      'the file is damaged: build it again',
    );
  }
  const end = table + BigInt(count * entrySize);
  if (end > BigInt(size)) {
    throw new ImageError(
      `${name}: the program headers at ${hex(table)} need a file of ${end} bytes, it has ${size} (offset ${hex(layout.phoff)})`,
      'the file is cut off: build or copy it again',
    );
  }
  const loads: Load[] = [];
  for (let index = 0; index < count; index++) {
    const at = Number(table) + index * entrySize;
    const type = view.getUint32(at, true);
    if (type === PT_DYNAMIC && needsLibrary(bytes, view, layout, at)) {
      throw new ImageError(
        `${name}: the ELF file is a dynamically linked program (DT_NEEDED, program header at offset ${hex(at)}): there is no system that could load the library`,
        'link it alone: gcc -static -no-pie -nostdlib -ffreestanding',
      );
    }
    if (type === PT_LOAD) {
      const load = readLoad(view, bytes, layout, at, index, name);
      if (load.segment.memorySize > 0) loads.push(load);
    }
  }
  return loads;
}

/**
 * True where the dynamic section names a library. A kernel linked with -nostdlib may have such a section, and an interpreter
 * beside it (PT_INTERP), only since the compiler links everything so by default.
 */
function needsLibrary(bytes: Uint8Array, view: DataView, layout: Layout, at: number): boolean {
  const start = word(view, at + layout.offset, layout);
  const size = word(view, at + layout.filesz, layout);
  if (start + size > BigInt(bytes.length)) return false;
  const step = layout.bits / 4;
  for (let entry = Number(start); entry + step <= Number(start + size); entry += step) {
    const tag = word(view, entry, layout);
    if (tag === DT_NEEDED) return true;
    if (tag === 0n) return false;
  }
  return false;
}

function readLoad(
  view: DataView,
  bytes: Uint8Array,
  layout: Layout,
  at: number,
  index: number,
  name: string,
): Load {
  const segment = `segment ${index} (program header at offset ${hex(at)})`;
  const field = (offset: number) => word(view, at + offset, layout);
  const offset = field(layout.offset);
  const vaddr = field(layout.vaddr);
  const paddr = field(layout.paddr);
  const filesz = field(layout.filesz);
  const memsz = field(layout.memsz);
  if (filesz > memsz) {
    throw new ImageError(
      `${name}: ${segment} has ${filesz} bytes in the file but room for ${memsz} in memory`,
      'the file is damaged: build it again',
    );
  }
  if (filesz > 0n && offset + filesz > BigInt(bytes.length)) {
    throw new ImageError(
      `${name}: ${segment} needs a file of ${offset + filesz} bytes, it has ${bytes.length}`,
      'the file is cut off: build or copy it again',
    );
  }
  const virtual = paddr === vaddr;
  // The top of a 64-bit address space is no physical address, but `--load` may move the kernel to one.
  const physical = virtual ? BigInt.asUintN(PHYSICAL_BITS, paddr) : paddr;
  if (physical + memsz > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ImageError(
      `${name}: ${segment} wants ${memsz} bytes at the physical address ${hex(paddr)}, where no machine has memory`,
      'a kernel linked for the top of the address space must give its address in RAM: .text : AT(ADDR(.text) - OFFSET)',
    );
  }
  // A segment of only .bss may have any file offset: nothing is read there.
  const start = filesz === 0n ? 0 : Number(offset);
  return {
    index,
    vaddr,
    virtual,
    segment: {
      address: Number(physical),
      bytes: bytes.subarray(start, start + Number(filesz)),
      memorySize: Number(memsz),
    },
  };
}

function checkOverlap(loads: readonly Load[], name: string): void {
  const sorted = [...loads].sort((a, b) => a.segment.address - b.segment.address);
  for (let i = 1; i < sorted.length; i++) {
    const lower = sorted[i - 1]!;
    const upper = sorted[i]!;
    const end = lower.segment.address + lower.segment.memorySize;
    if (end > upper.segment.address) {
      throw new ImageError(
        `${name}: segments ${lower.index} and ${upper.index} overlap: the one ends at ${hex(end - 1)}, the other starts at ${hex(upper.segment.address)}`,
        'look at the physical addresses that readelf -l shows, and at AT() in the linker script',
      );
    }
  }
}

/**
 * The entry in physical memory. `e_entry` is a virtual address; as guests start with virtual = physical, it moves with the segment that
 * contains it. Some kernels (Linux) give a physical address, which is used unchanged.
 */
function physicalEntry(entry: bigint, loads: readonly Load[], layout: Layout, name: string): number {
  for (const { vaddr, segment } of loads) {
    if (entry >= vaddr && entry < vaddr + BigInt(segment.memorySize)) {
      return segment.address + Number(entry - vaddr);
    }
  }
  for (const { segment } of loads) {
    const inside = entry - BigInt(segment.address);
    if (inside >= 0n && inside < BigInt(segment.memorySize)) return Number(entry);
  }
  throw new ImageError(
    `${name}: the entry ${hex(entry)} is in no segment (offset ${hex(layout.entry)})`,
    'name the first function in the linker script, ENTRY(start), or with ld -e start',
  );
}
