/** INT 10h for foreign firmware: its ROM's calls are served, and no content of a caller's stack does harm. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Frame } from '../../../src/devices/bios/frame.js';
import { BIOS_PORT, VGA_ROM_SEGMENT, VgaBios, vgaRom } from '../../../src/devices/index.js';
import { createMachine } from '../../../src/index.js';
import type { Machine } from '../../../src/machine/index.js';
import { noKvm, Scratch } from '../../support.js';
import { bootSector } from './bench.js';

const STACK = 0x9000;

/** A ROM of 64 KiB that starts the VGA's, sets mode 13h, prints by INT 10h, and halts. */
function rom(): Uint8Array {
  const bytes = new Uint8Array(0x10000);
  bytes.set([
    ...[0x31, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // SS:SP 0000:7C00
    ...[0x9a, 0x03, 0x00, VGA_ROM_SEGMENT & 0xff, VGA_ROM_SEGMENT >> 8], // call C000:0003
    ...[0xb8, 0x41, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10], // AH=0Eh: A
    ...[0xb4, 0x0f, 0xcd, 0x10, 0xfa, 0xf4], // which mode?; cli; hlt
  ]);
  bytes.set([0xea, 0, 0, 0, 0xf0], 0xfff0);
  return bytes;
}

function machine(scratch: Scratch, engine: 'soft' | 'kvm', output?: (text: string) => void): Machine {
  const firmware = scratch.file('rom');
  writeFileSync(firmware, rom());
  return createMachine({
    engine,
    firmware,
    image: bootSector(0xf4),
    output: (bytes) => output?.(Buffer.from(bytes).toString()),
  });
}

describe('the VGA’s ROM', () => {
  test('is an option ROM: 55 AA, its size, bytes that add up to 0', () => {
    const bytes = vgaRom();
    assert.deepEqual([...bytes.subarray(0, 3)], [0x55, 0xaa, bytes.length / 512]);
    assert.equal(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
  });

  for (const engine of ['soft', 'kvm'] as const)
    test(`gives a firmware INT 10h on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      using scratch = new Scratch();
      let printed = '';
      using made = machine(scratch, engine, (text) => {
        printed += text;
      });
      assert.equal(made.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(made.memory.read32(0x10 * 4), ((VGA_ROM_SEGMENT << 16) >>> 0) + 0x10);
      assert.equal(made.cpu.getRegisters().rax & 0xffffn, 0x5003n, 'mode 3, 80 columns');
      assert.equal(made.glance!.text!.cells[0]! & 0xff, 0x41);
      assert.equal(printed, 'A');
    });

  test('survives 100,000 random accesses: calls with random registers, and random contents of the memory that it reads', () => {
    using scratch = new Scratch();
    using made = machine(scratch, 'soft');
    const bios = made.devices.find((device) => device instanceof VgaBios)!;
    let state = 7;
    const random = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    for (let i = 0; i < 4000; i++) {
      const ah = random() % 0x20;
      // Setting a mode costs thousands of accesses to the VGA: sometimes is enough.
      if ((ah === 0 || ah === 0x11) && random() % 20 !== 0) continue;
      for (let at = 0; at < 46; at += 2) made.memory.write16(STACK + at, random() & 0xffff);
      made.memory.write16(STACK + 38, random() % 16 === 0 ? random() & 0x3ff : 0x10);
      made.memory.write8(STACK + 35, ah);
      // CX counts characters: large counts take proportional time.
      if (random() % 64 !== 0) made.memory.write16(STACK + 30, random() % 64);
      if (random() % 8 === 0) made.memory.write8(0x400 + (random() % 0x100), random() & 0xff);
      bios.writePort(BIOS_PORT, 4, STACK);
    }
    for (let i = 0; i < 96_000; i++) bios.writePort(BIOS_PORT, ([1, 2, 4] as const)[i % 3]!, random());
    assert.equal(Frame.at(made.memory, STACK) === undefined, false);
  });

  test('continues as before, after any writes: it has no state of its own', () => {
    using scratch = new Scratch();
    using made = machine(scratch, 'soft');
    const bios = made.devices.find((device) => device instanceof VgaBios)!;
    const before = bios.save();
    bios.writePort(BIOS_PORT, 4, STACK);
    assert.deepEqual(bios.save(), before);
    bios.load(JSON.parse(JSON.stringify(before)));
    assert.equal(bios.readPort(), 0xb1);
  });
});
