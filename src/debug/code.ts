/**
 * Guest code as instructions: read through the target, decoded as wide as the guest decodes it.
 *
 * @module
 */
import { disassemble, type Instruction, MAX_LENGTH, type Syntax } from '../isa/index.js';
import type { CodeBits } from './mode.js';
import type { DebugTarget } from './target.js';

/** The decoding mode of code at an address. */
export interface CodeMode {
  bits: CodeBits;
  /** Linear address of offset 0 in the code segment; 0 in 64-bit code. */
  base: bigint;
}

/** Where an instruction continues, if not with the next one. */
export type Flow =
  /** Other code runs first, and then usually the next instruction: CALL, INT, SYSCALL and similar. */
  | 'call'
  /** The same instruction again, or an earlier one: REP, LOOP. */
  | 'repeat'
  | 'return'
  /** JMP, Jcc. */
  | 'jump'
  | 'next';

/** How an instruction affects the control flow. */
export function flowOf({ mnemonic, encoding, operands }: Instruction): Flow {
  if (encoding === undefined) return 'next';
  if (/^(call|int|syscall|sysenter)/.test(mnemonic)) return 'call';
  if (/^(ret|iret|sysret|sysexit)/.test(mnemonic)) return 'return';
  if (/^loop/.test(mnemonic)) return 'repeat';
  if (operands.some(({ kind }) => kind === 'target' || kind === 'far')) return 'jump';
  if (/^jmp/.test(mnemonic)) return 'jump';
  return encoding.repeat !== 0 && /^(ins|outs|movs|cmps|stos|lods|scas)/.test(mnemonic) ? 'repeat' : 'next';
}

/** Bytes from a linear address on, at most `length`, as many as are mapped. */
export async function readSome(target: DebugTarget, address: bigint, length: number): Promise<Uint8Array> {
  try {
    return await target.read(BigInt.asUintN(64, address), length);
  } catch {
    return new Uint8Array(0);
  }
}

/** An instruction at its linear address. */
export interface CodeLine {
  /** Linear. */
  address: bigint;
  bytes: Uint8Array;
  instruction: Instruction;
}

export interface DecodeOptions extends CodeMode {
  syntax?: Syntax;
  /** A name for a linear address. */
  name?: (address: bigint) => string | undefined;
}

/** The instruction at the start of `bytes`, which lie at a linear address. */
export function decodeAt(bytes: Uint8Array, address: bigint, options: DecodeOptions): CodeLine {
  const { bits, base, syntax = 'intel', name } = options;
  const offset = bits === 64 ? address : BigInt.asUintN(32, address - base);
  const instruction = disassemble(bytes.subarray(0, MAX_LENGTH), {
    code: bits,
    address: offset,
    syntax,
    ...(name && { symbol: (at: bigint) => name(bits === 64 ? at : BigInt.asUintN(32, at + base)) }),
  });
  return { address, bytes: bytes.slice(0, instruction.length), instruction };
}

/** The instruction at a linear address; undefined where nothing is mapped. */
export async function fetchInstruction(
  target: DebugTarget,
  address: bigint,
  options: DecodeOptions,
): Promise<CodeLine | undefined> {
  const bytes = await readSome(target, address, MAX_LENGTH);
  return bytes.length === 0 ? undefined : decodeAt(bytes, address, options);
}

/** A number of this many bytes. */
export function littleEndian(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
  return value;
}
