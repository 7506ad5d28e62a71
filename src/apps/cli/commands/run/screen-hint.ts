/**
 * A hint for a guest that drew on a screen that was not shown.
 *
 * @module
 */
import type { Picture } from '../../../../devices/contract/index.js';
import type { HostedMachine } from '../../../../runtime/index.js';

/** A VGA's text, 80 by 25 words (IBM VGA technical reference). */
const TEXT = 0xb8000;
const TEXT_SIZE = 4000;

/** Says how to see what the guest drew; undefined where it drew nothing. */
export async function hiddenScreen(machine: HostedMachine): Promise<string | undefined> {
  const picture = await machine.screen();
  const drew = picture === undefined ? wroteToText(machine) : shows(picture);
  return drew
    ? 'terrarium: the guest drew on its screen: see it with --screen, or keep it with --screenshot FILE.png'
    : undefined;
}

/** Without a VGA its memory is RAM, and keeps what was written. */
function wroteToText({ memory }: HostedMachine): boolean {
  return memory.contains(TEXT, TEXT_SIZE) && memory.view(TEXT, TEXT_SIZE).some((byte) => byte !== 0);
}

function shows({ text, rgba }: Picture): boolean {
  if (text !== undefined) return text.cells.some((cell) => ![0, 0x20, 0xff].includes(cell & 0xff));
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  return pixels.some((pixel) => pixel !== pixels[0]);
}
