// The XSAVE instructions (SDM 1 chapter 13). The software CPU has two state components of its own, x87 and SSE. Others, such as
// AVX's, belong to a CPU that it assists: it keeps their bytes unchanged, and saves and restores them.
import {
  CR4,
  CR4_OSXSAVE,
  EXTENDED_AREA,
  EXTENDED_BYTES,
  EXTENDED_LENGTH,
  MXCSR,
  MXCSR_ALLOWED,
  RAX,
  RCX,
  RDX,
  VECTOR_BUFFER,
  XCR0,
  XCR0_ALLOWED,
  XMM_REGISTERS,
} from '../../layout';
import { fault, GP, UD } from '../core/faults';
import { width } from '../core/generic';
import { read, write } from '../core/memory';
import { address, cutAddress, segment, setRegister } from '../core/operands';
import { failed } from '../core/trouble';
import { entryOf } from '../system/cpuid';
import { privileged } from '../system/privilege';
import {
  AREA_HEADER,
  AREA_MXCSR,
  AREA_ST,
  AREA_XMM,
  FXSAVE_END,
  fetch,
  gatherSse,
  gatherX87,
  mayMove,
  put,
  SSE,
  spreadX87,
  tryArea,
  X87,
  xmmBytes,
} from './state';

const AVX: u64 = 4;
/** Opmask, and the two parts of the ZMM registers. */
const AVX512: u64 = 0xe0;
const OWN: u64 = X87 | SSE;
/** The end of the software CPU's own components and the header: in the standard format others follow. */
const OWN_END: u64 = 576;
const LEAF: u32 = 0xd;
/** CPUID leaf D, subleaf 1, EAX: XGETBV with ECX = 1. */
const XGETBV_IN_USE: u32 = 4;

function xsaveAllowed(): bool {
  if (load<u32>(CR4) & CR4_OSXSAVE) return true;
  fault(UD);
  return false;
}

/** The components in EDX:EAX that XCR0 enables. */
function asked(): u64 {
  return (<u64>load<u32>(RAX) | ((<u64>load<u32>(RDX)) << 32)) & load<u64>(XCR0);
}

/** The other CPU's components that are in use: those not in their initial configuration. */
function othersInUse(): u64 {
  return load<u64>(EXTENDED_AREA) & ~OWN;
}

/** The software CPU's own components always count as in use. */
function inUse(): u64 {
  return OWN | othersInUse();
}

// A component's offset in the area, from CPUID; none where CPUID has none, or where it would not fit.
let stateStart: u64 = 0;
let stateEnd: u64 = 0;

function locateState(state: u32): bool {
  const entry = entryOf(LEAF, state);
  if (!entry) return false;
  stateStart = <u64>load<u32>(entry, 12);
  stateEnd = stateStart + <u64>load<u32>(entry, 8);
  return stateStart >= OWN_END && stateEnd <= AREA_HEADER + EXTENDED_BYTES;
}

/** The size of an area with these components. */
function areaSize(states: u64): u64 {
  let size = OWN_END;
  for (let state: u32 = 2; state < 63; state++) {
    if ((states >> <u64>state) & 1 && locateState(state)) size = max<u64>(size, stateEnd);
  }
  return size;
}

function keptAt(offset: u64): usize {
  return EXTENDED_AREA + <usize>(offset - AREA_HEADER);
}

function saveOthers(pc: usize, states: u64): void {
  for (let state: u32 = 2; state < 63; state++) {
    if (!((states >> <u64>state) & 1) || !locateState(state)) continue;
    for (let at = stateStart; at < stateEnd && !failed(); at += 8)
      write<u64>(segment(pc), cutAddress(pc, address(pc) + at), load<u64>(keptAt(at)));
  }
}

function restoreOthers(pc: usize, states: u64): void {
  for (let state: u32 = 2; state < 63; state++) {
    if (!((states >> <u64>state) & 1) || !locateState(state)) continue;
    for (let at = stateStart; at < stateEnd && !failed(); at += 8)
      store<u64>(keptAt(at), read<u64>(segment(pc), cutAddress(pc, address(pc) + at)));
  }
}

