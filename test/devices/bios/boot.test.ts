/** From a file to a running system: disks that boot, a service that waits, and a ROM in place of the BIOS. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type KeyEvent, strokesOf } from '../../../src/devices/keyboard/index.js';
import { createMachine } from '../../../src/index.js';
import { noKvm, Scratch } from '../../support.js';
import { bootSector } from './bench.js';

const engines = noKvm === false ? (['soft', 'kvm'] as const) : (['soft'] as const);

/** xor ah, ah; int 16h; out 0xe9, al; mov al, dl; out 0xe9, al; cli; hlt */
const KEY_AND_DRIVE = [0x30, 0xe4, 0xcd, 0x16, 0xe6, 0xe9, 0x88, 0xd0, 0xe6, 0xe9, 0xfa, 0xf4];

/** An image of a hard disk: the boot sector, and a partition. */
function hardDisk(): Uint8Array {
  const disk = new Uint8Array(2016 * 512);
  disk.set(bootSector(...KEY_AND_DRIVE));
  disk.set([0x80, 1, 1, 0, 0x0c, 15, 63, 1, 63, 0, 0, 0, 0xa1, 7, 0, 0], 0x1be);
  return disk;
}

function runs(options: Parameters<typeof createMachine>[0]): number[] {
  const said: number[] = [];
  let key = true;
  using machine = createMachine({
    ...options,
    output: (bytes) => void said.push(...bytes),
    keys: {
      source: {
        get available() {
          return key;
        },
        read() {
          key = false;
          return { name: 'KeyA', down: true };
        },
      },
    },
  });
  const { kind, reason } = machine.run({ timeoutMs: 60_000 });
  assert.equal(kind, 'halted', reason);
  return said;
}

describe('a file that firmware starts', () => {
  for (const engine of engines)
    test(`${engine}: a floppy is drive A, a disk is 80h, and INT 16h waits for a key`, () => {
      using scratch = new Scratch();
      const floppy = new Uint8Array(1_474_560);
      floppy.set(bootSector(...KEY_AND_DRIVE));
      writeFileSync(scratch.file('a.img'), floppy);
      writeFileSync(scratch.file('c.img'), hardDisk());
      assert.deepEqual(runs({ engine, image: scratch.file('a.img') }), [0x61, 0x00]);
      assert.deepEqual(runs({ engine, image: scratch.file('c.img') }), [0x61, 0x80]);
      const both = { disks: [{ file: scratch.file('c.img') }], boot: 'c' };
      assert.deepEqual(runs({ engine, image: scratch.file('a.img'), ...both }), [0x61, 0x80]);
    });

  for (const engine of engines)
    test(`${engine}: one that waits for a key, or reads a missing disk, gets an explanation`, () => {
      const remarks = (...code: number[]) => {
        using machine = createMachine({ engine, image: bootSector(...code) });
        return machine.run({ maxExits: 200, timeoutMs: 60_000 }).remarks ?? [];
      };
      // xor ah, ah; int 16h
      assert.match(remarks(0x30, 0xe4, 0xcd, 0x16)[0] ?? '', /^it waits for a key \(INT 16h\): --type/);
      // 1: mov ah, 1; int 16h; jz 1b
      assert.match(
        remarks(0xb4, 0x01, 0xcd, 0x16, 0x74, 0xfa)[0] ?? '',
        /^it calls the BIOS again and again: INT 16h is there a key\?: no\. --type/,
      );
      // mov dx, 1f7h; 1: in al, dx; test al, 8; jz 1b
      assert.match(
        remarks(0xba, 0xf7, 0x01, 0xec, 0xa8, 0x08, 0x74, 0xfb)[0] ?? '',
        /^it waits for the first drive of the first ATA channel, which is not there: --disk FILE/,
      );
      // 1: mov ax, 201h; mov cx, 2; mov dx, 80h; int 13h; jc 1b
      assert.match(
        remarks(0xb8, 1, 2, 0xb9, 2, 0, 0xba, 0x80, 0, 0xcd, 0x13, 0x72, 0xf3)[0] ?? '',
        /^it called INT 13h \d+ times in a row, and it fails: read 1 sector, drive 80h.*no such disk: --disk FILE/,
      );
    });

  test('keys that come while the keyboard buffer is full are read later, also by a machine that loads the state', () => {
    // Sleeps 60 ticks with the keys coming, then writes as many keys as `text` has.
    const text = 'the quick brown fox jumps over the lazy dog 0123456789 times';
    const image = bootSector(
      ...[0x31, 0xc0, 0x8e, 0xd8, 0xfb],
      ...[0xf4, 0x83, 0x3e, 0x6c, 0x04, 60, 0x72, 0xf8],
      ...[0xb9, text.length, 0, 0x30, 0xe4, 0xcd, 0x16, 0xe6, 0xe9, 0xe2, 0xf8, 0xfa, 0xf4],
    );
    const make = (strokes: KeyEvent[]) => {
      const said: number[] = [];
      const source = {
        get available() {
          return strokes.length > 0;
        },
        read: () => strokes.shift(),
      };
      const output = (bytes: Uint8Array) => void said.push(...bytes);
      return { machine: createMachine({ engine: 'soft', image, keys: { source }, output }), said };
    };
    const first = make([...strokesOf(text)]);
    using typed = first.machine;
    do assert.equal(typed.run({ maxExits: 20, timeoutMs: 60_000 }).kind, 'limit');
    while (first.said.length === 0);
    const second = make([]);
    using later = second.machine;
    later.load(structuredClone(typed.save()));
    assert.equal(later.run({ timeoutMs: 60_000 }).kind, 'halted');
    assert.equal(typed.run({ timeoutMs: 60_000 }).kind, 'halted');
    assert.equal(String.fromCharCode(...first.said), text);
    assert.equal(String.fromCharCode(...second.said), text.slice(-second.said.length));
    assert.ok(second.said.length > 15);
    assert.deepEqual(later.cpu.getRegisters(), typed.cpu.getRegisters());
  });

  test('another ROM is at the top of 4 GiB and below 1 MiB, and starts at FFFF_FFF0h', () => {
    using scratch = new Scratch();
    const rom = new Uint8Array(256 * 1024).fill(0xf4);
    // At the reset vector: mov al, 0x52; out 0xe9, al; jmp far F000:0100, which is below 1 MiB.
    rom.set([0xb0, 0x52, 0xe6, 0xe9, 0xea, 0x00, 0x01, 0x00, 0xf0], rom.length - 16);
    rom.set([0xb0, 0x4c, 0xe6, 0xe9, 0xfa, 0xf4], rom.length - 0x10000 + 0x100);
    writeFileSync(scratch.file('bios.rom'), rom);
    const image = bootSector(0xf4);
    assert.deepEqual(runs({ engine: 'soft', image, firmware: scratch.file('bios.rom') }), [0x52, 0x4c]);
    writeFileSync(scratch.file('large.rom'), new Uint8Array((16 << 20) + 1));
    assert.throws(
      () => createMachine({ engine: 'soft', image, firmware: scratch.file('large.rom') }),
      /more than a ROM has/,
    );
  });
});
