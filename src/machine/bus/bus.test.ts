import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessSize, Device } from '../../devices/contract/index.js';
import { type Exit, ExitKind } from '../../engine/contract/index.js';
import { exitRecord } from '../../trace/testing.js';
import { Bus } from './bus.js';

/** A device that writes down what it is asked. */
function recorder(ranges: Pick<Device, 'ports' | 'memory'>, answer = 0): Device & { calls: string[] } {
  const calls: string[] = [];
  const read = (address: number, size: AccessSize) => {
    calls.push(`r${size} ${address.toString(16)}`);
    return answer;
  };
  const write = (address: number, size: AccessSize, value: number) => {
    calls.push(`w${size} ${address.toString(16)} ${value.toString(16)}`);
  };
  return {
    name: 'recorder',
    ...ranges,
    calls,
    readPort: read,
    writePort: write,
    readMemory: read,
    writeMemory: write,
  };
}

function busWith(...devices: Device[]): Bus {
  const bus = new Bus();
  for (const [index, device] of devices.entries()) bus.add(device, index);
  return bus;
}

const bytesOf = ({ data }: Exit, length: number) => [...new Uint8Array(data.buffer, 0, length)];

describe('the bus', () => {
  test('takes a port access of each size to the device that claims it', () => {
    for (const size of [1, 2, 4] as const) {
      const device = recorder({ ports: [{ first: 0x10, count: 4 }] }, 0x11223344);
      const bus = busWith(device);
      const write = exitRecord({ address: 0x10, size, write: true, bytes: [0xaa, 0xbb, 0xcc, 0xdd] });
      assert.equal(bus.handlePort(write), 0);
      const read = exitRecord({ address: 0x10, size });
      bus.handlePort(read);
      assert.deepEqual(device.calls, [
        `w${size} 10 ${{ 1: 'aa', 2: 'bbaa', 4: 'ddccbbaa' }[size]}`,
        `r${size} 10`,
      ]);
      assert.deepEqual(bytesOf(read, 5), [0x44, 0x33, 0x22, 0x11, 0].fill(0, size));
    }
  });

  test('takes string I/O apart into its elements', () => {
    const device = recorder({ ports: [{ first: 0x10, count: 1 }] }, 7);
    const bus = busWith(device);
    bus.handlePort(exitRecord({ address: 0x10, size: 2, count: 3, write: true, bytes: [1, 0, 2, 0, 3, 0] }));
    const read = exitRecord({ address: 0x10, count: 4 });
    bus.handlePort(read);
    assert.deepEqual(device.calls.slice(0, 3), ['w2 10 1', 'w2 10 2', 'w2 10 3']);
    assert.deepEqual(bytesOf(read, 5), [7, 7, 7, 7, 0]);
  });

  test('lets a device give string input at once, and asks for the rest one by one', () => {
    const device = recorder({ ports: [{ first: 0x10, count: 1 }] }, 9);
    const bus = busWith(
      Object.assign(device, {
        readPorts: (_port: number, size: number, into: Uint8Array) => into.fill(7, 0, 2 * size) && 2,
      }),
    );
    const read = exitRecord({ address: 0x10, size: 2, count: 3 });
    bus.handlePort(read);
    assert.deepEqual(bytesOf(read, 6), [7, 7, 7, 7, 9, 0]);
    assert.deepEqual(device.calls, ['r2 10']);
    bus.listener = { access() {} };
    bus.handlePort(exitRecord({ address: 0x10, size: 2, count: 3 }));
    assert.equal(device.calls.length, 4, 'one by one where somebody listens');
  });

  test('splits an access that is wider than the device, low byte first, each at its own address', () => {
    const narrow = recorder({ ports: [{ first: 0x20, count: 2, width: 1 }] });
    const bus = busWith(narrow);
    bus.handlePort(exitRecord({ address: 0x20, size: 4, write: true, bytes: [1, 2, 3, 4] }));
    assert.deepEqual(narrow.calls, ['w1 20 1', 'w1 21 2']);
    assert.deepEqual(
      bus.unclaimed.map(({ address }) => address),
      [0x22, 0x23],
    );
  });

  test('floats high where nothing answers, and remembers a bounded number of such addresses', () => {
    const bus = busWith();
    const read = exitRecord({ address: 0x80, size: 4 });
    assert.equal(bus.handlePort(read), -1);
    assert.deepEqual(bytesOf(read, 5), [0xff, 0xff, 0xff, 0xff, 0]);
    const eight = exitRecord({ kind: ExitKind.mmio, address: 0x1000, size: 8 });
    assert.equal(bus.handleMemory(eight), -1);
    assert.deepEqual(bytesOf(eight, 9), [...new Array(8).fill(0xff), 0]);
    bus.handlePort(read);
    assert.deepEqual(bus.unclaimed[0], { space: 'port', address: 0x80, write: false, count: 2 });
    for (let port = 0; port < 65536; port++) bus.handlePort(exitRecord({ address: port, write: true }));
    assert.equal(bus.unclaimed.length, 64);
  });

  test('hands 64-bit MMIO to devices that take it and splits it for those that do not', () => {
    const wide: Device & { last: bigint } = {
      name: 'wide',
      last: 0n,
      memory: [{ address: 0x1000, size: 8, width: 8 }],
      readMemory64: () => 0x1122334455667788n,
      writeMemory64(_, value) {
        this.last = value;
      },
    };
    const narrow = recorder({ memory: [{ address: 0x2000, size: 8 }] });
    const bus = busWith(wide, narrow);
    const bytes = [8, 7, 6, 5, 4, 3, 2, 1];
    bus.handleMemory(exitRecord({ kind: ExitKind.mmio, address: 0x1000, size: 8, write: true, bytes }));
    assert.equal(wide.last, 0x0102030405060708n);
    const read = exitRecord({ kind: ExitKind.mmio, address: 0x1000, size: 8 });
    bus.handleMemory(read);
    assert.deepEqual(bytesOf(read, 8), [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
    bus.handleMemory(exitRecord({ kind: ExitKind.mmio, address: 0x2000, size: 8, write: true, bytes }));
    bus.handleMemory(exitRecord({ kind: ExitKind.mmio, address: 0x2000, size: 3, write: true, bytes }));
    assert.deepEqual(narrow.calls, ['w4 2000 5060708', 'w4 2004 1020304', 'w2 2000 708', 'w1 2002 6']);
  });

  test('refuses two devices for one address and ranges that do not exist', () => {
    const bus = busWith(recorder({ ports: [{ first: 0x10, count: 16 }] }));
    const second = { ...recorder({ ports: [{ first: 0x1f, count: 1 }] }), name: 'second' };
    assert.throws(() => bus.add(second, 1), /'recorder' and 'second' both claim port 0x1f/);
    const beyond = recorder({ ports: [{ first: 0xffff, count: 2 }] });
    assert.throws(() => busWith(beyond), /claims 2 port addresses from 65535/);
  });

  test('names device, port and cause where a handler throws', () => {
    const broken: Device = {
      name: 'broken',
      ports: [{ first: 0x99, count: 1 }],
      readPort() {
        throw new Error('no such register');
      },
    };
    const bus = busWith(broken);
    assert.throws(() => bus.handlePort(exitRecord({ address: 0x99 })), {
      code: 'EDEVICE',
      message: "device 'broken' failed in a read of port 0x99 (1 byte): no such register",
    });
  });
});
