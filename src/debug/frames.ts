/**
 * Who called whom, read from the guest's stack. The stack is the guest's: every word is checked, and the list ends at a
 * hole, at a loop and at its limit.
 *
 * @module
 */
import type { SourceLine, SymbolTable } from '../observe/index.js';
import { type CodeMode, decodeAt, flowOf, readSome } from './code.js';
import { segmentBase, stackMask } from './mode.js';
import type { CpuView } from './registers.js';
import type { DebugTarget } from './target.js';

/** A function that runs, or waits for the one it called. */
export interface Frame {
  /** Linear address of its next instruction. */
  pc: bigint;
  /** Linear address on the stack right behind its return address: what the stack pointer is when it has returned. */
  base?: bigint;
  symbol?: string;
  source?: SourceLine;
  /**
   * How it was found. `here`: it runs; `entry`: the one above had just been entered; `frame pointer`: (R/E)BP was set up by the
   * one above; `stack`: a word on the stack that a CALL of the function above may have put there, which is a guess.
   */
  by: 'here' | 'entry' | 'frame pointer' | 'stack';
}

/** What frames are read with. */
export interface Stack {
  target: DebugTarget;
  symbols: SymbolTable;
  view: CpuView;
  mode: CodeMode;
}

const MOST_FRAMES = 1000;
/** Words of the stack that are looked through for a return address. */
const MOST_WORDS = 512;
/** The longest CALL, prefixes left out. */
const LONGEST_CALL = 8;

/** The frames from the one that runs on, `limit` at most; the first is always there. */
export async function readFrames(stack: Stack, pc: bigint, limit: number): Promise<Frame[]> {
  const { view, mode } = stack;
  const word = BigInt(mode.bits / 8);
  const mask = (1n << BigInt(mode.bits)) - 1n;
  const { rsp, rbp } = view.registers;
  let place = { pc, sp: rsp & stackMask(view.system), bp: rbp & mask };
  const frames: Frame[] = [present(stack, pc, 'here')];
  while (frames.length < Math.min(limit, MOST_FRAMES)) {
    const caller = await callerOf(stack, place, word);
    // A stack grows downwards: who called lies higher, or this is a loop.
    if (caller === undefined || caller.sp <= place.sp) break;
    frames.at(-1)!.base = segmentBase(stack.view.system, 'ss') + caller.sp;
    place = caller;
    frames.push(present(stack, caller.pc, caller.by));
  }
  return frames;
}

interface Place {
  pc: bigint;
  /** Offsets in the stack segment. */
  sp: bigint;
  bp: bigint;
}

function present({ symbols }: Stack, pc: bigint, by: Frame['by']): Frame {
  // A return address is behind its CALL, which may be the last instruction of its line and function.
  const asked = by === 'here' ? pc : pc - 1n;
  const function_ = symbols.functionAt(asked);
  const source = symbols.lines.at(asked);
  const distance = function_ && pc - function_.from;
  const symbol =
    function_ && (distance === 0n ? function_.name : `${function_.name}+0x${distance!.toString(16)}`);
  return { pc, by, ...(symbol !== undefined && { symbol }), ...(source && { source }) };
}

async function callerOf(
  stack: Stack,
  place: Place,
  word: bigint,
): Promise<(Place & Pick<Frame, 'by'>) | undefined> {
  const inside = stack.symbols.functionAt(place.pc);
  const fromPointer = await byFramePointer(stack, place, word, inside?.from);
  if (fromPointer !== undefined) return fromPointer;
  return fromStack(stack, place, word, inside);
}

