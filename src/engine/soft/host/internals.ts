/**
 * What the software CPU holds besides registers, as the contract has it.
 *
 * @module
 */
import type { CpuInternals } from '../../../x86/index.js';
import * as L from '../layout.js';

/** Where the MSRs of the contract lie, but for the time stamp counter. */
const msrPlaces: readonly (readonly [number, number])[] = [
  [0x174, L.SYSENTER_CS],
  [0x175, L.SYSENTER_ESP],
  [0x176, L.SYSENTER_EIP],
  [0xc0000081, L.STAR],
  [0xc0000082, L.LSTAR],
  [0xc0000083, L.CSTAR],
  [0xc0000084, L.FMASK],
  [0xc0000102, L.KERNEL_GS_BASE],
];
const TIME_STAMP_COUNTER = 0x10;
/** What XCR0 can have here: x87, which is always on, and SSE. */
const STATES = 3n;
const X87_STATE = 1n;
/** DR0 to DR3, DR6, DR7. */
const debugPlaces = [0, 1, 2, 3, 6, 7].map((number) => L.DEBUG_REGISTERS + 8 * number);

export function readInternals(view: DataView): CpuInternals {
  const msrs = new Map(msrPlaces.map(([msr, at]) => [msr, view.getBigUint64(at, true)]));
  msrs.set(TIME_STAMP_COUNTER, timeStamp(view));
  return {
    shadow: (view.getUint32(L.EVENTS, true) & L.EVENT_SHADOW) !== 0,
    nmiPending: view.getUint32(L.NMI_PENDING, true) !== 0,
    nmiMasked: view.getUint32(L.NMI_BLOCKED, true) !== 0,
    interrupt: view.getInt32(L.PENDING_VECTOR, true),
    debug: debugPlaces.map((at) => view.getBigUint64(at, true)),
    fpu: readFxsave(view),
    xcr0: view.getBigUint64(L.XCR0, true),
    msrs,
  };
}

export function writeInternals(view: DataView, internals: CpuInternals): void {
  const events = view.getUint32(L.EVENTS, true) & ~L.EVENT_SHADOW;
  view.setUint32(L.EVENTS, events | (internals.shadow ? L.EVENT_SHADOW : 0), true);
  view.setUint32(L.NMI_PENDING, internals.nmiPending ? 1 : 0, true);
  view.setUint32(L.NMI_BLOCKED, internals.nmiMasked ? 1 : 0, true);
  view.setInt32(L.PENDING_VECTOR, internals.interrupt, true);
  for (const [index, at] of debugPlaces.entries()) view.setBigUint64(at, internals.debug[index] ?? 0n, true);
  writeFxsave(view, internals.fpu);
  view.setBigUint64(L.XCR0, (internals.xcr0 & STATES) | X87_STATE, true);
  for (const [msr, at] of msrPlaces) view.setBigUint64(at, internals.msrs.get(msr) ?? 0n, true);
  const now = internals.msrs.get(TIME_STAMP_COUNTER);
  if (now === undefined) return;
  const offset = view.getBigUint64(L.TSC_OFFSET, true) + now - timeStamp(view);
  view.setBigUint64(L.TSC_OFFSET, BigInt.asUintN(64, offset), true);
}

function timeStamp(view: DataView): bigint {
  return BigInt.asUintN(64, view.getBigUint64(L.CLOCK, true) + view.getBigUint64(L.TSC_OFFSET, true));
}

// Places in FXSAVE's area (SDM 1 table 10-2). It has the x87 registers in the order of the stack.
const FOP = 6;
const FIP = 8;
const FDP = 16;
/** MXCSR, and behind it the bits that it may have. */
const MXCSR = 24;
const MXCSR_MASK = 0xffff;
const ST0 = 32;
const XMM0 = 160;
const XMM_BYTES = 256;
const top = (status: number) => (status >>> 11) & 7;

function readFxsave(view: DataView): Uint8Array {
  const bytes = new Uint8Array(512);
  const area = new DataView(bytes.buffer);
  const status = view.getUint16(L.FPU_STATUS, true);
  area.setUint16(0, view.getUint16(L.FPU_CONTROL, true), true);
  area.setUint16(2, status, true);
  area.setUint8(4, view.getUint8(L.FPU_TAGS));
  area.setUint16(FOP, view.getUint16(L.FPU_OPCODE, true), true);
  area.setBigUint64(FIP, view.getBigUint64(L.FPU_IP, true), true);
  area.setBigUint64(FDP, view.getBigUint64(L.FPU_DP, true), true);
  area.setUint32(MXCSR, view.getUint32(L.MXCSR, true), true);
  area.setUint32(MXCSR + 4, MXCSR_MASK, true);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + L.XMM_REGISTERS, XMM_BYTES), XMM0);
  for (let number = 0; number < 8; number++) {
    const at = view.byteOffset + L.FPU_REGISTERS + 16 * ((top(status) + number) & 7);
    bytes.set(new Uint8Array(view.buffer, at, 10), ST0 + 16 * number);
  }
  return bytes;
}

function writeFxsave(view: DataView, bytes: Uint8Array): void {
  const area = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = area.getUint16(2, true);
  view.setUint16(L.FPU_CONTROL, area.getUint16(0, true), true);
  view.setUint16(L.FPU_STATUS, status, true);
  view.setUint8(L.FPU_TAGS, area.getUint8(4));
  view.setUint16(L.FPU_OPCODE, area.getUint16(FOP, true) & 0x7ff, true);
  view.setBigUint64(L.FPU_IP, area.getBigUint64(FIP, true), true);
  view.setBigUint64(L.FPU_DP, area.getBigUint64(FDP, true), true);
  view.setUint32(L.MXCSR, area.getUint32(MXCSR, true) & MXCSR_MASK, true);
  new Uint8Array(view.buffer, view.byteOffset + L.XMM_REGISTERS, XMM_BYTES).set(
    bytes.subarray(XMM0, XMM0 + XMM_BYTES),
  );
  for (let number = 0; number < 8; number++) {
    const at = view.byteOffset + L.FPU_REGISTERS + 16 * ((top(status) + number) & 7);
    new Uint8Array(view.buffer, at, 10).set(bytes.subarray(ST0 + 16 * number, ST0 + 16 * number + 10));
  }
}
