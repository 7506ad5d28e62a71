/**
 * Interrupts in real mode that came one in the other without end, since their handler was none: their frames fill the stack, and so the
 * memory that was the guest's code. What is left of it are the frames.
 *
 * @module
 */
import { hex, type PhysicalMemory, readLinear } from '../inspect/index.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { isProtected, placeText } from './scene.js';
import { interruptText } from './unserved.js';

/** A stack of 16 bits. */
const STACK = 0x1_0000;
/** Words of a frame: IP, CS, FLAGS. */
const FRAME = 3;
/** So many equal frames in a row are no coincidence. */
const MANY = 64;
/** FLAGS in real mode: bit 1 is always 1; bits 3, 5 and 15 are always 0 (SDM 1, 3.4.3). */
const FIXED = 0x802a;
const SET = 0x0002;

interface Frames {
  ip: number;
  cs: number;
  count: number;
}

/** The longest run of frames that return to the same place; undefined where none is long. */
function framesIn(bytes: Uint8Array): Frames | undefined {
  const words = new Uint16Array(bytes.length >> 1);
  for (let i = 0; i < words.length; i++) words[i] = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
  // The length of the run of equal frames that begins so many words ago, for each of the three phases.
  const runs = [1, 1, 1];
  let best: Frames | undefined;
  for (let i = 0; i + 2 * FRAME <= words.length; i++) {
    const [ip, cs, flags] = [words[i]!, words[i + 1]!, words[i + 2]!];
    const again =
      (flags & FIXED) === SET &&
      ip === words[i + FRAME] &&
      cs === words[i + FRAME + 1] &&
      (words[i + FRAME + 2]! & FIXED) === SET &&
      !(ip === cs && cs === flags);
    const count = again ? runs[i % FRAME]! + 1 : 1;
    runs[i % FRAME] = count;
    if (count >= MANY && count > (best?.count ?? 0)) best = { ip, cs, count };
  }
  return best;
}

/** What happened, in a line; undefined where no storm has left its frames. */
export function stormText(state: {
  registers: Registers;
  system: SystemRegisters;
  memory: PhysicalMemory;
}): string | undefined {
  if (isProtected(state.system)) return undefined;
  const frames = framesIn(readLinear(state, state.system.ss.base, STACK));
  if (frames === undefined) return undefined;
  const { ip, cs, count } = frames;
  // It had left its code before.
  if (readLinear(state, BigInt((cs << 4) + ip), 16).every((byte) => byte === 0)) return undefined;
  const before = readLinear(state, BigInt((cs << 4) + ip - 2), 2);
  const isCall = ip >= 2 && before[0] === 0xcd;
  const ah = Number((state.registers.rax >> 8n) & 0xffn);
  const what = isCall
    ? `${interruptText(before[1]!, ah)} at ${placeText(cs, BigInt(ip - 2))}`
    : `an exception or interrupt at ${placeText(cs, BigInt(ip))}`;
  const vector = isCall ? `, at ${hex(before[1]! * 4)},` : '';
  return `${what} had no handler: its entry in the vector table${vector} led to code that raised it again and again, until its frames (${count} of them) overwrote memory. A flat image has no BIOS: a boot sector, which ends in 55 AA, has one`;
}
