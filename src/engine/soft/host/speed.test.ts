/**
 * A guard, not a benchmark: V8 must optimise the loop that runs the operations. Where that function has grown too large, V8
 * silently optimises it badly, and the CPU runs at 50 MIPS instead of 300. `npm run bench -- soft` measures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitKind } from '../../contract/index.js';
import { realMode } from './testing.js';

const LEAST_MIPS = 100;
const ROUNDS = 2_000_000n;
const PATIENCE = 10;

/** A program that was compiled without optimisation is slow anyway. */
const unoptimised =
  (process.env.TERRARIUM_SOFT_LEVEL ?? '3') !== '3' && 'SKIPPED: TERRARIUM_SOFT_LEVEL turns optimisation off';

test('a loop of simple instructions runs at the speed of optimised code', { skip: unoptimised }, () => {
  // again: ADD EAX, ECX; XOR EBX, EAX; DEC ECX; JNZ again; HLT
  using machine = realMode([0x66, 1, 0xc8, 0x66, 0x31, 0xc3, 0x66, 0x49, 0x75, 0xf6, 0xf4]);
  const { cpu } = machine;
  let best = 0;
  // Optimised code needs some time, and more on a busy host.
  for (let turn = 0; turn < PATIENCE && best < LEAST_MIPS; turn++) {
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x1000n, rcx: ROUNDS });
    const before = cpu.instructions;
    const started = process.cpuUsage().user;
    assert.equal(cpu.run(), ExitKind.halt);
    best = Math.max(best, Number(cpu.instructions - before) / (process.cpuUsage().user - started));
  }
  assert.ok(best >= LEAST_MIPS, `${best.toFixed(0)} MIPS`);
});
