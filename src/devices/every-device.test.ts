/**
 * No device is left out: each one that the room exports survives random accesses and moves its state, in its own test.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as room from './index.js';

/** Devices that share guest memory, which the harness for any device does not have: they have their own tests. */
const withMemory: Record<string, string> = {
  Bios: '../../test/devices/bios/hostile.test.ts',
  Drives: 'disk/drives.test.ts',
  Simvirtio: 'simvirtio/hostile.test.ts',
  SimvirtioByExits: 'simvirtio/hostile.test.ts',
  SimvirtioByTicks: 'simvirtio/hostile.test.ts',
  VirtioBalloon: 'virtio/hostile.test.ts',
  VirtioBlock: 'virtio/hostile.test.ts',
  VirtioConsole: 'virtio/hostile.test.ts',
  VirtioDevice: 'virtio/hostile.test.ts',
  VirtioEntropy: 'virtio/hostile.test.ts',
  VirtioKeyboard: 'virtio/hostile.test.ts',
  VirtioMmio: 'virtio/hostile.test.ts',
  VirtioNet: 'virtio/hostile.test.ts',
  VirtioPci: 'virtio/hostile.test.ts',
  VirtioTablet: 'virtio/hostile.test.ts',
  VgaBios: '../../test/devices/bios/vga-bios.test.ts',
};

const here = path.resolve('src/devices');
const tests = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(path.join(here, file), 'utf8'));

/** Classes that are devices: a guest accesses them, or they are called after some time, and they have a state. */
const devices = Object.entries(room)
  .filter(([, value]) => typeof value === 'function' && /^class /.test(String(value)))
  .filter(([, value]) => 'load' in (value as { prototype: object }).prototype)
  .map(([name]) => name);

describe('every device', () => {
  test('is known to this test', () => {
    assert.ok(devices.length >= 15, devices.join());
    for (const name of [
      'Serial16550',
      'Pic8259',
      'Pit8254',
      'KeyboardController',
      'Cmos',
      'SystemControl',
      'Vga',
    ])
      assert.ok(devices.includes(name), name);
  });

  for (const name of devices) {
    test(`${name}: 100,000 random accesses, and a saved state that continues`, () => {
      if (withMemory[name] !== undefined) {
        const text = readFileSync(path.join(here, withMemory[name]), 'utf8');
        assert.match(text, /survives 100,000 random accesses/);
        assert.match(text, /continues as before, after any writes/);
        return;
      }
      const made = new RegExp(`new ${name}\\(`);
      const [hammered] = tests.filter(
        (text) => made.test(text) && /testAnyDevice|compareAfterLoad/.test(text),
      );
      assert.ok(hammered !== undefined, `no test passes a ${name} to testAnyDevice`);
    });
  }
});
