// From bytes to an operation (SDM 2A 2.1, 2.2): prefixes, opcode, ModRM, SIB, displacement, immediate.
import {
  CPU_AMD,
  FEATURES,
  FIRST_HANDLER,
  FLAG_LOCK,
  FLAG_MEMORY,
  FLAG_REP,
  FLAG_REPNE,
  FLAG_SEGMENT,
  MODE_CODE32,
  MODE_CODE64,
  MODE_REAL,
  OP_ADDRESS,
  OP_BASE,
  OP_DISPLACEMENT,
  OP_FLAGS,
  OP_HANDLER,
  OP_IMMEDIATE,
  OP_INDEX,
  OP_LENGTH,
  OP_MODRM,
  OP_OFFSET,
  OP_REG,
  OP_RM,
  OP_SCALE,
  OP_SEGMENT,
  OP_VEX,
  OP_WIDTH,
  REG_BLOCK,
  REG_ZERO,
  SEG_DS,
  SEG_SS,
} from '../../layout';
import { ABM, BMI1, ENTRIES, FORMS, NODES } from '../decode-table';

// Bits of ENTRIES and NODES, above an index of 20 bits: generate/decode-table.ts makes them.
const ENTRY_INDEX: u32 = 0xfffff;
const ENTRY_MODRM: u32 = 1 << 24;
const ENTRY_REGISTER_ONLY: u32 = 1 << 25;
const ENTRY_SPLIT: u32 = 26;
const SPLIT_PREFIX: u32 = 1;
const SPLIT_FORM: u32 = 2;
const SPLIT_FORM_AND_REG: u32 = 3;
const SPLIT_RM: u32 = 4;
// Opcodes in ENTRIES: seven sets of 256, then the same for 64-bit code.
const VEX_SETS: u32 = 4;
const ALL_SETS: u32 = 7;
// Bits of FORMS: generate/index.ts makes them.
const FORM_ENDS_BLOCK: u32 = 1 << 17;
const FORM_LOCK: u32 = 1 << 18;
const FORM_PROTECTED: u32 = 1 << 19;
const FORM_DEFAULT64: u32 = 1 << 20;
const FORM_FORCE64: u32 = 1 << 21;
const FORM_NAMES_REGISTER: u32 = 1 << 22;
const FORM_VEX_REGISTER: u32 = 1 << 23;
const FORM_BYTE_REG: u32 = 1 << 24;
const FORM_BYTE_RM: u32 = 1 << 25;
const FORM_FEATURE: u32 = 26;

/** An instruction of more bytes is a #GP (SDM 2A 2.3.11). */
export const MAX_LENGTH: usize = 15;

/** A result of `decode` instead of a length: the bytes end in the middle of the instruction. */
export const SHORT: i32 = 0;

let at: usize = 0;
let end: usize = 0;
let tooShort: bool = false;
/** True if the operation that was decoded last ends its block. */
export let endsBlock: bool = false;

function take<T>(): T {
  if (at + sizeof<T>() > end) {
    tooShort = true;
    return 0;
  }
  const value = load<T>(at);
  at += sizeof<T>();
  return value;
}

let rex: u32 = 0;
let segmentPrefix: i32 = -1;
let operandPrefix: bool = false;
let addressPrefix: bool = false;
let flags: u32 = 0;

/** Reads prefixes and gives the opcode's first byte. */
function prefixes(code64: bool): u32 {
  rex = 0;
  segmentPrefix = -1;
  operandPrefix = false;
  addressPrefix = false;
  flags = 0;
  while (!tooShort) {
    const byte = <u32>take<u8>();
    switch (byte) {
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        if (!code64) segmentPrefix = (byte >> 3) & 3;
        break;
      case 0x64:
      case 0x65:
        segmentPrefix = byte & 7;
        break;
      case 0x66:
        operandPrefix = true;
        break;
      case 0x67:
        addressPrefix = true;
        break;
      case 0xf0:
        flags |= FLAG_LOCK;
        break;
      case 0xf2:
        flags = (flags & ~FLAG_REP) | FLAG_REPNE;
        break;
      case 0xf3:
        flags = (flags & ~FLAG_REPNE) | FLAG_REP;
        break;
      default:
        if (!code64 || (byte & 0xf0) != 0x40) return byte;
        rex = byte;
        continue;
    }
    // REX has an effect only right before the opcode (SDM 2A 2.2.1).
    rex = 0;
  }
  return 0;
}

