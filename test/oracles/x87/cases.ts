/**
 * Cases for the x87 tests: each instruction of the table in each form, on random states; and the differences of two
 * results.
 *
 * @module
 */
import { opcodes } from '../../../src/isa/index.js';
import { Random, randomDecimal, randomInteger, randomNumber, randomShort } from './numbers.js';
import { CASE, CODE, cutTags, FLAGS, OPERAND, REGISTERS } from './sides.js';

export interface Instruction {
  name: string;
  code: number[];
  operand: 'none' | 'short4' | 'short8' | 'ten' | 'decimal' | 'integer' | 'state';
}

export const isTranscendental = (name: string): boolean =>
  /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/.test(name);

/** The instructions that store the FPU's state to memory or load it. */
export const isState = (name: string): boolean => /^(fnstenv|fldenv|fnsave|frstor)$/.test(name);

const operandKinds = new Map<string, Instruction['operand']>([
  ['Md', 'short4'],
  ['Mq', 'short8'],
  ['Mt', 'ten'],
  ['Mw', 'integer'],
  ['Mn', 'state'],
  ['Ms', 'state'],
]);

/** Every x87 instruction of the table whose result is in the state and 128 bytes of memory. */
export function instructions(): Instruction[] {
  const found: Instruction[] = [];
  for (const { map, opcode, reg, rm, name, operands } of opcodes()) {
    if (map !== 0 || opcode >> 3 !== 0x1b || operands[0] === 'Aw') continue;
    const kind = operandKinds.get(operands[0] ?? '');
    if (kind !== undefined) {
      const operand = name === 'fbld' ? 'decimal' : name.startsWith('fi') ? 'integer' : kind;
      found.push({ name, code: [opcode, (reg << 3) | 7], operand });
    } else {
      const low = rm >= 0 ? [rm] : [0, 1, 2, 5, 7];
      for (const i of low) found.push({ name, code: [opcode, 0xc0 | (reg << 3) | i], operand: 'none' });
    }
  }
  return found;
}

/**
 * Exponents near which results overflow, underflow, lose bits, or reach the limits of an integer or a shorter number.
 */
const places = [0x3fff, 0x3fff, 0x403e, 4, 0x7ffa, 0x3fc0, 0x3fff - 126, 0x3fff + 1023];

/** Control, status and tag word, and eight numbers. No exception is pending: the host's program would end. */
function randomState(random: Random, view: DataView, at: number): void {
  const unmasked = random.below(4) === 0 ? random.below(64) : 0;
  const control = 0x7f & ~unmasked;
  view.setUint32(at, control | (random.pick([0, 2, 3, 3, 1]) << 8) | (random.below(4) << 10), true);
  const flags = random.below(2) === 0 ? random.below(64) & control : 0;
  const conditions = (random.below(8) << 8) | (random.below(2) << 14);
  const top = random.below(8);
  view.setUint32(at + 4, flags | (random.below(2) << 6) | (top << 11) | conditions, true);
  let tags = 0;
  const full = random.below(4);
  for (let n = 0; n < 8; n++) {
    const empty = full === 0 ? random.below(3) === 0 : full !== 1 && n === ((top + 7) & 7);
    if (empty) tags |= 3 << (2 * n);
  }
  view.setUint32(at + 8, tags, true);
  const around = random.pick(places);
  for (let n = 0; n < 8; n++) randomNumber(random, view, at + REGISTERS + 10 * n, around);
  if (random.below(16) > 0) return;
  // The same number twice.
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at + REGISTERS, 20);
  bytes.copyWithin(10, 0, 10);
}

function randomOperand(random: Random, kind: Instruction['operand'], view: DataView, at: number): void {
  if (kind === 'short4') randomShort(random, view, at, 4);
  else if (kind === 'short8') randomShort(random, view, at, 8);
  else if (kind === 'ten') randomNumber(random, view, at);
  else if (kind === 'decimal') randomDecimal(random, view, at);
  else if (kind === 'integer') randomInteger(random, view, at);
  else if (kind === 'state') {
    for (let n = 0; n < 28; n += 4) view.setUint32(at + n, random.word(), true);
    for (let n = 0; n < 8; n++) randomNumber(random, view, at + 28 + 10 * n);
  }
}

