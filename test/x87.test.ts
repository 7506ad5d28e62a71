/** The x87 FPU against the host's own: the same instruction bytes on the same state and operands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { opcodes } from '../src/isa/index.js';
import { Random, randomDecimal, randomInteger, randomNumber, randomShort } from './x87/numbers.js';
import {
  CASE,
  CODE,
  cutTags,
  FLAGS,
  noOracle,
  OPERAND,
  REGISTERS,
  runOnHost,
  runOnSoft,
} from './x87/sides.js';

const skip = noOracle() ?? false;

interface Instruction {
  name: string;
  code: number[];
  operand: 'none' | 'short4' | 'short8' | 'ten' | 'decimal' | 'integer';
}

/** Every x87 instruction of the table that is no environment's or state's, each with its register forms. */
function instructions(): Instruction[] {
  const found: Instruction[] = [];
  for (const { opcode, reg, rm, name, operands } of opcodes) {
    if (opcode >> 3 !== 0x1b || /^(fnstenv|fldenv|fnsave|frstor|fnstsw)$/.test(name)) continue;
    const [operand = ''] = operands;
    if (operand.startsWith('M')) {
      const size = { d: 'short4', q: 'short8', t: 'ten', w: 'integer' }[operand.at(-1) ?? ''];
      let kind = (name.startsWith('fi') ? 'integer' : size) as Instruction['operand'];
      if (name === 'fbld') kind = 'decimal';
      found.push({ name, code: [opcode, (reg << 3) | 7], operand: kind });
    } else {
      const low = rm >= 0 ? [rm] : [0, 1, 2, 5, 7];
      for (const i of low) found.push({ name, code: [opcode, 0xc0 | (reg << 3) | i], operand: 'none' });
    }
  }
  return found;
}

/** A state with `top` and tags, most registers in use. */
function randomState(random: Random, view: DataView, at: number): void {
  const unmasked = random.below(4) === 0 ? random.below(64) : 0;
  const control = 0x7f & ~unmasked;
  view.setUint32(at, control | (random.pick([0, 2, 3, 3, 1]) << 8) | (random.below(4) << 10), true);
  // No exception is pending, or the host's program would end.
  const pending = random.below(64) & control & (random.below(2) === 0 ? 0x3f : 0);
  const top = random.below(8);
  view.setUint32(
    at + 4,
    pending | (random.below(2) << 6) | (top << 11) | ((random.below(16) & 7) << 8),
    true,
  );
  let tags = 0;
  const full = random.below(4);
  for (let n = 0; n < 8; n++) {
    if (full === 0 ? random.below(3) === 0 : full === 1 ? false : n === ((top + 7) & 7)) tags |= 3 << (2 * n);
  }
  view.setUint32(at + 8, tags, true);
  const around = random.pick([0x3fff, 0x3fff, 0x403e, 4, 0x7ffa, 0x3fc0, 0x3fff - 126, 0x3fff + 1023]);
  for (let n = 0; n < 8; n++) {
    randomNumber(random, view, at + REGISTERS + 10 * n, around);
    if (n === 1 && random.below(16) === 0) {
      // The same number twice
      for (let i = 0; i < 10; i++) view.setUint8(at + REGISTERS + 10 + i, view.getUint8(at + REGISTERS + i));
    }
  }
}

function randomCase(random: Random, { code, operand }: Instruction, view: DataView, at: number): void {
  randomState(random, view, at);
  view.setUint8(at + CODE, code.length);
  for (const [n, byte] of code.entries()) view.setUint8(at + CODE + 1 + n, byte);
  view.setUint32(at + FLAGS, 2 | (random.word() & 0x8d5), true);
  if (operand === 'short4') randomShort(random, view, at + OPERAND, 4);
  else if (operand === 'short8') randomShort(random, view, at + OPERAND, 8);
  else if (operand === 'ten') randomNumber(random, view, at + OPERAND);
  else if (operand === 'decimal') randomDecimal(random, view, at + OPERAND);
  else if (operand === 'integer') randomInteger(random, view, at + OPERAND);
}

const hex = (view: DataView, at: number, length: number) =>
  Array.from({ length }, (_, n) =>
    view
      .getUint8(at + length - 1 - n)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

/** Where the two differ, in words; empty where they do not. */
function difference(host: DataView, soft: DataView, at: number): string[] {
  const differ: string[] = [];
  const compare = (what: string, a: number, b: number) => {
    if (a !== b) differ.push(`${what} ${a.toString(16)}, not ${b.toString(16)}`);
  };
  compare('control', soft.getUint16(at, true), host.getUint16(at, true));
  compare('status', soft.getUint16(at + 4, true), host.getUint16(at + 4, true));
  compare('tags', soft.getUint16(at + 8, true), cutTags(host.getUint16(at + 8, true)));
  compare('flags', soft.getUint32(at + FLAGS, true) & 0x8d5, host.getUint32(at + FLAGS, true) & 0x8d5);
  const number = (what: string, from: number, length: number) => {
    const a = hex(soft, from, length);
    const b = hex(host, from, length);
    if (a !== b) differ.push(`${what} ${a}, not ${b}`);
  };
  for (let n = 0; n < 8; n++) number(`st${n}`, at + REGISTERS + 10 * n, 10);
  number('memory', at + OPERAND, 32);
  return differ;
}

const transcendental = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/;

describe('the x87 FPU does what the host does', { skip }, () => {
  test('in each instruction but the transcendental ones: result, exceptions, condition codes, stack', (t) => {
    const random = new Random(Number(process.env.X87_SEED ?? 8087));
    const list = instructions().filter(({ name }) => !transcendental.test(name));
    const count = Number(process.env.X87_CASES ?? 120_000);
    const cases = new Uint8Array(count * CASE);
    const before = new DataView(cases.buffer);
    const which: Instruction[] = [];
    for (let n = 0; n < count; n++) {
      const instruction = list[n % list.length]!;
      which.push(instruction);
      randomCase(random, instruction, before, n * CASE);
    }
    const host = new DataView(Uint8Array.from(runOnHost(cases)).buffer);
    const ours = cases.slice();
    runOnSoft(ours);
    const soft = new DataView(ours.buffer);
    const differ = new Map<string, string[]>();
    let wrong = 0;
    for (let n = 0; n < count; n++) {
      const found = difference(host, soft, n * CASE);
      if (found.length === 0) continue;
      wrong++;
      const { name, code } = which[n]!;
      const at = n * CASE;
      const lines = differ.get(name) ?? [];
      differ.set(name, lines);
      const operands = `cw ${hex(before, at, 2)} sw ${hex(before, at + 4, 2)} tags ${hex(before, at + 8, 2)} st0 ${hex(before, at + REGISTERS, 10)} st1 ${hex(before, at + REGISTERS + 10, 10)} m ${hex(before, at + OPERAND, 10)}`;
      lines.push(
        `${name} ${code.map((byte) => byte.toString(16)).join(' ')} ${operands}: ${found.join('; ')}`,
      );
    }
    t.diagnostic(`${count} comparisons, ${wrong} differences`);
    const report = [...differ].flatMap(([name, lines]) => [
      `${name}: ${lines.length}`,
      ...lines.slice(0, Number(process.env.X87_LINES ?? 3)),
    ]);
    assert.deepEqual(report.slice(0, 200), []);
  });
});