/** Where the function began with PUSH BP; MOV BP, SP, and both are done. */
async function byFramePointer(stack: Stack, place: Place, word: bigint, start: bigint | undefined) {
  if (start === undefined || place.pc === start) return undefined;
  const prologue = await prologueOf(stack, start);
  if (prologue === undefined || place.pc < start + BigInt(prologue)) return undefined;
  // Before its RET the pointer is the caller's again.
  if (place.bp < place.sp) return undefined;
  const saved = await wordAt(stack, place.bp, word);
  const back = await wordAt(stack, place.bp + word, word);
  if (saved === undefined || back === undefined) return undefined;
  const pc = linear(stack, back);
  if (!(await followsCall(stack, pc))) return undefined;
  return { pc, sp: place.bp + 2n * word, bp: saved, by: 'frame pointer' as const };
}

/** Bytes of PUSH BP; MOV BP, SP at a function's start, behind ENDBR; undefined where it begins otherwise. */
async function prologueOf({ target, mode }: Stack, start: bigint): Promise<number | undefined> {
  const bytes = await readSome(target, start, 12);
  let at = 0;
  const texts: string[] = [];
  while (texts.length < 3 && at < bytes.length) {
    const { instruction } = decodeAt(bytes.subarray(at), start + BigInt(at), mode);
    at += instruction.length;
    if (/^endbr/.test(instruction.text)) continue;
    texts.push(instruction.text.replace(/\b[re]?([bs]p)\b/g, '$1'));
    if (texts.length === 2) break;
  }
  return texts[0] === 'push bp' && texts[1] === 'mov bp,sp' ? at : undefined;
}

/** The first word on the stack that a CALL may have put there: at a function's first instruction, the very first. */
async function fromStack(
  stack: Stack,
  place: Place,
  word: bigint,
  inside: { from: bigint; to: bigint } | undefined,
): Promise<(Place & Pick<Frame, 'by'>) | undefined> {
  const size = Number(word);
  const bytes = await readSome(
    stack.target,
    segmentBase(stack.view.system, 'ss') + place.sp,
    size * MOST_WORDS,
  );
  const words = Math.floor(bytes.length / size);
  for (let i = 0; i < words; i++) {
    const pc = linear(stack, littleEndian(bytes, i * size, size));
    if (stack.symbols.symbols.length > 0 && stack.symbols.functionAt(pc - 1n) === undefined) continue;
    if (!(await followsCall(stack, pc, inside))) continue;
    const entered = i === 0 && inside?.from === place.pc;
    return { pc, sp: place.sp + BigInt(i + 1) * word, bp: place.bp, by: entered ? 'entry' : 'stack' };
  }
  return undefined;
}

/** Whether an address lies right behind a CALL; one that says whom it calls must call `callee`, where that is known. */
async function followsCall(
  { target, mode }: Stack,
  address: bigint,
  callee?: { from: bigint; to: bigint },
): Promise<boolean> {
  const most = address < BigInt(LONGEST_CALL) ? Number(address) : LONGEST_CALL;
  const bytes = await readSome(target, address - BigInt(most), most);
  if (bytes.length < most) return false;
  for (let length = 2; length <= most; length++) {
    const at = address - BigInt(length);
    const { instruction } = decodeAt(bytes.subarray(most - length), at, mode);
    if (instruction.length !== length || flowOf(instruction) !== 'call' || instruction.mnemonic !== 'call')
      continue;
    const [operand] = instruction.operands;
    if (operand?.kind !== 'target' || callee === undefined) return true;
    const aim = mode.bits === 64 ? operand.address : BigInt.asUintN(32, operand.address + mode.base);
    // Labels within a function are symbols of their own: it was called at or before the one that is known.
    if (aim <= callee.from + 0x10000n && aim + 0x10000n > callee.from && aim < callee.to) return true;
  }
  return false;
}

async function wordAt(stack: Stack, offset: bigint, word: bigint): Promise<bigint | undefined> {
  const bytes = await readSome(stack.target, segmentBase(stack.view.system, 'ss') + offset, Number(word));
  return bytes.length < Number(word) ? undefined : littleEndian(bytes, 0, Number(word));
}

function linear({ mode }: Stack, offset: bigint): bigint {
  return mode.bits === 64 ? offset : BigInt.asUintN(32, offset + mode.base);
}

function littleEndian(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value;
}