/** A set of opcodes that does not exist: no instruction. */
const NO_SET: u32 = 99;
let opcode: u32 = 0;
/** VEX.vvvv, or 0. */
let vexRegister: u32 = 0;
let isVex: bool = false;

/**
 * C4 and C5 encode prefixes and escape bytes (SDM 2A 2.3.5). Returns the set of opcodes. Outside 64-bit code there are only
 * eight registers, and no 64-bit operands.
 */
function vexPrefix(code64: bool): u32 {
  const long = opcode == 0xc4;
  const first = <u32>take<u8>();
  const second = long ? <u32>take<u8>() : first;
  const map: u32 = long ? first & 31 : 1;
  opcode = <u32>take<u8>();
  // None of these prefixes may precede VEX; L must be 0.
  const refused = operandPrefix || rex != 0 || flags & (FLAG_LOCK | FLAG_REP | FLAG_REPNE);
  if (refused || second & 4 || map - 1 > 2) return NO_SET;
  const pp = second & 3;
  isVex = true;
  vexRegister = (~second >> 3) & (code64 ? 15 : 7);
  operandPrefix = pp == 1;
  if (pp >= 2) flags |= pp == 2 ? FLAG_REP : FLAG_REPNE;
  if (code64) rex = 0x40 | ((~first >> 5) & (long ? 7 : 4)) | (long ? (second >> 4) & 8 : 0);
  return VEX_SETS + map - 1;
}

/** Reads the bytes between the prefixes and the opcode, and returns the opcode's set. */
function readEscape(code64: bool, mode: u32): u32 {
  isVex = false;
  vexRegister = 0;
  // Outside 64-bit code C4 and C5 with a memory operand are LES and LDS; real mode has no VEX.
  if ((opcode & 0xfe) == 0xc4) {
    const vex = code64 || (!(mode & MODE_REAL) && at < end && load<u8>(at) >= 0xc0);
    return vex ? vexPrefix(code64) : 0;
  }
  if (opcode != 0x0f) return 0;
  opcode = <u32>take<u8>();
  if (opcode != 0x38 && opcode != 0x3a) return 1;
  const set: u32 = opcode == 0x38 ? 2 : 3;
  opcode = <u32>take<u8>();
  return set;
}

/** Follows an entry to the forms of the instruction that prefix and ModRM select. */
function formsOf(entry: u32, modrm: u32, isMemory: bool, repeat: u32): u32 {
  for (let by = (entry >> ENTRY_SPLIT) & 7; by != 0; by = (entry >> ENTRY_SPLIT) & 7) {
    let choice: u32 = 0;
    if (by == SPLIT_PREFIX) choice = repeat & FLAG_REP ? 2 : repeat & FLAG_REPNE ? 3 : <u32>operandPrefix;
    else if (by == SPLIT_FORM) choice = <u32>!isMemory;
    else if (by == SPLIT_FORM_AND_REG) choice = ((modrm >> 3) & 7) | (isMemory ? 0 : 8);
    else if (by == SPLIT_RM) choice = modrm & 7;
    entry = load<u32>(NODES + ((<usize>((entry & ENTRY_INDEX) + choice)) << 2));
  }
  return entry & ENTRY_INDEX;
}

/** True where CPUID has the feature of that number. */
function has(feature: u32): bool {
  return feature == 0 || ((load<u64>(FEATURES) >> <u64>(feature - 1)) & 1) != 0;
}

const BSF: u32 = 0xbc;
const BSR: u32 = 0xbd;
const NOP: u32 = 0x90;
const LOOPNE: u32 = 0xe0;
const LOOPE: u32 = 0xe1;

/**
 * The prefixes F2 and F3, where they select an instruction. TZCNT and LZCNT are BSF and BSR with F3 where the processor does
 * not have them; F3 90 with REX.B is PAUSE for Intel, and XCHG with R8 for AMD.
 */
function selecting(set: u32): u32 {
  const ignored =
    (set == 1 && ((opcode == BSF && !has(BMI1)) || (opcode == BSR && !has(ABM)))) ||
    (set == 0 && opcode == NOP && (rex & 1) != 0 && load<u32>(CPU_AMD) != 0);
  return ignored ? 0 : flags;
}

