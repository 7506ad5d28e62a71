/**
 * Runs a 16-bit guest or a multiboot kernel in QEMU and takes its picture, as QEMU's own screendump sees it.
 *
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { romFont } from '../../../src/devices/vga/font.js';
import { root } from '../../guests/catalogue.js';
import { HANGS_MS, Scratch } from '../../support.js';

/** Why QEMU cannot be used here, or false. */
export const noQemu: string | false =
  spawnSync('qemu-system-x86_64', ['--version']).status === 0
    ? false
    : 'NO QEMU: qemu-system-x86_64 is not installed';

const SECTOR = 512;

export interface Dump {
  width: number;
  height: number;
  /** Red, green and blue of each pixel. */
  rgb: Uint8Array;
}

/** Boots the image, waits until it halts, and dumps the screen: 16-bit code from address 0 in real mode, or an ELF by multiboot. */
export async function qemuScreen(image: Uint8Array): Promise<Dump> {
  using scratch = new Scratch();
  const isKernel = String.fromCharCode(...image.subarray(1, 4)) === 'ELF';
  const boots = isKernel ? kernelWords(scratch, image) : floppyWords(scratch, image);
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-m', '16', '-vga', 'std', '-display', 'none', '-monitor', 'stdio', '-no-reboot'],
      ...[...boots, '-net', 'none'],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    let said = '';
    qemu.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    const ended = new Promise<void>((resolve) => qemu.on('exit', () => resolve()));
    const until = Date.now() + HANGS_MS;
    // Halted for good: HLT with interrupts off, in the first kilobyte, where the guests are.
    while (!hasHalted(said, isKernel)) {
      if (Date.now() > until) throw new Error(`the guest did not halt in QEMU: ${said.slice(-600)}`);
      said = '';
      qemu.stdin.write('info registers\n');
      await sleep(150);
    }
    const dump = scratch.file('screen.ppm');
    qemu.stdin.write(`screendump ${dump}\nquit\n`);
    await ended;
    return readPpm(readFileSync(dump));
  } finally {
    qemu.kill();
  }
}

function kernelWords(scratch: Scratch, image: Uint8Array): string[] {
  writeFileSync(scratch.file('kernel.elf'), image);
  return ['-kernel', scratch.file('kernel.elf')];
}

function floppyWords(scratch: Scratch, image: Uint8Array): string[] {
  if (image.length > SECTOR)
    throw new Error(`the guest has ${image.length} bytes, the loader reads ${SECTOR}`);
  const disk = new Uint8Array(1_474_560);
  disk.set(assemble(scratch));
  const rom = romFont();
  for (let glyph = 0; glyph < 256; glyph++)
    disk.set(rom.subarray(glyph * 16, glyph * 16 + 16), SECTOR + glyph * 32);
  disk.set(image, 17 * SECTOR);
  writeFileSync(scratch.file('boot.img'), disk);
  return ['-drive', `file=${scratch.file('boot.img')},format=raw,if=floppy`, '-boot', 'a'];
}

/** In QEMU's list of registers; a BIOS that waits for a key is at another address, with interrupts on. */
function hasHalted(said: string, anywhere: boolean): boolean {
  const [, ip, flags] = /EIP=([\da-f]+) EFL=([\da-f]+) .* HLT=1/.exec(said) ?? [];
  const isThere = anywhere || Number.parseInt(ip ?? 'ffff', 16) <= SECTOR;
  return isThere && ip !== undefined && (Number.parseInt(flags ?? '', 16) & 0x200) === 0;
}

function assemble(scratch: Scratch): Uint8Array {
  const [object, binary] = [scratch.file('boot.o'), scratch.file('boot.bin')];
  execFileSync('gcc', ['-c', '-o', object, path.join(root, 'test/devices/vga/qemu-boot.S')]);
  execFileSync('ld', ['-m', 'elf_x86_64', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]);
  return readFileSync(binary);
}

/** Binary PPM: a header of four words, then three bytes a pixel. */
function readPpm(bytes: Buffer): Dump {
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString('latin1'));
  if (header === null) throw new Error('QEMU’s screendump is no PPM');
  return { width: Number(header[1]), height: Number(header[2]), rgb: bytes.subarray(header[0].length) };
}
