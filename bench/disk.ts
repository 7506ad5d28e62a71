/**
 * Reading a floppy by INT 13h and a disk on the software CPU, by PIO, by the bus master and by virtio, compared with
 * QEMU's TCG on the same kernel.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseImage } from '../src/boot/index.js';
import { Drives, MemoryDisk, OverlayDisk } from '../src/devices/index.js';
import { createMachine } from '../src/runtime/index.js';
import { median, type Row } from './measure.js';

const BYTES = 256 * 512;
const ROUNDS = 5;
/** QEMU's exit status for a guest that wrote 10h. */
const QEMU_GOOD = 33;

/** A track of 18 sectors. */
const TRACK = 18 * 512;
const FLOPPY = { calls: 16_000, least: 20 } as const;

const modes = [
  { name: 'ATA PIO', mode: 0, commands: 400, least: 30 },
  { name: 'bus-master DMA', mode: 1, commands: 8000, least: 300 },
  { name: 'virtio', mode: 'virtio', commands: 40_000, least: 500 },
] as const;

export function benchDisk(root: string): Row[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-disk-'));
  try {
    const hard = modes.map((one) => {
      const kernel = (commands: number) => build(root, folder, one.mode, commands);
      // The difference of two lengths: without the cost of the start.
      const [short, long] = [kernel(one.commands / 4), kernel(one.commands)];
      const rate = (run: (file: string) => number) => {
        const seconds = median(Array.from({ length: ROUNDS }, () => run(long) - run(short)));
        return ((one.commands * 3) / 4) * (BYTES / 1e6 / seconds);
      };
      const isVirtio = one.mode === 'virtio';
      const ours = rate((file) => onSoft(file, isVirtio));
      const theirs = hasQemu() ? rate((file) => onQemu(folder, file, isVirtio)) : undefined;
      return {
        name: `${one.name}, soft`,
        unit: 'MB/s',
        terrarium: ours,
        ...(theirs !== undefined && { control: { name: 'QEMU TCG', value: theirs }, ratio: ours / theirs }),
        goal: `≥ ${one.least} MB/s`,
        holds: ours >= one.least,
      };
    });
    return [benchFloppy(root, folder), ...hard];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * INT 13h on our BIOS, compared with SeaBIOS in QEMU. QEMU reads far fewer tracks: it takes a real drive's time for
 * them.
 */
function benchFloppy(root: string, folder: string): Row {
  const measure = (calls: number, run: (file: string) => number) => {
    const [short, long] = [buildFloppy(root, folder, calls / 4), buildFloppy(root, folder, calls)];
    const seconds = median(Array.from({ length: ROUNDS }, () => run(long) - run(short)));
    return ((calls * 3) / 4) * (TRACK / 1e6 / seconds);
  };
  const ours = measure(FLOPPY.calls, floppyOnSoft);
  const theirs = hasQemu() ? measure(FLOPPY.calls / 40, floppyOnQemu) : undefined;
  return {
    name: 'floppy by INT 13h, soft',
    unit: 'MB/s',
    terrarium: ours,
    ...(theirs !== undefined && { control: { name: 'QEMU TCG', value: theirs }, ratio: ours / theirs }),
    goal: `≥ ${FLOPPY.least} MB/s`,
    holds: ours >= FLOPPY.least,
  };
}

function buildFloppy(root: string, folder: string, calls: number): string {
  const [object, file] = [path.join(folder, 'floppy.o'), path.join(folder, `floppy-${calls}.img`)];
  const source = path.join(root, 'bench/floppy.S');
  execFileSync('gcc', ['-c', '-m32', `-DCOMMANDS=${calls}`, source, '-o', object]);
  execFileSync('ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', file, object]);
  truncateSync(file, 1_474_560);
  return file;
}

function floppyOnSoft(file: string): number {
  using machine = createMachine({ engine: 'soft', image: file });
  const outcome = machine.run({ timeoutMs: 120_000 });
  if (outcome.code !== QEMU_GOOD) throw new Error(`the sector ended with ${outcome.kind}: ${outcome.reason}`);
  return outcome.elapsedMs / 1000;
}

function floppyOnQemu(file: string): number {
  const started = performance.now();
  const machine = ['-accel', 'tcg', '-display', 'none', '-net', 'none', '-boot', 'a'];
  const drive = ['-drive', `file=${file},format=raw,if=floppy,snapshot=on`];
  const exit = ['-device', 'isa-debug-exit,iobase=0x501'];
  const { status } = spawnSync('qemu-system-x86_64', [...machine, ...drive, ...exit]);
  if (status !== QEMU_GOOD) throw new Error(`QEMU ended with ${status}`);
  return (performance.now() - started) / 1000;
}

function build(root: string, folder: string, mode: number | 'virtio', commands: number): string {
  const file = path.join(folder, `disk-${mode}-${commands}`);
  const defines = [`-DMODE=${mode}`, `-DCOMMANDS=${commands}`];
  const source = mode === 'virtio' ? 'bench/virtio-disk.c' : 'bench/disk.S';
  const words = [
    '-O2',
    '-ffreestanding',
    '-fno-pie',
    '-fno-stack-protector',
    `-I${path.join(root, 'guests/include')}`,
  ];
  const link = [
    ...words,
    '-m32',
    '-nostdlib',
    '-static',
    '-no-pie',
    '-Wl,-Ttext=0x100000,--build-id=none,-N',
  ];
  execFileSync('gcc', [...defines, ...link, path.join(root, source), '-o', file]);
  return file;
}

function onSoft(file: string, isVirtio: boolean): number {
  const disk = new OverlayDisk(new MemoryDisk(new Uint8Array(1 << 20), { readOnly: true }));
  using machine = createMachine({
    engine: 'soft',
    machine: 'pc',
    image: parseImage(readFileSync(file), 'disk'),
    drives: new Drives([
      { name: isVirtio ? 'vd0' : 'hd0', kind: isVirtio ? 'virtio' : 'disk', file: 'memory', disk },
    ]),
  });
  const outcome = machine.run({ timeoutMs: 120_000 });
  if (outcome.code !== QEMU_GOOD) throw new Error(`the kernel ended with ${outcome.kind}: ${outcome.reason}`);
  return outcome.elapsedMs / 1000;
}

function hasQemu(): boolean {
  return spawnSync('qemu-system-x86_64', ['--version']).status === 0;
}

function onQemu(folder: string, kernel: string, isVirtio: boolean): number {
  const image = path.join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 1 << 20);
  const started = performance.now();
  const words = [
    '-accel',
    'tcg',
    '-display',
    'none',
    '-kernel',
    kernel,
    '-device',
    'isa-debug-exit,iobase=0x501',
  ];
  const drive = `file=${image},format=raw,snapshot=on,if=${isVirtio ? 'none,id=disk' : 'ide'}`;
  const device = isVirtio ? ['-device', 'virtio-blk-pci,drive=disk,disable-legacy=on'] : [];
  const { status } = spawnSync('qemu-system-x86_64', [...words, '-drive', drive, ...device]);
  if (status !== QEMU_GOOD) throw new Error(`QEMU ended with ${status}`);
  return (performance.now() - started) / 1000;
}
