import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../boot/index.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { noKvm } from '../engine/kvm/testing.js';
import { createLauncher, type LauncherOptions } from './launcher.js';

const skip = noKvm();
const folder = 'guests/lj-kernel2';
const file = `${folder}/lj-kernel2.bin`;

/** Runs it and gives what it wrote to the pseudo-serial port. */
function say(options: LauncherOptions): string {
  let text = '';
  const out8 = (_: number, value: number) => {
    text += String.fromCharCode(value);
  };
  using launcher = createLauncher({ ...options, callbacks: { out8 } });
  assert.equal(launcher.run({ timeoutMs: 60_000 }).kind, 'halted');
  return text;
}

describe('createLauncher', { skip }, () => {
  test('takes a guest folder, a file, bytes or a parsed image', () => {
    const bytes = readFileSync(file);
    for (const image of [folder, file, new Uint8Array(bytes), parseImage(bytes, 'kernel2')]) {
      assert.equal(say({ image }), 'Hello\n');
    }
  });

  test('takes an engine by name or made by you', () => {
    assert.equal(say({ image: folder, engine: 'kvm' }), 'Hello\n');
    assert.equal(say({ image: folder, engine: kvmEngine() }), 'Hello\n');
  });

  test('has the memory that was asked for, before what the guest folder says', () => {
    const sizes = (options: LauncherOptions) => {
      using launcher = createLauncher({ image: folder, ...options });
      return launcher.memory.regions.map(({ address, size }) => [address, size]);
    };
    const mebibyte = 1024 * 1024;
    assert.deepEqual(sizes({}), [[0, 16 * mebibyte]]);
    assert.deepEqual(sizes({ memory: mebibyte }), [[0, mebibyte]]);
    const slots = [{ address: 0xf0000, size: 0x10000 }];
    assert.deepEqual(sizes({ slots }), [[0xf0000, 0x10000]]);
    assert.deepEqual(sizes({ slots, memory: 0x10000 }), [
      [0, 0x10000],
      [0xf0000, 0x10000],
    ]);
  });

  test('refuses what cannot be run and leaves nothing open', () => {
    assert.throws(() => createLauncher({ image: 'nowhere.bin' }), /nowhere\.bin: no such file/);
    assert.throws(() => createLauncher({ image: folder, memory: 4096 }), { code: 'EIMAGE' });
    assert.throws(() => createLauncher({ memory: 1000 }), { code: 'EMEMORY' });
    // Without memory below 1 MiB there is no place to start at, but nothing to be refused either.
    using high = createLauncher({ slots: [{ address: 0x20_0000, size: 4096 }], callbacks: {} });
    assert.equal(high.memory.size, 4096);
  });
});
