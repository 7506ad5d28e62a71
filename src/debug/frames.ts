/**
 * The call stack, read from the guest's stack. The guest may have written anything there: every word is checked, and the list
 * ends at unmapped memory, at a loop and at its limit.
 *
 * @module
 */

import type { AddressRange, FrameRule, SourceLine, SymbolTable } from '../symbols/index.js';
import { codeSizeOf, type RegisterName } from '../x86/index.js';
import { type CodeMode, littleEndian } from './code.js';
import { type CallBefore, callBefore, type Prologue, prologueOf } from './conventions.js';
import { interruptedBy } from './handlers.js';
import { codeBase, linearPc, segmentBase, stackMask } from './mode.js';
import { bytesAt, type Reading, readNow } from './reading.js';
import type { CpuView } from './registers.js';

/** The current function, or one that waits for its callee. */
export interface Frame {
  /** Linear address of its next instruction. */
  pc: bigint;
  /** Linear address on the stack right after its return address: the stack pointer after its return. */
  base?: bigint;
  symbol?: string;
  source?: SourceLine;
  /** The function's registers, as far as they are known to be saved; `rsp` is an offset in the stack segment. */
  registers?: Readonly<Record<RegisterName, bigint>>;
  /**
   * How it was found. `here`: the current function; `rule`: the compiler's information has the location of the return address of the one
   * above; `entry`: the one above had just been entered; `frame pointer`: the one above had set up (R/E)BP; `interrupt`: the one above is a
   * handler; `stack`: a word on the stack that a CALL may have put there, which is a guess.
   */
  by: 'here' | 'rule' | 'entry' | 'frame pointer' | 'interrupt' | 'stack';
}

/** The input for reading frames. */
export interface Stack {
  symbols: SymbolTable;
  view: CpuView;
  mode: CodeMode;
  /** How far to search for return addresses whose location is not known. Default `SEARCH`. */
  search?: Search;
  /** Cached facts about addresses, for reading many lists of the same code. */
  memo?: FrameMemo;
}

/** Facts about code that does not change. */
export class FrameMemo {
  readonly rules = new Map<bigint, FrameRule | undefined>();
  readonly calls = new Map<bigint, CallBefore | undefined>();
  readonly prologues = new Map<bigint, Prologue | undefined>();
}

/** Bytes of the stack that are searched for one return address, and words in total for one list. */
export interface Search {
  bytes: number;
  words: number;
}

const MAX_FRAMES = 1000;
const SEARCH: Search = { bytes: 4096, words: 2000 };

/** The frames of a stopped CPU, by its memory: see `readFrames`. */
export function framesAt(
  read: (address: bigint, length: number) => Uint8Array,
  stack: Omit<Stack, 'mode'>,
  limit: number,
): Frame[] {
  const { registers, system } = stack.view;
  const mode = { bits: codeSizeOf(system), base: codeBase(system) };
  return readNow(read, readFrames({ ...stack, mode }, linearPc(registers.rip, system), limit));
}

/** The frames from the current function on, at most `limit`; the first always exists. */
export function* readFrames(stack: Stack, pc: bigint, limit: number): Reading<Frame[]> {
  return yield* new FrameReader(stack).read(pc, Math.min(limit, MAX_FRAMES));
}

/** A function's address, and its registers; `rsp` is an offset in the stack segment. */
interface Place {
  pc: bigint;
  registers: Readonly<Record<RegisterName, bigint>>;
}

/** Finds the frames of callers. */
const calls: ReadonlySet<Frame['by']> = new Set(['rule', 'entry', 'frame pointer', 'stack']);

type Caller = Place & Pick<Frame, 'by'>;

class FrameReader {
  readonly #stack: Stack;
  /** Linear address of offset 0 in the stack segment. */
  readonly #base: bigint;
  readonly #bytes: number;
  #tries: number;

