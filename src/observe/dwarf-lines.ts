/**
 * Line tables of DWARF 2 to 5: which address came from which line of which file (DWARF 5, 6.2). What is broken, or of
 * another version, gives no lines.
 *
 * @module
 */
import { stringAt } from './symbols-text.js';

/** From `address` on, up to the next row, the code comes from this line. */
export interface LineRow {
  address: bigint;
  /** Undefined where a sequence ends: what follows comes from nowhere. */
  file: string | undefined;
  line: number;
}

/** Sections that strings may be in. */
export interface LineStrings {
  lineStrings: Uint8Array | undefined;
  strings: Uint8Array | undefined;
}

/** More rows than any kernel has. */
const MOST_ROWS = 1 << 20;
const MOST_FILES = 1 << 14;

/** All rows of a `.debug_line` section, sorted by address. */
export function readLines(section: Uint8Array, strings: LineStrings): LineRow[] {
  const rows: LineRow[] = [];
  const reader = new Reader(section);
  try {
    while (reader.left > 4 && rows.length < MOST_ROWS) readUnit(reader, strings, rows);
  } catch (error) {
    // The rows so far are good ones.
    if (!(error instanceof RangeError)) throw error;
  }
  // A sequence's end comes before a beginning at the same address, which then is the one that is found.
  return rows.sort((a, b) =>
    a.address < b.address
      ? -1
      : a.address > b.address
        ? 1
        : Number(a.file !== undefined) - Number(b.file !== undefined),
  );
}

/** Little-endian numbers one after the other; a RangeError behind the end. */
class Reader {
  at = 0;
  readonly #view: DataView;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }
  /** An offset of 4 bytes, or of 8 in DWARF's 64-bit format. */
  offset(wide: boolean): number {
    return wide ? Number(this.u64()) : this.u32();
  }

  /** LEB128 (DWARF 5, 7.6): what is more than 64 bits long is broken. */
  uleb(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number without an end');
  }

  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; ) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << shift) : value;
    }
    throw new RangeError('a number without an end');
  }

  string(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new RangeError('a string without an end');
    const text = stringAt(this.bytes, this.at);
    this.at = end + 1;
    return text;
  }

  skip(bytes: number): void {
    this.#step(bytes);
  }

  #step(bytes: number): number {
    const at = this.at;
    if (!(bytes >= 0) || bytes > this.left) throw new RangeError('behind the end');
    this.at += bytes;
    return at;
  }
}

interface Program {
  end: number;
  instructionLength: number;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  lengths: number[];
  files: (string | undefined)[];
}

function readUnit(reader: Reader, strings: LineStrings, rows: LineRow[]): void {
  let length: number = reader.u32();
  const wide = length === 0xffff_ffff;
  if (wide) length = Number(reader.u64());
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new RangeError('a unit behind the end');
  const version = reader.u16();
  if (version >= 2 && version <= 5) {
    const program = readHeader(reader, version, wide, strings, end);
    if (program !== undefined) runProgram(reader, program, rows);
  }
  reader.at = end;
}

function readHeader(
  reader: Reader,
  version: number,
  wide: boolean,
  strings: LineStrings,
  end: number,
): Program | undefined {
  if (version >= 5) reader.skip(2);
  const headerLength = reader.offset(wide);
  const start = reader.at + headerLength;
  const instructionLength = reader.u8();
  if (version >= 4) reader.skip(1);
  reader.skip(1);
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  if (lineRange === 0 || opcodeBase === 0 || start > end) return undefined;
  const lengths = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const files = version >= 5 ? readFiles5(reader, wide, strings) : readFiles(reader);
  reader.at = start;
  return { end, instructionLength, lineBase, lineRange, opcodeBase, lengths, files };
}

/** Directories, then files, each list up to an empty name; file 1 is the first. */
function readFiles(reader: Reader): (string | undefined)[] {
  while (reader.string() !== '');
  const files: (string | undefined)[] = [undefined];
  for (;;) {
    const name = reader.string();
    if (name === '' || files.length > MOST_FILES) return files;
    files.push(baseName(name));
    for (let n = 0; n < 3; n++) reader.uleb();
  }
}

