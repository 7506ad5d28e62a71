/**
 * An assembled program as an ELF file (ELF specification 1.2 and ELF-64 1.5): its sections at their addresses, its symbols,
 * its lines.
 *
 * @module
 */
import type { Assembled } from './assemble.js';
import { debugSections } from './dwarf.js';
import { Writer } from './writer.js';

const EM_386 = 3;
const EM_X86_64 = 62;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;
const SHN_ABS = 0xfff1;
const PF_RWX = 7;

export interface ElfOptions {
  /** 32 or 64: the class of the file. */
  readonly bits: 32 | 64;
  /** The program's entry. */
  readonly entry: bigint;
  /** The source's name, and the folder to which names are relative. */
  readonly name: string;
  readonly folder: string;
}

interface SectionEntry {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
}

/** A word of the class: 4 or 8 bytes. */
const wordOf = (bits: 32 | 64) => (bits === 64 ? 8 : 4);

function symbolTable(
  { symbols, globals, sections }: Assembled,
  bits: 32 | 64,
): { table: Uint8Array; names: Uint8Array; locals: number } {
  const table = new Writer().data(new Uint8Array(bits === 64 ? 24 : 16));
  const names = new Writer().number(0, 1);
  // Local labels, such as `1:`, are not for a debugger.
  const named = [...symbols].filter(([name]) => !name.includes(':') && !name.startsWith('.L'));
  const ordered = [
    ...named.filter(([name]) => !globals.has(name)),
    ...named.filter(([name]) => globals.has(name)),
  ];
  for (const [name, value] of ordered) {
    const index = sections.findIndex(({ address, size }) => value >= address && value < address + size);
    const section = index < 0 ? SHN_ABS : index + 1;
    const info = globals.has(name) ? 0x10 : 0;
    const at = names.length;
    names.text(name);
    if (bits === 64)
      table.number(at, 4).number(info, 1).number(0, 1).number(section, 2).number(value, 8).number(0, 8);
    else table.number(at, 4).number(value, 4).number(0, 4).number(info, 1).number(0, 1).number(section, 2);
  }
  return {
    table: table.bytes,
    names: names.bytes,
    locals: 1 + named.filter(([name]) => !globals.has(name)).length,
  };
}

function flagsOf(name: string): number {
  if (/^\.(text|init|start)/.test(name)) return SHF_ALLOC | SHF_EXECINSTR;
  return name.startsWith('.rodata') ? SHF_ALLOC : SHF_ALLOC | SHF_WRITE;
}

/** The file. */
export function elfImage(program: Assembled, options: ElfOptions): Uint8Array {
  const { bits, entry } = options;
  const word = wordOf(bits);
  const loaded: SectionEntry[] = program.sections.map(({ name, address, size, bytes }) => ({
    name,
    type: bytes.length === 0 && size > 0n ? SHT_NOBITS : SHT_PROGBITS,
    flags: flagsOf(name),
    address,
    size: Number(size),
    bytes,
    link: 0,
    info: 0,
    entrySize: 0,
  }));
  const code = program.sections.filter(({ bytes }) => bytes.length > 0);
  const from = code[0]?.address ?? 0n;
  let to = from;
  for (const { address, size } of code) if (address + size > to) to = address + size;
  const debug = debugSections({ lines: program.lines, from, to, addressBytes: word, ...options });
  const { table, names, locals } = symbolTable(program, bits);
  const plain = (name: string, bytes: Uint8Array, type = SHT_PROGBITS): SectionEntry => ({
    ...{ name, type, bytes, flags: 0, address: 0n, size: bytes.length, link: 0, info: 0, entrySize: 0 },
  });
  const symtab = loaded.length + 4;
  const entries: SectionEntry[] = [
    ...loaded,
    plain('.debug_line', debug.line),
    plain('.debug_info', debug.info),
    plain('.debug_abbrev', debug.abbrev),
    {
      ...plain('.symtab', table, SHT_SYMTAB),
      link: symtab + 1,
      info: locals,
      entrySize: bits === 64 ? 24 : 16,
    },
    plain('.strtab', names, SHT_STRTAB),
  ];
  const strings = new Writer().number(0, 1);
  const nameAt = [...entries.map(({ name }) => name), '.shstrtab'].map((name) => {
    const at = strings.length;
    strings.text(name);
    return at;
  });
  entries.push(plain('.shstrtab', strings.bytes, SHT_STRTAB));
  return file(entries, nameAt, loaded.length, { bits, entry });
}

/** Headers, contents, section headers. */
function file(
  entries: readonly SectionEntry[],
  nameAt: readonly number[],
  loaded: number,
  { bits, entry }: { bits: 32 | 64; entry: bigint },
): Uint8Array {
  const word = wordOf(bits);
  const [headerSize, programSize, sectionSize] = bits === 64 ? [64, 56, 64] : [52, 32, 40];
  const segments = entries.slice(0, loaded).filter(({ size }) => size > 0);
  const contents = new Writer();
  const start = headerSize + programSize * segments.length;
  const offsets = entries.map(({ bytes }) => {
    contents.align(16);
    const at = start + contents.length;
    contents.data(bytes);
    return at;
  });
  contents.align(16);
  const out = new Writer().data([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]).data(new Uint8Array(9));
  out
    .number(2, 2)
    .number(bits === 64 ? EM_X86_64 : EM_386, 2)
    .number(1, 4)
    .number(entry, word);
  out
    .number(headerSize, word)
    .number(start + contents.length, word)
    .number(0, 4);
  out.number(headerSize, 2).number(programSize, 2).number(segments.length, 2);
  out
    .number(sectionSize, 2)
    .number(entries.length + 1, 2)
    .number(entries.length, 2);
  for (const segment of segments) {
    const offset = offsets[entries.indexOf(segment)]!;
    const { address, bytes, size } = segment;
    if (bits === 64) {
      out.number(1, 4).number(PF_RWX, 4).number(offset, 8).number(address, 8).number(address, 8);
      out.number(bytes.length, 8).number(size, 8).number(1, 8);
    } else {
      out.number(1, 4).number(offset, 4).number(address, 4).number(address, 4);
      out.number(bytes.length, 4).number(size, 4).number(PF_RWX, 4).number(1, 4);
    }
  }
  out.data(contents.bytes).data(new Uint8Array(sectionSize));
  for (const [n, { type, flags, address, size, link, info, entrySize }] of entries.entries()) {
    out.number(nameAt[n]!, 4).number(type, 4).number(flags, word).number(address, word);
    out
      .number(offsets[n]!, word)
      .number(size, word)
      .number(link, 4)
      .number(info, 4)
      .number(1, word)
      .number(entrySize, word);
  }
  return out.bytes;
}
