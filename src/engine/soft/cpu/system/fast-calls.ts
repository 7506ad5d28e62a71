// Kernel calls without descriptor tables: SYSCALL, SYSENTER and their returns (SDM 2B, 3A 6.8.7, 6.8.8).
import {
  CR0,
  EFER,
  FLAGS_SYSTEM,
  FMASK,
  KERNEL_GS_BASE,
  LSTAR,
  OP_WIDTH,
  RCX,
  RDX,
  REGS,
  RIP,
  RSP,
  SEG_BASE,
  SEG_CS,
  SEG_GS,
  SEG_SS,
  STAR,
  SYSENTER_CS,
  SYSENTER_EIP,
  SYSENTER_ESP,
} from '../../layout';
import { code64 } from '../core/cpu-mode';
import { updateEvents } from '../core/events';
import { fault, GP, UD } from '../core/faults';
import { IF, RF, rflags, setRflags, VM } from '../core/flags';
import { ripAfter } from '../core/operands';
import { canonical } from '../core/paging';
import { BIG, LONG_CODE, longMode } from './descriptor-bits';
import { privileged } from './privilege';
import { segmentAt, setBase, setSegment, updateMode } from './segments';

const R11 = REGS + 11 * 8;
const EFER_SCE: u32 = 1;
/** Present, not a system segment, page granularity, accessed: readable code; writable data. */
const FLAT_CODE: u32 = 0x809b;
const FLAT_DATA: u32 = 0x8093 | BIG;
/** The flags that SYSRET loads from R11 (SDM 2B SYSRET). */
const SYSRET_FLAGS: u32 = 0x3c7fd7;

/** Loads flat code and stack segments, at a privilege level. */
function setFlat(code: u32, stack: u32, privilege: u32, size: u32): void {
  setSegment(SEG_CS, code, 0, 0xffffffff, FLAT_CODE | size | (privilege << 5));
  setSegment(SEG_SS, stack, 0, 0xffffffff, FLAT_DATA | (privilege << 5));
  updateMode();
}

export function syscall(pc: usize): void {
  if (!(load<u32>(EFER) & EFER_SCE) || !code64()) {
    fault(UD);
    return;
  }
  const selector = load<u32>(STAR, 4) & 0xfffc;
  const flags = rflags();
  store<u64>(RCX, ripAfter(pc));
  store<u64>(R11, <u64>(flags & ~RF));
  store<u64>(RIP, load<u64>(LSTAR));
  setRflags(flags & ~load<u32>(FMASK) & ~RF);
  setFlat(selector, selector + 8, 0, LONG_CODE);
  updateEvents();
}

export function sysret(pc: usize): void {
  if (!(load<u32>(EFER) & EFER_SCE) || !code64()) {
    fault(UD);
    return;
  }
  if (!privileged()) return;
  const wide = load<u8>(pc, OP_WIDTH) == 8;
  const rip = load<u64>(RCX);
  if (wide && !canonical(rip)) {
    fault(GP);
    return;
  }
  const selector = <u32>load<u16>(STAR, 6);
  store<u64>(RIP, wide ? rip : rip & 0xffffffff);
  setRflags(load<u32>(R11) & SYSRET_FLAGS);
  setFlat((wide ? selector + 16 : selector) | 3, (selector + 8) | 3, 3, wide ? LONG_CODE : BIG);
  updateEvents();
}

/** The kernel's code selector; 0 and #GP(0) where it is null. */
function kernelCode(): u32 {
  const selector = load<u32>(CR0) & 1 ? load<u32>(SYSENTER_CS) & 0xfffc : 0;
  if (selector == 0) fault(GP);
  return selector;
}

export function sysenter(_pc: usize): void {
  const selector = kernelCode();
  if (selector == 0) return;
  store<u32>(FLAGS_SYSTEM, load<u32>(FLAGS_SYSTEM) & ~(VM | IF | RF));
  const long = longMode();
  store<u64>(RSP, long ? load<u64>(SYSENTER_ESP) : <u64>load<u32>(SYSENTER_ESP));
  store<u64>(RIP, long ? load<u64>(SYSENTER_EIP) : <u64>load<u32>(SYSENTER_EIP));
  setFlat(selector, selector + 8, 0, long ? LONG_CODE : BIG);
  updateEvents();
}

export function sysexit(pc: usize): void {
  const selector = kernelCode();
  if (selector == 0 || !privileged()) return;
  const wide = load<u8>(pc, OP_WIDTH) == 8;
  const rip = load<u64>(RDX);
  const rsp = load<u64>(RCX);
  if (wide && !(canonical(rip) && canonical(rsp))) {
    fault(GP);
    return;
  }
  store<u64>(RIP, wide ? rip : rip & 0xffffffff);
  store<u64>(RSP, wide ? rsp : rsp & 0xffffffff);
  const code = selector + (wide ? 32 : 16);
  setFlat(code | 3, (code + 8) | 3, 3, wide ? LONG_CODE : BIG);
}

/** SWAPGS: exchanges the kernel's and the program's base of GS. */
export function swapgs(_pc: usize): void {
  if (!privileged()) return;
  const base = load<u64>(segmentAt(SEG_GS), SEG_BASE);
  setBase(SEG_GS, load<u64>(KERNEL_GS_BASE));
  store<u64>(KERNEL_GS_BASE, base);
}
