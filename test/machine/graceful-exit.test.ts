/**
 * The two ways in which a course on KVM lets a VM end gracefully, and its clean-up: the guest halts, or it never stops
 * and the host ends it. In both cases the process holds no resources of the VM afterwards, which is counted here.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { parseImage } from '../../src/boot/index.js';
import { Control } from '../../src/engine/contract/index.js';
import { closeKvm } from '../../src/engine/kvm/index.js';
import { createMachine, drainPool, hostMachine } from '../../src/runtime/index.js';
import { ending, hasPrinted, holdings, noKvm, root, Scratch, startTerrarium } from '../support.js';

const halting = parseImage(new Uint8Array([0xf4]), 'hlt');
const endless = parseImage(new Uint8Array([0xeb, 0xfe]), 'jmp .');
/** out %al,$0x99; hlt */
const calling = parseImage(new Uint8Array([0xe6, 0x99, 0xf4]), 'out, hlt');
/** out %al,$0x99; jmp . */
const callingEndless = parseImage(new Uint8Array([0xe6, 0x99, 0xeb, 0xfe]), 'out, jmp .');

/**
 * The KVM resources of this process and all its threads: open files by their kind, and mappings of `struct kvm_run`.
 */
function kvmHoldings() {
  const files = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the descriptor that read the directory
    }
  });
  const count = (pattern: RegExp) => files.filter((file) => pattern.test(file)).length;
  return {
    vms: count(/kvm-vm$/),
    vcpus: count(/kvm-vcpu(:\d+)?$/),
    statistics: count(/kvm.*stats/),
    mappings: readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => /kvm-vcpu/.test(line)).length,
  };
}

const nothing = { vms: 0, vcpus: 0, statistics: 0, mappings: 0 };

/** Counts a run's resources while a device of its guest is called. */
function counting() {
  const seen: ReturnType<typeof kvmHoldings>[] = [];
  const device = {
    name: 'count',
    ports: [{ first: 0x99, count: 1 }],
    writePort: () => seen.push(kvmHoldings()),
  };
  return { seen, device };
}

describe('graceful exit, case 1: the guest executes HLT', { skip: noKvm }, () => {
  test('on this thread: one VM, one vCPU, one mapping while it runs, none when it is disposed', () => {
    const { seen, device } = counting();
    {
      using machine = createMachine({ image: calling, mode: 'real', devices: [device] });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(kvmHoldings().vms, 1, 'a machine that halted can still be inspected');
    }
    assert.deepEqual(
      seen.map(({ vms, vcpus, mappings }) => [vms, vcpus, mappings]),
      [[1, 1, 1]],
    );
    assert.deepEqual(kvmHoldings(), nothing);
  });

  test('on its own thread', async () => {
    {
      await using machine = await hostMachine({ image: halting, mode: 'real' });
      assert.equal((await machine.run({ timeoutMs: 60_000 })).kind, 'halted');
      const { vms, vcpus, mappings } = kvmHoldings();
      assert.deepEqual([vms, vcpus, mappings], [1, 1, 1]);
    }
    assert.deepEqual(kvmHoldings(), nothing);
  });
});

