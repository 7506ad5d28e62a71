/**
 * Differences of later processors from an 80286, and flags that are undefined on all.
 *
 * @module
 */
import { opcodes } from '../../../src/isa/index.js';

/** One line of the file: see the README beside it. */
export interface TruthTest {
  op: string;
  index: number;
  name: string;
  bytes: number[];
  initial: TruthState;
  final: TruthState;
  exception?: { number: number; flagAddress: number };
}

interface TruthState {
  regs: Record<string, number>;
  ram: [address: number, byte: number][];
}

const bits: Record<string, number> = { C: 1, P: 4, A: 0x10, Z: 0x40, S: 0x80, O: 0x800 };

/** Real mode on the 80286: IOPL, NT and the bit above read 0 (80286 Programmer's Reference, 1987, 2.3). */
export const UPPER = 0xf000;

/** The opcode table's rows for a test. */
function rowsOf({ op }: TruthTest) {
  const [code = '', reg] = op.split('.');
  const map = code.length === 4 ? 1 : 0;
  const opcode = Number.parseInt(code.slice(-2), 16);
  return opcodes().filter(
    (row) =>
      row.map === map &&
      row.opcode === opcode &&
      (row.reg < 0 || reg === undefined || row.reg === Number(reg)),
  );
}

const masks = new Map<string, number>();

/** The flags that are compared: flags that the manual leaves undefined have that processor's values. */
export function flagMask(truth: TruthTest): number {
  const known = masks.get(truth.op);
  if (known !== undefined) return known;
  let mask = 0xffff & ~UPPER;
  for (const { meaning } of rowsOf(truth)) {
    for (const letter of meaning.undefined) mask &= ~(bits[letter] ?? 0);
  }
  masks.set(truth.op, mask);
  return mask;
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0, 0xf2, 0xf3]);

/** The instruction without its prefixes, and those. */
function split({ bytes }: TruthTest) {
  const start = bytes.findIndex((byte) => !PREFIXES.has(byte));
  return { prefixes: bytes.slice(0, start), rest: bytes.slice(start) };
}

/** Bytes in an instruction, at most: 10 on the 80286 (Programmer's Reference, 9.6), 15 on later processors. */
const LONGEST = 10;
/** INS, OUTS, MOVS, CMPS, STOS, LODS, SCAS. */
const strings = new Set(['6C', '6D', '6E', '6F', 'A4', 'A5', 'A6', 'A7', 'AA', 'AB', 'AC', 'AD', 'AE', 'AF']);

/** LOCK before an instruction that cannot be locked, which is a #UD since the 80386 (SDM 2A LOCK). */
export function locksInVain(truth: TruthTest): boolean {
  const { prefixes, rest } = split(truth);
  return prefixes.includes(0xf0) && !(rest[1]! < 0xc0 && rowsOf(truth).some((row) => row.lock));
}

/** The reason why a test may end differently, if there is one: then it is not compared. */
export function differenceOf(truth: TruthTest): string | undefined {
  const { rest } = split(truth);
  const { op, bytes, exception } = truth;
  // The HLT after the instruction is one of the bytes.
  if (bytes.length - 1 > LONGEST) return 'an instruction of more than 10 bytes is a #GP only on the 80286';
  if (strings.has(op) && exception !== undefined) {
    return 'a string instruction that faults leaves SI, DI and CX as they were since the 80386 (SDM 1 7.3.9.2)';
  }
  if ((op === '8C' || op === '8E') && [4, 5].includes((rest[1]! >> 3) & 7))
    return 'FS and GS are there since the 80386';
  return undefined;
}

/**
 * In real mode the 80286 answers an access over the end of the stack segment with interrupt 13, later processors with
 * 12 (SDM 3B 21.3, table 21-1): where the 80286 raised 13, vector 12 leads to the same place.
 */
export function ramOf({ initial, exception }: TruthTest): TruthState['ram'] {
  if (exception?.number !== 13) return initial.ram;
  const vector13 = initial.ram.filter(([address]) => address >= 13 * 4 && address < 14 * 4);
  return [...initial.ram, ...vector13.map(([address, byte]): [number, number] => [address - 4, byte])];
}
