// Instructions that read or change the CPU's own state (SDM 3A 2.8).
import { FLAGS_SYSTEM, GDT_BASE, GDT_LIMIT, IDT_BASE, IDT_LIMIT, OP_WIDTH } from '../../layout';
import { code64 } from '../core/cpu-mode';
import { shadow, updateEvents } from '../core/events';
import { EXIT_HALT, exitFor } from '../core/external';
import { fault, GP, UD } from '../core/faults';
import { DF, IF, systemFlag } from '../core/flags';
import { read, write } from '../core/memory';
import { address, cutAddress, segment } from '../core/operands';
import { canonicalBase } from '../core/paging';
import { failed } from '../core/trouble';
import { mayShowSystem, mayTouchInterrupts, privileged } from './privilege';

export function invalid(_pc: usize): void {
  fault(UD);
}

export function ud2(_pc: usize): void {
  fault(UD);
}

/** F3 90, with any REX: a NOP that marks a spin loop. */
export function pause(_pc: usize): void {}

export function nop<T>(_pc: usize): void {}

export function hlt(_pc: usize): void {
  if (privileged()) exitFor(EXIT_HALT);
}

function setSystemFlag(flag: u32, on: bool): void {
  const flags = load<u32>(FLAGS_SYSTEM);
  store<u32>(FLAGS_SYSTEM, on ? flags | flag : flags & ~flag);
}

export function cli(_pc: usize): void {
  if (!mayTouchInterrupts()) return;
  setSystemFlag(IF, false);
  updateEvents();
}

/** If interrupts were off, they are taken only after the following instruction (SDM 2B STI). */
export function sti(_pc: usize): void {
  if (!mayTouchInterrupts()) return;
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

/** A 16-bit operand size loads 24 bits of the base; 64-bit code all 64 (SDM 2A LGDT). */
function loadTable(pc: usize, base: usize, limit: usize): void {
  if (!privileged()) return;
  const size = read<u16>(segment(pc), address(pc));
  if (failed()) return;
  const at = cutAddress(pc, address(pc) + 2);
  const start = code64() ? read<u64>(segment(pc), at) : <u64>read<u32>(segment(pc), at);
  if (failed()) return;
  if (code64() && !canonicalBase(start)) {
    fault(GP);
    return;
  }
  store<u64>(base, !code64() && load<u8>(pc, OP_WIDTH) == 2 ? start & 0xffffff : start);
  store<u32>(limit, <u32>size);
}

function storeTable(pc: usize, base: usize, limit: usize): void {
  write<u16>(segment(pc), address(pc), <u16>load<u32>(limit));
  if (failed()) return;
  const at = cutAddress(pc, address(pc) + 2);
  if (code64()) write<u64>(segment(pc), at, load<u64>(base));
  else write<u32>(segment(pc), at, load<u32>(base));
}

export function lgdt(pc: usize): void {
  loadTable(pc, GDT_BASE, GDT_LIMIT);
}
export function lidt(pc: usize): void {
  loadTable(pc, IDT_BASE, IDT_LIMIT);
}
export function sgdt(pc: usize): void {
  if (mayShowSystem()) storeTable(pc, GDT_BASE, GDT_LIMIT);
}
export function sidt(pc: usize): void {
  if (mayShowSystem()) storeTable(pc, IDT_BASE, IDT_LIMIT);
}

/** No caches, and no translation cache other than the TLB. */
export function invd(_pc: usize): void {
  privileged();
}
export function wbinvd(_pc: usize): void {
  privileged();
}
