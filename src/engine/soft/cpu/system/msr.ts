// Model-specific registers (SDM 4): those that operating systems use. Others raise #GP.
import {
  APIC_BASE,
  APIC_THERE,
  CPL,
  CPU_AMD,
  CR0,
  CR0_PG,
  CR4,
  CR4_FSGSBASE,
  CR4_TSD,
  CSTAR,
  EFER,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  FMASK,
  KERNEL_GS_BASE,
  LSTAR,
  MISC_ENABLE,
  MSR_REFUSED,
  MTRR_DEFAULT,
  MTRR_FIXED,
  MTRR_VARIABLE,
  PAT,
  RAX,
  RCX,
  RDX,
  SEG_BASE,
  SEG_FS,
  SEG_GS,
  STAR,
  SYSENTER_CS,
  SYSENTER_EIP,
  SYSENTER_ESP,
  TSC_AUX,
  TSC_OFFSET,
} from '../../layout';
import { clockAt } from '../core/blocks';
import { answer, EXIT_MSR, external } from '../core/external';
import { fault, GP, UD } from '../core/faults';
import { rm, setRm } from '../core/operands';
import { canonicalBase, PHYSICAL_BITS } from '../core/paging';
import { flushTlb } from '../core/tlb';
import { failed } from '../core/trouble';
import { isModelMsr } from './model-msrs';
import { privileged } from './privilege';
import { openSegment, segmentAt, setBase } from './segments';

const MSR_TSC: u32 = 0x10;
const MSR_APIC_BASE: u32 = 0x1b;
const MSR_BIOS_SIGN_ID: u32 = 0x8b;
const MSR_MTRRCAP: u32 = 0xfe;
const MSR_SYSENTER_CS: u32 = 0x174;
const MSR_SYSENTER_ESP: u32 = 0x175;
const MSR_SYSENTER_EIP: u32 = 0x176;
const MSR_MCG_CAP: u32 = 0x179;
const MSR_MCG_STATUS: u32 = 0x17a;
const MSR_MISC_ENABLE: u32 = 0x1a0;
const MSR_MTRR_PHYSBASE0: u32 = 0x200;
const MSR_MTRR_FIX64K: u32 = 0x250;
const MSR_MTRR_FIX16K: u32 = 0x258;
const MSR_MTRR_FIX4K: u32 = 0x268;
const MSR_PAT: u32 = 0x277;
const MSR_TSC_DEADLINE: u32 = 0x6e0;
const MSR_X2APIC: u32 = 0x800;
const X2APIC_MSRS: u32 = 0x100;
const MSR_MTRR_DEF_TYPE: u32 = 0x2ff;
const MSR_EFER: u32 = 0xc0000080;
const MSR_STAR: u32 = 0xc0000081;
const MSR_LSTAR: u32 = 0xc0000082;
const MSR_CSTAR: u32 = 0xc0000083;
const MSR_FMASK: u32 = 0xc0000084;
const MSR_FS_BASE: u32 = 0xc0000100;
const MSR_GS_BASE: u32 = 0xc0000101;
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;
const MSR_TSC_AUX: u32 = 0xc0000103;

/** Pairs of base and mask registers of the memory types: MTRRCAP's low byte. */
const VARIABLE_RANGES: u32 = 8;
/** MTRRCAP: fixed ranges (bit 8) and write combining (bit 10). */
const MTRR_CAPABILITIES: u64 = 0x500 | VARIABLE_RANGES;

/** The instructions that completed before the one at `pc`, plus the offset that the guest wrote to its counter. */
function timeStamp(pc: usize): u64 {
  return <u64>clockAt(pc) + load<u64>(TSC_OFFSET);
}

function setPair(value: u64): void {
  store<u64>(RAX, value & 0xffffffff);
  store<u64>(RDX, value >> 32);
}

/** The time stamp counter counts instructions. */
export function rdtsc(pc: usize): void {
  if (load<u32>(CPL) != 0 && load<u32>(CR4) & CR4_TSD) fault(GP);
  else setPair(timeStamp(pc));
}

