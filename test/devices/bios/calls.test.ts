/**
 * The BIOS compared with QEMU's (SeaBIOS and its VGA BIOS): the same image makes the same calls, and gets the same
 * registers.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine } from '../../../src/index.js';
import { noCompiler, root } from '../../guests/catalogue.js';
import { noKvm, Scratch } from '../../support.js';
import { noQemu } from '../vga/qemu.js';

interface Call {
  int: number;
  eax?: number;
  ebx?: number;
  ecx?: number;
  edx?: number;
  esi?: number;
  edi?: number;
  es?: number;
}

const MEMORY = 0xff;
const REGISTER = 0xfe;
const DISPLAY = 0xfd;
const memory = (at: number, bytes: number): Call => ({ int: MEMORY, ebx: at, ecx: bytes });
const register = (port: number, index: number): Call => ({ int: REGISTER, ebx: port, ecx: index });
const registers = (port: number, ...indices: number[]) => indices.map((index) => register(port, index));
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

/**
 * Modes of which both BIOSes have the tables of IBM. (QEMU's has others for 07h, 0Dh and 0Fh, and register 7 of the graphics
 * controller, which text does not use, is 0Fh there.)
 */
function modes(): Call[] {
  return [0, 1, 2, 3, 4, 5, 6, 0x0e, 0x10, 0x11, 0x12, 0x13, 3].flatMap((mode) => [
    { int: 0x10, eax: mode },
    { int: 0x10, eax: 0x0f00 },
    memory(0x449, 7),
    memory(0x484, 3),
    ...registers(0x3c4, ...upTo(5)),
    ...registers(0x3d4, ...upTo(25)),
    ...registers(0x3ce, 0, 1, 2, 3, 4, 5, 6, 8),
    ...registers(0x3c0, ...upTo(21)),
    ...[0, 1, 6, 8, 15, 16, 20, 31, 32, 40, 63, 64, 100, 200, 247, 248, 255].map((ebx) => ({
      int: 0x10,
      eax: 0x1015,
      ebx,
    })),
  ]);
}

function text(): Call[] {
  const at = 0xb8000 + (12 * 80 + 40) * 2;
  return [
    ...[0x0607, 0x2000, 0x0007].flatMap((ecx) => [
      { int: 0x10, eax: 0x0100, ecx },
      ...registers(0x3d4, 10, ...(ecx === 0x2000 ? [] : [11])),
    ]),
    { int: 0x10, eax: 0x0200, edx: 0x0c28 },
    ...registers(0x3d4, 14, 15),
    { int: 0x10, eax: 0x0300 },
    { int: 0x10, eax: 0x0958, ebx: 0x1e, ecx: 5 },
    memory(at, 12),
    { int: 0x10, eax: 0x0800 },
    { int: 0x10, eax: 0x0602, ebx: 0x4f00, ecx: 0x0500, edx: 0x104f },
    memory(at - 320, 12),
    memory(at + 4 * 160, 4),
    { int: 0x10, eax: 0x0501 },
    ...registers(0x3d4, 12, 13),
    { int: 0x10, eax: 0x0500 },
    { int: 0x10, eax: 0x1a00 },
    { int: 0x10, eax: 0x1200, ebx: 0x10 },
    { int: 0x10, eax: 0x1112 },
    memory(0x484, 3),
    ...registers(0x3d4, 7, 9, 0x12),
    { int: 0x10, eax: 0x1114 },
    memory(0x484, 3),
    ...registers(0x3d4, 7, 9, 0x12),
  ];
}

