// The registers of MMX and SSE, the checks whether they may be used, and 16-byte memory operands (SDM 3A 2.5, 13.1; SDM 1 9.2,
// 10.2).
import {
  CR0,
  CR4,
  FAULT_VECTOR,
  FPU_REGISTERS,
  FPU_STATUS,
  FPU_TAGS,
  MXCSR,
  OP_REG,
  OP_RM,
  TROUBLE,
  TROUBLE_FAULT,
  XMM_REGISTERS,
} from '../../layout';
import { maskOf } from '../core/bits';
import { ALIGNMENT, fault, GP, NM, PAGE_FAULT, UD } from '../core/faults';
import {
  checkRead,
  checksAlignment,
  checkWrite,
  linearAddress,
  read,
  readable,
  readLinear,
  writable,
  write,
  writeLinear,
} from '../core/memory';
import { address, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { nothingPending } from '../x87/instruction';

export const CR0_EM: u32 = 4;
export const CR0_TS: u32 = 8;
const CR4_OSFXSR: u32 = 0x200;
/** MXCSR.MM. */
const MISALIGNED: u32 = 0x20000;

/** False where SSE may not be used: #UD or #NM. */
export function sse(): bool {
  const cr0 = load<u32>(CR0);
  if (cr0 & CR0_EM || !(load<u32>(CR4) & CR4_OSFXSR)) fault(UD);
  else if (cr0 & CR0_TS) fault(NM);
  else return true;
  return false;
}

/** False where MMX may not be used: #UD, #NM, or a pending x87 exception. */
export function mmx(): bool {
  const cr0 = load<u32>(CR0);
  if (cr0 & CR0_EM) fault(UD);
  else if (cr0 & CR0_TS) fault(NM);
  else return nothingPending();
  return false;
}

/** For instructions that use both; `sse` selects the first check. */
export function sseAndMmx(): bool {
  return sse() && mmx();
}

/** After an MMX instruction: TOP is 0, and no register is empty (SDM 1 9.5.1). */
export function usedMmx(): void {
  store<u16>(FPU_STATUS, <u16>(<u32>load<u16>(FPU_STATUS) & ~0x3800));
  store<u8>(FPU_TAGS, 0xff);
}

/** Before an MMX register is stored: TOP becomes 0 even if the store faults. */
export function storesMmx(): void {
  store<u16>(FPU_STATUS, <u16>(<u32>load<u16>(FPU_STATUS) & ~0x3800));
}

/** After the store, even if it faulted: only a page fault leaves the tags unchanged. */
export function storedMmx(): void {
  const faulted = load<u32>(TROUBLE) & TROUBLE_FAULT && load<u32>(FAULT_VECTOR) == PAGE_FAULT;
  if (!faulted) store<u8>(FPU_TAGS, 0xff);
}

// Operations hold eight times a register's number.
function xmmAt(pc: usize, field: usize): usize {
  return XMM_REGISTERS + ((<usize>load<u8>(pc + field)) << 1);
}

function mmxAt(pc: usize, field: usize): usize {
  return FPU_REGISTERS + ((<usize>load<u8>(pc + field) & 0x38) << 1);
}

export function xmmReg(pc: usize): v128 {
  return v128.load(xmmAt(pc, OP_REG));
}

export function xmmRm(pc: usize): v128 {
  return v128.load(xmmAt(pc, OP_RM));
}

export function setXmmReg(pc: usize, value: v128): void {
  v128.store(xmmAt(pc, OP_REG), value);
}

export function setXmmRm(pc: usize, value: v128): void {
  v128.store(xmmAt(pc, OP_RM), value);
}

export function mmxReg(pc: usize): v128 {
  return v128.load64_zero(mmxAt(pc, OP_REG));
}

export function mmxRm(pc: usize): v128 {
  return v128.load64_zero(mmxAt(pc, OP_RM));
}

function setMmx(at: usize, value: v128): void {
  store<u64>(at, i64x2.extract_lane(value, 0));
  // Read as an x87 number it is a NaN or infinity (SDM 1 9.2.1).
  store<u16>(at, 0xffff, 8);
  usedMmx();
}

export function setMmxReg(pc: usize, value: v128): void {
  setMmx(mmxAt(pc, OP_REG), value);
}

export function setMmxRm(pc: usize, value: v128): void {
  setMmx(mmxAt(pc, OP_RM), value);
}

/** An integer in the low elements. */
export function fromInteger(value: i64): v128 {
  return i64x2.replace_lane(i64x2.splat(0), 0, value);
}

/** #GP, or #SS for the stack, where 16 bytes are not aligned. */
function aligned(seg: u32, ea: u64): bool {
  if (!(linearAddress(seg, ea) & 15)) return true;
  fault(GP);
  return false;
}

/** Reads 1 to 8 bytes into the low elements; the others are 0. */
export function memory<T>(pc: usize): v128 {
  const value = read<T>(segment(pc), address(pc));
  return fromInteger(sizeof<T>() == 8 ? <i64>value : <i64>(<u64>value & maskOf(sizeof<T>())));
}

export function memory16(pc: usize): v128 {
  if (!aligned(segment(pc), address(pc))) return i64x2.splat(0);
  return unaligned16(pc);
}

/**
 * As `memory16`, but for moves: in AMD's misaligned SSE mode, MXCSR.MM, only #AC requires the alignment (APM 2 11.3.2).
 */
export function operand16(pc: usize): v128 {
  if (!(load<u32>(MXCSR) & MISALIGNED)) return memory16(pc);
  if (linearAddress(segment(pc), address(pc)) & 15 && checksAlignment()) {
    fault(ALIGNMENT);
    return i64x2.splat(0);
  }
  return unaligned16(pc);
}

export function unaligned16(pc: usize): v128 {
  return read16(segment(pc), address(pc));
}

function read16(seg: u32, ea: u64): v128 {
  const place = readable(seg, ea, 16);
  if (place) return v128.load(place);
  // All sixteen bytes are allowed, or none is accessed. #AC does not apply: an operand that must be aligned is, or raised #GP.
  checkRead(seg, ea, 16, 1);
  if (failed()) return i64x2.splat(0);
  const low = readLinear<u64>(linearAddress(seg, ea));
  if (failed()) return i64x2.splat(0);
  const high = readLinear<u64>(linearAddress(seg, ea + 8));
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

export function setMemory<T>(pc: usize, value: v128): void {
  write<T>(segment(pc), address(pc), <T>i64x2.extract_lane(value, 0));
}

export function setMemory16(pc: usize, value: v128): void {
  if (aligned(segment(pc), address(pc))) setUnaligned16(pc, value);
}

export function setUnaligned16(pc: usize, value: v128): void {
  const seg = segment(pc);
  const ea = address(pc);
  const place = writable(seg, ea, 16);
  if (place) {
    v128.store(place, value);
    return;
  }
  checkWrite(seg, ea, 16, 1);
  if (failed()) return;
  writeLinear<u64>(linearAddress(seg, ea), i64x2.extract_lane(value, 0));
  if (!failed()) writeLinear<u64>(linearAddress(seg, ea + 8), i64x2.extract_lane(value, 1));
}
