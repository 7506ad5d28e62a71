/**
 * Code patterns around calls: whether an address is a return address, and how a function begins.
 *
 * @module
 */
import type { AddressRange } from '../symbols/index.js';
import { type CodeMode, decodeAt } from './code.js';
import { bytesAt, type Reading } from './reading.js';

/** The longest CALL that counts. */
const LONGEST_CALL = 8;
/** ENDBR64, PUSH RBP and MOV RBP, RSP. */
const LONGEST_PROLOGUE = 12;

/** The effect of a CALL before an address. */
export interface CallBefore {
  /** Bytes of the return address that it pushed. */
  word: 2 | 4 | 8;
  /** It is a direct call of the function. */
  exact: boolean;
}

/**
 * Whether a CALL ends right before a linear address, and may have called `callee`, where that is known.
 *
 * In assembler a label within a function is a symbol of its own, so the callee may begin before the known symbol.
 */
export function* callBefore(
  mode: CodeMode,
  address: bigint,
  callee?: AddressRange,
): Reading<CallBefore | undefined> {
  const most = address < BigInt(LONGEST_CALL) ? Number(address) : LONGEST_CALL;
  const bytes = yield* bytesAt(address - BigInt(most), most);
  if (bytes.length < most) return undefined;
  for (let length = 2; length <= most; length++) {
    const { instruction } = decodeAt(bytes.subarray(most - length), address - BigInt(length), mode);
    if (instruction.length !== length || !instruction.mnemonic.startsWith('call')) continue;
    const word = ((instruction.encoding?.operandSize ?? mode.bits) / 8) as 2 | 4 | 8;
    const [operand] = instruction.operands;
    if (operand?.kind !== 'target' || callee === undefined) return { word, exact: false };
    const aim = mode.bits === 64 ? operand.address : BigInt.asUintN(32, operand.address + mode.base);
    if (aim === callee.from) return { word, exact: true };
    if (aim < callee.to) return { word, exact: false };
  }
  return undefined;
}

/** The start of a function that uses the frame pointer. */
export interface Prologue {
  /** The address after it. */
  end: bigint;
  /** The number of bytes that it pushed. */
  word: 2 | 4 | 8;
}

/** PUSH BP; MOV BP, SP at a function's start, ENDBR before it or not: where it ends, and bytes of what was pushed. */
export function* prologueOf(mode: CodeMode, start: bigint): Reading<Prologue | undefined> {
  const bytes = yield* bytesAt(start, LONGEST_PROLOGUE);
  const texts: string[] = [];
  let at = 0;
  while (texts.length < 2 && at < bytes.length) {
    const { instruction } = decodeAt(bytes.subarray(at), start + BigInt(at), mode);
    at += instruction.length;
    if (!/^endbr/.test(instruction.text)) texts.push(instruction.text);
  }
  const word = ({ 'push bp': 2, 'push ebp': 4, 'push rbp': 8 } as const)[texts[0] ?? ''];
  if (word === undefined || !/^mov [re]?bp,[re]?sp$/.test(texts[1] ?? '')) return undefined;
  return { end: start + BigInt(at), word };
}