function disks(): Call[] {
  return [
    ...[0x00, 0x80].flatMap((edx) => [
      { int: 0x13, eax: 0x0000, edx },
      { int: 0x13, eax: 0x4100, ebx: 0x55aa, edx },
      { int: 0x13, eax: 0x0100, edx },
      { int: 0x13, eax: 0x0201, ebx: 0x2000, ecx: 1, edx, es: 0x1000 },
      { int: 0x13, eax: 0x0200, ecx: 1, edx, es: 0x1000 },
      { int: 0x13, eax: 0x0401, ecx: 1, edx, es: 0x1000 },
      { int: 0x13, eax: 0x7700, edx },
    ]),
    memory(0x12000, 16),
    { int: 0x13, eax: 0x0c00, ecx: 0x0101, edx: 0x80 },
    { int: 0x13, eax: 0x1000, edx: 0x80 },
    { int: 0x13, eax: 0x4100, ebx: 0x55aa, edx: 0x81 },
    { int: 0x13, eax: 0x0000, edx: 0x81 },
  ];
}

function others(): Call[] {
  return [
    { int: 0x12 },
    { int: 0x15, eax: 0xc000 },
    memory(0xfe6f5, 5),
    { int: 0x15, eax: 0x2402 },
    { int: 0x15, eax: 0x2401 },
    { int: 0x15, eax: 0x4f1e },
    { int: 0x15, eax: 0x5500 },
    { int: 0x15, eax: 0x5200 },
    { int: 0x15, eax: 0xe820, edx: 1, ecx: 20, es: 0x2000 },
    { int: 0x15, eax: 0xe820, edx: 0x534d_4150, ecx: 20, es: 0x2000 },
    memory(0x20000, 20),
    { int: 0x16, eax: 0x0100 },
    { int: 0x16, eax: 0x0200 },
    { int: 0x16, eax: 0x0500, ecx: 0x1e61 },
    { int: 0x16, eax: 0x0100 },
    { int: 0x16, eax: 0x1100 },
    { int: 0x16, eax: 0x0000 },
    { int: 0x16, eax: 0x0500, ecx: 0x47e0 },
    { int: 0x16, eax: 0x0000 },
    { int: 0x16, eax: 0x0500, ecx: 0x47e0 },
    { int: 0x16, eax: 0x1000 },
    { int: 0x16, eax: 0x0100 },
    { int: 0x16, eax: 0x1200 },
    { int: 0x1a, eax: 0x7700 },
    memory(0x40e, 2),
    memory(0x475, 1),
    memory(0x480, 4),
  ];
}

/** The mouse's services in a driver's order, and with invalid values. */
function mouse(): Call[] {
  const call = (al: number, bh = 0, more: Partial<Call> = {}): Call => ({
    int: 0x15,
    eax: 0xc200 | al,
    ebx: bh << 8,
    ...more,
  });
  return [
    call(1),
    call(5, 3),
    call(4),
    ...upTo(8).map((bh) => call(2, bh)),
    ...upTo(5).map((bh) => call(3, bh)),
    ...upTo(3).map((bh) => call(6, bh)),
    call(7, 0x12, { es: 0x1000 }),
    call(0, 1),
    call(6, 0),
    call(0, 0),
    call(9),
  ];
}

/** Registers 0 to 9 of Bochs' display interface. */
const display = () => upTo(10).map((ebx) => ({ int: DISPLAY, ebx }));
const video = (eax: number, more: Partial<Call> = {}): Call => ({ int: 0x10, eax, ...more });
const setVbe = (ebx: number) => [
  video(0x4f02, { ebx }),
  video(0x4f03),
  video(0x0f00),
  ...display(),
  memory(0x449, 7),
  memory(0x484, 4),
];
/** The information of a mode, except two addresses: the window's procedure and the frame buffer. */
const information = (ecx: number) => [
  video(0x4f01, { ecx, es: 0x3000 }),
  memory(0x30000, 12),
  memory(0x30010, 24),
  memory(0x3002c, 22),
];