/** The counter, and TSC_AUX in ECX. */
export function rdtscp(pc: usize): void {
  rdtsc(pc);
  if (!failed()) store<u64>(RCX, load<u64>(TSC_AUX));
}

export function rdpid<T>(pc: usize): void {
  setRm<T>(pc, load<T>(TSC_AUX));
}

/** The bases of FS and GS without an MSR (SDM 2B RDFSBASE, 2D WRFSBASE). */
function readBase<T>(pc: usize, index: u32): void {
  if (load<u32>(CR4) & CR4_FSGSBASE) setRm<T>(pc, load<T>(segmentAt(index), SEG_BASE));
  else fault(UD);
}

function writeBase<T>(pc: usize, index: u32): void {
  const value = sizeof<T>() == 8 ? <u64>rm<T>(pc) : <u64>rm<T>(pc) & 0xffffffff;
  if (!(load<u32>(CR4) & CR4_FSGSBASE)) fault(UD);
  else if (!canonicalBase(value)) fault(GP);
  else setBase(index, value);
}

export function rdfsbase<T>(pc: usize): void {
  readBase<T>(pc, SEG_FS);
}
export function rdgsbase<T>(pc: usize): void {
  readBase<T>(pc, SEG_GS);
}
export function wrfsbase<T>(pc: usize): void {
  writeBase<T>(pc, SEG_FS);
}
export function wrgsbase<T>(pc: usize): void {
  writeBase<T>(pc, SEG_GS);
}

/** There are no performance counters, so every index is invalid. */
export function rdpmc(_pc: usize): void {
  fault(GP);
}

/** The address of an MSR that only stores its value; 0 for others. */
function cellOf(msr: u32): usize {
  if (msr - MSR_MTRR_PHYSBASE0 < 2 * VARIABLE_RANGES)
    return MTRR_VARIABLE + ((msr - MSR_MTRR_PHYSBASE0) << 3);
  if (msr == MSR_MTRR_FIX64K) return MTRR_FIXED;
  if (msr - MSR_MTRR_FIX16K < 2) return MTRR_FIXED + ((1 + msr - MSR_MTRR_FIX16K) << 3);
  if (msr - MSR_MTRR_FIX4K < 8) return MTRR_FIXED + ((3 + msr - MSR_MTRR_FIX4K) << 3);
  switch (msr) {
    case MSR_APIC_BASE:
      return APIC_BASE;
    case MSR_SYSENTER_CS:
      return SYSENTER_CS;
    case MSR_SYSENTER_ESP:
      return SYSENTER_ESP;
    case MSR_SYSENTER_EIP:
      return SYSENTER_EIP;
    case MSR_MISC_ENABLE:
      // Only Intel has these.
      return load<u32>(CPU_AMD) ? 0 : MISC_ENABLE;
    case MSR_PAT:
      return PAT;
    case MSR_MTRR_DEF_TYPE:
      return MTRR_DEFAULT;
    case MSR_EFER:
      return EFER;
    case MSR_STAR:
      return STAR;
    case MSR_LSTAR:
      return LSTAR;
    case MSR_CSTAR:
      return CSTAR;
    case MSR_FMASK:
      return FMASK;
    case MSR_FS_BASE:
      return segmentAt(SEG_FS) + SEG_BASE;
    case MSR_GS_BASE:
      return segmentAt(SEG_GS) + SEG_BASE;
    case MSR_KERNEL_GS_BASE:
      return KERNEL_GS_BASE;
    case MSR_TSC_AUX:
      return TSC_AUX;
    default:
      return 0;
  }
}

/** MSRs of a local APIC that is a device. Its base is also in the registers. */
function isApics(msr: u32): bool {
  return load<u32>(APIC_THERE) != 0 && (msr == MSR_TSC_DEADLINE || msr - MSR_X2APIC < X2APIC_MSRS);
}

