/**
 * A Linux kernel's setup header. Source: the kernel's Documentation/arch/x86/boot.rst.
 *
 * @module
 */
import { ImageError } from '../image.js';
import { hex } from '../numbers.js';
import type { LinuxEntry, LinuxHeader } from './headers.js';

const SECTOR = 512;
/** Offsets of the fields in the file, and in the zero page. */
export const Field = {
  setupSectors: 0x1f1,
  size: 0x1f4,
  videoMode: 0x1fa,
  bootFlag: 0x1fe,
  jump: 0x201,
  magic: 0x202,
  version: 0x206,
  kernelVersion: 0x20e,
  loaderType: 0x210,
  loadFlags: 0x211,
  entry32: 0x214,
  initrd: 0x218,
  initrdSize: 0x21c,
  heapEnd: 0x224,
  commandLine: 0x228,
  initrdMax: 0x22c,
  alignment: 0x230,
  relocatable: 0x234,
  xloadFlags: 0x236,
  commandLineSize: 0x238,
  preferred: 0x258,
  initSize: 0x260,
} as const;
export const LOADED_HIGH = 1 << 0;
export const CAN_USE_HEAP = 1 << 7;
const KERNEL_64 = 1 << 0;
/** The value for protocols up to 2.03, which lack the field. */
const OLD_INITRD_MAX = 0x37ff_ffff;
const OLD_COMMAND_LINE = 255;
export const HIGH_LOAD = 0x10_0000;
const LOW_LOAD = 0x1_0000;

/**
 * Reads a bzImage.
 * @param wanted the entry; undefined selects the best one of the kernel @returns its header, and its protected-mode part @throws ImageError where it is not a kernel, cut off, or has no such entry
 */
export function readLinux(
  bytes: Uint8Array,
  name: string,
  wanted: LinuxEntry | undefined,
): { header: LinuxHeader; kernel: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string, hint: string) => new ImageError(`${name}: ${what}`, hint);
  if (bytes.length < 0x268 || view.getUint32(Field.magic, true) !== 0x53726448)
    throw fail(
      `there is no setup header of Linux: no 'HdrS' at offset ${hex(Field.magic)}`,
      'give a bzImage (arch/x86/boot/bzImage, /boot/vmlinuz-…); a vmlinux is an ELF file',
    );
  const version = view.getUint16(Field.version, true);
  if (version < 0x200)
    throw fail(`boot protocol ${hex(version)} is none`, 'protocols begin with 2.00: the file is damaged');
  const sectors = view.getUint8(Field.setupSectors) || 4;
  const setupSize = (sectors + 1) * SECTOR;
  const kernel = bytes.subarray(setupSize);
  // Before 2.04 the field has 16 bits (and may be wrong).
  const paragraphs = version >= 0x204 ? view.getUint32(Field.size, true) : view.getUint16(Field.size, true);
  const cut = paragraphs * 16 - kernel.length;
  // The last paragraph may be padded.
  if (kernel.length === 0 || cut >= 16)
    throw fail(
      `its header says ${setupSize} bytes of setup and ${paragraphs * 16} of kernel, the file has ${bytes.length}`,
      'the file is cut off: copy it again',
    );
  const high = (view.getUint8(Field.loadFlags) & LOADED_HIGH) !== 0;
  const has64 = version >= 0x20c && (view.getUint16(Field.xloadFlags, true) & KERNEL_64) !== 0;
  // iPXE has the header, but only code below 1 MiB.
  const has32 = view.getUint32(Field.entry32, true) !== 0;
  const entry = wanted ?? (!high || version < 0x202 || !has32 ? 16 : has64 ? 64 : 32);
  if (entry === 64 && !has64)
    throw fail(
      'the kernel has no 64-bit entry (bit 0 of its xloadflags)',
      'start it by its 32-bit entry: --as linux32',
    );
  if (entry === 32 && !high)
    throw fail(
      'the kernel is a zImage, which is loaded below 1 MiB and has no 32-bit entry',
      'use --as linux16',
    );
  if (entry === 32 && !has32)
    throw fail(
      `the kernel has no 32-bit entry (code32_start, offset ${hex(Field.entry32)}, is 0)`,
      'use --as linux16',
    );
  const relocatable = version >= 0x20a && view.getUint8(Field.relocatable) !== 0;
  const preferred = version >= 0x20a ? Number(view.getBigUint64(Field.preferred, true)) : 0;
  const load = !high ? LOW_LOAD : relocatable && preferred >= HIGH_LOAD ? preferred : HIGH_LOAD;
  return {
    kernel,
    header: {
      entry,
      version,
      setup: bytes.subarray(0, setupSize),
      load,
      room: Math.max(kernel.length, version >= 0x20a ? view.getUint32(Field.initSize, true) : 0),
      initrdMax: version >= 0x203 ? view.getUint32(Field.initrdMax, true) : OLD_INITRD_MAX,
      commandLineMax: version >= 0x206 ? view.getUint32(Field.commandLineSize, true) : OLD_COMMAND_LINE,
    },
  };
}

/** The header of a vmlinux, which starts as its ELF file says. */
export function vmlinuxHeader(entry: LinuxEntry, load: number): LinuxHeader {
  return {
    entry,
    version: 0,
    setup: new Uint8Array(),
    load,
    room: 0,
    initrdMax: 0x7fff_ffff,
    commandLineMax: 2047,
  };
}