  constructor(stack: Stack) {
    this.#stack = stack;
    ({ bytes: this.#bytes, words: this.#tries } = stack.search ?? SEARCH);
    this.#base = segmentBase(stack.view.system, 'ss');
  }

  *read(pc: bigint, limit: number): Reading<Frame[]> {
    const { registers, system } = this.#stack.view;
    let place: Place = { pc, registers: { ...registers, rsp: registers.rsp & stackMask(system) } };
    const frames = [this.#present(place, 'here')];
    while (frames.length < limit) {
      // A caller has executed its CALL; interrupted code has not executed its next instruction.
      const caller = yield* this.#callerOf(place, calls.has(frames.at(-1)!.by));
      // A stack grows downwards: a caller's frame is at a higher address, or this is a loop.
      if (caller === undefined || caller.registers.rsp <= place.registers.rsp) break;
      frames.at(-1)!.base = this.#base + caller.registers.rsp;
      place = caller;
      frames.push(this.#present(caller, caller.by));
    }
    return frames;
  }

  #present({ pc, registers }: Place, by: Frame['by']): Frame {
    const { symbols } = this.#stack;
    // A return address is after its CALL, which may be the last instruction of its line and function.
    const asked = calls.has(by) ? pc - 1n : pc;
    const inside = symbols.functionAt(asked);
    const source = symbols.lines.at(asked);
    const distance = inside === undefined ? 0n : pc - inside.from;
    const symbol = inside && (distance === 0n ? inside.name : `${inside.name}+0x${distance.toString(16)}`);
    return { pc, by, registers, ...(symbol !== undefined && { symbol }), ...(source && { source }) };
  }

  /** @param waits it has called another function, so its instruction is the CALL */
  *#callerOf(place: Place, waits: boolean): Reading<Caller | undefined> {
    const { symbols } = this.#stack;
    const asked = waits ? place.pc - 1n : place.pc;
    const ruled = yield* this.#byRule(place, asked);
    if (ruled !== undefined) return ruled;
    const inside = symbols.functionAt(asked);
    const interrupted = inside && (yield* this.#byInterrupt(place, inside));
    if (interrupted !== undefined) return interrupted;
    // The compiler's information names the location, but no CALL precedes the address: it is not a return address.
    if (this.#ruleAt(asked) !== undefined) return undefined;
    const pointed = inside && (yield* this.#byFramePointer(place, inside.from));
    return pointed ?? (yield* this.#byStack(place, inside));
  }

  *#byRule(place: Place, asked: bigint): Reading<Caller | undefined> {
    const rule = this.#ruleAt(asked);
    if (rule === undefined) return undefined;
    const bits = rule.word * 8;
    const cfa = BigInt.asUintN(bits, place.registers[rule.register] + rule.offset);
    const back = yield* this.#word(cfa + rule.returnAt, rule.word);
    if (back === undefined) return undefined;
    const pc = this.#linear(back);
    if ((yield* this.#callBefore(pc)) === undefined) return undefined;
    const registers = { ...place.registers, rsp: cfa };
    for (const [name, offset] of rule.saved) {
      const value = yield* this.#word(cfa + offset, rule.word);
      if (value !== undefined) registers[name] = value;
    }
    return { pc, registers, by: 'rule' };
  }

  *#byInterrupt({ registers }: Place, inside: AddressRange): Reading<Caller | undefined> {
    const { view, mode } = this.#stack;
    const found = yield* interruptedBy(view, mode.bits, inside, registers.rsp);
    return found && { pc: found.pc, registers: { ...registers, rsp: found.sp }, by: 'interrupt' };
  }

  /** The function began with PUSH BP; MOV BP, SP, and both have been executed. */
  *#byFramePointer(place: Place, start: bigint): Reading<Caller | undefined> {
    const prologue = yield* this.#prologueOf(start);
    if (prologue === undefined || place.pc < prologue.end) return undefined;
    const { word } = prologue;
    const pointer = BigInt.asUintN(word * 8, place.registers.rbp);
    // Before its RET the pointer is the caller's again.
    if (pointer < place.registers.rsp) return undefined;
    const saved = yield* this.#word(pointer, word);
    const back = yield* this.#word(pointer + BigInt(word), word);
    if (saved === undefined || back === undefined) return undefined;
    const pc = this.#linear(back);
    if ((yield* this.#callBefore(pc)) === undefined) return undefined;
    const registers = { ...place.registers, rsp: pointer + 2n * BigInt(word), rbp: saved };
    return { pc, registers, by: 'frame pointer' };
  }

  /** The first word on the stack that a CALL of this function put there; else the first that any CALL may have. */
  *#byStack(place: Place, inside: AddressRange | undefined): Reading<Caller | undefined> {
    const { symbols, mode } = this.#stack;
    const { rsp } = place.registers;
    const bytes = yield* bytesAt(this.#base + rsp, this.#bytes);
    // 16-bit code calls with 16 bits, or with 32 where a compiler made it.
    const words = mode.bits === 16 ? ([2, 4] as const) : ([mode.bits / 8] as const);
    let first: Caller | undefined;
    for (let at = 0; at + words[0]! <= bytes.length; at += words[0]!) {
      for (const word of words) {
        if (at + word > bytes.length) continue;
        const pc = this.#linear(littleEndian(bytes, at, word));
        if (symbols.symbols.length > 0 && symbols.functionAt(pc - 1n) === undefined) continue;
        const call = yield* this.#callBefore(pc, inside);
        if (call === undefined || call.word !== word) continue;
        const registers = { ...place.registers, rsp: rsp + BigInt(at + word) };
        if (call.exact)
          return { pc, registers, by: at === 0 && inside?.from === place.pc ? 'entry' : 'stack' };
        first ??= { pc, registers, by: 'stack' };
      }
    }
    return first;
  }

  *#callBefore(address: bigint, callee?: AddressRange): Reading<CallBefore | undefined> {
    if (this.#tries-- <= 0) return undefined;
    const { mode, memo } = this.#stack;
    if (memo === undefined || callee !== undefined) return yield* callBefore(mode, address, callee);
    if (!memo.calls.has(address)) memo.calls.set(address, yield* callBefore(mode, address));
    return memo.calls.get(address);
  }

  #ruleAt(address: bigint): FrameRule | undefined {
    const { memo, symbols } = this.#stack;
    if (memo === undefined) return symbols.callFrames?.ruleAt(address);
    if (!memo.rules.has(address)) memo.rules.set(address, symbols.callFrames?.ruleAt(address));
    return memo.rules.get(address);
  }

  *#prologueOf(start: bigint): Reading<Prologue | undefined> {
    const { memo, mode } = this.#stack;
    if (memo === undefined) return yield* prologueOf(mode, start);
    if (!memo.prologues.has(start)) memo.prologues.set(start, yield* prologueOf(mode, start));
    return memo.prologues.get(start);
  }

  *#word(offset: bigint, size: number): Reading<bigint | undefined> {
    const bytes = yield* bytesAt(this.#base + BigInt.asUintN(64, offset), size);
    return bytes.length < size ? undefined : littleEndian(bytes, 0, size);
  }

  #linear(offset: bigint): bigint {
    const { mode } = this.#stack;
    return mode.bits === 64 ? offset : BigInt.asUintN(32, offset + mode.base);
  }
}
