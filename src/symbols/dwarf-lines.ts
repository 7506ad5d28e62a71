/**
 * Line tables of DWARF 2 to 5: the file and line of each address (DWARF 5, 6.2). Broken tables, and those of other versions, give no lines.
 *
 * @module
 */
import { DwarfReader } from './dwarf-reader.js';
import { stringAt } from './text.js';

/** A file that code was made from. */
export interface SourceFile {
  /** Without its folders: `kernel.S`. */
  name: string;
  /** As the compiler was given it; relative to `directory` where it does not begin with a slash. */
  path: string;
  /** The compiler's folder; only DWARF 5 has it here. */
  directory: string | undefined;
}

/** From `address` on, up to the next row, the code comes from this line. */
export interface LineRow {
  address: bigint;
  /** Undefined where a sequence ends: the following code has no known source. */
  file: SourceFile | undefined;
  line: number;
  /** A statement begins here, so that a breakpoint belongs here: else the code only continues a line. */
  statement: boolean;
}

/** Sections that strings may be in. */
export interface LineStrings {
  lineStrings: Uint8Array | undefined;
  strings: Uint8Array | undefined;
}

/** More rows than any kernel has. */
const MAX_ROWS = 1 << 20;
const MAX_FILES = 1 << 14;

/** All rows of a `.debug_line` section, sorted by address. */
export function readLines(section: Uint8Array, strings: LineStrings): LineRow[] {
  const rows: LineRow[] = [];
  const reader = new DwarfReader(section);
  try {
    while (reader.left > 4 && rows.length < MAX_ROWS) readUnit(reader, strings, rows);
  } catch (error) {
    // The rows so far are valid.
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

interface Program {
  end: number;
  instructionLength: number;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  lengths: number[];
  statements: boolean;
  files: (SourceFile | undefined)[];
}

function readUnit(reader: DwarfReader, strings: LineStrings, rows: LineRow[]): void {
  let length: number = reader.u32();
  const wide = length === 0xffff_ffff;
  if (wide) length = Number(reader.u64());
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new RangeError('a unit past the end');
  const version = reader.u16();
  if (version >= 2 && version <= 5) {
    const program = readHeader(reader, version, wide, strings, end);
    if (program !== undefined) runProgram(reader, program, rows);
  }
  reader.at = end;
}

function readHeader(
  reader: DwarfReader,
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
  const statements = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  if (lineRange === 0 || opcodeBase === 0 || start > end) return undefined;
  const lengths = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const files = version >= 5 ? readFiles5(reader, wide, strings) : readFiles(reader);
  reader.at = start;
  return { end, instructionLength, lineBase, lineRange, opcodeBase, lengths, statements, files };
}

/** Directories, then files, each list up to an empty name; file 1 is the first, directory 0 is the compiler's folder. */
function readFiles(reader: DwarfReader): (SourceFile | undefined)[] {
  const folders = [''];
  for (let name = reader.string(); name !== ''; name = reader.string()) {
    if (folders.length > MAX_FILES) throw new RangeError('too many folders');
    folders.push(name);
  }
  const files: (SourceFile | undefined)[] = [undefined];
  for (;;) {
    const name = reader.string();
    if (name === '' || files.length > MAX_FILES) return files;
    files.push(sourceFile(name, folders[Number(reader.uleb())], undefined));
    for (let n = 0; n < 2; n++) reader.uleb();
  }
}

const DW_LNCT_PATH = 1n;
const DW_LNCT_DIRECTORY = 2n;

/** A path, and the index of its directory. */
interface Entry {
  path: string | undefined;
  folder: number;
}

/** DWARF 5 has the format of the entries before each list (6.2.4.1). Directory 0 is the compiler's folder. */
function readFiles5(reader: DwarfReader, wide: boolean, strings: LineStrings): (SourceFile | undefined)[] {
  const folders = readList(reader, wide, strings).map(({ path }) => path ?? '');
  return readList(reader, wide, strings).map(({ path, folder }) =>
    path === undefined ? undefined : sourceFile(path, folder === 0 ? '' : folders[folder], folders[0]),
  );
}

function readList(reader: DwarfReader, wide: boolean, strings: LineStrings): Entry[] {
  const formats = Array.from({ length: reader.u8() }, () => [reader.uleb(), reader.uleb()] as const);
  const count = Number(reader.uleb());
  if (count > MAX_FILES || (formats.length === 0 && count > 0)) throw new RangeError('too many files');
  return Array.from({ length: count }, () => {
    const entry: Entry = { path: undefined, folder: 0 };
    for (const [content, form] of formats) {
      const value = readForm(reader, form, wide, strings);
      if (content === DW_LNCT_PATH && typeof value === 'string') entry.path = value;
      if (content === DW_LNCT_DIRECTORY && typeof value === 'number') entry.folder = value;
    }
    return entry;
  });
}

function sourceFile(name: string, folder: string | undefined, directory: string | undefined): SourceFile {
  const within = name.startsWith('/') || !folder ? name : `${folder}/${name}`;
  return { name: within.slice(within.lastIndexOf('/') + 1), path: within, directory: directory || undefined };
}

/** A value of the forms that line tables use (DWARF 5, 7.5.6): a text, or a number that is no more than a directory's. */
function readForm(
  reader: DwarfReader,
  form: bigint,
  wide: boolean,
  strings: LineStrings,
): string | number | undefined {
  switch (form) {
    case 0x08n: // DW_FORM_string
      return reader.string();
    case 0x1fn: // DW_FORM_line_strp
      return stringAt(strings.lineStrings ?? new Uint8Array(0), reader.offset(wide));
    case 0x0en: // DW_FORM_strp
      return stringAt(strings.strings ?? new Uint8Array(0), reader.offset(wide));
    case 0x0fn: // DW_FORM_udata
      return Number(reader.uleb());
    case 0x0bn: // DW_FORM_data1
      return reader.u8();
    case 0x05n: // DW_FORM_data2
      return reader.u16();
    case 0x09n: // DW_FORM_block
      reader.skip(Number(reader.uleb()));
      return undefined;
    default: {
      // DW_FORM_data4, data8 and data16: sizes, times and checksums.
      const fixed: Record<string, number> = { '6': 4, '7': 8, '30': 16 };
      const size = fixed[form.toString()];
      if (size === undefined) throw new RangeError('a form that line tables do not have');
      reader.skip(size);
      return undefined;
    }
  }
}

const unnamed: SourceFile = { name: '?', path: '?', directory: undefined };

/** Runs a line number program (DWARF 5, 6.2.5). */
function runProgram(reader: DwarfReader, program: Program, rows: LineRow[]): void {
  const { end, instructionLength, lineBase, lineRange, opcodeBase, lengths, files } = program;
  let address = 0n;
  let file = 1;
  let line = 1;
  let statement = program.statements;
  const advance = (steps: bigint) => {
    address = BigInt.asUintN(64, address + steps * BigInt(instructionLength));
  };
  const emit = (row: LineRow) => {
    if (rows.length >= MAX_ROWS) throw new RangeError('too many rows');
    rows.push(row);
  };
  const emitLine = () => emit({ address, file: files[file] ?? unnamed, line, statement });
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(BigInt(Math.floor(adjusted / lineRange)));
      line += lineBase + (adjusted % lineRange);
      emitLine();
    } else if (opcode === 0) {
      const length = Number(reader.uleb());
      const next = reader.at + length;
      if (length === 0 || next > end) throw new RangeError('an opcode past the end');
      const extended = reader.u8();
      if (extended === 1) {
        emit({ address, file: undefined, line: 0, statement: false });
        address = 0n;
        file = 1;
        line = 1;
        statement = program.statements;
      } else if (extended === 2)
        address = length === 9 ? reader.u64() : length === 5 ? BigInt(reader.u32()) : address;
      reader.at = next;
    } else if (opcode === 1) emitLine();
    else if (opcode === 2) advance(reader.uleb());
    else if (opcode === 3) line += Number(reader.sleb());
    else if (opcode === 4) file = Number(reader.uleb());
    else if (opcode === 6) statement = !statement;
    else if (opcode === 8) advance(BigInt(Math.floor((255 - opcodeBase) / lineRange)));
    else if (opcode === 9) address += BigInt(reader.u16());
    else for (let n = 0; n < (lengths[opcode - 1] ?? 0); n++) reader.uleb();
  }
}
