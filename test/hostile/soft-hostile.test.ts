/**
 * Hostile guests on the software CPU: each ends with a message or can be stopped at once, and can continue from there.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { SoftCpu } from '../../src/engine/soft/index.js';
import * as L from '../../src/engine/soft/layout.js';
import { createMachine, hostMachine } from '../../src/runtime/index.js';
import { ENDLESS_MEMORY, endless as endlessGuests } from '../guests/endless.js';
import { HANGS_MS, ownClock } from '../support.js';

/** The limit of a stop's delay, without the time that the threads wait for a processor. */
const LATE_MS = 50;

const image = (code: readonly number[]) => parseImage(Uint8Array.from(code), 'code');
const guest = (code: readonly number[], memory = ENDLESS_MEMORY) =>
  createMachine({ engine: 'soft', image: image(code), mode: 'real', memory });

function end(code: readonly number[]) {
  using machine = guest(code, 0x10000);
  return machine.run({ timeoutMs: HANGS_MS });
}

/** Without interrupt controllers a HLT is an end. */
const { 'an endless HLT': _, ...endless } = endlessGuests;

/** The software CPU checks its control block at least this often; plus a block, which is not divided. */
const INSTRUCTIONS_BETWEEN_LOOKS = 65_536 + 1024;

describe('a guest that never ends', () => {
  for (const [name, code] of Object.entries(endless)) {
    test(`${name}: its time runs out, and it continues from there`, () => {
      using machine = guest(code);
      machine.run({ timeoutMs: 20 });
      for (let times = 0; times < 3; times++) {
        const clock = ownClock();
        const outcome = machine.run({ timeoutMs: 20 });
        const late = clock() - 20;
        assert.equal(outcome.kind, 'timeout', outcome.reason);
        assert.ok(late < LATE_MS, `${late} ms late`);
      }
    });
  }

  test('rep with a huge count, 4,294,967,295 rounds of one instruction: the same', () => {
    // mov ecx, -1; xor esi, esi; rep lodsb; jmp
    const code = [0xb9, 0xff, 0xff, 0xff, 0xff, 0x31, 0xf6, 0xf3, 0xac, 0xeb, 0xf5];
    using machine = createMachine({
      engine: 'soft',
      image: image(code),
      mode: 'protected',
      memory: 256 * 1024 * 1024,
    });
    /** Lets it run for 20 ms and returns the remaining iterations. */
    const run = () => {
      const clock = ownClock();
      const { kind, registers } = machine.run({ timeoutMs: 20 });
      const late = clock() - 20;
      assert.equal(kind, 'timeout');
      assert.ok(late < LATE_MS, `${late} ms late`);
      return registers.rcx;
    };
    // A host that is busy elsewhere may give a run no time at all.
    const runOn = (from: bigint) => {
      let left = run();
      while (left === from) left = run();
      return left;
    };
    let left = runOn(0n);
    for (let times = 0; times < 3; times++) {
      const before = left;
      left = runOn(before);
      assert.ok(left < before, 'it continues from where it was');
    }
  });

  for (const [name, code] of Object.entries(endless)) {
    test(`${name}: the CPU checks the clock after a number of instructions of any kind`, () => {
      using machine = guest(code);
      const cpu = machine.cpu as SoftCpu;
      for (let times = 0; times < 100; times++) {
        const before = cpu.instructions;
        cpu.setTimer(0.01, 0);
        cpu.run();
        const ran = Number(cpu.instructions - before);
        assert.ok(ran <= INSTRUCTIONS_BETWEEN_LOOKS, `${ran} instructions`);
      }
    });
  }

  test('ever new code is decoded into the same few MiB, and the process does not grow', () => {
    using machine = guest(endless['code that was never there before']!);
    const { buffer } = machine.memory.wasm;
    const view = new DataView(buffer);
    let [rounds, last] = [0, 0];
    const run = (until: number) => {
      const limit = performance.now() + HANGS_MS;
      while (rounds < until && performance.now() < limit) {
        assert.equal(machine.run({ timeoutMs: 5 }).kind, 'timeout');
        const next = view.getUint32(L.POOL_NEXT, true);
        assert.ok(next >= L.POOL && next <= L.POOL_END, `the pool is given out to ${next}`);
        if (next < last) rounds++;
        last = next;
      }
      assert.ok(rounds >= until, `the pool was restarted ${rounds} times`);
    };
    // By then V8 has compiled the code that runs.
    run(4);
    const before = process.memoryUsage.rss();
    run(12);
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < L.POOL_END - L.POOL, `${grown} bytes more`);
    // The guest writes to its first 64 KiB; nothing else of its RAM was written.
    assert.ok(machine.memory.view(0x10000, ENDLESS_MEMORY - 0x10000).every((byte) => byte === 0));
  });

  test('is stopped from another thread at once, in every state', async () => {
    for (const code of Object.values(endless)) {
      await using machine = await hostMachine({
        engine: 'soft',
        image: image(code),
        mode: 'real',
        memory: ENDLESS_MEMORY,
      });
      const running = machine.run();
      await new Promise((resolve) => setTimeout(resolve, 30));
      const clock = ownClock();
      await machine.stop();
      assert.equal((await running).kind, 'stopped');
      const late = clock();
      assert.ok(late < LATE_MS, `${late} ms`);
    }
  });
});

describe('a guest that cannot continue', () => {
  test('halts forever', () => {
    assert.equal(end([0xfa, 0xf4]).kind, 'halted');
  });

  test('jumps outside of RAM', () => {
    assert.equal(end([0xea, 0x00, 0x00, 0x00, 0xf0]).kind, 'engineError');
  });

  test('runs off the end of RAM into a hole', () => {
    // jmp 0x0fff:0x000e, whose NOPs (RAM is zero: add [bx+si], al) lead over 64 KiB
    assert.equal(end([0xea, 0x0e, 0x00, 0xff, 0x0f]).kind, 'engineError');
  });

  test('nests exceptions until none can be delivered', () => {
    // lidt with a limit of 0: the first exception cannot be delivered, nor the double fault after it
    assert.equal(end([0x0f, 0x01, 0x1e, 0x10, 0x00, 0x0f, 0x0b]).kind, 'shutdown');
  });

  test('sets every reserved bit of CR4', () => {
    // mov eax, -1; mov cr4, eax: #GP, whose vector leads to 0:0, where it comes again: its time runs out
    const { kind } = end([0x66, 0xb8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x22, 0xe0, 0xf4]);
    assert.ok(['timeout', 'shutdown', 'engineError'].includes(kind), kind);
  });
});
