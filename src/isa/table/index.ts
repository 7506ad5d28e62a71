/**
 * The opcode table: what the decoder, the dispatch and the tests are made of.
 *
 * @module
 */
import { type Meaning, meanings } from './meaning.js';
import { oneByteRows } from './one-byte.js';
import { twoByteRows } from './two-byte.js';
import { x87Rows } from './x87.js';

export type { Kind, Meaning } from './meaning.js';

/** One instruction form. */
export interface Opcode {
  /** 0: one-byte opcodes; 1: those behind 0F. */
  map: 0 | 1;
  opcode: number;
  /** ModRM's reg field, where it selects; -1 where it does not. */
  reg: number;
  /** ModRM's rm field, where it selects among registers; -1 where it does not. */
  rm: number;
  name: string;
  /** As in SDM 2D A.2.1, see one-byte.ts. */
  operands: readonly string[];
  meaning: Meaning;
  /** The function that does it, where the name does not say. */
  by: string | undefined;
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

function parse(map: 0 | 1, line: string): Opcode[] {
  const [place = '', name = '', operands = '', ...attributes] = line.trim().split(/\s+/);
  const [, code = '', suffix = '', reg, rm] =
    /^([0-9a-f]{2})(\+r|\+c)?(?:\/(\d))?(?:\/(\d))?$/.exec(place) ?? [];
  const meaning = meanings.get(name);
  if (meaning === undefined || code === '') throw new Error(`opcode table: '${line}' makes no sense`);
  const has = (word: string) => attributes.includes(word);
  const row = {
    map,
    reg: reg === undefined ? -1 : Number(reg),
    rm: rm === undefined ? -1 : Number(rm),
    name,
    operands: operands === '-' ? [] : operands.split(','),
    meaning,
    by: attributes.find((word) => word.startsWith('='))?.slice(1),
    lock: has('lock'),
    no64: has('no64'),
    only64: has('only64'),
    protectedOnly: has('prot'),
    default64: has('d64'),
    force64: has('f64'),
    registerOnly: has('modreg'),
    immediate: has('far') ? ('far' as const) : has('enter') ? ('enter' as const) : ('none' as const),
    since: Number(attributes.find((word) => /^\d+$/.test(word)) ?? 86),
  };
  const count = suffix === '+r' ? 8 : suffix === '+c' ? 16 : 1;
  return Array.from({ length: count }, (_, n) => ({ ...row, opcode: Number.parseInt(code, 16) + n }));
}

/** Every row, one opcode (and reg field) each. */
export const opcodes: readonly Opcode[] = [
  ...oneByteRows.flatMap((line) => parse(0, line)),
  ...twoByteRows.flatMap((line) => parse(1, line)),
  ...x87Rows.flatMap((line) => parse(0, line)).map((row) => ({ ...row, by: row.by ?? row.name })),
];
