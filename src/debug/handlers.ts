/**
 * Interrupt handlers: the interrupted code, and interrupts that come during a step, which are not part of the stepped code.
 *
 * @module
 */

import type { AddressRange } from '../symbols/index.js';
import { RFLAGS } from '../x86/index.js';
import { decodeAt, littleEndian } from './code.js';
import { type CodeBits, codeBase, isRealAddressing, segmentBase, stackPointer } from './mode.js';
import { bytesAt, type Reading } from './reading.js';
import type { CpuView } from './registers.js';
import type { State } from './state.js';

/** Vectors 0 to 31 are the processor's own (SDM 3A 6.3.1). */
const FIRST_FREE_VECTOR = 32;
/** The vectors of the interrupt controllers' lines in real mode, as set by a PC's BIOS. */
const firmwareVectors = (vector: number) => (vector >= 8 && vector < 16) || (vector >= 0x70 && vector < 0x78);
/** Bit 1 is always 1; bits 3, 5, 15 and those from 22 on always 0 (SDM 1 3.4.3). */
const FLAGS_ONE = 1n << 1n;
const FLAGS_ZERO = ~0x3f_7fd7n;
const LONGEST_INSTRUCTION = 15;
/** Words of the stack that a handler's first instruction may have pushed: PUSHA is eight. */
const MAX_PUSHED = 10;
/** Words that a handler may have pushed so far. */
const MAX_WORDS = 64;

/** An entry of the interrupt table. */
interface Gate {
  vector: number;
  /** Linear address of the handler. */
  handler: bigint;
}

/** Each entry of the interrupt table that points to a handler, as far as the table is readable. */
function* gatesOf(view: CpuView, bits: CodeBits): Reading<Gate[]> {
  const real = isRealAddressing(view);
  const size = real ? 4 : bits === 64 ? 16 : 8;
  const { base, limit } = view.system.idt;
  const bytes = yield* bytesAt(base, Math.min(limit + 1, 256 * size));
  const entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const gates: Gate[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    const offset = real
      ? BigInt(entries.getUint16(at, true) + entries.getUint16(at + 2, true) * 16)
      : codeBase(view.system) + gateOffset(entries, at, size);
    if (offset !== 0n) gates.push({ vector: at / size, handler: offset });
  }
  return gates;
}

/** SDM 3A figures 6-2 and 6-8. */
function gateOffset(entries: DataView, at: number, size: number): bigint {
  const low = BigInt(entries.getUint16(at, true));
  const middle = BigInt(entries.getUint16(at + 6, true)) << 16n;
  return low | middle | (size === 16 ? BigInt(entries.getUint32(at + 8, true)) << 32n : 0n);
}

/** The frame that an interrupt pushed, found on the stack. */
interface Pushed {
  /** Linear. */
  pc: bigint;
  /** Offset of the stack pointer that IRET will leave. */
  sp: bigint;
}

/**
 * Searches the stack for instruction pointer, code segment and flags (SDM 3A 6.12.1), from offset `sp` on.
 * @param fits a further condition
 */
function* findPushed(
  view: CpuView,
  bits: CodeBits,
  sp: bigint,
  most: number,
  fits: (pc: bigint, flags: bigint, cs: number) => boolean,
): Reading<Pushed | undefined> {
  const real = isRealAddressing(view);
  const word = real ? 2 : bits / 8;
  const bytes = yield* bytesAt(segmentBase(view.system, 'ss') + sp, (most + 5) * word);
  const words = Array.from({ length: Math.floor(bytes.length / word) }, (_, i) =>
    littleEndian(bytes, i * word, word),
  );
  for (let i = 0; i + 2 < words.length && i < most; i++) {
    const [ip, segment, flags] = words.slice(i, i + 3) as [bigint, bigint, bigint];
    if ((flags & FLAGS_ONE) === 0n || (flags & FLAGS_ZERO) !== 0n) continue;
    const cs = Number(segment & 0xffffn);
    // For another segment than the handler's, only real mode determines the base; with paging, bases are usually 0.
    const pc = real
      ? (BigInt(cs) << 4n) + ip
      : bits === 64
        ? ip
        : BigInt.asUintN(32, codeBase(view.system) + ip);
    if (!fits(pc, flags, cs)) continue;
    const inner = !real && (cs & 3) !== (view.system.cs.selector & 3);
    // 64-bit mode pushes the stack always, the others where the ring changes (SDM 3A 6.14.2).
    const popped = bits === 64 || inner ? words[i + 3] : sp + BigInt((i + 3) * word);
    return popped === undefined ? undefined : { pc, sp: popped };
  }
  return undefined;
}

/**
 * The return address of the interrupt that has just come; undefined where none has, and for a fault, which the user should see.
 * An engine may have run the handler's first instruction already.
 * @param before the guest's position before the step
 */
export function* interruptedAt(before: State, now: State): Reading<bigint | undefined> {
  // An event while interrupts are off is a fault, or an NMI.
  if ((before.view.registers.rflags & RFLAGS.IF) === 0n) return undefined;
  if (!(yield* beginsHandler(now))) return undefined;
  const { view, bits } = now;
  const sp = stackPointer(view) - segmentBase(view.system, 'ss');
  const { selector } = before.view.system.cs;
  const fits = (_: bigint, flags: bigint, cs: number) => cs === selector && (flags & RFLAGS.IF) !== 0n;
  return (yield* findPushed(view, bits, sp, MAX_PUSHED, fits))?.pc;
}

/** Whether the guest is before the first or the second instruction of a handler, but not one of a fault. */
function* beginsHandler({ view, bits, pc }: State): Reading<boolean> {
  const real = isRealAddressing(view);
  for (const { vector, handler } of yield* gatesOf(view, bits)) {
    if (vector < FIRST_FREE_VECTOR && !(real && firmwareVectors(vector))) continue;
    if (handler === pc) return true;
    if (pc < handler || pc > handler + BigInt(LONGEST_INSTRUCTION)) continue;
    const code = yield* bytesAt(handler, LONGEST_INSTRUCTION);
    const { instruction } = decodeAt(code, handler, { bits, base: codeBase(view.system) });
    if (code.length > 0 && handler + BigInt(instruction.length) === pc) return true;
  }
  return false;
}

/**
 * The interrupted code, for a function that an entry of the interrupt table points to; undefined for others.
 * @param sp offset of the stack pointer
 */
export function* interruptedBy(
  view: CpuView,
  bits: CodeBits,
  inside: AddressRange,
  sp: bigint,
): Reading<Pushed | undefined> {
  const gates = yield* gatesOf(view, bits);
  if (!gates.some(({ handler }) => handler === inside.from)) return undefined;
  const { selector } = view.system.cs;
  const real = isRealAddressing(view);
  const fits = (pc: bigint, _: bigint, cs: number) =>
    real || cs === selector || ((cs & 3) !== 0 && pc !== 0n);
  return yield* findPushed(view, bits, sp, MAX_WORDS, fits);
}
