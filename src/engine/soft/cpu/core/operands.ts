// The operands of a decoded operation.
import {
  BLOCK_RIP,
  CURRENT,
  OP_ADDRESS,
  OP_BASE,
  OP_DISPLACEMENT,
  OP_IMMEDIATE,
  OP_INDEX,
  OP_LENGTH,
  OP_OFFSET,
  OP_REG,
  OP_RM,
  OP_SCALE,
  OP_SEGMENT,
  OP_VEX,
  REGS,
} from '../../layout';

export function rm<T>(pc: usize): T {
  return load<T>(REGS + <usize>load<u8>(pc, OP_RM));
}

export function reg<T>(pc: usize): T {
  return load<T>(REGS + <usize>load<u8>(pc, OP_REG));
}

/** The register of VEX.vvvv. */
export function vex<T>(pc: usize): T {
  return load<T>(REGS + <usize>load<u8>(pc, OP_VEX));
}

/**
 * Writes a general register: 32-bit results clear the upper half (SDM 1 3.4.1.1), shorter ones do not change the other bits.
 */
export function setRegister<T>(at: usize, value: T): void {
  // Not <u64><u32>value: with AssemblyScript 0.28 and -O3 that sign-extended the result of XCHG (see cpu.test.ts).
  if (sizeof<T>() == 4) store<u64>(at, <u64>value & 0xffffffff);
  else store<T>(at, value);
}

export function setRm<T>(pc: usize, value: T): void {
  setRegister<T>(REGS + <usize>load<u8>(pc, OP_RM), value);
}

export function setReg<T>(pc: usize, value: T): void {
  setRegister<T>(REGS + <usize>load<u8>(pc, OP_REG), value);
}

export function setVex<T>(pc: usize, value: T): void {
  setRegister<T>(REGS + <usize>load<u8>(pc, OP_VEX), value);
}

export function immediate(pc: usize): i64 {
  return load<i64>(pc, OP_IMMEDIATE);
}

/** The offset of a memory operand in its segment. */
export function address(pc: usize): u64 {
  const cut = <u64>load<u8>(pc, OP_ADDRESS);
  const base = load<u64>(REGS + <usize>load<u8>(pc, OP_BASE));
  const index = load<u64>(REGS + <usize>load<u8>(pc, OP_INDEX)) << (<u64>load<u8>(pc, OP_SCALE));
  return ((base + index + load<u64>(pc, OP_DISPLACEMENT)) << cut) >> cut;
}

/** Truncates an offset to the address size of the operation. */
export function cutAddress(pc: usize, offset: u64): u64 {
  const cut = <u64>load<u8>(pc, OP_ADDRESS);
  return (offset << cut) >> cut;
}

/** Writes an address register, with the width of the address size. */
export function setByAddressSize(pc: usize, register: usize, value: u64): void {
  const cut = load<u8>(pc, OP_ADDRESS);
  if (cut == 48) store<u16>(register, <u16>value);
  else if (cut == 32) store<u64>(register, value & 0xffffffff);
  else store<u64>(register, value);
}

export function segment(pc: usize): u32 {
  return <u32>load<u8>(pc, OP_SEGMENT);
}

/** The operation at which `execute` ends. */
export function leave(pc: usize): void {
  store<u32>(CURRENT, pc);
}

/** The instruction pointer at the operation. */
export function ripOf(pc: usize): u64 {
  return load<u64>(BLOCK_RIP) + <u64>load<u16>(pc, OP_OFFSET);
}

/** The instruction pointer after the operation. */
export function ripAfter(pc: usize): u64 {
  return ripOf(pc) + <u64>load<u8>(pc, OP_LENGTH);
}
