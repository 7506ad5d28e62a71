/**
 * The source lines of instructions, for debuggers: DWARF 4's line table (6.2), and the single unit that names it (7.5).
 *
 * @module
 */
import type { PlacedLine } from './layout.js';
import { Writer } from './writer.js';

/** Opcodes of the line program (DWARF 4, 7.21) and other constants. */
const DW_LNS_copy = 1;
const DW_LNS_advance_pc = 2;
const DW_LNS_advance_line = 3;
const DW_LNS_set_file = 4;
const DW_LNE_end_sequence = 1;
const DW_LNE_set_address = 2;
const DW_TAG_compile_unit = 0x11;
const DW_LANG_Mips_Assembler = 0x8001;
const attributes = {
  stmt_list: 0x10,
  low_pc: 0x11,
  high_pc: 0x12,
  name: 0x03,
  comp_dir: 0x1b,
  language: 0x13,
};
const forms = { addr: 0x01, data2: 0x05, string: 0x08, sec_offset: 0x17 };

export interface DebugSections {
  readonly line: Uint8Array;
  readonly info: Uint8Array;
  readonly abbrev: Uint8Array;
}

export interface Unit {
  readonly lines: readonly PlacedLine[];
  /** A range of code. */
  readonly from: bigint;
  readonly to: bigint;
  readonly addressBytes: 4 | 8;
  /** The source, and the folder to which file names are relative. */
  readonly name: string;
  readonly folder: string;
}

function lineTable({ lines, to, addressBytes, name }: Unit): Uint8Array {
  const files = [...new Set([name, ...lines.map(({ origin }) => origin.file)])];
  const header = new Writer();
  // Instructions of 1 byte, one operation each; statements by default; line_base, line_range and opcode_base without special opcodes.
  header.number(1, 1).number(1, 1).number(1, 1).number(-1, 1).number(1, 1).number(13, 1);
  header.data([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
  header.number(0, 1);
  for (const file of files) header.text(file).unsigned(0).unsigned(0).unsigned(0);
  header.number(0, 1);
  const program = new Writer();
  const sorted = lines.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  let address = sorted[0]?.address ?? to;
  program
    .number(0, 1)
    .unsigned(1 + addressBytes)
    .number(DW_LNE_set_address, 1)
    .number(address, addressBytes);
  let line = 1;
  let file = 1;
  for (const { address: at, origin } of sorted) {
    if (at !== address) program.number(DW_LNS_advance_pc, 1).unsigned(at - address);
    if (origin.line !== line) program.number(DW_LNS_advance_line, 1).signed(origin.line - line);
    const number = files.indexOf(origin.file) + 1;
    if (number !== file) program.number(DW_LNS_set_file, 1).unsigned(number);
    program.number(DW_LNS_copy, 1);
    [address, line, file] = [at, origin.line, number];
  }
  if (to > address) program.number(DW_LNS_advance_pc, 1).unsigned(to - address);
  program.number(0, 1).unsigned(1).number(DW_LNE_end_sequence, 1);
  const table = new Writer();
  table
    .number(2 + 4 + header.length + program.length, 4)
    .number(4, 2)
    .number(header.length, 4);
  return table.data(header.bytes).data(program.bytes).bytes;
}

/** The three sections that a debugger needs to find lines. */
export function debugSections(unit: Unit): DebugSections {
  const abbrev = new Writer().unsigned(1).unsigned(DW_TAG_compile_unit).number(0, 1);
  const shape = [
    [attributes.stmt_list, forms.sec_offset],
    [attributes.low_pc, forms.addr],
    [attributes.high_pc, forms.addr],
    [attributes.name, forms.string],
    [attributes.comp_dir, forms.string],
    [attributes.language, forms.data2],
    [0, 0],
  ] as const;
  for (const [name, form] of shape) abbrev.unsigned(name).unsigned(form);
  abbrev.number(0, 1);
  const body = new Writer().number(4, 2).number(0, 4).number(unit.addressBytes, 1).unsigned(1);
  body.number(0, 4).number(unit.from, unit.addressBytes).number(unit.to, unit.addressBytes);
  body.text(unit.name).text(unit.folder).number(DW_LANG_Mips_Assembler, 2);
  const info = new Writer().number(body.length, 4).data(body.bytes);
  return { line: lineTable(unit), info: info.bytes, abbrev: abbrev.bytes };
}
