import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device } from './contract/index.js';
import { DebugConsole, DebugExit, PseudoSerial, Serial16550, standardDevices } from './index.js';
import { type MakeDevice, testAnyDevice } from './testing.js';

const makers: Record<string, MakeDevice> = {
  'debug-console': ({ output }) => new DebugConsole(output),
  'pseudo-serial': ({ output }) => new PseudoSerial(output),
  'debug-exit': () => new DebugExit(),
  serial: ({ output, input }) => new Serial16550({ output, input }),
};

for (const [name, make] of Object.entries(makers)) {
  describe(`any device: ${name}`, () => {
    testAnyDevice(make);

    test('refuses every state of another device and does not change', () => {
      const device = make({ output: () => {}, input: { available: false, read: () => -1 } });
      const before = device.save?.();
      const notStates: unknown[] = [
        null,
        undefined,
        7,
        'state',
        [],
        { other: 1 },
        { ...(before as object), other: 1 },
      ];
      for (const state of notStates) {
        assert.throws(() => device.load?.(state), { code: 'ESTATE' }, JSON.stringify(state));
      }
      for (const field of Object.keys(before as object)) {
        for (const value of [null, -1, 0.5, 0x100, Number.NaN, '1', [256], new Array(17).fill(0), {}]) {
          const state = { ...(before as object), [field]: value };
          assert.throws(() => device.load?.(state), { code: 'ESTATE', message: new RegExp(`'${field}`) });
        }
      }
      assert.deepEqual(device.save?.(), before);
    });
  });
}

describe('the standard devices', () => {
  test('claim ports that do not overlap, and have unique names', () => {
    const devices = standardDevices({ output: () => {} });
    const claimed = devices.flatMap(({ ports = [] }) =>
      ports.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)),
    );
    assert.equal(new Set(claimed).size, claimed.length);
    assert.deepEqual(
      claimed.map((port) => port.toString(16)),
      ['e9', 'f1', 'f4', '3f8', '3f9', '3fa', '3fb', '3fc', '3fd', '3fe', '3ff', 'abba'],
    );
    assert.deepEqual(
      devices.map(({ name }) => name),
      ['debug-console', 'pseudo-serial', 'debug-exit', 'serial', 'hypercalls'],
    );
  });

  test('let only consoles coalesce writes, and nothing that must be seen at once', () => {
    const coalesced = (devices: Device[]) =>
      devices.flatMap(({ ports = [] }) => ports.filter(({ coalesce }) => coalesce).map(({ first }) => first));
    assert.deepEqual(coalesced(standardDevices({ output: () => {} })), [0xe9, 0xf1, 0x3f8]);
    assert.deepEqual(coalesced(standardDevices({ output: () => {}, coalesceSerial: false })), [0xe9, 0xf1]);
  });

  test('share one output, byte by byte, and use one buffer each for it', () => {
    const bytes: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    const devices = standardDevices({
      output: (chunk) => {
        bytes.push(...chunk);
        buffers.add(chunk.buffer);
      },
    });
    for (let i = 0; i < 3; i++)
      for (const device of devices) device.writePort?.(device.ports![0]!.first, 1, 0x41 + i);
    assert.equal(String.fromCharCode(...bytes), 'AAABBBCCC');
    assert.equal(buffers.size, 3);
  });
});
