/**
 * The opcode table, from which the decoder, the dispatch and the tests are made.
 *
 * @module
 */
import {
  type InstructionRecord,
  type Meaning,
  parseRecord,
  recordLines,
  type Spelling,
} from './mnemonics.js';
import { newerRows } from './newer.js';
import { oneByteRows } from './one-byte.js';
import { sseRows } from './sse.js';
import { systemRows } from './system.js';
import { twoByteRows } from './two-byte.js';
import { x87Rows } from './x87.js';

export type { InstructionRecord, Kind, Meaning, Spelling } from './mnemonics.js';

export type OpcodeMap = 0 | 1 | 2 | 3;
/** The required prefix of an opcode: none of 66, F3 and F2, or one of them (SDM 2A 2.1.2). */
export type MandatoryPrefix = 'any' | 'none' | '66' | 'f3' | 'f2';

/** One instruction form. */
export interface Opcode {
  /** 0: one-byte opcodes; 1: those after 0F; 2: after 0F 38; 3: after 0F 3A. */
  map: OpcodeMap;
  /** Encoded with VEX. */
  vex: boolean;
  /** The required VEX.L. */
  vexLength: 0 | 1 | 'any';
  /** The required VEX.W. */
  vexWide: 0 | 1 | 'any';
  /** The mandatory prefix; `any` where prefixes do not select. */
  prefix: MandatoryPrefix;
  opcode: number;
  /** ModRM's reg field, where it selects; -1 where it does not. */
  reg: number;
  /** ModRM's rm field, where it selects among registers; -1 where it does not. */
  rm: number;
  /** The required mod field of ModRM. */
  form: 'memory' | 'register' | 'any';
  name: string;
  /** The function that executes it, if it is not that of its name. */
  by: string | undefined;
  /** As in SDM 2D A.2.1, see one-byte.ts. */
  operands: readonly string[];
  /** Its mnemonic's record. */
  meaning: Meaning;
  spelling: Spelling;
  /** Memory of 16 bytes need not be aligned. */
  unaligned: boolean;
  /** The function of kind `vector` returns an integer. */
  value: boolean;
  /** LOCK is allowed where the first operand is memory. */
  lock: boolean;
  /** #UD in 64-bit mode; or only valid there; or #UD in real and virtual-8086 mode. */
  no64: boolean;
  only64: boolean;
  protectedOnly: boolean;
  /** 64-bit mode: operands are 64 bits by default (SDM 2A 2.2.1.7), or always, regardless of prefixes. */
  default64: boolean;
  force64: boolean;
  /** ModRM is a register for every value of its mod field (MOV to and from control registers). */
  registerOnly: boolean;
  /** Immediates that are not operands: a far pointer; the level of ENTER. */
  immediate: 'none' | 'far' | 'enter';
  /** The first processor that has it, such as 286; 86 for the 8086. */
  since: number;
}

const place = /^(vex\.)?(?:(np|66|f3|f2)\.)?(?:(38|3a)\.)?([0-9a-f]{2})(\+r|\+c)?(?:\/(\d))?(?:\/(\d))?$/;
const maps: Record<string, OpcodeMap> = { '38': 2, '3a': 3 };

/** The form of ModRM, by the operands and its rm field. */
function formOf(operands: readonly string[], rm: string | undefined, has: (word: string) => boolean) {
  if (has('mem') || operands.some((operand) => operand.startsWith('M'))) return 'memory';
  const register = /^([UN]|R[^|]*$|Ti$)/;
  return has('reg') || rm !== undefined || operands.some((operand) => register.test(operand))
    ? 'register'
    : 'any';
}

type Records = ReadonlyMap<string, InstructionRecord>;

function parseRow(map: 0 | 1, line: string, records: Records): Opcode[] {
  const [where = '', name = '', list = '', ...attributes] = line.trim().split(/\s+/);
  const [, vex, prefix, escaped, code = '', suffix = '', reg, rm] = place.exec(where) ?? [];
  if (code === '') throw new Error(`opcode table: '${line}' begins with no place of an opcode`);
  const record = records.get(name);
  if (record === undefined) throw new Error(`opcode table: '${line}' has no record in mnemonics.ts`);
  const has = (word: string) => attributes.includes(word);
  const operands = list === '-' ? [] : list.split(',');
  const row: Opcode = {
    map: escaped === undefined ? map : maps[escaped]!,
    vex: vex !== undefined,
    prefix:
      prefix === 'np' || (prefix === undefined && vex !== undefined)
        ? 'none'
        : ((prefix as MandatoryPrefix) ?? 'any'),
    vexLength: has('lx') ? 'any' : has('l1') ? 1 : 0,
    vexWide: has('w0') ? 0 : has('w1') ? 1 : 'any',
    opcode: 0,
    reg: reg === undefined ? -1 : Number(reg),
    rm: rm === undefined ? -1 : Number(rm),
    form: formOf(operands, rm, has),
    name,
    by: attributes.find((word) => word.startsWith('='))?.slice(1),
    operands,
    meaning: record.meaning,
    spelling: record.spelling,
    unaligned: has('unaligned'),
    value: has('value') || /^[GER]/.test(operands[0] ?? ''),
    lock: has('lock'),
    no64: has('no64'),
    only64: has('only64'),
    protectedOnly: has('prot'),
    default64: has('d64'),
    force64: has('f64'),
    registerOnly: has('modreg'),
    immediate: has('far') ? 'far' : has('enter') ? 'enter' : 'none',
    since: Number(attributes.find((word) => /^\d+$/.test(word)) ?? 86),
  };
  const count = suffix === '+r' ? 8 : suffix === '+c' ? 16 : 1;
  return Array.from({ length: count }, (_, n) => ({ ...row, opcode: Number.parseInt(code, 16) + n }));
}

/** The source of the table: records, and rows grouped by the bytes before their opcodes. */
export interface TableText {
  records: readonly string[];
  /** Rows of one-byte opcodes. */
  oneByte: readonly string[];
  /** Rows after 0F. */
  twoByte: readonly string[];
  /** Rows of the x87 FPU: each has its own function. */
  x87: readonly string[];
}

/** Our own table. */
export function tableText(): TableText {
  return {
    records: recordLines(),
    oneByte: oneByteRows,
    twoByte: [...twoByteRows, ...newerRows, ...systemRows, ...sseRows],
    x87: x87Rows,
  };
}

/** @throws Error that names the wrong line */
export function parseTable({ records, oneByte, twoByte, x87 }: TableText): readonly Opcode[] {
  const byName = new Map(records.map(parseRecord).map((record) => [record.name, record]));
  return [
    ...oneByte.flatMap((line) => parseRow(0, line, byName)),
    ...twoByte.flatMap((line) => parseRow(1, line, byName)),
    ...x87.flatMap((line) => parseRow(0, line, byName)).map((row) => ({ ...row, by: row.by ?? row.name })),
  ];
}

let parsed: readonly Opcode[] | undefined;

/** Every row, one opcode (and reg field) each. Parsed at the first call: most runs show no instruction, and start sooner. */
export function opcodes(): readonly Opcode[] {
  parsed ??= parseTable(tableText());
  return parsed;
}
