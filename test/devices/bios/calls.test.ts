/** The BIOS beside QEMU's (SeaBIOS and its VGA BIOS): the same image makes the same calls, and the same registers come back. */
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

const BYTES = 32;
/** The boot sector reads so many entries behind itself. */
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
