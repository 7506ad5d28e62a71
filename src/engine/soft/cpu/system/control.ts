// The control registers (SDM 3A 2.5, SDM 2B MOV to control registers): the refused values, and the effects of the others.
import {
  APIC_THERE,
  CPL,
  CR0,
  CR0_PG,
  CR2,
  CR3,
  CR4,
  CR4_ALLOWED,
  CR4_LA57,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMEP,
  CR8,
  EFER,
  EFER_LMA,
  EFER_LME,
  FLAGS_SYSTEM,
  OP_REG,
  OP_RM,
  REGS,
  SEG_ATTRIBUTES,
  SEG_CS,
  SEG_LINEAR,
  SEG_TR,
  WINDOW_WANTED,
} from '../../layout';
import { code64 } from '../core/cpu-mode';
import { updateEvents } from '../core/events';
import { fault, GP, UD } from '../core/faults';
import { AC } from '../core/flags';
import { isMemory, readOperand, writeOperand } from '../core/generic';
import { read, write } from '../core/memory';
import { address, cutAddress, reg, segment } from '../core/operands';
import { canonicalBase, loadPdptes, PHYSICAL_BITS } from '../core/paging';
import { flushAddress, flushTlb, selectTlb } from '../core/tlb';
import { failed } from '../core/trouble';
import { mayShowSystem, privileged } from './privilege';
import { segmentAt, updateMode } from './segments';

const PE: u64 = 1;
const TS: u64 = 8;
const ET: u64 = 0x10;
const NW: u64 = 0x20000000;
const CD: u64 = 0x40000000;
/** PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG; the others read 0, and writes to them are ignored. */
const CR0_BITS: u64 = 0xe005003f;
const PCID: u64 = 0xfff;

/** PAE paging loads its four entries now, and not again later; false where they are refused. */
function paeEntries(cr0: u64, cr4: u64, long: bool, cr3: u64): bool {
  if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || long) return true;
  return loadPdptes(cr3);
}

/** Turning paging on with EFER.LME turns long mode on (SDM 3A 10.8.5). False where the processor refuses. */
function mayEnterLongMode(): bool {
  // TR must not hold a 16-bit TSS, and CS must not have L set, which would make it 64-bit code at once.
  const task = load<u32>(segmentAt(SEG_TR), SEG_ATTRIBUTES) & 15;
  return (
    (load<u64>(CR4) & CR4_PAE) != 0 && !(load<u32>(segmentAt(SEG_CS), SEG_ATTRIBUTES) & 0x2000) && task > 3
  );
}

function allowedCr0(value: u64): bool {
  const before = load<u64>(CR0);
  if (value >> 32) return false;
  if (value & CR0_PG && !(value & PE)) return false;
  if (value & NW && !(value & CD)) return false;
  if (value & CR0_PG && !(before & CR0_PG) && load<u64>(EFER) & EFER_LME) return mayEnterLongMode();
  if (!(value & CR0_PG) && before & CR0_PG) return !code64() && !(load<u64>(CR4) & CR4_PCIDE);
  return true;
}

function setCr0(given: u64): void {
  const value = (given & CR0_BITS) | ET;
  const long = value & CR0_PG && load<u64>(EFER) & EFER_LME;
  const paging = CR0_PG | NW | CD;
  const changed = (value ^ load<u64>(CR0)) & paging;
  if (
    !allowedCr0(given & (0xffffffff00000000 | CR0_BITS)) ||
    (changed && !paeEntries(value, load<u64>(CR4), long != 0, load<u64>(CR3)))
  ) {
    fault(GP);
    return;
  }
  store<u64>(CR0, value);
  store<u64>(EFER, long ? load<u64>(EFER) | EFER_LMA : load<u64>(EFER) & ~(<u64>EFER_LMA));
  flushTlb();
  updateMode();
}

/** The low 12 bits are a PCID or are ignored; bit 63 allows to keep the PCID's entries, and may be ignored. */
function setCr3(given: u64): void {
  const pcids = (load<u64>(CR4) & CR4_PCIDE) != 0;
  const value = pcids ? given & ~((<u64>1) << 63) : given;
  const long = (load<u64>(EFER) & EFER_LMA) != 0;
  if ((long && value >> PHYSICAL_BITS) || !paeEntries(load<u64>(CR0), load<u64>(CR4), long, value)) {
    fault(GP);
    return;
  }
  store<u64>(CR3, value);
  flushTlb();
}

function allowedCr4(value: u64): bool {
  if (value & ~load<u64>(CR4_ALLOWED)) return false;
  const changed = value ^ load<u64>(CR4);
  const long = (load<u64>(EFER) & EFER_LMA) != 0;
  if (long && (!(value & CR4_PAE) || changed & CR4_LA57)) return false;
  return !(changed & value & CR4_PCIDE) || (long && !(load<u64>(CR3) & PCID));
}

