/** A hostile guest's use of host resources: memory outside its RAM, memory of the process, and leaks after its end. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseImage } from '../../src/boot/index.js';
import type { Device } from '../../src/devices/contract/index.js';
import { createMachine, drainPool } from '../../src/runtime/index.js';
import { ENDLESS_MEMORY, endless } from '../guests/endless.js';
import {
  ending,
  HANGS_MS,
  hasPrinted,
  holdings,
  noGcc,
  noKvm,
  root,
  Scratch,
  sleeps,
  startTerrarium,
} from '../support.js';

const engines = [
  { engine: 'soft', skip: false },
  { engine: 'kvm', skip: noKvm },
] as const;

/** MiB of a process's memory now, and at its peak. */
function resident({ pid }: ChildProcess): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}

/** Seconds of processor time that a process has used. */
function processorTime({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  // In hundredths: USER_HZ.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A start takes some tenths of a second of processor time: a process that has used more runs the guest. */
const STARTED_S = 0.7;

/** On KVM the kick is the same for all guests, except where the software CPU assists. */
const onKvm = new Set(['a tight loop', 'an endless HLT', 'a handler that faults at once']);

for (const { engine, skip } of engines) {
  describe(`a guest on ${engine}`, { skip }, () => {
    const CANARY = 0x5a;
    const PAGES = 16 * 4096;

    /** Random code in 64 KiB; the memory right after it, and that after a hole, must not change. */
    function runs(code: Uint8Array, mode: 'real' | 'long'): void {
      const regions = [0x10_0000, 0x11_0000 + PAGES].map((address) => ({
        address,
        size: PAGES,
        readOnly: true,
      }));
      const image = parseImage(code, 'random');
      using machine = createMachine({
        engine,
        image,
        mode,
        memory: 0x10_0000,
        regions,
        ...(mode === 'real' && { load: 0x7c00 }),
      });
      for (const { address, size } of regions) machine.memory.view(address, size).fill(CANARY);
      machine.run({ timeoutMs: 5, maxExits: 50 });
      for (const { address, size } of regions)
        assert.ok(machine.memory.view(address, size).every((byte) => byte === CANARY));
    }

    for (const mode of ['real', 'long'] as const) {
      test(`writes only its RAM, with any code: ${mode} mode`, () => {
        const code = fc.uint8Array({ minLength: 32, maxLength: 512 });
        fc.assert(
          fc.property(code, (bytes) => runs(bytes, mode)),
          { numRuns: 60 },
        );
      });
    }

    test('leaves nothing of its machine behind, after any end', async () => {
      const thrower: Device = {
        name: 'throws',
        ports: [{ first: 0x99, count: 1 }],
        writePort() {
          throw new Error('on purpose');
        },
      };
      const code: Record<string, readonly number[]> = {
        halted: [0xf4],
        exited: [0xb0, 0x01, 0xe6, 0xf4],
        reset: [0xb0, 0xfe, 0xe6, 0x64],
        // Protected mode begins without an interrupt table.
        shutdown: [0x0f, 0x0b],
        timeout: [0xeb, 0xfe],
        limit: [0xe6, 0x80, 0xeb, 0xfc],
        threw: [0xe6, 0x99],
      };
      const once = (wanted: string) => {
        using machine = createMachine({
          engine,
          image: parseImage(Uint8Array.from(code[wanted]!), wanted),
          mode: wanted === 'shutdown' ? 'protected' : 'real',
          load: 0x7c00,
          memory: 0x10_0000,
          devices: [thrower],
        });
        const timeoutMs = wanted === 'timeout' ? 200 : HANGS_MS;
        const run = () => machine.run({ timeoutMs, ...(wanted === 'limit' && { maxExits: 10 }) });
        if (wanted === 'threw') assert.throws(run, /on purpose/);
        else assert.equal(run().kind, wanted);
      };
      for (const wanted of Object.keys(code)) once(wanted);
      const before = holdings();
      for (let n = 0; n < 3; n++) for (const wanted of Object.keys(code)) once(wanted);
      const after = holdings();
      assert.deepEqual([after.fds, after.threads], [before.fds, before.threads]);
      assert.ok(after.maps <= before.maps, `${before.maps} mappings, then ${after.maps}`);
      await drainPool();
    });

    test('that never ends is ended by a signal to the command, in every state', async () => {
      using scratch = new Scratch();
      const guests = Object.entries(endless).filter(([what]) => engine === 'soft' || onKvm.has(what));
      for (const [n, [what, code]] of guests.entries()) {
        const file = scratch.file('guest.bin');
        writeFileSync(file, Uint8Array.from(code));
        const args = ['run', file, '--engine', engine, '--mode', 'real', '--load', '0'];
        const child = startTerrarium([...args, '--memory', `${ENDLESS_MEMORY}`]);
        child.stdout!.resume();
        child.stderr!.resume();
        if (what === 'an endless HLT') await sleeps(child);
        else while (processorTime(child) < STARTED_S) await new Promise((resolve) => setTimeout(resolve, 20));
        child.kill(n % 2 === 0 ? 'SIGINT' : 'SIGTERM');
        assert.deepEqual(await ending(child), [n % 2 === 0 ? 130 : 143, null], what);
      }
    });

    test('that prints without end uses a fixed amount of its monitor’s memory', async () => {
      using scratch = new Scratch();
      const file = scratch.file('flood.bin');
      writeFileSync(file, Uint8Array.of(0xe6, 0xe9, 0xeb, 0xfc));
      const child = startTerrarium(['run', file, '--engine', engine]);
      try {
        await hasPrinted(child);
        // The output is not read: the pipe is full, the ring before it too, and the guest waits.
        await sleeps(child);
        const { most } = resident(child);
        let read = 0;
        for await (const chunk of child.stdout!) {
          read += (chunk as Buffer).length;
          if (read > 4 * 1024 * 1024) break;
        }
        const grown = resident(child).most - most;
        assert.ok(grown < 48, `${grown} MiB more for ${read} bytes`);
      } finally {
        child.kill('SIGKILL');
        await ending(child);
      }
    });
  });
}

describe('a guest that logs without end', { skip: noGcc }, () => {
  test('waits for the reader of its log', async () => {
    const child = startTerrarium(['run', `${root}/test/guests/log-flood.S`, '--engine', 'soft']);
    try {
      await new Promise((resolve) => child.stderr!.once('readable', resolve));
      await sleeps(child);
      assert.ok(resident(child).most < 400, `${resident(child).most} MiB`);
    } finally {
      child.kill('SIGKILL');
      await ending(child);
    }
  });
});
