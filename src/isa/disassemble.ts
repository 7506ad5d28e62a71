/**
 * Machine code as text, made from the opcode table.
 *
 * @module
 */
import { attText } from './att.js';
import { type CodeSize, decode, type Encoding } from './decode.js';
import { intelText } from './intel.js';
import { naming } from './names.js';
import { type FindRows, finderOf } from './notation.js';
import { type Operand, operandsOf } from './operands.js';
import { counterWord, mnemonicOf, repeatWord } from './spelling.js';
import { type AbsentFeature, absentFeature, absentOpcodes } from './table/absent.js';

export type Syntax = 'intel' | 'att';

/** The inputs of `disassemble` in addition to the bytes. */
export interface DisassemblyOptions {
  /** 16, 32 or 64: the width of code, by CS.D and CS.L. */
  code: CodeSize;
  /** The first byte's offset in its code segment. 0 if it does not matter. */
  address?: bigint;
  /** `intel` if not given. */
  syntax?: Syntax;
  /** A name for an address, shown after it. */
  symbol?: (address: bigint) => string | undefined;
  /** Another opcode table than our own: `finderOf`. */
  find?: FindRows;
}

/** One instruction. */
export interface Instruction {
  address: bigint;
  /** In bytes; 1 for bytes that are no instruction. */
  length: number;
  /** As `objdump` writes it, with one space after the mnemonic; `(bad)` for bytes that are no instruction. */
  text: string;
  /** Without prefixes and operands. */
  mnemonic: string;
  /** Destination first, in either syntax. */
  operands: readonly Operand[];
  /** The row of the table and the fields; undefined for bytes that are no instruction. */
  encoding: Encoding | undefined;
  /** The feature that it belongs to, where the software CPU does not have it; missing for all others. */
  absent?: AbsentFeature;
}

/**
 * The instruction at the start of `bytes`, of which it needs 15 at most. Bytes that are no instruction, or only the
 * start of one, give `(bad)` and the length 1. Prefixes that change nothing are not shown.
 */
export function disassemble(bytes: Uint8Array, options: DisassemblyOptions): Instruction {
  const address = options.address ?? 0n;
  const known = decode(bytes, options.code, options.find);
  const encoding = known ?? decodeAbsent(bytes, options);
  if (encoding === undefined) {
    return { address, length: 1, text: '(bad)', mnemonic: '(bad)', operands: [], encoding };
  }
  const feature = known === undefined ? absentFeature(encoding.row, encoding.wide) : undefined;
  const names = naming(options.symbol);
  const mnemonic = mnemonicOf(encoding);
  const operands = operandsOf(encoding, address);
  const isAtt = options.syntax === 'att';
  const words = [encoding.lock ? 'lock' : '', repeatWord(encoding), isAtt ? '' : counterWord(encoding)];
  const write = isAtt ? attText : intelText;
  const text = write(mnemonic, operands, names, encoding);
  const relative = operands.find((one) => one.kind === 'memory' && one.target !== undefined);
  const note = relative?.kind === 'memory' ? ` # ${names(relative.target!)}` : '';
  return {
    address,
    length: encoding.length,
    text: [...words, text].filter((word) => word !== '').join(' ') + note,
    mnemonic,
    operands,
    encoding,
    ...(feature && { absent: feature }),
  };
}

/** An instruction that the software CPU does not have. */
function decodeAbsent(bytes: Uint8Array, { code, find }: DisassemblyOptions): Encoding | undefined {
  if (find !== undefined) return undefined;
  absent ??= finderOf(absentOpcodes());
  return decode(bytes, code, absent);
}

let absent: FindRows | undefined;

/** Everything in `bytes`, one instruction after the other. */
export function* disassembleAll(bytes: Uint8Array, options: DisassemblyOptions): Generator<Instruction> {
  const start = options.address ?? 0n;
  for (let at = 0; at < bytes.length; ) {
    const one = disassemble(bytes.subarray(at, at + 15), { ...options, address: start + BigInt(at) });
    yield one;
    at += one.length;
  }
}