const DW_LNCT_PATH = 1n;

/** DWARF 5 says in front of each list what its entries are made of (6.2.4.1). */
function readFiles5(reader: Reader, wide: boolean, strings: LineStrings): (string | undefined)[] {
  readList(reader, wide, strings);
  return readList(reader, wide, strings).map((name) => (name === undefined ? undefined : baseName(name)));
}

function readList(reader: Reader, wide: boolean, strings: LineStrings): (string | undefined)[] {
  const formats = Array.from({ length: reader.u8() }, () => [reader.uleb(), reader.uleb()] as const);
  const count = Number(reader.uleb());
  if (count > MOST_FILES || (formats.length === 0 && count > 0)) throw new RangeError('too many files');
  return Array.from({ length: count }, () => {
    let name: string | undefined;
    for (const [content, form] of formats) {
      const value = readForm(reader, form, wide, strings);
      if (content === DW_LNCT_PATH) name = value;
    }
    return name;
  });
}

/** A value of the forms that line tables use (DWARF 5, 7.5.6); its text, where it has one. */
function readForm(reader: Reader, form: bigint, wide: boolean, strings: LineStrings): string | undefined {
  switch (form) {
    case 0x08n: // DW_FORM_string
      return reader.string();
    case 0x1fn: // DW_FORM_line_strp
      return stringAt(strings.lineStrings ?? new Uint8Array(0), reader.offset(wide));
    case 0x0en: // DW_FORM_strp
      return stringAt(strings.strings ?? new Uint8Array(0), reader.offset(wide));
    case 0x0fn: // DW_FORM_udata
      reader.uleb();
      return undefined;
    case 0x09n: // DW_FORM_block
      reader.skip(Number(reader.uleb()));
      return undefined;
    default: {
      const fixed: Record<string, number> = { '11': 1, '5': 2, '6': 4, '7': 8, '30': 16 };
      const size = fixed[form.toString()];
      if (size === undefined) throw new RangeError('a form that line tables do not have');
      reader.skip(size);
      return undefined;
    }
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Runs a line number program (DWARF 5, 6.2.5). */
function runProgram(reader: Reader, program: Program, rows: LineRow[]): void {
  const { end, instructionLength, lineBase, lineRange, opcodeBase, lengths, files } = program;
  let address = 0n;
  let file = 1;
  let line = 1;
  const advance = (steps: bigint) => {
    address = BigInt.asUintN(64, address + steps * BigInt(instructionLength));
  };
  const emit = () => {
    if (rows.length >= MOST_ROWS) throw new RangeError('too many rows');
    rows.push({ address, file: files[file] ?? '?', line });
  };
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(BigInt(Math.floor(adjusted / lineRange)));
      line += lineBase + (adjusted % lineRange);
      emit();
    } else if (opcode === 0) {
      const length = Number(reader.uleb());
      const next = reader.at + length;
      if (length === 0 || next > end) throw new RangeError('an opcode behind the end');
      const extended = reader.u8();
      if (extended === 1) {
        rows.push({ address, file: undefined, line: 0 });
        address = 0n;
        file = 1;
        line = 1;
      } else if (extended === 2)
        address = length === 9 ? reader.u64() : length === 5 ? BigInt(reader.u32()) : address;
      reader.at = next;
    } else if (opcode === 1) emit();
    else if (opcode === 2) advance(reader.uleb());
    else if (opcode === 3) line += Number(reader.sleb());
    else if (opcode === 4) file = Number(reader.uleb());
    else if (opcode === 8) advance(BigInt(Math.floor((255 - opcodeBase) / lineRange)));
    else if (opcode === 9) address += BigInt(reader.u16());
    else for (let n = 0; n < (lengths[opcode - 1] ?? 0); n++) reader.uleb();
  }
}