/** VBE, except the palette (AX=4F09h), which QEMU's does not have. */
function vbe(): Call[] {
  const families: [first: number, last: number][] = [
    [0x00, 0x07],
    [0x0d, 0x13],
    [0x6a, 0x6a],
    [0x100, 0x107],
    [0x10d, 0x11f],
    [0x140, 0x14c],
    [0x175, 0x199],
  ];
  const modes = families.flatMap(([first, last]) => upTo(last - first + 1).map((i) => first + i));
  return [
    ...display(),
    video(0x4f00, { es: 0x3000 }),
    memory(0x30000, 6),
    memory(0x3000a, 12),
    memory(0x30022, 224),
    ...modes.flatMap(information),
    ...[0x101, 0x4103, 0xc118, 0x102, 0x4192, 0x111, 0x10f, 0x3, 0x13, 0x4013, 0x901].flatMap(setVbe),
    video(0x4f02, { ebx: 0x1ff }),
    video(0x4f03),
    // Lines, the start of the picture, colours, in linear modes.
    ...setVbe(0x4192),
    video(0x4f06, { ebx: 1 }),
    video(0x4f06, { ebx: 0, ecx: 2048 }),
    video(0x4f06, { ebx: 2, ecx: 8200 }),
    video(0x4f06, { ebx: 3 }),
    video(0x4f06, { ebx: 0, ecx: 100 }),
    video(0x4f06, { ebx: 0, ecx: 5000 }),
    ...display(),
    video(0x4f07, { ebx: 0, ecx: 16, edx: 20 }),
    video(0x4f07, { ebx: 1 }),
    video(0x4f07, { ebx: 0x80, ecx: 8, edx: 4 }),
    video(0x4f07, { ebx: 2, ecx: 8, edx: 4 }),
    ...display(),
    video(0x4f05, { ebx: 0, edx: 3 }),
    video(0x4f08, { ebx: 0x800 }),
    video(0x4f08, { ebx: 1 }),
    // The screen's power states, and its abilities.
    ...[0, 0x0401, 2, 0x0001, 2, 3].map((ebx) => video(0x4f10, { ebx })),
    ...[0, 1, 2].map((ebx) => video(0x4f15, { ebx, es: 0x3800 })),
    memory(0x38000, 8),
    // Windows and the palette.
    ...setVbe(0x101),
    video(0x4f05, { ebx: 0, edx: 3 }),
    video(0x4f05, { ebx: 0x100 }),
    ...display(),
    video(0x4f05, { ebx: 1, edx: 3 }),
    video(0x4f05, { ebx: 0x101 }),
    video(0x4f05, { ebx: 0, edx: 300 }),
    video(0x4f05, { ebx: 0x100 }),
    video(0x4f05, { ebx: 0x200 }),
    video(0x4f05, { ebx: 0, edx: 0 }),
    video(0x4f08, { ebx: 1 }),
    video(0x4f08, { ebx: 0x800 }),
    ...display(),
    video(0x4f08, { ebx: 1 }),
    video(0x4f08, { ebx: 0x700 }),
    video(0x4f08, { ebx: 0x600 }),
    video(0x4f08, { ebx: 1 }),
    ...[0, 1, 15, 16, 100, 247, 255].map((ebx) => video(0x1015, { ebx })),
    // Text and pixels.
    video(0x0c0c, { ecx: 5 }),
    memory(0xa0000, 8),
    video(0x0d00, { ecx: 5 }),
    video(0x0adb, { ebx: 0x0f, ecx: 1 }),
    memory(0xa0000 + 640 * 3, 16),
    video(0x09db, { ebx: 0x0c, ecx: 1 }),
    video(0x0300),
    memory(0xa0008 + 640 * 3, 8),
    ...setVbe(0x111),
    video(0x0c0c, { ecx: 5 }),
    memory(0xa0008, 8),
    video(0x0adb, { ebx: 0x0f, ecx: 1 }),
    memory(0xa0000 + 1280 * 3, 32),
    video(0x0d00, { ecx: 5 }),
    video(0x4f06, { ebx: 1 }),
    video(0x4f08, { ebx: 1 }),
    // (With planes QEMU's counts four times the lines that there are: AX=4F06h is left out.)
    ...setVbe(0x102),
    video(0x4f07, { ebx: 0, ecx: 8, edx: 1 }),
    video(0x4f07, { ebx: 1 }),
    video(0x4f08, { ebx: 1 }),
    // Missing functions: numbers above the last.
    video(0x4f0b),
    video(0x4fff),
    // Back to a VGA's modes.
    ...setVbe(3),
    video(0x4f06, { ebx: 1 }),
    video(0x4f07, { ebx: 1 }),
    video(0x4f08, { ebx: 1 }),
    video(0x4f05, { ebx: 0x100 }),
    ...setVbe(0x4112),
    video(0x0003),
    video(0x4f03),
    ...display(),
  ];
}

