/**
 * A guard, and no benchmark: V8 has to optimise the loop that runs the operations. Where that function has grown too
 * large it does that badly and says nothing, and the CPU runs at 50 MIPS instead of 300. `npm run bench -- soft` measures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitKind } from '../../contract/index.js';
import { realMode } from './testing.js';

const LEAST_MIPS = 100;
const ROUNDS = 2_000_000n;
const PATIENCE = 10;

/** A program that was compiled for work on the CPU itself is as slow anyway. */
const unoptimised =
  (process.env.TERRARIUM_SOFT_LEVEL ?? '3') !== '3' &&
  'SKIPPED: TERRARIUM_SOFT_LEVEL says that speed does not matter';

test('a loop of simple instructions runs as optimised code does', { skip: unoptimised }, () => {
  // again: ADD EAX, ECX; XOR EBX, EAX; DEC ECX; JNZ again; HLT
  using machine = realMode([0x66, 1, 0xc8, 0x66, 0x31, 0xc3, 0x66, 0x49, 0x75, 0xf6, 0xf4]);
  const { cpu } = machine;
  let best = 0;
  // Optimised code is there after a while, and a busy host takes its time.
  for (let turn = 0; turn < PATIENCE && best < LEAST_MIPS; turn++) {
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x1000n, rcx: ROUNDS });
    const before = cpu.instructions;
    const started = process.cpuUsage().user;
    assert.equal(cpu.run(), ExitKind.halt);
    best = Math.max(best, Number(cpu.instructions - before) / (process.cpuUsage().user - started));
  }
  assert.ok(best >= LEAST_MIPS, `${best.toFixed(0)} MIPS`);
});
