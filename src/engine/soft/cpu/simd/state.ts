// The state of x87, MMX and SSE as a whole: MXCSR, FXSAVE and FXRSTOR (SDM 1 10.5), and the parts of the area that XSAVE also
// uses.
import {
  CR0,
  EXTENDED_AREA,
  EXTENDED_LENGTH,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_REGISTERS,
  FPU_STATUS,
  FPU_TAGS,
  MODE,
  MODE_CODE64,
  MXCSR,
  MXCSR_ALLOWED,
  VECTOR_BUFFER,
  XCR0,
  XMM_REGISTERS,
} from '../../layout';
import { ALIGNMENT, fault, GP, NM } from '../core/faults';
import { width } from '../core/generic';
import { checkRead, checksAlignment, checkWrite, linearAddress, read, write } from '../core/memory';
import { address, cutAddress, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { setStatusWord, top } from '../x87/registers';
import { CR0_EM, CR0_TS, sse } from './registers';

const MXCSR_START: u32 = 0x1f80;

// Offsets in the area (SDM 2A table 3-44, SDM 1 13.4).
const AREA_POINTERS: usize = 8;
export const AREA_MXCSR: usize = 24;
export const AREA_ST: usize = 32;
export const AREA_XMM: usize = 160;
export const AREA_HEADER: usize = 512;
export const FXSAVE_END: u64 = 416;

export const X87: u64 = 1;
export const SSE: u64 = 2;

export function ldmxcsr(pc: usize): void {
  if (!sse()) return;
  const value = read<u32>(segment(pc), address(pc));
  if (failed()) return;
  if (value & ~load<u32>(MXCSR_ALLOWED)) fault(GP);
  else store<u32>(MXCSR, value);
}

export function stmxcsr(pc: usize): void {
  if (sse()) write<u32>(segment(pc), address(pc), load<u32>(MXCSR));
}

/** False where the x87 FPU and SSE may not be saved, or where the address is not aligned: #AC for 4 bytes, else #GP. */
export function mayMove(pc: usize, alignment: u64): bool {
  const linear = linearAddress(segment(pc), address(pc));
  if (load<u32>(CR0) & (CR0_TS | CR0_EM)) fault(NM);
  else if (linear & 3 && checksAlignment()) fault(ALIGNMENT);
  else if (linear & (alignment - 1)) fault(GP);
  else return true;
  return false;
}

/**
 * Faults where the area of `size` bytes cannot be read or written: its last byte is checked first, as on processors, then each
 * page.
 */
export function tryArea(pc: usize, size: u64, write: bool): void {
  const seg = segment(pc);
  const ea = address(pc);
  const last = cutAddress(pc, ea + (size - 1));
  if (write) checkWrite(seg, last, 1, 1);
  else checkRead(seg, last, 1, 1);
  for (let at: u64 = 0; at < size && !failed(); at += 4096) {
    if (write) checkWrite(seg, cutAddress(pc, ea + at), 1, 1);
    else checkRead(seg, cutAddress(pc, ea + at), 1, 1);
  }
}

/** Bytes `from` to `to` of the buffer from memory. */
export function fetch(pc: usize, from: u64, to: u64): void {
  for (let at = from; at < to && !failed(); at += 8) {
    store<u64>(VECTOR_BUFFER + <usize>at, read<u64>(segment(pc), cutAddress(pc, address(pc) + at)));
  }
}

export function put(pc: usize, from: u64, to: u64): void {
  for (let at = from; at < to && !failed(); at += 8) {
    write<u64>(segment(pc), cutAddress(pc, address(pc) + at), load<u64>(VECTOR_BUFFER + <usize>at));
  }
}

/** The number of XMM registers in this mode. */
export function xmmBytes(): usize {
  return load<u32>(MODE) & MODE_CODE64 ? 256 : 128;
}

export function gatherX87(wide: bool): void {
  const area = VECTOR_BUFFER;
  store<u16>(area, load<u16>(FPU_CONTROL));
  store<u16>(area, load<u16>(FPU_STATUS), 2);
  store<u16>(area, <u16>load<u8>(FPU_TAGS), 4);
  store<u16>(area, load<u16>(FPU_OPCODE), 6);
  if (wide) {
    store<u64>(area + AREA_POINTERS, load<u64>(FPU_IP));
    store<u64>(area + AREA_POINTERS, load<u64>(FPU_DP), 8);
  } else {
    store<u64>(area + AREA_POINTERS, <u64>load<u32>(FPU_IP) | ((<u64>load<u16>(FPU_CS)) << 32));
    store<u64>(area + AREA_POINTERS, <u64>load<u32>(FPU_DP) | ((<u64>load<u16>(FPU_DS)) << 32), 8);
  }
  for (let i: u32 = 0; i < 8; i++) {
    const from = FPU_REGISTERS + ((<usize>((top() + i) & 7)) << 4);
    const to = area + AREA_ST + ((<usize>i) << 4);
    store<u64>(to, load<u64>(from));
    store<u64>(to, <u64>load<u16>(from, 8), 8);
  }
}

export function spreadX87(wide: bool): void {
  const area = VECTOR_BUFFER;
  store<u16>(FPU_CONTROL, <u16>((<u32>load<u16>(area) & 0x1f3f) | 0x40));
  store<u8>(FPU_TAGS, load<u8>(area, 4));
  store<u16>(FPU_OPCODE, load<u16>(area, 6) & 0x7ff);
  store<u64>(FPU_IP, wide ? load<u64>(area + AREA_POINTERS) : <u64>load<u32>(area + AREA_POINTERS));
  store<u64>(FPU_DP, wide ? load<u64>(area + AREA_POINTERS, 8) : <u64>load<u32>(area + AREA_POINTERS, 8));
  if (!wide) {
    store<u16>(FPU_CS, load<u16>(area + AREA_POINTERS, 4));
    store<u16>(FPU_DS, load<u16>(area + AREA_POINTERS, 12));
  }
  setStatusWord(<u32>load<u16>(area, 2));
  for (let i: u32 = 0; i < 8; i++) {
    const to = FPU_REGISTERS + ((<usize>((top() + i) & 7)) << 4);
    const from = area + AREA_ST + ((<usize>i) << 4);
    store<u64>(to, load<u64>(from));
    store<u16>(to, load<u16>(from, 8), 8);
  }
}

export function gatherSse(): void {
  store<u32>(VECTOR_BUFFER + AREA_MXCSR, load<u32>(MXCSR));
  store<u32>(VECTOR_BUFFER + AREA_MXCSR, load<u32>(MXCSR_ALLOWED), 4);
  memory.copy(VECTOR_BUFFER + AREA_XMM, XMM_REGISTERS, xmmBytes());
}

export function fxsave(pc: usize): void {
  if (!mayMove(pc, 16)) return;
  tryArea(pc, AREA_HEADER, true);
  if (failed()) return;
  gatherX87(width(pc) == 8);
  gatherSse();
  put(pc, 0, AREA_XMM + xmmBytes());
}

export function fxrstor(pc: usize): void {
  if (!mayMove(pc, 16)) return;
  tryArea(pc, AREA_HEADER, false);
  if (failed()) return;
  fetch(pc, 0, FXSAVE_END);
  if (failed()) return;
  if (load<u32>(VECTOR_BUFFER + AREA_MXCSR) & ~load<u32>(MXCSR_ALLOWED)) {
    fault(GP);
    return;
  }
  spreadX87(width(pc) == 8);
  store<u32>(MXCSR, load<u32>(VECTOR_BUFFER + AREA_MXCSR));
  memory.copy(XMM_REGISTERS, VECTOR_BUFFER + AREA_XMM, xmmBytes());
}

/** The state after a reset. */
export function resetVectors(): void {
  memory.fill(XMM_REGISTERS, 0, 256);
  store<u32>(MXCSR, MXCSR_START);
  store<u64>(XCR0, X87);
  store<u64>(EXTENDED_AREA, 0);
  store<u32>(EXTENDED_LENGTH, 0);
}