function setCr4(value: u64): void {
  const long = (load<u64>(EFER) & EFER_LMA) != 0;
  const paging = CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP;
  const changed = (value ^ load<u64>(CR4)) & paging;
  if (!allowedCr4(value) || (changed && !paeEntries(load<u64>(CR0), value, long, load<u64>(CR3)))) {
    fault(GP);
    return;
  }
  store<u64>(CR4, value);
  flushTlb();
  updateMode();
}

/** The register of an instruction. #UD where it does not exist, at every privilege level. */
function controlRegister(pc: usize): usize {
  const number = <u32>(load<u8>(pc, OP_REG) >> 3);
  if (number == 0) return CR0;
  if (number == 2) return CR2;
  if (number == 3) return CR3;
  if (number == 4) return CR4;
  if (number == 8) return CR8;
  fault(UD);
  return 0;
}

/** 64 bits in 64-bit code, 32 elsewhere, for every operand size (SDM 2B MOV to control registers). */
export function movfromcr(pc: usize): void {
  const from = controlRegister(pc);
  if (failed() || !privileged()) return;
  store<u64>(REGS + <usize>load<u8>(pc, OP_RM), code64() ? load<u64>(from) : load<u64>(from) & 0xffffffff);
}

export function movtocr(pc: usize): void {
  const to = controlRegister(pc);
  if (failed() || !privileged()) return;
  const given = load<u64>(REGS + <usize>load<u8>(pc, OP_RM));
  const value = code64() ? given : given & 0xffffffff;
  if (to == CR0) setCr0(value);
  else if (to == CR2) store<u64>(CR2, value);
  else if (to == CR3) setCr3(value);
  else if (to == CR4) setCr4(value);
  else if (value >> 4) fault(GP);
  else setCr8(value);
}

/** A lower task priority may allow an interrupt: the controller is queried as soon as one can be taken. */
function setCr8(value: u64): void {
  const lower = value < load<u64>(CR8);
  store<u64>(CR8, value);
  if (!lower || !load<u32>(APIC_THERE)) return;
  store<u32>(WINDOW_WANTED, 1);
  updateEvents();
}

/** SMSW to a register fills the operand size; to memory it is 16 bits. */
export function smsw<T>(pc: usize): void {
  if (!mayShowSystem()) return;
  if (isMemory(pc)) write<u16>(segment(pc), address(pc), load<u16>(CR0));
  else writeOperand<T>(pc, <T>load<u64>(CR0));
}

/** LMSW changes PE, MP, EM and TS, and cannot clear PE. */
export function lmsw<T>(pc: usize): void {
  if (!privileged()) return;
  const value = <u64>readOperand<u16>(pc) & 15;
  if (!failed()) setCr0((load<u64>(CR0) & ~14) | value);
}

export function clts(_pc: usize): void {
  if (privileged()) store<u64>(CR0, load<u64>(CR0) & ~TS);
}

export function invlpg(pc: usize): void {
  if (privileged()) flushAddress(load<u64>(segmentAt(segment(pc)), SEG_LINEAR) + address(pc));
}

/** INVPCID (SDM 2A): entries of other PCIDs are never kept, so every type but the first flushes everything. */
export function invpcid<T>(pc: usize): void {
  if (!privileged()) return;
  const kind = sizeof<T>() == 8 ? <u64>reg<T>(pc) : <u64>reg<T>(pc) & 0xffffffff;
  const pcid = read<u64>(segment(pc), address(pc));
  if (failed()) return;
  const linear = read<u64>(segment(pc), cutAddress(pc, address(pc) + 8));
  if (failed()) return;
  const named = kind < 2 && pcid != 0 && !(load<u64>(CR4) & CR4_PCIDE);
  if (kind > 3 || pcid & ~PCID || named || (kind == 0 && !canonicalBase(linear))) fault(GP);
  else if (kind == 0) flushAddress(linear);
  else flushTlb();
}

/** CLAC and STAC: whether ring 0 may access user pages where CR4.SMAP is set (SDM 3A 5.6.1). */
function setAc(on: bool): void {
  if (load<u32>(CPL) != 0) {
    fault(UD);
    return;
  }
  const flags = load<u32>(FLAGS_SYSTEM);
  store<u32>(FLAGS_SYSTEM, on ? flags | AC : flags & ~AC);
  selectTlb();
}

export function clac(_pc: usize): void {
  setAc(false);
}
export function stac(_pc: usize): void {
  setAc(true);
}