/** The two own components are written even in their initial configuration, which the manual allows (SDM 1 13.6). */
export function xsave(pc: usize): void {
  if (!xsaveAllowed() || !mayMove(pc, 64)) return;
  const states = asked();
  tryArea(pc, areaSize(states), true);
  if (failed()) return;
  fetch(pc, AREA_HEADER, AREA_HEADER + 8);
  if (failed()) return;
  const others = load<u64>(VECTOR_BUFFER + AREA_HEADER) & ~states;
  store<u64>(VECTOR_BUFFER + AREA_HEADER, others | (states & inUse()));
  if (states & X87) {
    gatherX87(width(pc) == 8);
    put(pc, 0, AREA_MXCSR);
    put(pc, AREA_ST, AREA_XMM);
  }
  if (states & SSE) {
    gatherSse();
    put(pc, AREA_MXCSR, AREA_ST);
    put(pc, AREA_XMM, AREA_XMM + xmmBytes());
  }
  saveOthers(pc, states & othersInUse());
  put(pc, AREA_HEADER, AREA_HEADER + 8);
}

/** A requested component that was not saved gets its initial configuration. */
export function xrstor(pc: usize): void {
  if (!xsaveAllowed() || !mayMove(pc, 64)) return;
  const states = asked();
  tryArea(pc, areaSize(states), false);
  if (failed()) return;
  fetch(pc, 0, FXSAVE_END);
  fetch(pc, AREA_HEADER, AREA_HEADER + 64);
  if (failed()) return;
  const saved = load<u64>(VECTOR_BUFFER + AREA_HEADER);
  const compacted = load<u64>(VECTOR_BUFFER + AREA_HEADER, 8) | load<u64>(VECTOR_BUFFER + AREA_HEADER, 16);
  const control = load<u32>(VECTOR_BUFFER + AREA_MXCSR);
  if (saved & ~load<u64>(XCR0) || compacted != 0 || (states & SSE && control & ~load<u32>(MXCSR_ALLOWED))) {
    fault(GP);
    return;
  }
  restoreOthers(pc, states & saved);
  if (failed()) return;
  const others = states & ~OWN;
  store<u64>(EXTENDED_AREA, (load<u64>(EXTENDED_AREA) & ~others) | (saved & others));
  if (others)
    store<u32>(EXTENDED_LENGTH, max<u32>(load<u32>(EXTENDED_LENGTH), <u32>(areaSize(others) - AREA_HEADER)));
  if (states & X87) {
    if (!(saved & X87)) {
      memory.fill(VECTOR_BUFFER, 0, AREA_MXCSR);
      memory.fill(VECTOR_BUFFER + AREA_ST, 0, AREA_XMM - AREA_ST);
      store<u16>(VECTOR_BUFFER, 0x37f);
    }
    spreadX87(width(pc) == 8);
  }
  if (states & SSE) {
    store<u32>(MXCSR, control);
    if (saved & SSE) memory.copy(XMM_REGISTERS, VECTOR_BUFFER + AREA_XMM, xmmBytes());
    else memory.fill(XMM_REGISTERS, 0, xmmBytes());
  }
}

/** XCR0, or with ECX = 1 those of its components that are in use. */
export function xgetbv(_pc: usize): void {
  if (!xsaveAllowed()) return;
  const which = load<u32>(RCX);
  const entry = entryOf(LEAF, 1);
  const more = entry && load<u32>(entry, 8) & XGETBV_IN_USE;
  if (which > 1 || (which == 1 && !more)) {
    fault(GP);
    return;
  }
  const value = which ? load<u64>(XCR0) & inUse() : load<u64>(XCR0);
  setRegister<u32>(RAX, <u32>value);
  setRegister<u32>(RDX, <u32>(value >> 32));
}

/** The x87 component is always enabled, AVX only with SSE, and those of AVX-512 only together (SDM 3A 2.6). */
function isConsistent(value: u64): bool {
  if (!(value & X87) || (value & AVX && !(value & SSE))) return false;
  const wide = value & AVX512;
  return wide == 0 || (wide == AVX512 && (value & AVX) != 0);
}

export function xsetbv(_pc: usize): void {
  if (!xsaveAllowed() || !privileged()) return;
  const value = <u64>load<u32>(RAX) | ((<u64>load<u32>(RDX)) << 32);
  if (load<u32>(RCX) != 0 || !isConsistent(value) || value & ~load<u64>(XCR0_ALLOWED)) fault(GP);
  else store<u64>(XCR0, value);
}
