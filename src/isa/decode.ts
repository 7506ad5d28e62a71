/**
 * Decodes bytes into the parts of an instruction (SDM 2A 2.1, 2.2), by the opcode table. `cpu/decode.ts` of the software CPU does the same
 * for speed; this is for reading. A test compares their lengths.
 *
 * @module
 */
import { candidates, hasModrm, immediateKind, mandatoryPrefix, rowFor } from './notation.js';
import type { Opcode, OpcodeMap } from './table/index.js';

/** The default width of code, by CS.D and CS.L. */
export type CodeSize = 16 | 32 | 64;

/** An instruction of more bytes is a #GP (SDM 2A 2.3.11). */
export const MAX_LENGTH = 15;

/** The address that ModRM and SIB form. Registers by number; -1 is none. */
export interface MemoryForm {
  base: number;
  index: number;
  /** 1, 2, 4 or 8. */
  scale: number;
  /** With its sign; an offset without base and index is the address itself. */
  displacement: bigint;
  /** True where the base is the next instruction's address. */
  ripRelative: boolean;
}

/** The parts of one instruction. */
export interface Encoding {
  row: Opcode;
  code: CodeSize;
  /** In bytes, prefixes included. */
  length: number;
  lock: boolean;
  /** The last of F2 and F3, or 0. */
  repeat: 0 | 0xf2 | 0xf3;
  /** The segment register that a prefix names, or -1. */
  segment: number;
  operandPrefix: boolean;
  addressPrefix: boolean;
  /** The REX byte, or 0; a VEX prefix's bits in the same form. */
  rex: number;
  /** VEX.vvvv as a register's number; -1 without VEX. */
  vvvv: number;
  /** VEX.L: vectors have 32 bytes. */
  wide: boolean;
  /** VEX.W, also outside of 64-bit code, where it is no REX.W: the numbers of a vector have 64 bits. */
  long: boolean;
  opcode: number;
  /** -1 where there is none. */
  modrm: number;
  operandSize: CodeSize;
  addressSize: CodeSize;
  memory: MemoryForm | undefined;
  /** Where the displacement's and the immediate's first bytes are, if there are any. */
  displacementAt: number;
  immediateAt: number;
  /** With its sign where the table says so; a far pointer's offset. */
  immediate: bigint;
  /** A far pointer's selector, the level of ENTER. */
  second: number;
}

/** Reads little-endian numbers and remembers whether the bytes ended. */
class Reader {
  short = false;
  #at = 0;
  readonly #end: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = Math.min(bytes.length, MAX_LENGTH);
  }

  /** The next byte, without consuming it. */
  get next(): number {
    return this.#bytes[this.#at] ?? 0;
  }

  get at(): number {
    return this.#at;
  }

  byte(): number {
    if (this.#at >= this.#end) {
      this.short = true;
      return 0;
    }
    return this.#bytes[this.#at++]!;
  }

  unsigned(bits: number): bigint {
    if (bits === 8) return BigInt(this.byte());
    let value = 0n;
    for (let shift = 0; shift < bits; shift += 8) value |= BigInt(this.byte()) << BigInt(shift);
    return value;
  }

  signed(bits: number): bigint {
    return BigInt.asIntN(bits, this.unsigned(bits));
  }
}

type Prefixes = Pick<
  Encoding,
  | 'lock'
  | 'repeat'
  | 'segment'
  | 'operandPrefix'
  | 'addressPrefix'
  | 'rex'
  | 'vvvv'
  | 'wide'
  | 'long'
  | 'opcode'
>;

/** Reads prefixes and the first byte of the opcode. */
function readPrefixes(reader: Reader, code: CodeSize): Prefixes {
  const found: Prefixes = {
    lock: false,
    repeat: 0,
    segment: -1,
    operandPrefix: false,
    addressPrefix: false,
    rex: 0,
    vvvv: -1,
    wide: false,
    long: false,
    opcode: 0,
  };
  while (!reader.short) {
    const byte = reader.byte();
    if (code === 64 && (byte & 0xf0) === 0x40) {
      found.rex = byte;
      continue;
    }
    if (byte === 0x66) found.operandPrefix = true;
    else if (byte === 0x67) found.addressPrefix = true;
    else if (byte === 0xf0) found.lock = true;
    else if (byte === 0xf2 || byte === 0xf3) found.repeat = byte;
    else if ((byte & 0xfe) === 0x64) found.segment = byte & 7;
    else if ((byte & 0xe7) === 0x26) {
      // 64-bit code has no other segments (SDM 2A 2.1.1).
      if (code !== 64) found.segment = (byte >> 3) & 3;
    } else {
      found.opcode = byte;
      return found;
    }
    // REX counts only right before the opcode (SDM 2A 2.2.1).
    found.rex = 0;
  }
  return found;
}

/** BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX (SDM 2A table 2-1). */
const pairs = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, -1],
  [7, -1],
  [5, -1],
  [3, -1],
] as const;

function memory16(reader: Reader, mod: number, rm: number): MemoryForm {
  if (mod === 0 && rm === 6) {
    return { base: -1, index: -1, scale: 1, displacement: reader.unsigned(16), ripRelative: false };
  }
  const [base, index] = pairs[rm]!;
  const displacement = mod === 0 ? 0n : reader.signed(mod === 1 ? 8 : 16);
  return { base, index, scale: 1, displacement, ripRelative: false };
}

/** Tables 2-2 and 2-3 of SDM 2A. */
function memory32(reader: Reader, mod: number, rm: number, rex: number, code: CodeSize): MemoryForm {
  const form: MemoryForm = { base: -1, index: -1, scale: 1, displacement: 0n, ripRelative: false };
  let low = rm;
  let none = mod === 0 && rm === 5;
  form.ripRelative = none && code === 64;
  if (rm === 4) {
    const sib = reader.byte();
    const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
    // Index 4 is none; with REX.X it is R12.
    if (index !== 4) {
      form.index = index;
      form.scale = 1 << (sib >> 6);
    }
    low = sib & 7;
    none = mod === 0 && low === 5;
  }
  if (!none) form.base = low | ((rex & 1) << 3);
  if (mod === 1) form.displacement = reader.signed(8);
  else if (mod === 2 || none) form.displacement = reader.signed(32);
  return form;
}

/** How many bytes of displacement are after ModRM and SIB. */
function displacementBytes({ memory, modrm, addressSize }: Encoding): number {
  if (memory === undefined) return 0;
  const full = addressSize === 16 ? 2 : 4;
  const mod = modrm >> 6;
  if (mod === 1) return 1;
  return mod === 2 || memory.base < 0 ? full : 0;
}

/** The width of a row's operands (SDM 2A 2.2.1.2, 2.2.1.7 and table 3-4). */
function operandSizeOf(row: Opcode, code: CodeSize, prefixed: boolean, wide: boolean): CodeSize {
  if (wide) return 64;
  if (code === 64 && (row.force64 || (row.default64 && !prefixed))) return 64;
  return (code === 16) === prefixed ? 32 : 16;
}

function readImmediate(reader: Reader, encoding: Encoding): void {
  const { row, operandSize, addressSize } = encoding;
  const half = operandSize === 16 ? 16 : 32;
  switch (immediateKind(row)) {
    case 'none':
      return;
    case 'b':
      encoding.immediate = reader.signed(8);
      return;
    case 'w':
      encoding.immediate = reader.unsigned(16);
      return;
    case 'z':
      encoding.immediate = reader.signed(half);
      return;
    case 'v':
      encoding.immediate = reader.signed(operandSize);
      return;
    case 'offset':
      encoding.memory = {
        base: -1,
        index: -1,
        scale: 1,
        displacement: reader.unsigned(addressSize),
        ripRelative: false,
      };
      return;
    case 'far':
      encoding.immediate = reader.unsigned(half);
      encoding.second = Number(reader.unsigned(16));
      return;
    case 'enter':
      encoding.immediate = reader.unsigned(16);
      encoding.second = reader.byte();
  }
}

interface OpcodeSet {
  map: OpcodeMap;
  vex: boolean;
}

/**
 * The fields of C4 and C5, which replace prefixes and escape bytes (SDM 2A 2.3.5); undefined where VEX is not allowed. Outside of
 * 64-bit code there are no more than eight registers, and nothing has 64 bits.
 */
