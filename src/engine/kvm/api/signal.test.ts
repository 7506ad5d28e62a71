import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Control, ExitKind } from '../../contract/index.js';
import { kvmEngine, setThreadName } from '../index.js';
import { asm, noKvm, realMode } from '../testing.js';
import { kickThread, threadId } from './signal.js';

const skip = noKvm();

/** The signals this thread blocks, as the kernel shows them. */
function blocked(): bigint {
  const status = readFileSync(`/proc/self/task/${threadId()}/status`, 'utf8');
  return BigInt(`0x${/SigBlk:\s*([0-9a-f]+)/.exec(status)![1]}`);
}
const SIGURG_BIT = 1n << 22n;

describe('kicks', { skip }, () => {
  test('another thread stops a guest that never exits, every time', async () => {
    using machine = realMode(asm.spin);
    const { control, cpu } = machine;
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       (async () => {
         const { kvmEngine } = await import(workerData.engine);
         const engine = kvmEngine();
         const control = workerData.control;
         parentPort.postMessage('ready');
         for (let i = 1; i <= workerData.rounds; i++) {
           Atomics.wait(control, ${Control.running}, 0);
           if (i % 2) Atomics.wait(control, 3, 0, i % 5);
           Atomics.store(control, ${Control.request}, i);
           // The other thread clears the request when it has seen it.
           while (Atomics.load(control, ${Control.request}) === i) {
             engine.kick(control);
             Atomics.wait(control, ${Control.request}, i, 2);
           }
         }
       })();`,
      {
        eval: true,
        workerData: { control, rounds: 50, engine: new URL('../index.js', import.meta.url).href },
      },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    for (let round = 1; round <= 50; round++) {
      Atomics.store(control, Control.running, 1);
      Atomics.notify(control, Control.running);
      do assert.equal(cpu.run(), ExitKind.interrupted);
      while (Atomics.load(control, Control.request) !== round);
      Atomics.store(control, Control.running, 0);
      Atomics.store(control, Control.request, 0);
      Atomics.notify(control, Control.request);
    }
    await worker.terminate();
  });

  test('a kick before a run ends that run', () => {
    using machine = realMode(asm.spin);
    kvmEngine().kick(machine.control);
    assert.equal(machine.cpu.run(), ExitKind.interrupted);
  });

  test('a kick of a thread that has ended, or of none, does nothing', () => {
    assert.equal(kickThread(0x7ffffff), false);
    kvmEngine().kick(new Int32Array(4));
  });

  test('the control block has the thread’s ID while the CPU exists', () => {
    const machine = realMode(asm.hlt);
    assert.equal(Atomics.load(machine.control, Control.thread), threadId());
    machine[Symbol.dispose]();
    assert.equal(Atomics.load(machine.control, Control.thread), 0);
  });

  test('the thread blocks SIGURG only as long as one of its CPUs exists', () => {
    assert.equal(blocked() & SIGURG_BIT, 0n);
    const first = realMode(asm.hlt);
    const second = realMode(asm.hlt);
    assert.equal(blocked() & SIGURG_BIT, SIGURG_BIT);
    first[Symbol.dispose]();
    assert.equal(blocked() & SIGURG_BIT, SIGURG_BIT);
    kvmEngine().kick(second.control);
    second[Symbol.dispose]();
    assert.equal(blocked() & SIGURG_BIT, 0n);
  });
});

describe('the timer', { skip }, () => {
  test('interrupts a guest that never exits, once and then at its interval', () => {
    using machine = realMode(asm.spin);
    const { cpu } = machine;
    let started = performance.now();
    cpu.setTimer(5, 0);
    assert.equal(cpu.run(), ExitKind.interrupted);
    const first = performance.now() - started;
    assert.ok(first > 4, `after ${first} ms`);
    started = performance.now();
    cpu.setTimer(1, 2);
    for (let i = 0; i < 5; i++) assert.equal(cpu.run(), ExitKind.interrupted);
    const five = performance.now() - started;
    assert.ok(five > 7, `five after ${five} ms`);
    cpu.setTimer(0, 0);
  });

  test('it does not fire when turned off, and less than a nanosecond counts as one', () => {
    using machine = realMode([...asm.spin]);
    const { cpu } = machine;
    cpu.setTimer(0, 0);
    cpu.setTimer(1e-9, 0);
    assert.equal(cpu.run(), ExitKind.interrupted);
    cpu.setTimer(3, 3);
    cpu.setTimer(0, 0);
    cpu.setTimer(30, 0);
    const started = performance.now();
    assert.equal(cpu.run(), ExitKind.interrupted);
    assert.ok(performance.now() - started > 25);
    assert.throws(() => cpu.setTimer(-1, 0), { code: 'EINVAL' });
    assert.throws(() => cpu.setTimer(1, Number.NaN), { code: 'EINVAL' });
  });

  test('leaves no timer behind', () => {
    const timers = () => readFileSync('/proc/self/timers', 'utf8').match(/^ID:/gm)?.length ?? 0;
    const before = timers();
    const machine = realMode(asm.hlt);
    machine.cpu.setTimer(1000, 1000);
    assert.equal(timers(), before + 1);
    machine[Symbol.dispose]();
    assert.equal(timers(), before);
  });
});

describe('thread names', { skip }, () => {
  test('appear in top -H, truncated to 15 bytes', () => {
    const shown = () => readFileSync(`/proc/self/task/${threadId()}/comm`, 'utf8').replace('\n', '');
    const before = shown();
    setThreadName('terrarium vcpu 0 and more');
    assert.equal(shown(), 'terrarium vcpu ');
    setThreadName(before);
  });
});