const BYTES = 32;
/** The boot sector reads this many entries after itself. */
const MOST = 1000;

/** A floppy with the caller and its table. */
function image(calls: readonly Call[], scratch: Scratch): Uint8Array {
  const [object, binary] = [scratch.file('calls.o'), scratch.file('calls.bin')];
  execFileSync('as', ['--32', '-o', object, path.join(root, 'test/devices/bios/calls.S')]);
  execFileSync('ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]);
  const bytes = new Uint8Array(1_474_560);
  bytes.set(readFileSync(binary));
  const view = new DataView(bytes.buffer, 512);
  for (const [i, { int, eax = 0, ebx = 0, ecx = 0, edx = 0, esi = 0, edi = 0, es = 0 }] of calls.entries()) {
    view.setUint8(i * BYTES, int);
    for (const [j, value] of [eax, ebx, ecx, edx, esi, edi].entries())
      view.setUint32(i * BYTES + 4 + j * 4, value, true);
    view.setUint16(i * BYTES + 28, es, true);
  }
  return bytes;
}

const lines = (text: string) => text.trimEnd().split('\n');

function onQemu(floppy: Uint8Array, scratch: Scratch): string[] {
  writeFileSync(scratch.file('calls.img'), floppy);
  writeFileSync(scratch.file('disk.img'), new Uint8Array(10 << 20));
  const serial = scratch.file('serial.txt');
  const drive = (name: string, bus: string) => ['-drive', `file=${scratch.file(name)},format=raw,if=${bus}`];
  const machine = [
    '-accel',
    'tcg',
    '-m',
    '16',
    '-vga',
    'std',
    '-display',
    'none',
    '-no-reboot',
    '-net',
    'none',
  ];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
  const all = [
    ...machine,
    '-serial',
    `file:${serial}`,
    ...exit,
    ...drive('calls.img', 'floppy'),
    ...drive('disk.img', 'ide'),
  ];
  spawnSync('qemu-system-x86_64', [...all, '-boot', 'a'], { timeout: 60_000 });
  return lines(readFileSync(serial, 'latin1'));
}

function onOurs(floppy: Uint8Array, engine: 'soft' | 'kvm', scratch: Scratch): string[] {
  writeFileSync(scratch.file('disk.img'), new Uint8Array(10 << 20));
  let said = '';
  using machine = createMachine({
    engine,
    image: floppy,
    disks: [{ file: scratch.file('disk.img') }],
    output: (bytes) => {
      said += Buffer.from(bytes).toString('latin1');
    },
  });
  const { kind, reason } = machine.run({ timeoutMs: 60_000 });
  assert.equal(kind, 'exited', reason);
  return lines(said);
}

describe('calls of the BIOS come back as QEMU’s do', { skip: noQemu || noCompiler }, () => {
  for (const [name, all] of Object.entries({
    modes: modes(),
    text: text(),
    disks: disks(),
    others: others(),
    mouse: mouse(),
    vbe: vbe(),
  })) {
    test(name, (t) => {
      using scratch = new Scratch();
      for (let from = 0; from < all.length; from += MOST) {
        const calls = all.slice(from, from + MOST);
        const floppy = image(calls, scratch);
        const theirs = onQemu(floppy, scratch);
        const engines =
          noKvm === false && name !== 'modes' ? (['soft', 'kvm'] as const) : (['soft'] as const);
        for (const engine of engines) {
          const ours = onOurs(floppy, engine, scratch);
          for (const [i, call] of calls.entries())
            assert.equal(ours[i], theirs[i], `${engine}: call ${from + i}, ${JSON.stringify(call)}`);
          assert.equal(ours.length, theirs.length);
        }
      }
      t.diagnostic(`${all.length} calls`);
    });
  }
});