/** A number of cases, for the instructions one after another. */
export function randomCases(list: readonly Instruction[], count: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const cases = new Uint8Array(count * CASE);
  const view = new DataView(cases.buffer);
  for (let n = 0; n < count; n++) {
    const { code, operand } = list[n % list.length]!;
    const at = n * CASE;
    randomState(random, view, at);
    cases[at + CODE] = code.length;
    cases.set(code, at + CODE + 1);
    view.setUint32(at + FLAGS, 2 | (random.word() & 0x8d5), true);
    randomOperand(random, operand, view, at + OPERAND);
  }
  return cases;
}

const hex = (view: DataView, at: number, length: number) =>
  Array.from({ length }, (_, n) =>
    view
      .getUint8(at + length - 1 - n)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

/** A case's initial state, for people. */
export function describeCase(view: DataView, at: number): string {
  const length = view.getUint8(at + CODE);
  const code = Array.from({ length }, (_, n) => hex(view, at + CODE + 1 + n, 1)).join(' ');
  const st = [0, 1].map((n) => `st${n} ${hex(view, at + REGISTERS + 10 * n, 10)}`).join(' ');
  const words = `control ${hex(view, at, 2)} status ${hex(view, at + 4, 2)} tags ${hex(view, at + 8, 2)}`;
  return `${code}: ${words} ${st} memory ${hex(view, at + OPERAND, 10)}`;
}

/** The differences of the two results of a case, as text; empty where there are none. */
export function differences(soft: DataView, host: DataView, at: number, statusMask = 0xffff): string[] {
  const found: string[] = [];
  const compare = (what: string, ours: number, theirs: number) => {
    if (ours !== theirs) found.push(`${what} ${ours.toString(16)}, not ${theirs.toString(16)}`);
  };
  compare('control', soft.getUint16(at, true), host.getUint16(at, true));
  compare('status', soft.getUint16(at + 4, true) & statusMask, host.getUint16(at + 4, true) & statusMask);
  compare('tags', soft.getUint16(at + 8, true), cutTags(host.getUint16(at + 8, true)));
  compare('flags', soft.getUint32(at + FLAGS, true) & 0x8d5, host.getUint32(at + FLAGS, true) & 0x8d5);
  for (let n = 0; n < 8; n++) {
    found.push(...bytesDiffer(`st${n}`, soft, host, at + REGISTERS + 10 * n, 10));
  }
  return found;
}

function bytesDiffer(what: string, soft: DataView, host: DataView, from: number, length: number): string[] {
  // Every operand here has an even number of bytes.
  for (let at = from; at < from + length; at += 2) {
    if (soft.getUint16(at, true) === host.getUint16(at, true)) continue;
    return [`${what} ${hex(soft, from, length)}, not ${hex(host, from, length)}`];
  }
  return [];
}

/** The same for the memory operand, from byte `start` to `end`. */
export function memoryDiffers(
  soft: DataView,
  host: DataView,
  at: number,
  start: number,
  end: number,
): string[] {
  return bytesDiffer('memory', soft, host, at + OPERAND + start, end - start);
}

/** The difference of a register's two values in units of the last bit; Infinity where that is not defined. */
export function ulps(soft: DataView, host: DataView, at: number): number {
  if (soft.getUint16(at + 8, true) >> 15 !== host.getUint16(at + 8, true) >> 15)
    return Number.POSITIVE_INFINITY;
  const order = (view: DataView) =>
    (BigInt(view.getUint16(at + 8, true)) << 63n) + BigInt.asUintN(63, view.getBigUint64(at, true));
  const distance = order(soft) - order(host);
  return Number(distance < 0n ? -distance : distance);
}