/** On AMD, a prefix F2 or F3 decides whether LOOPE and LOOPNE loop while equal or not equal. */
function loopByPrefix(): void {
  if ((opcode & 0xfe) != LOOPNE || !(flags & (FLAG_REP | FLAG_REPNE)) || !load<u32>(CPU_AMD)) return;
  opcode = flags & FLAG_REP ? LOOPE : LOOPNE;
}

/** A byte register's offset: without REX, 4 to 7 are the high bytes of the first four. */
function byteRegister(number: u32): u32 {
  return number >= 4 && number < 8 && rex == 0 ? ((number - 4) << 3) + 1 : number << 3;
}

/** The address that ModRM and SIB form (SDM 2A 2.1.5, tables 2-1 to 2-3). */
function memoryOperand(out: usize, modrm: u32, width: u32): void {
  const mod = modrm >> 6;
  let low = modrm & 7;
  let base: u32 = REG_ZERO;
  let index: u32 = REG_ZERO;
  let scale: u32 = 0;
  let stack = false;
  let displacement: i64 = 0;
  if (width == 16) {
    // BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX
    if (mod == 0 && low == 6) displacement = <i64>take<u16>();
    else {
      base = (low == 2 || low == 3 || low == 6 ? 5 : low == 4 ? 6 : low == 5 ? 7 : 3) << 3;
      if (low < 4) index = (6 + (low & 1)) << 3;
      stack = base == 5 << 3;
    }
    if (mod == 1) displacement = <i64>take<i8>();
    else if (mod == 2) displacement = <i64>take<u16>();
  } else {
    let none = false;
    if (low == 4) {
      const sib = <u32>take<u8>();
      const number = ((sib >> 3) & 7) | ((rex & 2) << 2);
      // Index 4 means no index; with REX.X it is R12.
      if (number != 4) index = number << 3;
      scale = sib >> 6;
      low = sib & 7;
      none = low == 5 && mod == 0;
    } else if (low == 5 && mod == 0) {
      none = true;
      if (rip) base = REG_BLOCK;
    }
    if (!none) {
      const number = low | ((rex & 1) << 3);
      base = number << 3;
      stack = number == 4 || number == 5;
    }
    if (mod == 1) displacement = <i64>take<i8>();
    else if (mod == 2 || none) displacement = <i64>take<i32>();
  }
  store<u8>(out, <u8>base, OP_BASE);
  store<u8>(out, <u8>index, OP_INDEX);
  store<u8>(out, <u8>scale, OP_SCALE);
  store<i64>(out, displacement, OP_DISPLACEMENT);
  if (stack && segmentPrefix < 0) store<u8>(out, SEG_SS, OP_SEGMENT);
}

/** True while 64-bit code is decoded: there mod 0, rm 5 is relative to the next instruction (SDM 2A 2.2.1.6). */
let rip: bool = false;

function readImmediate(out: usize, kind: u32, width: u32, addressWidth: u32): void {
  let value: i64 = 0;
  switch (kind) {
    case 1:
      value = <i64>take<i8>();
      break;
    case 2:
      value = <i64>take<u16>();
      break;
    case 3:
      value = width == 16 ? <i64>take<i16>() : <i64>take<i32>();
      break;
    case 4:
      value = width == 16 ? <i64>take<i16>() : width == 32 ? <i64>take<i32>() : take<i64>();
      break;
    case 5: {
      const offset =
        addressWidth == 16 ? <u64>take<u16>() : addressWidth == 32 ? <u64>take<u32>() : take<u64>();
      store<u64>(out, offset, OP_DISPLACEMENT);
      return;
    }
    case 6: {
      const offset = width == 16 ? <i64>take<u16>() : <i64>take<u32>();
      value = offset | ((<i64>take<u16>()) << 32);
      break;
    }
    case 8:
      value = <i64>opcode;
      break;
    case 7: {
      const size = <i64>take<u16>();
      value = size | ((<i64>take<u8>()) << 32);
      break;
    }
    default:
      return;
  }
  store<i64>(out, value, OP_IMMEDIATE);
}

/**
 * Decodes the instruction at `from`, of which no byte from `limit` on may be read, into the operation at `out`.
 * Gives its length, or SHORT.
 */
