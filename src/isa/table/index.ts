/**
 * The opcode table: what the decoder, the dispatch and the tests are made of.
 *
 * @module
 */
import { type Meaning, meanings } from './meaning.js';
import { newerRows } from './newer.js';
import { oneByteRows } from './one-byte.js';
import { sseRows } from './sse.js';
import { systemRows } from './system.js';
import { twoByteRows } from './two-byte.js';
import { x87Rows } from './x87.js';

export type { Kind, Meaning } from './meaning.js';

export type OpcodeMap = 0 | 1 | 2 | 3;
/** What has to stand before an opcode: none of 66, F3 and F2, or the one that counts (SDM 2A 2.1.2). */
export type MandatoryPrefix = 'any' | 'none' | '66' | 'f3' | 'f2';

/** One instruction form. */
export interface Opcode {
  /** 0: one-byte opcodes; 1: those behind 0F; 2: behind 0F 38; 3: behind 0F 3A. */
  map: OpcodeMap;
  /** Encoded with VEX, whose L is 0. */
  vex: boolean;
  /** The mandatory prefix; `any` where prefixes do not select. */
  prefix: MandatoryPrefix;
  opcode: number;
  /** ModRM's reg field, where it selects; -1 where it does not. */
  reg: number;
  /** ModRM's rm field, where it selects among registers; -1 where it does not. */
  rm: number;
  /** What ModRM's mod field has to be. */
  form: 'memory' | 'register' | 'any';
  name: string;
  /** The function that does it, where the name does not say. */
  by: string | undefined;
  /** As in SDM 2D A.2.1, see one-byte.ts. */
  operands: readonly string[];
  meaning: Meaning;
  /** Memory of 16 bytes need not be aligned. */
  unaligned: boolean;
  /** The function of kind `vector` gives an integer. */
  value: boolean;
  /** LOCK is allowed where the first operand is memory. */
  lock: boolean;
  /** #UD in 64-bit mode; or only valid there; or #UD in real and virtual-8086 mode. */
  no64: boolean;
  only64: boolean;
  protectedOnly: boolean;
  /** 64-bit mode: operands are 64 bits by default (SDM 2A 2.2.1.7), or whatever the prefixes say. */
  default64: boolean;
  force64: boolean;
  /** ModRM is a register whatever its mod field says (MOV to and from control registers). */
  registerOnly: boolean;
  /** Immediates that are no operands: a far pointer; the level of ENTER. */
  immediate: 'none' | 'far' | 'enter';
  /** The first processor that has it, such as 286; 86 for the 8086. */
  since: number;
}

const place = /^(vex\.)?(?:(np|66|f3|f2)\.)?(?:(38|3a)\.)?([0-9a-f]{2})(\+r|\+c)?(?:\/(\d))?(?:\/(\d))?$/;
const maps: Record<string, OpcodeMap> = { '38': 2, '3a': 3 };

/** What operands and ModRM's rm say about the form. */
function formOf(operands: readonly string[], rm: string | undefined, has: (word: string) => boolean) {
  if (has('mem') || operands.some((operand) => operand.startsWith('M'))) return 'memory';
  const register = /^([UN]|R|Ti$)/;
  return has('reg') || rm !== undefined || operands.some((operand) => register.test(operand))
    ? 'register'
    : 'any';
}

function parse(map: 0 | 1, line: string): Opcode[] {
  const [where = '', name = '', list = '', ...attributes] = line.trim().split(/\s+/);
  const [, vex, prefix, escaped, code = '', suffix = '', reg, rm] = place.exec(where) ?? [];
  const meaning = meanings().get(name);
  if (meaning === undefined || code === '') throw new Error(`opcode table: '${line}' makes no sense`);
  const has = (word: string) => attributes.includes(word);
  const operands = list === '-' ? [] : list.split(',');
  const row: Opcode = {
    map: escaped === undefined ? map : maps[escaped]!,
    vex: vex !== undefined,
    prefix:
      prefix === 'np' || (prefix === undefined && vex !== undefined)
        ? 'none'
        : ((prefix as MandatoryPrefix) ?? 'any'),
    opcode: 0,
    reg: reg === undefined ? -1 : Number(reg),
    rm: rm === undefined ? -1 : Number(rm),
    form: formOf(operands, rm, has),
    name,
    by: attributes.find((word) => word.startsWith('='))?.slice(1),
    operands,
    meaning,
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

function parseAll(): readonly Opcode[] {
  return [
    ...oneByteRows.flatMap((line) => parse(0, line)),
    ...twoByteRows.flatMap((line) => parse(1, line)),
    ...newerRows.flatMap((line) => parse(1, line)),
    ...systemRows.flatMap((line) => parse(1, line)),
    ...sseRows.flatMap((line) => parse(1, line)),
    ...x87Rows.flatMap((line) => parse(0, line)).map((row) => ({ ...row, by: row.by ?? row.name })),
  ];
}

let parsed: readonly Opcode[] | undefined;

/** Every row, one opcode (and reg field) each. Read at the first call: most runs show no instruction, and start sooner. */
export function opcodes(): readonly Opcode[] {
  parsed ??= parseAll();
  return parsed;
}
