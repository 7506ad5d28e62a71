// The control registers (SDM 3A 2.5) and what hangs on them.
import { CR0, CR2, CR3, CR4, CR8, OP_REG, OP_RM, REGS } from '../layout';
import { fault, notImplemented, UD } from './faults';
import { isMemory, readOperand, writeOperand } from './generic';
import { failed, write } from './memory';
import { address, segment } from './operands';
import { privileged } from './privilege';
import { flushTlb } from './tlb';

/** SMSW to a register fills the operand size; to memory it is 16 bits. */
export function smsw<T>(pc: usize): void {
  if (isMemory(pc)) write<u16>(segment(pc), address(pc), load<u16>(CR0));
  else writeOperand<T>(pc, <T>load<u32>(CR0));
}

const CR0_PE: u64 = 1;
const CR0_TS: u64 = 8;
const CR0_ET: u64 = 16;
const CR0_PG: u64 = 0x80000000;

function setCr0(value: u64): void {
  // Protected mode is a part of its own that is not there yet.
  if (value & (CR0_PE | CR0_PG)) notImplemented();
  else store<u64>(CR0, value | CR0_ET);
}

export function lmsw<T>(pc: usize): void {
  const value = readOperand<u16>(pc);
  if (!failed()) setCr0((load<u64>(CR0) & ~14) | <u64>(value & 15));
}

export function clts(_pc: usize): void {
  if (privileged()) store<u64>(CR0, load<u64>(CR0) & ~CR0_TS);
}

export function movfromcr(pc: usize): void {
  if (!privileged()) return;
  const number = <u32>(load<u8>(pc, OP_REG) >> 3);
  if (number == 1 || (number > 4 && number != 8)) {
    fault(UD);
    return;
  }
  const from = number == 8 ? CR8 : number == 0 ? CR0 : CR2 + <usize>((number - 2) << 3);
  store<u64>(REGS + <usize>load<u8>(pc, OP_RM), load<u64>(from));
}

export function movtocr(pc: usize): void {
  if (!privileged()) return;
  const value = <u64>load<u32>(REGS + <usize>load<u8>(pc, OP_RM));
  switch (load<u8>(pc, OP_REG) >> 3) {
    case 0:
      setCr0(value);
      break;
    case 2:
      store<u64>(CR2, value);
      break;
    case 3:
      store<u64>(CR3, value);
      flushTlb();
      break;
    case 4:
      store<u64>(CR4, value);
      break;
    default:
      fault(UD);
  }
}

export function invlpg(_pc: usize): void {
  if (privileged()) flushTlb();
}
