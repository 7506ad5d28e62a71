// Bits: BT, BTS, BTR, BTC, BSF, BSR, BSWAP, CMPXCHG (SDM 2A).
import { RAX, RBX, RCX, RDX, SEG_LINEAR, SEGMENTS } from '../../layout';
import { bit, maskOf } from '../core/bits';
import { fault, GP } from '../core/faults';
import { CF, changeFlags, flagsOfSub, ZF } from '../core/flags';
import { isMemory, modifyOperand, readOperand, width, writeOperand } from '../core/generic';
import { checkWrite, read, write } from '../core/memory';
import { address, cutAddress, immediate, reg, segment, setReg, setRegister } from '../core/operands';
import { failed } from '../core/trouble';

const TEST: u32 = 0;
const SET: u32 = 1;
const RESET: u32 = 2;
const COMPLEMENT: u32 = 3;

/**
 * A bit offset in a register reaches any bit from the address on, in steps of the operand size; an immediate only the bits of
 * the operand.
 */
function bitOperation<T>(pc: usize, offset: i64, far: bool, what: u32): void {
  const size: i64 = sizeof<T>() * 8;
  const mask: T = <T>bit(<u64>(offset & (size - 1)));
  let ea: u64 = 0;
  let old: T;
  const memory = isMemory(pc);
  if (memory) {
    ea = address(pc);
    if (far) ea = cutAddress(pc, ea + <u64>((offset >> <i64>ctz<i64>(size)) * <i64>sizeof<T>()));
    if (what != TEST) checkWrite(segment(pc), ea, sizeof<T>(), sizeof<T>());
    if (failed()) return;
    old = read<T>(segment(pc), ea);
  } else old = readOperand<T>(pc);
  if (failed()) return;
  if (what != TEST) {
    const value: T = <T>(what == SET ? old | mask : what == RESET ? old & ~mask : old ^ mask);
    if (memory) write<T>(segment(pc), ea, value);
    else writeOperand<T>(pc, value);
    if (failed()) return;
  }
  changeFlags(CF, (old & mask) != 0 ? CF : 0);
}

function byRegister<T>(pc: usize, what: u32): void {
  bitOperation<T>(pc, <i64>reg<T>(pc), true, what);
}

function byImmediate<T>(pc: usize, what: u32): void {
  bitOperation<T>(pc, immediate(pc) & 63, false, what);
}

export function bt<T>(pc: usize): void {
  byRegister<T>(pc, TEST);
}
export function bts<T>(pc: usize): void {
  byRegister<T>(pc, SET);
}
export function btr<T>(pc: usize): void {
  byRegister<T>(pc, RESET);
}
export function btc<T>(pc: usize): void {
  byRegister<T>(pc, COMPLEMENT);
}
export function bti<T>(pc: usize): void {
  byImmediate<T>(pc, TEST);
}
export function btsi<T>(pc: usize): void {
  byImmediate<T>(pc, SET);
}
export function btri<T>(pc: usize): void {
  byImmediate<T>(pc, RESET);
}
export function btci<T>(pc: usize): void {
  byImmediate<T>(pc, COMPLEMENT);
}

/** The operand's bits without the sign extension. */
function bits<T>(a: T): u64 {
  return sizeof<T>() == 8 ? <u64>a : <u64>a & maskOf(sizeof<T>());
}

/** BSF and BSR do not change the register where no bit is set, as on every processor (the SDM calls it undefined). */
export function bsf<T>(pc: usize): void {
  const value = bits<T>(readOperand<T>(pc));
  if (failed()) return;
  if (value != 0) setReg<T>(pc, <T>ctz<u64>(value));
  changeFlags(ZF, value == 0 ? ZF : 0);
}

export function bsr<T>(pc: usize): void {
  const value = bits<T>(readOperand<T>(pc));
  if (failed()) return;
  if (value != 0) setReg<T>(pc, <T>(63 - clz<u64>(value)));
  changeFlags(ZF, value == 0 ? ZF : 0);
}

/** BSWAP of 16 bits is undefined; processors clear the register's low half. */
export function bswap<T>(a: T): T {
  if (sizeof<T>() == 2) return 0;
  return bswapOf<T>(a);
}

function bswapOf<T>(a: T): T {
  let result: u64 = 0;
  for (let i: u64 = 0; i < sizeof<T>(); i++) result = (result << 8) | ((<u64>a >> (i << 3)) & 0xff);
  return <T>result;
}

/** Memory is always written (SDM 2A CMPXCHG); a register that is not equal keeps its upper half too. */
export function cmpxchg<T>(pc: usize): void {
  const old = modifyOperand<T>(pc);
  if (failed()) return;
  const expected = load<T>(RAX);
  if (old == expected) writeOperand<T>(pc, reg<T>(pc));
  else if (isMemory(pc)) writeOperand<T>(pc, old);
  if (failed()) return;
  if (old != expected) setRegister<T>(RAX, old);
  flagsOfSub<T>(expected, old, <T>(expected - old));
}

/** CMPXCHG16B: compares RDX:RAX with 16 aligned bytes, and writes RCX:RBX to them. */
function cmpxchg16b(pc: usize): void {
  const seg = segment(pc);
  const ea = address(pc);
  if ((ea + load<u64>(SEGMENTS + ((<usize>seg) << 6), SEG_LINEAR)) & 15) {
    fault(GP);
    return;
  }
  checkWrite(seg, ea, 8, 8);
  if (failed()) return;
  const low = read<u64>(seg, ea);
  if (failed()) return;
  const high = read<u64>(seg, ea + 8);
  if (failed()) return;
  const equal = low == load<u64>(RAX) && high == load<u64>(RDX);
  write<u64>(seg, ea, equal ? load<u64>(RBX) : low);
  if (failed()) return;
  write<u64>(seg, ea + 8, equal ? load<u64>(RCX) : high);
  if (failed()) return;
  if (!equal) {
    store<u64>(RAX, low);
    store<u64>(RDX, high);
  }
  changeFlags(ZF, equal ? ZF : 0);
}

export function cmpxchg8b(pc: usize): void {
  if (width(pc) == 8) {
    cmpxchg16b(pc);
    return;
  }
  checkWrite(segment(pc), address(pc), 8, 8);
  if (failed()) return;
  const old = read<u64>(segment(pc), address(pc));
  if (failed()) return;
  const expected = <u64>load<u32>(RAX) | ((<u64>load<u32>(RDX)) << 32);
  const replacement = <u64>load<u32>(RBX) | ((<u64>load<u32>(RCX)) << 32);
  write<u64>(segment(pc), address(pc), old == expected ? replacement : old);
  if (failed()) return;
  if (old != expected) {
    store<u64>(RAX, old & 0xffffffff);
    store<u64>(RDX, old >> 32);
  }
  changeFlags(ZF, old == expected ? ZF : 0);
}
