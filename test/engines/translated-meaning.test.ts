/**
 * An instruction's meaning is defined once: a change in the program also changes its translations. And where only one
 * of the two is changed, random programs find it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as L from '../../src/engine/soft/layout.js';
import { ProgramCode } from '../../src/engine/soft/translate/index.js';
import { randomNumbers } from '../../src/random.js';
import { compare, engineOf, programBytes, Side } from './lockstep.js';

const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
/** local.get, local.tee. */
const LOCALS = [0x20, 0x22];
const CODE = 10;
/** The number of programs that have to find a change. */
const PROGRAMS = 10;

function readU32(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value >>> 0, at];
  }
}

/** Where the code of the program's functions is (WebAssembly core specification, 5.5.13). */
function bodiesOf(bytes: Uint8Array): [start: number, end: number][] {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at]!;
    const [size, start] = readU32(bytes, at + 1);
    at = start + size;
    if (id !== CODE) continue;
    let [left, next] = readU32(bytes, start);
    const bodies: [number, number][] = [];
    for (; left > 0; left--) {
      const [length, begin] = readU32(bytes, next);
      bodies.push([begin, begin + length]);
      next = begin + length;
    }
    return bodies;
  }
  throw new Error('no code');
}

/** The number of the handler of ADD AX, imm8, which all programs have many of. `execute` has no code of its own for 16 bits. */
function handlerOfAdd(): number {
  using side = new Side(engineOf('off'), 'real');
  const add = Uint8Array.of(0x83, 0xc0, 1, 0xf4);
  side.start({ bytes: add, address: 0x14000, rip: 0x4000n, abort: add });
  side.run(1000);
  return new DataView(side.memory.buffer).getUint16(L.POOL + L.BLOCK_OPS + L.OP_HANDLER, true);
}

/** Programs with one addition of that handler turned into a subtraction. */
function* changed(): Generator<Uint8Array> {
  const original = programBytes();
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(original)).filter(
    ({ kind }) => kind === 'function',
  ).length;
  const handler = new ProgramCode(original).handlers[handlerOfAdd() - L.FIRST_HANDLER]!;
  const [start, end] = bodiesOf(original)[handler - imported]!;
  for (let at = start; at < end; at++) {
    // Of two values, and not of an address and a constant.
    const isOfLocal = LOCALS.includes(original[at - 2]!) && original[at - 1]! < 16;
    if (original[at] !== I32_ADD || !isOfLocal) continue;
    const bytes = original.slice();
    bytes[at] = I32_SUB;
    if (WebAssembly.validate(bytes)) yield bytes;
  }
}

/** True if random programs find a difference between the sides. */
function differ(program: Uint8Array, from: Uint8Array): boolean {
  using interpreted = new Side(engineOf('off', program), 'real');
  using translated = new Side(engineOf('eager', program, from), 'real');
  try {
    for (let n = 0; n < PROGRAMS; n++)
      compare(randomNumbers(7000 + n), 'real', [interpreted, translated], `${n}`);
  } catch {
    return true;
  }
  return false;
}

test('a handler whose meaning is changed only for the translator is found', () => {
  const original = programBytes();
  const found = [...changed()].filter((bytes) => differ(original, bytes));
  assert.ok(found.length > 0);
});

test('a handler whose meaning is changed is translated with its new meaning', () => {
  for (const bytes of changed()) assert.equal(differ(bytes, bytes), false);
});
