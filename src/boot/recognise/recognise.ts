/**
 * Recognises the kind of a file by its content: the only place that decides. The ending of its name does not matter.
 *
 * @module
 */
import { isSigned, latin1, recogniseCdrom, recogniseDisk } from './disks.js';
import { recogniseElf } from './elf-notes.js';
import { hasMultiboot, hasMultiboot2 } from './headers.js';
import type { ImageBytes, Recognised } from './kinds.js';
import { textOf } from './text.js';

/** The end of the range for multiboot 2's header; multiboot 1's is in the first quarter of it. */
const HEADERS = 32768;
/** Linux's setup header (Documentation/arch/x86/boot.rst): `HdrS`, and the protocol's version. */
const LINUX_MAGIC = 0x202;
const LINUX_VERSION = 0x206;
/** The offset of tar's magic number (POSIX, ustar). */
const TAR = 257;
/** The first bytes of a file, which decide whether it is text. */
const TEXT = 4096;
/** A ROM's sizes: whole powers of 2. The CPU's first instruction is in its last 16 bytes. */
const SMALLEST_ROM = 0x1_0000;
const LARGEST_ROM = 0x100_0000;
const RESET_ROOM = 16;
/** Near and far jumps, with which a ROM begins in those bytes, perhaps after NOPs or CLI. */
const JUMP = /^[\x90\xfa]*[\xe9\xea\xeb]/;

/** Files of packers and other systems, by their first bytes. */
const foreign: readonly [start: string, evidence: string][] = [
  ['\x1f\x8b\x08', 'a file packed by gzip: unpack it with gunzip'],
  ['\xfd7zXZ\0', 'a file packed by xz: unpack it with unxz'],
  ['BZh', 'a file packed by bzip2: unpack it with bunzip2'],
  ['\x28\xb5\x2f\xfd', 'a file packed by zstd: unpack it with unzstd'],
  ['PK\x03\x04', 'a ZIP archive: unpack it with unzip'],
  ['070701', 'a cpio archive, the form of an initial file system: give it to a kernel (--initrd)'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O program of macOS: compile for ELF'],
  ['\xce\xfa\xed\xfe', 'a Mach-O program of macOS: compile for ELF'],
  ['!<arch>\n', 'a library of object files: link it'],
  ['KDMV', 'a VMDK disk: make it raw with qemu-img convert -O raw'],
  ['conectix', 'a VHD disk: make it raw with qemu-img convert -O raw'],
  ['7z\xbc\xaf', 'a 7-Zip archive: unpack it with 7z x'],
  ['\xca\xfe\xba\xbe', 'a Mach-O program of macOS, or a class of Java: compile for ELF'],
  ['\0asm\x01', 'a WebAssembly module: compile for ELF'],
  ['\x89PNG\r\n', 'a PNG picture: give the kernel that is to run'],
  ['\xff\xd8\xff', 'a JPEG picture: give the kernel that is to run'],
  ['GIF8', 'a GIF picture: give the kernel that is to run'],
  ['%PDF-', 'a PDF document: give the kernel that is to run'],
  ['vhdxfile', 'a VHDX disk: make it raw with qemu-img convert -O raw'],
];

/** A `.terra` file's signature (room terra). Compressed bytes follow, in which any other kind's signs may be by chance. */
const TERRA = '\x89TERRA\r\n';

/** Recognises a file, and reads at most 64 KiB of it. */
export function recognise(file: ImageBytes): Recognised {
  const head = file.read(0, HEADERS);
  if (latin1(head.subarray(0, 4)) === '\x7fELF') return recogniseElf(file, head);
  if (latin1(head.subarray(0, TERRA.length)) === TERRA)
    return { kind: 'foreign', evidence: 'a snapshot or a recording: continue from it with run --from FILE' };
  return (
    recogniseLinux(head) ??
    recogniseCdrom(file) ??
    recogniseDisk(file) ??
    recogniseFlatMultiboot(head) ??
    recogniseBootSector(head) ??
    recogniseRom(file) ??
    recogniseForeign(head) ??
    recogniseText(head) ?? { kind: 'flat', evidence: 'nothing in it shows another kind' }
  );
}

function recogniseLinux(head: Uint8Array): Recognised | undefined {
  if (head.length < LINUX_VERSION + 2 || latin1(head.subarray(LINUX_MAGIC, LINUX_MAGIC + 4)) !== 'HdrS')
    return undefined;
  const [minor, major] = [head[LINUX_VERSION]!, head[LINUX_VERSION + 1]!];
  return {
    kind: 'linux',
    evidence: `a setup header, boot protocol ${major}.${String(minor).padStart(2, '0')}`,
  };
}

/** A kernel that is not an ELF file has its addresses in its header, or counts as having none. */
function recogniseFlatMultiboot(head: Uint8Array): Recognised | undefined {
  const one = hasMultiboot(head);
  if (one?.placed)
    return { kind: 'multiboot', evidence: `a multiboot header with addresses at offset 0x${hexOf(one)}` };
  const two = hasMultiboot2(head);
  if (two?.placed)
    return { kind: 'multiboot2', evidence: `a multiboot 2 header with addresses at offset 0x${hexOf(two)}` };
  return undefined;
}

const hexOf = ({ offset }: { offset: number }) => offset.toString(16);

function recogniseBootSector(head: Uint8Array): Recognised | undefined {
  return isSigned(head) ? { kind: 'boot-sector', evidence: 'boot signature 55 AA at offset 510' } : undefined;
}

/**
 * 64 KiB are always a ROM; a linker may end one right after the jump in its last 16 bytes. Other sizes are powers of 2, with a jump there.
 */
function recogniseRom({ size, read }: ImageBytes): Recognised | undefined {
  const whole = Math.ceil(size / RESET_ROOM) * RESET_ROOM;
  if (whole === SMALLEST_ROM) return { kind: 'rom', evidence: '64 KiB, as a BIOS has' };
  if (size < SMALLEST_ROM || size > LARGEST_ROM || (size & (size - 1)) !== 0) return undefined;
  if (!JUMP.test(latin1(read(size - RESET_ROOM, RESET_ROOM)))) return undefined;
  return { kind: 'rom', evidence: `${size / 1024} KiB, and a jump 16 bytes before its end` };
}

function recogniseForeign(head: Uint8Array): Recognised | undefined {
  const start = latin1(head.subarray(0, 16));
  const found = foreign.find(([magic]) => start.startsWith(magic));
  if (found !== undefined) return { kind: 'foreign', evidence: found[1] };
  if (latin1(head.subarray(TAR, TAR + 5)) === 'ustar')
    return { kind: 'foreign', evidence: 'a tar archive: unpack it with tar xf' };
  if (start.startsWith('MZ') && head.length > 0x40) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const at = view.getUint32(0x3c, true);
    if (latin1(head.subarray(at, at + 4)) === 'PE\0\0')
      return {
        kind: 'foreign',
        evidence: 'a PE program of Windows or UEFI: compile for ELF, or make it flat with objcopy -O binary',
      };
  }
  return undefined;
}

function recogniseText(head: Uint8Array): Recognised | undefined {
  const text = textOf(head.subarray(0, TEXT));
  if (text === undefined) return undefined;
  const [, shebang] = /^#!\s*([!-~]+)/.exec(text) ?? [];
  return { kind: 'text', evidence: shebang === undefined ? 'a text' : `a script for ${shebang}` };
}
