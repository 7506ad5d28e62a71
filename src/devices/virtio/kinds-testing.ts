/**
 * Each kind of device, and its results for a correct driver. For tests; not part of the package.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { MemoryDisk, SECTOR } from '../disk/index.js';
import type { VirtioDevice } from './device.js';
import {
  loopback,
  VirtioBalloon,
  VirtioBlock,
  VirtioConsole,
  VirtioEntropy,
  VirtioKeyboard,
  VirtioNet,
  VirtioTablet,
} from './index.js';
import type { MockDriver } from './testing.js';

export const kinds: Record<string, { make(): VirtioDevice; works(driver: MockDriver): void }> = {
  block: {
    make: () =>
      new VirtioBlock({ name: 'vd0', disk: new MemoryDisk(new Uint8Array(64 * SECTOR)), queues: 2 }),
    works(driver) {
      const [queue] = driver.start(0);
      const read = queue!.send([new Uint8Array(16), 512, 1]);
      assert.equal(read?.bytes[512], 0);
    },
  },
  entropy: {
    make: () => new VirtioEntropy(),
    works(driver) {
      const [queue] = driver.start(0);
      assert.deepEqual(queue!.send([3])?.bytes, Uint8Array.of(4, 4, 4));
    },
  },
  net: {
    make: () => new VirtioNet('net', loopback()),
    works(driver) {
      const [receive, transmit] = driver.start(0, 1);
      for (let n = 0; n < 3; n++) {
        receive!.add([12 + 64]);
        driver.kick(0);
        transmit!.send([new Uint8Array(12), new Uint8Array(60).fill(n)]);
      }
      driver.bench.inputs.look();
      // Data from before the reset may come first.
      assert.ok((receive!.used()[0]?.length ?? 0) >= 12);
    },
  },
  console: {
    make: () =>
      new VirtioConsole('console', [
        { name: 'terminal', output: () => {}, isTerminal: true },
        { name: 'agent', output: () => {} },
      ]),
    works(driver) {
      const [, transmit] = driver.start(0, 1);
      assert.equal(transmit!.send([Uint8Array.of(65)])?.length, 0);
    },
  },
  balloon: {
    make: () => new VirtioBalloon(),
    works(driver) {
      const [inflate] = driver.start(0);
      assert.equal(inflate!.send([Uint8Array.of(1, 0, 0, 0)])?.length, 0);
    },
  },
  keyboard: {
    make: () => new VirtioKeyboard(),
    works(driver) {
      const [events] = driver.start(0);
      for (const _ of 'ab') events!.add([8]);
      (driver.bench.pci.device as VirtioKeyboard).key('KeyA', true);
      assert.deepEqual(events!.used()[0]?.bytes, Uint8Array.of(1, 0, 30, 0, 1, 0, 0, 0));
    },
  },
  tablet: {
    make: () => new VirtioTablet(),
    works(driver) {
      const [events] = driver.start(0);
      for (const _ of 'abc') events!.add([8]);
      (driver.bench.pci.device as VirtioTablet).point({ x: 258, y: 0, buttons: 0 });
      assert.deepEqual(events!.used()[0]?.bytes, Uint8Array.of(3, 0, 0, 0, 2, 1, 0, 0));
    },
  },
};
