/** The Linux Journal's launcher and its three kernels: the article's statements about them are measured. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { LauncherCallbacks } from '../../src/launcher/index.js';
import { createLauncher } from '../../src/runtime/launcher.js';
import { readGuests } from '../guests/catalogue.js';
import { HANGS_MS, noKvm, root } from '../support.js';

const kernel = (number: number) => `guests/lj-kernel${number}/lj-kernel${number}.bin`;

/** A launcher as in the article: its kernel copied below 1 MiB. */
function launch(number: number, callbacks: LauncherCallbacks, irqchip: 'none' | 'kernel' = 'none') {
  const launcher = createLauncher({ callbacks, irqchip });
  launcher.memory.writeBytes(0xf0000, readFileSync(kernel(number)));
  return launcher;
}

const SCHEDSTAT = '/proc/thread-self/schedstat';
const noSchedstat = existsSync(SCHEDSTAT) ? false : `SKIPPED: this kernel has no ${SCHEDSTAT}`;

/** Time on a CPU and time spent waiting for one, in milliseconds (Documentation/scheduler/sched-stats.rst). */
function schedule(): { ran: number; waited: number } {
  const [ran, waited] = readFileSync(SCHEDSTAT, 'latin1').split(' ');
  return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
}

/**
 * The shares of the time of `work` in which this thread ran, and in which it did not sleep: it ran, or it waited for a
 * processor. On an idle host they are equal.
 */
function shares(work: () => void): { running: number; awake: number } {
  const before = schedule();
  const started = performance.now();
  work();
  const elapsed = performance.now() - started;
  const after = schedule();
  const ran = after.ran - before.ran;
  return { running: ran / elapsed, awake: (ran + after.waited - before.waited) / elapsed };
}

describe('the article’s kernels', { skip: noKvm }, () => {
  test('kernel1 loops: all of a CPU, no exit, no end', { skip: noSchedstat }, () => {
    using launcher = launch(1, {});
    const { running, awake } = shares(() => {
      const end = launcher.run({ timeoutMs: 500 });
      assert.deepEqual([end.kind, end.exits], ['timeout', 0]);
    });
    assert.ok(running > 0.02 && awake >= 0.95, `${(100 * awake).toFixed(0)} % of a CPU`);
    assert.equal(launcher.cpu.getRegisters().rax & 0xffffn, 0n);
  });

  test('kernel2 says Hello and halts: no CPU at all from then on', { skip: noSchedstat }, () => {
    let text = '';
    const callbacks: LauncherCallbacks = {
      out8: (port, value) => {
        assert.equal(port, 0xf1);
        text += String.fromCharCode(value);
      },
    };
    // Like LibKVM's VMs, with interrupt controllers in the kernel: HLT sleeps there.
    using launcher = launch(2, callbacks, 'kernel');
    // A host that is busy elsewhere may give a run no time at all.
    do launcher.run({ timeoutMs: 50 });
    while (text.length < 'Hello\n'.length);
    assert.equal(text, 'Hello\n');
    const { running } = shares(() => assert.equal(launcher.run({ timeoutMs: 500 }).kind, 'timeout'));
    assert.ok(running <= 0.05, `${(100 * running).toFixed(0)} % of a CPU`);
  });

  test('kernel3 sends 14 bytes with one instruction, which is 14 calls of the callback', () => {
    let text = '';
    using launcher = launch(3, {
      out8: (_, value) => {
        text += String.fromCharCode(value);
      },
    });
    const end = launcher.run();
    assert.equal(text, 'Hello, World!\n');
    assert.equal(end.accesses, 14);
    // One exit of 14 bytes where the hardware has string I/O and KVM reports it at once, 14 where it reports bytes.
    assert.ok(end.exits >= 2 && end.exits <= 15, `${end.exits} exits`);
    const counted = launcher.counters().cpus[0]!.find(({ name }) => name === 'exits');
    assert.ok(counted!.value >= 2);
  });
});

describe('the kernels in C that the article promises', { skip: noKvm }, () => {
  for (const name of ['khw-protected', 'segments', 'rings-protected', 'rings-long', 'paging-demand']) {
    test(`${name}: its launcher needs only a callback per letter`, () => {
      const guest = readGuests().find((one) => one.name === name)!;
      let text = '';
      using launcher = createLauncher({
        image: `guests/${name}`,
        callbacks: {
          out8: (port, value) => {
            if (port === 0xe9) text += String.fromCharCode(value);
          },
        },
      });
      const end = launcher.run({ timeoutMs: 60_000 });
      assert.equal(end.kind, 'halted', end.reason);
      assert.equal(text, guest.expect.console);
    });
  }
});

describe('the launchers in docs/examples', { skip: noKvm }, () => {
  const node = (...args: string[]) =>
    spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: HANGS_MS });

  test('launcher.mjs is the article’s in 20 lines', () => {
    const file = 'docs/examples/launcher.mjs';
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.ok(lines.filter((line) => line !== '' && !line.startsWith('//')).length <= 20);
    const two = node(file, kernel(2));
    assert.deepEqual([two.status, two.stdout], [0, 'Hello\n'], two.stderr);
    assert.equal(two.stderr, 'the guest executed HLT (7 exits)\n');
    assert.equal(node(file, kernel(3)).stdout, 'Hello, World!\n');
    const one = node(file, kernel(1), '100');
    assert.deepEqual([one.status, one.stdout], [0, '']);
    assert.equal(one.stderr, 'still running after 100 ms (0 exits)\n');
  });

  test('docs/launcher.md shows the current file', () => {
    const page = readFileSync('docs/launcher.md', 'utf8');
    assert.ok(page.includes(readFileSync('docs/examples/launcher.mjs', 'utf8')));
  });

  test('watched-launcher.mjs shows the kernel’s counters beside its own', () => {
    const done = node('docs/examples/watched-launcher.mjs', kernel(2), '200', 'irqchip');
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /^the launcher +6 exits, 6 calls of out8$/m);
    assert.match(done.stdout, /^the kernel +exits \d+, io_exits \d+, halt_exits 1$/m);
    assert.match(done.stdout, /^top +\d+ % CPU$/m);
    const three = node('docs/examples/watched-launcher.mjs', kernel(3), '1000');
    assert.equal(three.status, 0, three.stderr);
    // One exit of 14 bytes and HLT, or 14 and HLT: the kernel's counters show which, except on a host that counts
    // neither.
    const [, exits] = /^the launcher +(\d+) exits, 14 calls of out8$/m.exec(three.stdout) ?? [];
    const [, all, io] = /^the kernel +exits (\d+), io_exits (\d+), halt_exits 1$/m.exec(three.stdout) ?? [];
    assert.ok(Number(exits) === 2 || Number(exits) === 15, three.stdout);
    assert.ok(Number(all) >= 2 && [0, 1, 14].includes(Number(io)), three.stdout);
  });
});
