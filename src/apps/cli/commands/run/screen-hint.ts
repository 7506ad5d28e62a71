/**
 * A hint for a guest that drew on a screen that was not shown.
 *
 * @module
 */
import type { TextPicture } from '../../../../devices/contract/index.js';
import type { HostedMachine } from '../../../../runtime/index.js';

/** Where a VGA has its text, 80 by 25 words, and its graphics (IBM VGA technical reference). */
const TEXT = { address: 0xb8000, size: 4000 };
const GRAPHICS = { address: 0xa0000, size: 0x10000 };

const SEE = 'see it with --screen, or keep it with --screenshot FILE.png';

/**
 * What the guest drew, or how to see it, as lines; none where it drew nothing.
 * @param printed the end of its console: text that a BIOS wrote to both is not repeated
 */
export async function hiddenScreen(machine: HostedMachine, printed = ''): Promise<string[]> {
  const seen = await machine.glance();
  if (seen === undefined) return wroteAt(machine, TEXT) || wroteAt(machine, GRAPHICS) ? [noScreen] : [];
  const { text, blank, missed } = seen;
  // It starts in text mode: pixels mean that the guest has drawn.
  if (text === undefined && !blank) return [`terrarium: the guest drew on its screen: ${SEE}`];
  const lines = text === undefined ? [] : await linesOf(text);
  const known = printed.replaceAll('\r', '');
  if (lines.length > 0 && lines.every((line) => known.includes(line.trim()))) return [];
  if (lines.length > 0)
    return [`terrarium: on the guest's screen (${SEE}):`, ...lines.map((line) => `  ${line}`)];
  return missed === 0 ? [] : [wrongMode];
}

const noScreen = `terrarium: the guest wrote to the addresses of a PC's screen, and its machine has none: --vga adds one; ${SEE}`;
const wrongMode =
  "terrarium: the guest wrote to video memory that its screen's mode does not show: text is at B8000, and graphics at A0000 need their mode set first (docs/vga.md)";

/** Without a VGA its memory is RAM, and keeps what was written. */
function wroteAt({ memory, boot }: HostedMachine, { address, size }: typeof TEXT): boolean {
  const image = boot.segments.some((one) => one.address < address + size && address < one.address + one.size);
  return !image && memory.contains(address, size) && memory.peek(address, size).some((byte) => byte !== 0);
}

/** The rows that are not empty, without blanks at their ends. Most guests draw nothing: the characters are loaded only for those that do. */
async function linesOf({ cells, columns, rows }: TextPicture): Promise<string[]> {
  if (cells.every((cell) => [0, 0x20, 0xff].includes(cell & 0xff))) return [];
  const { codePage437 } = await import('../../../frontend/screen/cells.js');
  const row = (y: number) =>
    [...cells.subarray(y * columns, (y + 1) * columns)].map((cell) => codePage437[cell & 0xff]).join('');
  return Array.from({ length: rows }, (_, y) => row(y).trimEnd()).filter((line) => line !== '');
}
