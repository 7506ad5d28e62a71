/** A machine under a debugger restarts from its beginning, any number of times. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseImage } from '../../src/boot/index.js';
import { DebugSession } from '../../src/debug/index.js';
import { createMachine, drainPool, type HostedMachine, hostMachine } from '../../src/runtime/index.js';
import { holdings, noKvm, Scratch, settled } from '../support.js';

const BASE = 0x7c00;
/** incw 0x5000; mov $'!',%al; out %al,$0xe9; hlt with interrupts off */
const shout = parseImage(Uint8Array.of(0xff, 0x06, 0x00, 0x50, 0xb0, 0x21, 0xe6, 0xe9, 0xf4), 'shout');
const AFTER_COUNT = BigInt(BASE + 4);

const engines = [
  { engine: 'soft' as const, skip: false as string | false },
  { engine: 'kvm' as const, skip: noKvm },
];

for (const { engine, skip } of engines) {
  const config = { engine, image: shout, mode: 'real', load: BASE, debug: true } as const;

  describe(`a restart on ${engine}`, { skip }, () => {
    test('is the same machine from its beginning: memory, registers, exits; the console continues', async () => {
      await using machine = await hostMachine(config);
      const target = machine.debugTarget();
      let console = '';
      machine.onOutput((bytes) => {
        console += String.fromCharCode(...bytes);
      });
      const before = await target.view();
      for (let life = 1; life <= 3; life++) {
        assert.deepEqual(await target.view(), before);
        assert.deepEqual([...(await target.read(0x5000n, 2))], [0, 0]);
        assert.doesNotMatch(await target.describe('exits'), /0x00e9/);
        assert.equal((await target.resume()).outcome?.kind, 'halted');
        assert.deepEqual([...(await target.read(0x5000n, 2))], [1, 0]);
        assert.equal(machine.memory.read16(0x5000), 1, 'the handle’s memory is the new machine’s');
        assert.match(await target.describe('exits'), /^ *1 .*0x00e9/m);
        const { pc, bits } = await target.restart();
        assert.deepEqual([pc, bits], [BigInt(BASE), 16]);
        assert.match(await target.describe('why'), /the guest has not died/);
      }
      const outcome = await machine.debugOutcome();
      assert.equal(outcome.kind, 'stopped');
      assert.equal(outcome.exits, 0);
      assert.equal(console, '!!!');
    });

    test('keeps breakpoints and watchpoints', async () => {
      await using machine = await hostMachine(config);
      const target = machine.debugTarget();
      await target.addBreakpoint(AFTER_COUNT);
      await target.watch(0x5000n, 2, 'write');
      for (let life = 0; life < 2; life++) {
        const place = await target.resume();
        assert.deepEqual([place.why, place.pc], ['watchpoint', AFTER_COUNT]);
        await target.restart();
      }
      await target.unwatch(0x5000n, 2, 'write');
      const stop = await target.resume();
      assert.deepEqual([stop.why, stop.pc], ['breakpoint', AFTER_COUNT]);
    });

    test('leaves nothing behind in a hundred restarts', async () => {
      const again = async (machine: HostedMachine, times: number) => {
        const target = machine.debugTarget();
        machine.onOutput(() => {});
        for (let n = 0; n < times; n++) {
          await target.step();
          await target.restart();
        }
      };
      await using machine = await hostMachine(config);
      await again(machine, 5);
      const before = holdings();
      await again(machine, 100);
      const after = await settled(before);
      assert.equal(after.fds, before.fds);
      assert.equal(after.threads, before.threads);
      assert.ok(after.maps <= before.maps + 2, `mappings went from ${before.maps} to ${after.maps}`);
    });
  });
}

describe('a restart', () => {
  test('makes new instances of the user’s devices', async () => {
    using scratch = new Scratch();
    const file = scratch.file('counter.mjs');
    writeFileSync(
      file,
      'export default () => { let n = 0; return { name: "counter", ports: [{ first: 0x80, count: 1 }], readPort: () => ++n, writePort() {} }; };',
    );
    // in $0x80,%al; hlt
    const image = parseImage(Uint8Array.of(0xe4, 0x80, 0xf4), 'reads');
    const devices = [{ module: pathToFileURL(file).href }];
    await using machine = await hostMachine({ engine: 'soft', image, mode: 'real', debug: true, devices });
    const target = machine.debugTarget();
    for (let life = 0; life < 2; life++) {
      await target.resume();
      assert.equal((await target.view()).registers.rax & 0xffn, 1n);
      await target.restart();
    }
  });

  test('that fails leaves a session that reports it, and nothing hangs', async () => {
    using scratch = new Scratch();
    const file = scratch.file('once.mjs');
    writeFileSync(
      file,
      'let made = 0; export default () => { if (made++) throw new Error("only once"); return { name: "once", ports: [], readPort: () => 0, writePort() {} }; };',
    );
    const devices = [{ module: pathToFileURL(file).href }];
    const drained = drainPool();
    await drained;
    await using machine = await hostMachine({
      engine: 'soft',
      image: shout,
      mode: 'real',
      debug: true,
      devices,
    });
    const target = machine.debugTarget();
    await assert.rejects(target.restart(), /only once/);
    await assert.rejects(target.step(), /no machine/);
    await assert.rejects(target.restart(), /no machine/);
  });

  test('is refused where the machine cannot be rebuilt, or SIMVIRTIO is polled', async () => {
    using local = createMachine({ engine: 'soft', image: shout, mode: 'real' });
    assert.throws(() => new DebugSession(local).restart(), /this machine cannot be restarted/);
    await using machine = await hostMachine({
      engine: 'soft',
      image: shout,
      mode: 'real',
      debug: true,
      simvirtio: 'polling',
    });
    const target = machine.debugTarget();
    await assert.rejects(target.restart(), /this machine cannot be restarted/);
    assert.equal((await target.resume()).outcome?.kind, 'halted', 'it lives on');
  });

  test('continues with a trace in one piece', async () => {
    await using machine = await hostMachine({
      engine: 'soft',
      image: shout,
      mode: 'real',
      load: BASE,
      debug: true,
      coalesce: false,
      trace: { format: 'chrome' },
    });
    let trace = '';
    machine.onTrace((bytes) => {
      trace += String.fromCharCode(...bytes);
    });
    const target = machine.debugTarget();
    await target.resume();
    await target.restart();
    await target.resume();
    await machine.debugOutcome();
    const { traceEvents } = JSON.parse(`${trace}]}`) as {
      traceEvents: { name: string; ts: number; ph: string }[];
    };
    const outs = traceEvents.filter(({ name }) => name === 'out 0x00e9');
    assert.equal(outs.length, 2);
    assert.ok(outs[0]!.ts < outs[1]!.ts, 'the second life is later');
    assert.equal(traceEvents.filter(({ name }) => name === 'process_name').length, 1);
  });
});
