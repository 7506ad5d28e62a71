/** Memory that a device shows and hides while its guest runs: the guest sees it at once, on both engines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../../src/boot/index.js';
import type { AccessSize, Device, DeviceHost, MemoryRange } from '../../../src/devices/contract/index.js';
import { createMachine } from '../../../src/runtime/index.js';
import { noKvm } from '../../support.js';

const RANGE = 0x20000;

/** Shows its memory at the page whose number is written to port 0x80, hides it at 0; counts the accesses to itself. */
class Shutter implements Device {
  readonly name = 'shutter';
  readonly ports = [{ first: 0x80, count: 1 }];
  readonly memory: readonly [MemoryRange] = [{ address: RANGE, size: 0x8000, window: 0x1000 }];
  readonly written: number[] = [];
  #host: DeviceHost | undefined;
  attach(host: DeviceHost): void {
    this.#host = host;
    host.windows!.bytes(this.memory[0])[4] = 0x11;
  }
  writePort(_port: number, _size: AccessSize, value: number): void {
    const page = value & 0xff;
    this.#host!.windows!.show(this.memory[0], page === 0 ? RANGE : page * 0x1000, page === 0 ? 0 : 0x1000);
  }
  readMemory(): number {
    return 0xee;
  }
  writeMemory(address: number, _size: AccessSize, value: number): void {
    this.written.push(address, value);
  }
}

/** MOV AL, page; OUT 80h, AL */
const show = (page: number) => [0xb0, page, 0xe6, 0x80];
/** MOV AL, [offset]; MOV [result], AL through SS */
const read = (offset: number, result: number) => [0xa0, offset & 0xff, offset >> 8, 0x36, 0xa2, result, 0x05];
/** MOV byte [offset], value */
const write = (offset: number, value: number) => [0xc6, 0x06, offset & 0xff, offset >> 8, value];

describe('windows', () => {
  for (const engine of ['soft', 'kvm'] as const) {
    test(`on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      const device = new Shutter();
      const code = [
        ...[0xb8, 0x00, 0x20, 0x8e, 0xd8], // MOV AX, 2000h; MOV DS, AX
        ...read(4, 0), // hidden: to the device
        ...show(0x20),
        ...read(4, 1), // 11h
        ...write(4, 0x22), // to memory
        ...show(0x23),
        ...read(4, 2), // to the device again
        ...read(0x3004, 3), // 22h, three pages on
        ...show(0),
        ...write(0x3004, 0x33), // to the device
        0xf4,
      ];
      using machine = createMachine({
        engine,
        image: parseImage(Uint8Array.from(code), 'windows'),
        mode: 'real',
        memory: 0x40000,
        devices: [device],
      });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.deepEqual([...machine.memory.readBytes(0x500, 4)], [0xee, 0x11, 0xee, 0x22]);
      assert.deepEqual(device.written, [RANGE + 0x3004, 0x33]);
      // RAM leaves a hole for the range, and continues after it.
      assert.equal(machine.memory.contains(RANGE, 1), false);
      assert.equal(machine.memory.contains(RANGE + 0x8000, 0x40000 - RANGE - 0x8000), true);
    });
  }
});
