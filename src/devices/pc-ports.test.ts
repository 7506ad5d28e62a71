/** The small devices of a PC: parallel port, firmware's ports, QEMU's exit and panic, fw_cfg. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../memory/index.js';
import { FirmwarePorts, FwCfg, ParallelPort, PvPanic, QemuDebugExit } from './index.js';
import { TestLine, testHost } from './test-host.js';
import { testAnyDevice } from './testing.js';

describe('a parallel port', () => {
  describe('as any device', () => testAnyDevice(() => new ParallelPort()));

  test('prints a byte with each strobe, and acknowledges by an interrupt', () => {
    let printed = '';
    const line = new TestLine();
    const port = new ParallelPort((bytes) => {
      printed += String.fromCharCode(...bytes);
    });
    port.attach(testHost({}, { 7: line }));
    assert.equal(port.readPort(0x379) & 0xf8, 0xd8);
    for (const character of 'hi') {
      port.writePort(0x378, 1, character.charCodeAt(0));
      port.writePort(0x37a, 1, 0x1d);
      port.writePort(0x37a, 1, 0x1c);
    }
    assert.equal(printed, 'hi');
    assert.equal(line.edges, 2);
  });
});

describe('firmware’s ports', () => {
  describe('as any device', () => testAnyDevice(() => new FirmwarePorts()));
  describe('QEMU’s debug exit as any device', () => testAnyDevice(() => new QemuDebugExit()));
  describe('pvpanic as any device', () => testAnyDevice(() => new PvPanic()));

  test('store a POST code, print, end the run as QEMU would, and panic', () => {
    let printed = '';
    const heard: unknown[] = [];
    const ports = new FirmwarePorts((bytes) => {
      printed += String.fromCharCode(...bytes);
    });
    ports.writePort(0x80, 1, 0x55);
    ports.writePort(0x402, 1, 0x41);
    assert.deepEqual(
      [ports.code, ports.readPort(0x80), ports.readPort(0x402), printed],
      [0x55, 0x55, 0xe9, 'A'],
    );
    const host = testHost({ exit: (code) => heard.push(code), panic: (how) => heard.push(how) });
    const [exit, panic] = [new QemuDebugExit(), new PvPanic()];
    exit.attach(host);
    panic.attach(host);
    exit.writePort(0x501, 1, 0x10);
    panic.writePort(0x505, 1, 2);
    panic.writePort(0x505, 1, 1);
    assert.deepEqual(heard, [33, 'pvpanic']);
    assert.equal(panic.readPort(), 3);
  });
});

describe('fw_cfg', () => {
  const contents = {
    items: { 5: Uint8Array.of(0, 0, 0, 1) },
    files: { 'etc/b': Uint8Array.of(7), 'etc/a': Uint8Array.of(1, 2, 3) },
  };
  describe('as any device', () => testAnyDevice(() => Object.assign(new FwCfg(contents), { attach() {} })));

  const read = (device: FwCfg, item: number, count: number) => {
    device.writePort(0x510, 2, item);
    return Uint8Array.from({ length: count }, () => device.readPort(0x511, 1));
  };

  test('returns items, files by name, and zeros after their ends', () => {
    const device = new FwCfg(contents);
    assert.equal(Buffer.from(read(device, 0, 4)).toString(), 'QEMU');
    const directory = Buffer.from(read(device, 0x19, 132));
    assert.equal(directory.readUInt32BE(0), 2);
    assert.equal(directory.subarray(12, 17).toString(), 'etc/a');
    assert.deepEqual([directory.readUInt32BE(4), directory.readUInt16BE(8)], [3, 0x20]);
    assert.deepEqual([...read(device, 0x20, 5)], [1, 2, 3, 0, 0]);
  });

  test('moves data by DMA, and refuses addresses outside of RAM', () => {
    const device = new FwCfg(contents);
    const memory = GuestMemory.create([{ address: 0, size: 65536 }]);
    device.attach(testHost({ memory }));
    assert.equal(device.readPort(0x514, 4), 0x554d4551);
    const request = (control: number, length: number, address: bigint, at = 0x100) => {
      const view = new DataView(new ArrayBuffer(16));
      view.setUint32(0, control);
      view.setUint32(4, length);
      view.setBigUint64(8, address);
      memory.writeBytes(0x100, new Uint8Array(view.buffer));
      const bytes = new DataView(new ArrayBuffer(4));
      bytes.setUint32(0, at);
      device.writePort(0x518, 4, bytes.getUint32(0, true));
      return new DataView(memory.readBytes(0x100, 4).buffer).getUint32(0);
    };
    assert.equal(request((0x20 << 16) | 8 | 2, 5, 0x2000n), 0);
    assert.deepEqual([...memory.readBytes(0x2000, 5)], [1, 2, 3, 0, 0]);
    assert.equal(request((0x20 << 16) | 8 | 2, 5, 0xffff_ffff_ffffn), 1);
    assert.equal(request((0x20 << 16) | 8 | 2, 0xffff_ffff, 0n), 1);
    assert.equal(request(16, 5, 0x2000n), 1);
    request(2, 5, 0x2000n, 0xffff_fff0);
  });
});
