/**
 * Interrupts that come while a person steps: they are no part of what is stepped through.
 *
 * @module
 */
import { decodeAt, readSome } from './code.js';
import { codeBase, isRealAddressing, stackPointer } from './mode.js';
import type { State } from './state.js';
import type { DebugTarget } from './target.js';

/** Vectors 0 to 31 are the processor's own (SDM 3A 6.3.1). */
const FIRST_FREE_VECTOR = 32;
/** Where a PC's firmware has the interrupt controllers' lines in real mode. */
const firmwareVectors = (vector: number) => (vector >= 8 && vector < 16) || (vector >= 0x70 && vector < 0x78);
const RFLAGS_IF = 1n << 9n;
const LONGEST_INSTRUCTION = 15;
/** Words of the stack that a handler's first instruction may have pushed: PUSHA is eight. */
const MOST_PUSHED = 10;

/**
 * Where the guest goes back to after the interrupt that has just come; undefined where none has, and for a fault, which is to
 * be seen. An engine may have run the handler's first instruction already.
 * @param before where the guest stood before the step
 */
export async function interruptedAt(
  target: DebugTarget,
  before: State,
  now: State,
): Promise<bigint | undefined> {
  // What comes while interrupts are off is a fault, or an NMI.
  if ((before.view.registers.rflags & RFLAGS_IF) === 0n) return undefined;
  if (!(await beginsHandler(target, now))) return undefined;
  const real = isRealAddressing(now.view);
  const word = real ? 2 : now.bits / 8;
  const bytes = await readSome(target, stackPointer(now.view), (MOST_PUSHED + 3) * word);
  const words = Array.from({ length: Math.floor(bytes.length / word) }, (_, i) =>
    littleEndian(bytes.subarray(i * word, (i + 1) * word)),
  );
  // What an interrupt pushes: instruction pointer, code segment, flags (SDM 3A 6.12.1).
  const at = words.findIndex((_, i) => {
    const [, cs, flags] = words.slice(i, i + 3);
    if (cs === undefined || flags === undefined) return false;
    return (cs & 0xffffn) === BigInt(before.view.system.cs.selector) && (flags & RFLAGS_IF) !== 0n;
  });
  return at < 0
    ? undefined
    : BigInt.asUintN(now.bits === 64 ? 64 : 32, words[at]! + codeBase(before.view.system));
}

/** Whether the guest stands before the first or the second instruction of a handler that is none of a fault. */
async function beginsHandler(target: DebugTarget, { view, bits, pc }: State): Promise<boolean> {
  const real = isRealAddressing(view);
  const size = real ? 4 : bits === 64 ? 16 : 8;
  const { base, limit } = view.system.idt;
  const bytes = await readSome(target, base, Math.min(limit + 1, 256 * size));
  const entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + size <= bytes.length; at += size) {
    const vector = at / size;
    if (vector < FIRST_FREE_VECTOR && !(real && firmwareVectors(vector))) continue;
    const handler = real
      ? BigInt(entries.getUint16(at, true) + entries.getUint16(at + 2, true) * 16)
      : codeBase(view.system) + gateOffset(entries, at, size);
    if (handler === pc) return true;
    if (pc < handler || pc > handler + BigInt(LONGEST_INSTRUCTION)) continue;
    const code = await readSome(target, handler, LONGEST_INSTRUCTION);
    const { instruction } = decodeAt(code, handler, { bits, base: codeBase(view.system) });
    if (code.length > 0 && handler + BigInt(instruction.length) === pc) return true;
  }
  return false;
}

/** SDM 3A figures 6-2 and 6-8. */
function gateOffset(entries: DataView, at: number, size: number): bigint {
  const low = BigInt(entries.getUint16(at, true));
  const middle = BigInt(entries.getUint16(at + 6, true)) << 16n;
  return low | middle | (size === 16 ? BigInt(entries.getUint32(at + 8, true)) << 32n : 0n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