function readVex(reader: Reader, code: CodeSize, found: Prefixes): OpcodeSet | undefined {
  const { lock, repeat, operandPrefix, rex } = found;
  const three = found.opcode === 0xc4;
  const first = reader.byte();
  const second = three ? reader.byte() : first;
  const map = three ? first & 31 : 1;
  if (lock || repeat !== 0 || operandPrefix || rex !== 0 || map < 1 || map > 3) return undefined;
  const extended = (~first >> 5) & (three ? 7 : 4);
  found.long = three && second >= 0x80;
  found.rex = code === 64 ? 0x40 | extended | (found.long ? 8 : 0) : 0;
  found.wide = (second & 4) !== 0;
  found.vvvv = (~second >> 3) & (code === 64 ? 15 : 7);
  const pp = second & 3;
  found.operandPrefix = pp === 1;
  found.repeat = pp === 2 ? 0xf3 : pp === 3 ? 0xf2 : 0;
  found.opcode = reader.byte();
  return { map: map as OpcodeMap, vex: true };
}

/** Reads escape bytes, and the opcode after them. Outside of 64-bit code C4 and C5 with memory are LES and LDS. */
function readEscape(reader: Reader, code: CodeSize, found: Prefixes): OpcodeSet | undefined {
  const { opcode } = found;
  if ((opcode & 0xfe) === 0xc4 && (code === 64 || reader.next >= 0xc0)) return readVex(reader, code, found);
  if (opcode !== 0x0f) return { map: 0, vex: false };
  found.opcode = reader.byte();
  if (found.opcode !== 0x38 && found.opcode !== 0x3a) return { map: 1, vex: false };
  const map = found.opcode === 0x38 ? 2 : 3;
  found.opcode = reader.byte();
  return { map, vex: false };
}

function fitsVex({ vex, vexLength, vexWide }: Opcode, { wide, long }: Prefixes): boolean {
  if (!vex) return true;
  return (
    (vexLength === 'any' || vexLength === Number(wide)) && (vexWide === 'any' || vexWide === Number(long))
  );
}

/** Operands with a register of VEX.vvvv; without one, vvvv has to be all ones (SDM 2A 2.3.5.6). */
function isVexRight(row: Opcode, { vvvv }: Prefixes): boolean {
  return !row.vex || row.operands.some((operand) => /^[BH]/.test(operand)) || vvvv === 0;
}

/**
 * Decodes the instruction at the start of `bytes`. Undefined where there is no such instruction, where it is longer
 * than 15 bytes, or where the bytes end in its middle.
 * @param find the table; our own where it is not given
 */
export function decode(bytes: Uint8Array, code: CodeSize, find = candidates): Encoding | undefined {
  const reader = new Reader(bytes);
  const prefixes = readPrefixes(reader, code);
  const set = readEscape(reader, code, prefixes);
  const rows = set === undefined ? [] : find(set, prefixes.opcode, code);
  const [any] = rows;
  if (any === undefined || reader.short) return undefined;
  const modrm = rows.some(hasModrm) ? reader.byte() : -1;
  const isMemory = modrm >= 0 && modrm < 0xc0 && !any.registerOnly;
  const prefix = mandatoryPrefix(prefixes.repeat, prefixes.operandPrefix);
  const fitting = rows.filter((one) => fitsVex(one, prefixes));
  const row = rowFor(fitting, { prefix, memory: isMemory, reg: (modrm >> 3) & 7, rm: modrm & 7 });
  if (row === undefined || !isVexRight(row, prefixes)) return undefined;
  // There are six segment registers (SDM 2A MOV).
  if (row.operands.includes('Sw') && ((modrm >> 3) & 7) > 5) return undefined;
  const { lock, repeat, segment, rex, operandPrefix, addressPrefix, vvvv, wide, long, opcode } = prefixes;
  const encoding: Encoding = {
    row,
    code,
    length: 0,
    // Copied one by one: a spread takes as long as all the rest of this function.
    lock,
    repeat,
    segment,
    operandPrefix,
    addressPrefix,
    rex,
    vvvv,
    wide,
    long,
    opcode,
    modrm,
    operandSize: operandSizeOf(row, code, operandPrefix, (rex & 8) !== 0),
    addressSize: code === 64 ? (addressPrefix ? 32 : 64) : (code === 16) === addressPrefix ? 32 : 16,
    memory: undefined,
    displacementAt: 0,
    immediateAt: 0,
    immediate: 0n,
    second: 0,
  };
  if (isMemory) {
    const mod = modrm >> 6;
    encoding.memory =
      encoding.addressSize === 16
        ? memory16(reader, mod, modrm & 7)
        : memory32(reader, mod, modrm & 7, rex, code);
  }
  encoding.immediateAt = reader.at;
  encoding.displacementAt = reader.at - displacementBytes(encoding);
  readImmediate(reader, encoding);
  encoding.length = reader.at;
  return reader.short ? undefined : encoding;
}
