// Instructions that ask or change the CPU itself (SDM 3A 2.8).
import {
  BUDGET,
  CLOCK,
  CR0,
  CR2,
  CR3,
  CR4,
  CR8,
  DEBUG_REGISTERS,
  FLAGS_SYSTEM,
  GDT_BASE,
  GDT_LIMIT,
  IDT_BASE,
  IDT_LIMIT,
  OP_REG,
  OP_RM,
  OP_WIDTH,
  RAX,
  RBX,
  RCX,
  RDX,
} from '../layout';
import { shadow, updateEvents } from './events';
import { EXIT_HALT, exitFor } from './external';
import { fault, GP, notImplemented, UD } from './faults';
import { DF, IF, systemFlag } from './flags';
import { isMemory, readOperand, writeOperand } from './generic';
import { failed, flushTlb, read, write } from './memory';
import { address, cutAddress, segment, setRegister } from './operands';
import { realMode } from './segments';

export function invalid(_pc: usize): void {
  fault(UD);
}

export function ud2(_pc: usize): void {
  fault(UD);
}

export function nop<T>(_pc: usize): void {}

/** WAIT: there is no x87 yet that could have an exception to report. */
export function wait(_pc: usize): void {}

export function fpu<T>(_pc: usize): void {
  notImplemented();
}

/** True where the instruction may do what only ring 0 may. */
function privileged(): bool {
  if (realMode()) return true;
  notImplemented();
  return false;
}

export function hlt(_pc: usize): void {
  if (privileged()) exitFor(EXIT_HALT);
}

function setSystemFlag(flag: u32, on: bool): void {
  const flags = load<u32>(FLAGS_SYSTEM);
  store<u32>(FLAGS_SYSTEM, on ? flags | flag : flags & ~flag);
}

export function cli(_pc: usize): void {
  if (!privileged()) return;
  setSystemFlag(IF, false);
  updateEvents();
}

/** Interrupts are taken behind the instruction after it, if they were off (SDM 2B STI). */
export function sti(_pc: usize): void {
  if (!privileged()) return;
  if (!systemFlag(IF)) shadow();
  setSystemFlag(IF, true);
  updateEvents();
}

export function cld(_pc: usize): void {
  setSystemFlag(DF, false);
}

export function std(_pc: usize): void {
  setSystemFlag(DF, true);
}

/** A 16-bit operand size takes and gives 24 bits of the base (SDM 2A LGDT, 2B SGDT). */
function loadTable(pc: usize, base: usize, limit: usize): void {
  if (!privileged()) return;
  const size = read<u16>(segment(pc), address(pc));
  if (failed()) return;
  const start = read<u32>(segment(pc), cutAddress(pc, address(pc) + 2));
  if (failed()) return;
  store<u64>(base, <u64>(load<u8>(pc, OP_WIDTH) == 2 ? start & 0xffffff : start));
  store<u32>(limit, <u32>size);
}

function storeTable(pc: usize, base: usize, limit: usize): void {
  write<u16>(segment(pc), address(pc), <u16>load<u32>(limit));
  if (!failed()) write<u32>(segment(pc), cutAddress(pc, address(pc) + 2), load<u32>(base));
}

export function lgdt(pc: usize): void {
  loadTable(pc, GDT_BASE, GDT_LIMIT);
}
export function lidt(pc: usize): void {
  loadTable(pc, IDT_BASE, IDT_LIMIT);
}
export function sgdt(pc: usize): void {
  storeTable(pc, GDT_BASE, GDT_LIMIT);
}
export function sidt(pc: usize): void {
  storeTable(pc, IDT_BASE, IDT_LIMIT);
}

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
  store<u64>(0x100 + <usize>load<u8>(pc, OP_RM), load<u64>(from));
}

export function movtocr(pc: usize): void {
  if (!privileged()) return;
  const value = <u64>load<u32>(0x100 + <usize>load<u8>(pc, OP_RM));
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

/** DR4 and DR5 are DR6 and DR7 (SDM 3B 17.2.2). Breakpoints themselves are not done yet: they cannot be enabled. */
export function movfromdr(pc: usize): void {
  if (!privileged()) return;
  let number = <usize>(load<u8>(pc, OP_REG) >> 3) & 7;
  if (number == 4 || number == 5) number += 2;
  store<u64>(0x100 + <usize>load<u8>(pc, OP_RM), load<u64>(DEBUG_REGISTERS + (number << 3)));
}

export function movtodr(pc: usize): void {
  if (!privileged()) return;
  let number = <usize>(load<u8>(pc, OP_REG) >> 3) & 7;
  if (number == 4 || number == 5) number += 2;
  const value = <u64>load<u32>(0x100 + <usize>load<u8>(pc, OP_RM));
  if (number == 7 && value & 0x20ff) notImplemented();
  else store<u64>(DEBUG_REGISTERS + (number << 3), value);
}

/** No caches, and no address translation besides the TLB. */
export function invd(_pc: usize): void {
  privileged();
}
export function wbinvd(_pc: usize): void {
  privileged();
}
export function invlpg(_pc: usize): void {
  if (privileged()) flushTlb();
}

/** The time stamp counter counts instructions. */
export function rdtsc(_pc: usize): void {
  const now = load<i64>(CLOCK) - load<i64>(BUDGET);
  store<u64>(RAX, <u64>now & 0xffffffff);
  store<u64>(RDX, <u64>now >> 32);
}

export function cpuid(_pc: usize): void {
  const leaf = load<u32>(RAX);
  let a: u32 = 0,
    b: u32 = 0,
    c: u32 = 0,
    d: u32 = 0;
  if (leaf == 0) {
    // "Terrarium!!!" as the vendor
    a = 1;
    b = 0x72726554;
    d = 0x75697261;
    c = 0x2121216d;
  } else {
    // Family 6; TSC, CMPXCHG8B, CMOV. Leaves over the last one answer as the last (SDM 2A CPUID).
    a = 0x600;
    d = (1 << 4) | (1 << 8) | (1 << 15);
  }
  setRegister<u32>(RAX, a);
  setRegister<u32>(RBX, b);
  setRegister<u32>(RCX, c);
  setRegister<u32>(RDX, d);
}

// Protected mode's and long mode's own: refused until those modes are there.
export function sldt<T>(_pc: usize): void {
  notImplemented();
}
export function str<T>(_pc: usize): void {
  notImplemented();
}
export function lldt<T>(_pc: usize): void {
  notImplemented();
}
export function ltr<T>(_pc: usize): void {
  notImplemented();
}
export function verr<T>(_pc: usize): void {
  notImplemented();
}
export function verw<T>(_pc: usize): void {
  notImplemented();
}
export function lar<T>(_pc: usize): void {
  notImplemented();
}
export function lsl<T>(_pc: usize): void {
  notImplemented();
}
export function arpl<T>(_pc: usize): void {
  notImplemented();
}
export function rdmsr(_pc: usize): void {
  notImplemented();
}
export function wrmsr(_pc: usize): void {
  notImplemented();
}
export function syscall(_pc: usize): void {
  notImplemented();
}
export function sysret(_pc: usize): void {
  notImplemented();
}
/** SYSENTER and SYSEXIT fault in real-address mode (SDM 2B). */
export function sysenter(_pc: usize): void {
  if (realMode()) fault(GP);
  else notImplemented();
}
export function sysexit(_pc: usize): void {
  if (realMode()) fault(GP);
  else notImplemented();
}