describe('graceful exit, case 2: the guest never stops', { skip: noKvm }, () => {
  test('a deadline ends it on this thread, where nothing else could', () => {
    const { seen, device } = counting();
    {
      using machine = createMachine({ image: callingEndless, mode: 'real', devices: [device] });
      // A host that is busy elsewhere may give a run no time at all.
      do assert.equal(machine.run({ timeoutMs: 50 }).kind, 'timeout');
      while (seen.length === 0);
    }
    assert.equal(seen.length, 1);
    assert.deepEqual(kvmHoldings(), nothing);
  });

  test('a kick from another thread ends it, by stop() and by an AbortSignal', async () => {
    {
      await using machine = await hostMachine({ image: endless, mode: 'real' });
      const running = machine.run();
      await machine.stop();
      assert.equal((await running).kind, 'stopped');
      const again = await machine.run({ signal: AbortSignal.timeout(20) });
      assert.equal(again.kind, 'stopped', 'a stopped machine can continue');
    }
    assert.deepEqual(kvmHoldings(), nothing);
  });

  test('another thread ends a run of this one: a word of shared memory and a kick', async () => {
    using machine = createMachine({ image: endless, mode: 'real' });
    const kicker = new Worker(
      `const { parentPort, workerData: control } = require('node:worker_threads');
       import(${JSON.stringify(pathToFileURL(`${root}/dist/kvm.js`).href)}).then(({ kvmEngine }) => {
         const engine = kvmEngine();
         parentPort.postMessage('ready');
         while (Atomics.load(control, ${Control.running}) === 0) Atomics.wait(control, ${Control.running}, 0, 5);
         while (Atomics.load(control, ${Control.running}) === 1) {
           Atomics.store(control, ${Control.request}, 1);
           engine.kick(control);
           Atomics.wait(control, ${Control.running}, 1, 1);
         }
       });`,
      { eval: true, workerData: machine.control },
    );
    await new Promise((resolve) => kicker.once('message', resolve));
    const ended = new Promise((resolve) => kicker.once('exit', resolve));
    // Only the kick can end this run: it blocks the thread that a timer or a promise would need.
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.deepEqual([outcome.kind, outcome.reason], ['stopped', 'stopped from outside']);
    assert.equal(await ended, 0);
  });

  test('disposing it while it runs ends it first', async () => {
    const machine = await hostMachine({ image: endless, mode: 'real' });
    const running = machine.run();
    await machine[Symbol.asyncDispose]();
    assert.equal((await running).kind, 'stopped');
    assert.deepEqual(kvmHoldings(), nothing);
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} to the process ends it`, async () => {
      using scratch = new Scratch();
      writeFileSync(scratch.file('endless.bin'), new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe]));
      const child = startTerrarium(['run', scratch.file('endless.bin')]);
      await hasPrinted(child);
      child.kill(signal);
      assert.deepEqual(await ending(child), [status, null]);
    });
  }

  for (const [how, code, status] of [
    ['process.exit()', 'process.exit(7)', 7],
    ['an uncaught error', "throw new Error('on purpose')", 1],
    ['a signal handler that disposes', "process.kill(process.pid, 'SIGTERM')", 0],
  ] as const) {
    test(`a program that ends by ${how} does not hang in its guest`, async () => {
      using scratch = new Scratch();
      const file = scratch.file('program.mjs');
      writeFileSync(
        file,
        `import { hostMachine, parseImage } from ${JSON.stringify(pathToFileURL(`${root}/dist/index.js`).href)};
         const machine = await hostMachine({ image: parseImage(new Uint8Array([0xeb, 0xfe]), 'endless'), mode: 'real' });
         process.once('SIGTERM', () => machine[Symbol.asyncDispose]());
         const run = machine.run();
         setTimeout(() => { ${code} }, 50);
         await run;`,
      );
      const child = spawn(process.execPath, [file], { stdio: 'ignore' });
      assert.deepEqual(await ending(child), [status, null]);
    });
  }
});

describe('the clean-up', { skip: noKvm }, () => {
  test('leaves fds, mappings and threads unchanged, after many repetitions of both cases', async () => {
    const both = async () => {
      const { device } = counting();
      for (const image of [calling, callingEndless]) {
        using machine = createMachine({ image, mode: 'real', devices: [device] });
        machine.run({ timeoutMs: 2 });
      }
      await using machine = await hostMachine({ image: endless, mode: 'real' });
      await machine.run({ timeoutMs: 2 });
    };
    // Once to warm up: pools fill, code is compiled.
    await both();
    await drainPool();
    const before = holdings();
    for (let i = 0; i < 50; i++) await both();
    await drainPool();
    const after = holdings();
    assert.deepEqual([after.fds, after.threads], [before.fds, before.threads]);
    // V8's own heap uses a varying number of a few mappings; a leak would leave at least 150.
    assert.ok(after.maps <= before.maps + 20, `mappings went from ${before.maps} to ${after.maps}`);
  });

  test('closes /dev/kvm itself on request', () => {
    const devices = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/kvm';
        } catch {
          return false;
        }
      }).length;
    const run = () => {
      using machine = createMachine({ image: halting, mode: 'real' });
      machine.run();
    };
    run();
    assert.equal(devices(), 1, 'it stays open for the next machine');
    closeKvm();
    assert.equal(devices(), 0);
    run();
    assert.equal(devices(), 1);
    closeKvm();
  });
});
