/**
 * Linux's zero page: the information from a loader for a kernel that starts by its 32-bit or 64-bit entry.
 * Source: the kernel's Documentation/arch/x86/zero-page.rst and boot.rst.
 *
 * @module
 */
import { type MapEntry, memorySizes } from '../memory-map.js';
import type { LinuxHeader } from './headers.js';
import { Field, LOADED_HIGH } from './linux-header.js';
import { Block, type FrameBuffer } from './loader.js';

export const ZERO_PAGE = 4096;
/** The number of a loader without its own. */
export const UNKNOWN_LOADER = 0xff;
const HEADER_END = 0x290;
const MAX_ENTRIES = 128;
/** screen_info.orig_video_isVGA: a VGA in text mode. */
const VGA_TEXT = 1;
const LINEAR = 0x23;

/** The values in the zero page. */
export interface LinuxParameters {
  header: LinuxHeader;
  map: readonly MapEntry[];
  commandLine: number;
  initrd?: { address: number; size: number } | undefined;
  frameBuffer?: FrameBuffer | undefined;
  rsdp?: number | undefined;
  /** The address of the protected-mode part. */
  load: number;
}

export function zeroPage({
  header,
  map,
  commandLine,
  initrd,
  frameBuffer,
  rsdp,
  load,
}: LinuxParameters): Uint8Array {
  const page = new Block();
  page.grow(ZERO_PAGE);
  const { setup } = header;
  if (setup.length > 0) {
    // The header ends at the target of its jump; the next field is at 0x290.
    const end = Math.min(Field.magic + setup[Field.jump]!, HEADER_END);
    page.byte(Field.setupSectors, ...setup.subarray(Field.setupSectors, end));
  } else {
    page.byte(Field.bootFlag, 0x55, 0xaa);
    page.words(Field.magic, 0x53726448);
    page.byte(Field.version, 0x0c, 0x02);
    page.byte(Field.loadFlags, LOADED_HIGH);
    page.words(Field.alignment, 0x100_0000);
  }
  const { upper } = memorySizes(map);
  page.byte(0x02, Math.min(upper, 0xffff) & 0xff, Math.min(upper, 0xffff) >> 8);
  page.words(0x1e0, upper);
  if (frameBuffer !== undefined) screenInfo(page, frameBuffer);
  if (rsdp !== undefined) page.wide(0x70, rsdp);
  page.byte(Field.videoMode, 0xff, 0xff);
  page.byte(Field.loaderType, UNKNOWN_LOADER);
  page.words(Field.entry32, load);
  page.words(Field.initrd, initrd?.address ?? 0, initrd?.size ?? 0);
  page.words(Field.commandLine, commandLine);
  const entries = map.slice(0, MAX_ENTRIES);
  page.byte(0x1e8, entries.length);
  for (const [n, { address, size, type }] of entries.entries()) {
    const at = 0x2d0 + 20 * n;
    page.wide(at, address);
    page.wide(at + 8, size);
    page.words(at + 16, type);
  }
  return page.bytes;
}

function screenInfo(page: Block, { kind, width, height, address, pitch, bits }: FrameBuffer): void {
  if (kind === 'text') {
    page.byte(0x06, 3, width); // mode, columns
    page.byte(0x0a, 3); // EGA's memory
    page.byte(0x0e, height, VGA_TEXT, 16); // rows, kind, lines of a character
    return;
  }
  page.byte(0x0f, LINEAR);
  page.byte(0x12, width & 0xff, width >> 8, height & 0xff, height >> 8, bits & 0xff, 0);
  // The size counts 64 KiB.
  page.words(0x18, address, Math.ceil((pitch * height) / 0x1_0000));
  page.byte(0x24, pitch & 0xff, pitch >> 8);
  page.byte(0x26, 8, 16, 8, 8, 8, 0); // red, green, blue: size and position
}
