/** The last write to memory, found by the written pages: at the place that follows from the program's arithmetic. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { Debugger, DebugSession, localTarget } from '../../src/debug/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';

const START = 0x1000;

/**
 * Counts ECX up without end, in steps of seven instructions. Each step writes the low word to [3000h]; each 65,536th
 * also writes to [5000h] the value that it already has, and the upper word to the next page.
 */
const program = [
  ...[0x66, 0x31, 0xc9], // xor ecx, ecx
  ...[0x89, 0x0e, 0x00, 0x30], // again: mov [3000h], cx
  ...[0x66, 0x41], // inc ecx
  ...[0x85, 0xc9], // test cx, cx
  ...[0x75, 0xf6], // jnz again
  ...[0xc6, 0x06, 0x00, 0x50, 0x00], // mov byte [5000h], 0
  ...[0x66, 0x89, 0x0e, 0x00, 0x60], // mov [6000h], ecx
  ...[0xeb, 0xea], // jmp again
];
/** Instructions of one round of 65,536 steps, and before the first. */
const [ROUND, BEFORE] = [4 * 65_536 + 3, 1];

function ran(rounds: number) {
  const machine = createMachine({
    image: parseImage(Uint8Array.from(program), 'program'),
    mode: 'real',
    load: START,
    engine: 'soft',
  });
  const session = new DebugSession(machine, {
    history: {},
    run: { maxInstructions: BEFORE + rounds * ROUND + 100 },
  });
  session.resume();
  return { session, [Symbol.dispose]: () => machine[Symbol.dispose]() };
}

describe('the last write', () => {
  test('is found in pages that are written rarely, always or never, also with the same value', () => {
    using guest = ran(10);
    const { session } = guest;
    const end = session.history()!.now;
    const last = BEFORE + 10 * ROUND;
    const back = (address: bigint, length: number) => {
      session.goTo(end);
      const stop = session.lastWrite(address, length);
      return { why: stop.why, at: session.history()!.now };
    };
    assert.deepEqual(back(0x5000n, 1), { why: 'watchpoint', at: last - 3 });
    assert.deepEqual(back(0x6002n, 1), { why: 'watchpoint', at: last - 2 });
    assert.deepEqual(back(0x3001n, 1), { why: 'watchpoint', at: last + 96 });
    assert.deepEqual(back(0x7000n, 8), { why: 'begin', at: 0 });
    // The page is written all the time, this byte never.
    assert.deepEqual(back(0x3100n, 1), { why: 'begin', at: 0 });
    for (let round = 9; round > 5; round--) {
      session.goTo(BEFORE + (round + 1) * ROUND - 3);
      assert.equal(session.lastWrite(0x5000n, 1).why, 'watchpoint');
      assert.equal(session.history()!.now, BEFORE + round * ROUND - 3);
    }
  });

  test('is followed by the next one, also in the guest’s future', async () => {
    using guest = ran(3);
    const debug = new Debugger(localTarget(guest.session), new SymbolTable({ format: 'flat' }));
    await debug.goTo(BEFORE + ROUND);
    const known = await debug.nextWrite(0x5000n, 1);
    assert.equal(known.why, 'watchpoint');
    assert.equal((await debug.history())!.now, BEFORE + 2 * ROUND - 2);
    await debug.goTo(BEFORE + 3 * ROUND);
    const live = await debug.nextWrite(0x5000n, 1);
    assert.equal(live.why, 'watchpoint');
    assert.equal((await debug.history())!.now, BEFORE + 4 * ROUND - 2);
  });

  test('can also be found for registers', async () => {
    using guest = ran(1);
    const debug = new Debugger(localTarget(guest.session), new SymbolTable({ format: 'flat' }));
    await debug.goTo(BEFORE + ROUND + 3);
    assert.equal((await debug.lastChange('ecx')).why, 'step');
    assert.equal((await debug.history())!.now, BEFORE + ROUND + 1);
    await assert.rejects(debug.lastChange('byte [0x3000]'), /byte \[0x3000\] is no register/);
    await assert.rejects(debug.lastChange('nix'), /nix/);
  });
});
