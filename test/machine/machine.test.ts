/** A machine on this thread: its devices, its ends, and no leaks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device } from '../../src/devices/contract/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { holdings, noKvm } from '../support.js';

/** jmp . */
const endless = new Uint8Array([0xeb, 0xfe]);

describe('a machine on this thread', { skip: noKvm }, () => {
  test('is stopped by its deadline 1,000 times in a row, and continues each time', () => {
    // 1: inc %eax; jmp 1b
    using machine = createMachine({ image: new Uint8Array([0x66, 0x40, 0xeb, 0xfc]), mode: 'real' });
    machine.run({ timeoutMs: 1 });
    const before = holdings();
    let last = 0n;
    for (let i = 0; i < 1000; i++) {
      const outcome = machine.run({ timeoutMs: 0.5 });
      assert.equal(outcome.kind, 'timeout');
      // On a busy host a run may end before the guest's first instruction; the count never decreases.
      assert.ok(outcome.registers.rax >= last, `run ${i} lost the guest’s work`);
      last = outcome.registers.rax;
    }
    assert.ok(last > 1000n);
    assert.deepEqual(holdings(), before);
  });

  test('ends by an AbortSignal that a device aborts, and by one that is aborted already', () => {
    const controller = new AbortController();
    const button: Device = {
      name: 'button',
      ports: [{ first: 0x60, count: 1 }],
      writePort: () => controller.abort(new Error('pressed')),
    };
    // out %al,$0x60; jmp .
    using machine = createMachine({ image: new Uint8Array([0xe6, 0x60, 0xeb, 0xfe]), devices: [button] });
    const outcome = machine.run({ signal: controller.signal, timeoutMs: 60_000 });
    assert.deepEqual([outcome.kind, outcome.reason], ['stopped', 'aborted: pressed']);
    assert.equal(machine.run({ signal: controller.signal }).exits, 0);
  });

  test('gives a standard device’s ports to a custom one that claims them', () => {
    const seen: number[] = [];
    const own: Device = {
      name: 'my-keyboard',
      ports: [{ first: 0x60, count: 1 }],
      writePort: (_port, _size, value) => void seen.push(value),
    };
    // MOV AL,42h; OUT 60h,AL; HLT
    const image = new Uint8Array([0xb0, 0x42, 0xe6, 0x60, 0xf4]);
    using machine = createMachine({ image, mode: 'real', devices: [own] });
    machine.run();
    assert.deepEqual(seen, [0x42]);
    assert.equal(
      machine.devices.some(({ name }) => name === 'keyboard'),
      false,
    );
  });

  test('ends where a device ends it: with a code, or with a reason', () => {
    const ends: Device = {
      name: 'ends',
      ports: [{ first: 0x61, count: 1 }],
      attach(host) {
        this.writePort = (_port, _size, value) => (value === 0 ? host.stop('enough') : host.exit(value));
      },
    };
    // mov $7,%al; out %al,$0x61; mov $0,%al; out %al,$0x61; jmp .
    const code = new Uint8Array([0xb0, 7, 0xe6, 0x61, 0xb0, 0, 0xe6, 0x61, 0xeb, 0xfe]);
    using machine = createMachine({ image: code, devices: [ends] });
    const first = machine.run({ timeoutMs: 60_000 });
    assert.deepEqual([first.kind, first.code, first.registers.rip], ['exited', 7, 4n]);
    const second = machine.run({ timeoutMs: 60_000 });
    assert.deepEqual([second.kind, second.reason, second.registers.rip], ['stopped', 'enough', 8n]);
  });

  test('counts exits and stops after the requested number', () => {
    // 1: in $0x80,%al; jmp 1b
    using machine = createMachine({ image: new Uint8Array([0xe4, 0x80, 0xeb, 0xfc]) });
    const outcome = machine.run({ maxExits: 3 });
    assert.deepEqual([outcome.kind, outcome.exits], ['limit', 3]);
    assert.equal(outcome.registers.rax & 0xffn, 0xffn, 'the last IN is complete: a floating bus reads ones');
    assert.deepEqual(outcome.unclaimed, [{ space: 'port', address: 0x80, write: false, count: 3 }]);
  });

  test('refuses invalid options, and to run after its end', () => {
    const machine = createMachine({ image: endless });
    assert.throws(() => machine.run({ timeoutMs: -1 }), /timeoutMs is -1/);
    assert.throws(() => machine.run({ timeoutMs: Number.NaN }), /timeoutMs is NaN/);
    assert.throws(() => machine.run({ maxExits: 0 }), /maxExits is 0/);
    const unknown = { timeout: 1 } as object;
    assert.throws(() => machine.run(unknown), { code: 'ECONFIG', hint: 'meant: timeoutMs?' });
    machine[Symbol.dispose]();
    machine[Symbol.dispose]();
    assert.throws(() => machine.run(), /after it was disposed/);
  });

  test('refuses two devices of one name or one port', () => {
    const device = (name: string): Device => ({ name, ports: [{ first: 0x300, count: 1 }] });
    assert.throws(
      () => createMachine({ image: endless, devices: [device('a'), device('a')] }),
      /two devices are called 'a'/,
    );
    assert.throws(
      () => createMachine({ image: endless, devices: [device('a'), device('b')] }),
      /both claim port 0x300/,
    );
  });

  test('has memory in several regions, some of them read-only', () => {
    // mov $0x7000,%ax; mov %ax,%ds; mov 0,%al (from 0x70000); mov %al,1 (an exit); hlt
    const code = new Uint8Array([0xb8, 0x00, 0x70, 0x8e, 0xd8, 0xa0, 0x00, 0x00, 0xa2, 0x01, 0x00, 0xf4]);
    const regions = [{ address: 0x70000, size: 4096, readOnly: true }];
    using machine = createMachine({ image: code, memory: 0x10000, mode: 'real', regions });
    machine.memory.write8(0x70000, 42);
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.registers.rax & 0xffn, 42n);
    assert.deepEqual(outcome.unclaimed, [{ space: 'memory', address: 0x70001, write: true, count: 1 }]);
    assert.equal(machine.memory.read8(0x70001), 0, 'a write to read-only memory changes nothing');
  });

  test('refuses asynchronous handlers with a message, for reads and for writes', () => {
    const late: Device = {
      name: 'late',
      ports: [{ first: 0x80, count: 1 }],
      readPort: (async () => 42) as unknown as Device['readPort'] & {},
      writePort: async () => {
        throw new Error('nobody would hear of this');
      },
    };
    for (const code of [
      [0xe4, 0x80, 0xf4],
      [0xe6, 0x80, 0xf4],
    ]) {
      using machine = createMachine({ image: Uint8Array.from(code), devices: [late] });
      assert.throws(() => machine.run(), {
        code: 'EDEVICE',
        message: /'late' failed in .*returned a promise/,
      });
    }
    const silent = {
      name: 'silent',
      ports: [{ first: 0x80, count: 1 }],
      readPort: () => {},
    } as unknown as Device;
    using machine = createMachine({ image: Uint8Array.of(0xe4, 0x80, 0xf4), devices: [silent] });
    assert.throws(() => machine.run(), { code: 'EDEVICE', message: /returned nothing, not a number/ });
  });
});