/** The device's answer to a read or a write; the register may not exist. */
function askForMsr(msr: u32, write: bool, value: u64): void {
  if (!external(EXIT_MSR, msr, 8, write, value)) return;
  if (load<u32>(MSR_REFUSED)) fault(GP);
  else if (!write) setPair(answer());
  else if (msr == MSR_APIC_BASE) store<u64>(APIC_BASE, value);
}

export function rdmsr(pc: usize): void {
  if (!privileged()) return;
  const msr = load<u32>(RCX);
  const cell = cellOf(msr);
  if (isApics(msr)) askForMsr(msr, false, 0);
  else if (cell) setPair(load<u64>(cell));
  else if (msr == MSR_TSC) setPair(timeStamp(pc));
  else if (msr == MSR_MTRRCAP) setPair(MTRR_CAPABILITIES);
  // No machine-check banks, no microcode update.
  else if (msr == MSR_MCG_CAP || msr == MSR_MCG_STATUS || msr == MSR_BIOS_SIGN_ID || isModelMsr(msr))
    setPair(0);
  else fault(GP);
}

/** Memory types: uncacheable, write combining, write through, write protected, write back; the PAT also allows UC-. */
function isMemoryType(type: u64, pat: bool): bool {
  return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

function areMemoryTypes(value: u64, pat: bool): bool {
  for (let i: u64 = 0; i < 64; i += 8) if (!isMemoryType((value >> i) & 0xff, pat)) return false;
  return true;
}

/** True if a stored MSR may have this value. */
function allowed(msr: u32, value: u64): bool {
  if (msr - MSR_MTRR_PHYSBASE0 < 2 * VARIABLE_RANGES) {
    if (value >> PHYSICAL_BITS) return false;
    return msr & 1 ? !(value & 0x7ff) : !(value & 0xf00) && isMemoryType(value & 0xff, false);
  }
  if (msr >= MSR_MTRR_FIX64K && msr < MSR_MTRR_FIX4K + 8 && msr != MSR_PAT)
    return areMemoryTypes(value, false);
  switch (msr) {
    case MSR_PAT:
      return areMemoryTypes(value, true);
    case MSR_MTRR_DEF_TYPE:
      return !(value & ~(<u64>0xcff)) && isMemoryType(value & 0xff, false);
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
      return canonicalBase(value);
    case MSR_FMASK:
    case MSR_TSC_AUX:
      return value >> 32 == 0;
    case MSR_APIC_BASE:
      // The BSP flag, the x2APIC bit, which is not supported, and the enable bit.
      return !(value >> PHYSICAL_BITS) && !(value & 0x6ff);
    default:
      return true;
  }
}

const EFER_BITS: u64 = EFER_SCE | EFER_LME | EFER_NXE;

/** LMA is read-only; LME cannot change while paging is on. */
function setEfer(value: u64): void {
  const before = load<u64>(EFER);
  const lma: u64 = 0x400;
  if (value & ~(EFER_BITS | lma) || ((value ^ before) & EFER_LME && load<u64>(CR0) & CR0_PG)) fault(GP);
  else {
    store<u64>(EFER, (value & EFER_BITS) | (before & lma));
    flushTlb();
  }
}

export function wrmsr(pc: usize): void {
  if (!privileged()) return;
  const msr = load<u32>(RCX);
  const value = <u64>load<u32>(RAX) | ((<u64>load<u32>(RDX)) << 32);
  const cell = cellOf(msr);
  if (isApics(msr) || (msr == MSR_APIC_BASE && load<u32>(APIC_THERE))) askForMsr(msr, true, value);
  else if (msr == MSR_EFER) setEfer(value);
  else if (msr == MSR_TSC) store<u64>(TSC_OFFSET, load<u64>(TSC_OFFSET) + value - timeStamp(pc));
  else if (cell && allowed(msr, value)) {
    store<u64>(cell, value);
    if (msr == MSR_FS_BASE) openSegment(SEG_FS);
    else if (msr == MSR_GS_BASE) openSegment(SEG_GS);
  } else if (cell || !(isModelMsr(msr) || (value == 0 && (msr == MSR_BIOS_SIGN_ID || msr == MSR_MCG_STATUS))))
    fault(GP);
}
