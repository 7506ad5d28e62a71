/**
 * Machines are made, run, stopped and disposed until the time is over: no resources of the host leak, and memory does
 * not grow.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { drainPool, hostMachine } from '../../src/runtime/index.js';
import { holdings, noKvm, settled } from '../support.js';
import { soakSeconds } from './duration.js';

/** jmp . */
const endless = parseImage(new Uint8Array([0xeb, 0xfe]), 'endless');
const MIB = 1024 * 1024;

/**
 * The allowed growth of the heaps of V8 and of malloc in the second half of the time: they become stable in the first.
 */
const MAX_GROWTH_MIB = 48;

async function life(engine: 'kvm' | 'soft'): Promise<void> {
  await using machine = await hostMachine({ image: endless, mode: 'real', engine });
  const running = machine.run();
  await machine.stop();
  assert.equal((await running).kind, 'stopped');
}

/** Returns the number of machines in the time. */
async function livesFor(engine: 'kvm' | 'soft', seconds: number): Promise<number> {
  const end = performance.now() + 1000 * seconds;
  let lives = 0;
  for (; performance.now() < end; lives++) await life(engine);
  return lives;
}

describe('machines that are made and disposed', () => {
  for (const engine of ['kvm', 'soft'] as const) {
    test(`on ${engine} leave nothing behind`, { skip: engine === 'kvm' && noKvm }, async (t) => {
      await livesFor(engine, soakSeconds / 2);
      await drainPool();
      const before = holdings();
      const memory = process.memoryUsage().rss;
      const lives = await livesFor(engine, soakSeconds / 2);
      await drainPool();
      const after = await settled(before);
      const grown = (process.memoryUsage().rss - memory) / MIB;
      t.diagnostic(`${lives} machines, ${grown.toFixed(1)} MiB more`);
      assert.deepEqual(
        { fds: after.fds, threads: after.threads },
        { fds: before.fds, threads: before.threads },
      );
      assert.ok(after.maps <= before.maps + 4, `mappings went from ${before.maps} to ${after.maps}`);
      assert.ok(grown < MAX_GROWTH_MIB, `${grown.toFixed(1)} MiB more after ${lives} machines`);
    });
  }
});