export function decode(from: usize, limit: usize, out: usize, offset: u32, mode: u32): i32 {
  at = from;
  end = min<usize>(limit, from + MAX_LENGTH);
  tooShort = false;
  const code64 = (mode & MODE_CODE64) != 0;
  rip = code64;
  opcode = prefixes(code64);
  const set = readEscape(code64, mode);
  if (set == 0) loopByPrefix();
  const code32 = (mode & (MODE_CODE32 | MODE_CODE64)) != 0;
  let width: u32 = code32 != operandPrefix ? 32 : 16;
  const addressWidth: u32 = code64 ? (addressPrefix ? 32 : 64) : code32 != addressPrefix ? 32 : 16;
  memory.fill(out, 0, 32);
  store<u8>(out, REG_ZERO, OP_BASE);
  store<u8>(out, REG_ZERO, OP_INDEX);
  store<u8>(out, <u8>(64 - addressWidth), OP_ADDRESS);
  store<u8>(out, <u8>(segmentPrefix < 0 ? SEG_DS : segmentPrefix), OP_SEGMENT);
  store<u16>(out, <u16>offset, OP_OFFSET);
  if (segmentPrefix >= 0) flags |= FLAG_SEGMENT;

  const entry =
    set == NO_SET ? 0 : load<u32>(ENTRIES + ((<usize>(((code64 ? ALL_SETS : 0) + set) * 256 + opcode)) << 2));
  let modrm: u32 = 0;
  let isMemory = false;
  if (entry & ENTRY_MODRM) {
    modrm = <u32>take<u8>();
    isMemory = modrm < 0xc0 && !(entry & ENTRY_REGISTER_ONLY);
  }
  const form = formsOf(entry, modrm, isMemory, selecting(set));
  // The size selects the form, and the form may give the default size.
  if (rex & 8) width = 64;
  let bits = load<u32>(FORMS + ((<usize>(form + (width >> 5))) << 2));
  if (code64 && width != 64) {
    if (bits & FORM_FORCE64 || (bits & FORM_DEFAULT64 && width == 32)) {
      width = 64;
      bits = load<u32>(FORMS + ((<usize>(form + 2)) << 2));
    }
  }
  if (isMemory) {
    flags |= FLAG_MEMORY;
    memoryOperand(out, modrm, addressWidth);
  } else if (bits & FORM_NAMES_REGISTER) {
    const number = (opcode & 7) | ((rex & 1) << 3);
    store<u8>(out, <u8>(bits & FORM_BYTE_RM ? byteRegister(number) : number << 3), OP_RM);
  } else if (entry & ENTRY_MODRM) {
    const number = (modrm & 7) | ((rex & 1) << 3);
    store<u8>(out, <u8>(bits & FORM_BYTE_RM ? byteRegister(number) : number << 3), OP_RM);
  }
  if (entry & ENTRY_MODRM) {
    const number = ((modrm >> 3) & 7) | ((rex & 4) << 1);
    store<u8>(out, <u8>(bits & FORM_BYTE_REG ? byteRegister(number) : number << 3), OP_REG);
    store<u8>(out, <u8>modrm, OP_MODRM);
  } else {
    store<u8>(out, <u8>opcode, OP_MODRM);
  }
  readImmediate(out, (bits >> 12) & 15, width, addressWidth);
  if (tooShort) return SHORT;

  const length = <u32>(at - from);
  if (isMemory && load<u8>(out, OP_BASE) == REG_BLOCK) {
    store<i64>(out, load<i64>(out, OP_DISPLACEMENT) + <i64>(offset + length), OP_DISPLACEMENT);
  }
  const refused =
    (flags & FLAG_LOCK && !(bits & FORM_LOCK)) ||
    (bits & FORM_PROTECTED && (mode & MODE_REAL) != 0) ||
    !has(bits >> FORM_FEATURE) ||
    // Where vvvv does not encode an operand, it must be all ones (SDM 2A 2.3.5.6).
    (isVex && vexRegister != 0 && !(bits & FORM_VEX_REGISTER));
  if (refused) bits = 0;
  store<u16>(out, <u16>FIRST_HANDLER + <u16>(bits & 0xfff), OP_HANDLER);
  store<u8>(out, <u8>length, OP_LENGTH);
  store<u8>(out, <u8>flags, OP_FLAGS);
  store<u8>(out, <u8>(vexRegister << 3), OP_VEX);
  store<u8>(out, <u8>(width >> 3), OP_WIDTH);
  endsBlock = (bits & FORM_ENDS_BLOCK) != 0 || (bits & 0xfff) == 0;
  return length;
}
