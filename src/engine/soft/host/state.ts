/**
 * Reads the whole state of a software CPU from the engine area, and writes it.
 *
 * @module
 */
import {
  type CpuState,
  MSR,
  mtrrs,
  type PendingEvents,
  type UnfinishedInstruction,
  XCR0,
} from '../../../x86/index.js';
import { type EngineClock, type Exit, ExitKind, isAccess } from '../../contract/index.js';
import * as L from '../layout.js';
import { SoftError } from './errors.js';
import { readFxsave, writeFxsave } from './fpu.js';
import type { Program } from './program.js';
import { readRegisters, readSystemRegisters, writeRegisters, writeSystemRegisters } from './registers.js';

/** Parts of a state that the software CPU does not use. It keeps them for the CPU that gets its state next. */
export interface ForeignState {
  msrs: CpuState['msrs'];
}

export const nothingForeign: ForeignState = { msrs: [] };

const debugAt = (number: number) => L.DEBUG_REGISTERS + 8 * number;

/** The addresses of the MSRs; the time stamp counter is computed from the clock. */
const msrPlaces: ReadonlyMap<number, number> = new Map([
  [MSR.IA32_SYSENTER_CS, L.SYSENTER_CS],
  [MSR.IA32_SYSENTER_ESP, L.SYSENTER_ESP],
  [MSR.IA32_SYSENTER_EIP, L.SYSENTER_EIP],
  [MSR.IA32_MISC_ENABLE, L.MISC_ENABLE],
  [MSR.IA32_PAT, L.PAT],
  [MSR.IA32_STAR, L.STAR],
  [MSR.IA32_LSTAR, L.LSTAR],
  [MSR.IA32_CSTAR, L.CSTAR],
  [MSR.IA32_FMASK, L.FMASK],
  [MSR.IA32_KERNEL_GS_BASE, L.KERNEL_GS_BASE],
  [MSR.IA32_TSC_AUX, L.TSC_AUX],
  ...mtrrs.map((msr): [number, number] => [msr, mtrrPlace(msr)]),
]);

function mtrrPlace(msr: number): number {
  if (msr === MSR.IA32_MTRR_DEF_TYPE) return L.MTRR_DEFAULT;
  if (msr < MSR.IA32_MTRR_FIX64K_00000) return L.MTRR_VARIABLE + 8 * (msr - MSR.IA32_MTRR_PHYSBASE0);
  if (msr === MSR.IA32_MTRR_FIX64K_00000) return L.MTRR_FIXED;
  if (msr <= MSR.IA32_MTRR_FIX16K_A0000) return L.MTRR_FIXED + 8 * (1 + msr - MSR.IA32_MTRR_FIX16K_80000);
  return L.MTRR_FIXED + 8 * (3 + msr - MSR.IA32_MTRR_FIX4K_C0000);
}

/** The parts of a CPU outside the engine area. */
export interface CpuParts {
  view: DataView;
  program: Program;
  exit: Exit;
  clock: Pick<EngineClock, 'save' | 'load'>;
}

export function readState({ view, program, exit, clock }: CpuParts, foreign: ForeignState): CpuState {
  const quad = (at: number) => view.getBigUint64(at, true);
  const msrs = [...msrPlaces].map(([msr, at]) => [msr, quad(at)] as const);
  return {
    version: 1,
    registers: readRegisters(view, program.rflags()),
    system: readSystemRegisters(view),
    events: readEvents(view),
    debug: {
      addresses: [quad(debugAt(0)), quad(debugAt(1)), quad(debugAt(2)), quad(debugAt(3))],
      dr6: quad(debugAt(6)),
      dr7: quad(debugAt(7)),
    },
    fpu: readFxsave(view),
    fpuSelectors: { fcs: view.getUint16(L.FPU_CS, true), fds: view.getUint16(L.FPU_DS, true) },
    xcr0: quad(L.XCR0),
    extended: readExtended(view),
    pdptes: [0, 1, 2, 3].map((n) => quad(L.PDPTES + 8 * n)),
    msrs: [[MSR.IA32_TIME_STAMP_COUNTER, timeStamp(view)], ...msrs, ...foreign.msrs],
    halted: false,
    apic: null,
    unfinished: readUnfinished(view, exit),
    time: clock.save(),
  };
}

function readEvents(view: DataView): PendingEvents {
  const events = view.getUint32(L.EVENTS, true);
  const interrupt = view.getInt32(L.PENDING_VECTOR, true);
  const exception = view.getInt32(L.PENDING_EXCEPTION, true);
  const code = view.getBigInt64(L.PENDING_ERROR_CODE, true);
  const shadow = (events & L.EVENT_QUIET) !== 0 ? 'movSs' : 'sti';
  return {
    shadow: (events & L.EVENT_SHADOW) === 0 ? 'none' : shadow,
    nmiPending: view.getUint32(L.NMI_PENDING, true) !== 0,
    nmiMasked: view.getUint32(L.NMI_BLOCKED, true) !== 0,
    interrupt: interrupt < 0 ? null : interrupt,
    exception: exception < 0 ? null : { vector: exception, errorCode: code < 0n ? null : Number(code) },
    debugTraps: view.getUint32(L.TRAPS, true),
  };
}

function readUnfinished(view: DataView, exit: Exit): UnfinishedInstruction | null {
  const answered = view.getUint32(L.ANSWER_COUNT, true);
  const asks = isAccess(exit.kind);
  const count = view.getUint32(L.BATCH, true);
  if (answered === 0 && !asks) return null;
  const bytes = (at: number, length: number) =>
    new Uint8Array(view.buffer, view.byteOffset + at, length).slice();
  return {
    answers: Array.from({ length: answered }, (_, n) => view.getBigUint64(L.ANSWERS + 8 * n, true)),
    access: asks
      ? {
          kind: exit.kind === ExitKind.io ? 'io' : exit.kind === ExitKind.msr ? 'msr' : 'mmio',
          address: exit.address,
          size: exit.size,
          count: exit.count,
          write: exit.write,
          data: bytes(exit.offset, exit.size * exit.count),
        }
      : null,
    delivering: view.getUint32(L.DELIVERING, true) !== 0,
    batch:
      count === 0
        ? null
        : { data: bytes(L.STRING_DATA, L.STRING_BYTES), count, taken: view.getUint32(L.BATCH_NEXT, true) },
  };
}

/**
 * Writes a state that `refuseForeign` accepted, and returns the parts that the software CPU can only keep. `exit` shows the
 * open access, if there is one.
 */
export function writeState({ view, program, exit, clock }: CpuParts, state: CpuState): ForeignState {
  const quad = (at: number, value: bigint) => view.setBigUint64(at, value, true);
  const { registers, debug, fpuSelectors, time } = state;
  writeSystemRegisters(view, state.system);
  writeRegisters(view, registers);
  for (const [number, address] of debug.addresses.entries()) quad(debugAt(number), address);
  quad(debugAt(6), debug.dr6);
  quad(debugAt(7), debug.dr7);
  writeFxsave(view, state.fpu);
  view.setUint16(L.FPU_CS, fpuSelectors.fcs, true);
  view.setUint16(L.FPU_DS, fpuSelectors.fds, true);
  quad(L.XCR0, state.xcr0 | XCR0.X87);
  if (time !== null) clock.load(time);
  const foreign = state.msrs.filter(([msr, value]) => !writeMsr(view, msr, value));
  // Updates segment limits and enabled breakpoints; then the mode, from the flags. Both drop pending traps.
  program.setSystem();
  program.setFlags(Number(registers.rflags & 0xffff_ffffn));
  for (const [n, entry] of (state.pdptes ?? []).entries()) quad(L.PDPTES + 8 * n, entry);
  writeEvents(view, state.events);
  writeUnfinished(view, exit, state.unfinished);
  writeExtended(view, state.extended);
  return { msrs: foreign };
}

const extendedArea = (view: DataView, length: number) =>
  new Uint8Array(view.buffer, view.byteOffset + L.EXTENDED_AREA, length);

/** Components that XSAVE saves and restores although the software CPU does not use them. */
function readExtended(view: DataView): Uint8Array | null {
  const length = view.getUint32(L.EXTENDED_LENGTH, true);
  return length === 0 ? null : extendedArea(view, length).slice();
}

function writeExtended(view: DataView, extended: Uint8Array | null): void {
  view.setUint32(L.EXTENDED_LENGTH, extended?.length ?? 0, true);
  const area = extendedArea(view, L.EXTENDED_BYTES);
  area.fill(0);
  if (extended !== null) area.set(extended);
}

/** False for an MSR that this CPU does not have. */
function writeMsr(view: DataView, msr: number, value: bigint): boolean {
  if (msr === MSR.IA32_TIME_STAMP_COUNTER) {
    const offset = value - view.getBigUint64(L.CLOCK, true);
    view.setBigUint64(L.TSC_OFFSET, BigInt.asUintN(64, offset), true);
    return true;
  }
  const at = msrPlaces.get(msr);
  if (at !== undefined) view.setBigUint64(at, value, true);
  return at !== undefined;
}

const { EVENT_SHADOW, EVENT_QUIET, EVENT_DEBUG } = L;
const shadowBits = { none: 0, sti: EVENT_SHADOW, movSs: EVENT_SHADOW | EVENT_QUIET };

function writeEvents(view: DataView, events: PendingEvents): void {
  const { shadow, debugTraps, exception } = events;
  const others = view.getUint32(L.EVENTS, true) & ~(EVENT_SHADOW | EVENT_QUIET | EVENT_DEBUG);
  const trap = debugTraps === 0 ? 0 : EVENT_DEBUG;
  view.setUint32(L.EVENTS, others | shadowBits[shadow] | trap, true);
  view.setUint32(L.TRAPS, debugTraps, true);
  view.setUint32(L.NMI_PENDING, events.nmiPending ? 1 : 0, true);
  view.setUint32(L.NMI_BLOCKED, events.nmiMasked ? 1 : 0, true);
  view.setInt32(L.PENDING_VECTOR, events.interrupt ?? -1, true);
  view.setInt32(L.PENDING_EXCEPTION, exception?.vector ?? -1, true);
  view.setBigInt64(L.PENDING_ERROR_CODE, BigInt(exception?.errorCode ?? -1), true);
}

function writeUnfinished(view: DataView, exit: Exit, unfinished: UnfinishedInstruction | null): void {
  const { answers, access, delivering, batch } = unfinished ?? {
    answers: [],
    access: null,
    delivering: false,
    batch: null,
  };
  view.setUint32(L.ANSWER_COUNT, answers.length, true);
  for (const [n, answer] of answers.entries()) view.setBigUint64(L.ANSWERS + 8 * n, answer, true);
  view.setUint32(L.DELIVERING, delivering ? 1 : 0, true);
  view.setUint32(L.BATCH, batch?.count ?? 0, true);
  view.setUint32(L.BATCH_NEXT, batch?.taken ?? 0, true);
  const write = (at: number, data: Uint8Array) =>
    new Uint8Array(view.buffer, view.byteOffset + at, data.length).set(data);
  if (batch !== null) write(L.STRING_DATA, batch.data);
  exit.kind = ExitKind.interrupted;
  if (access === null) return;
  exit.kind = ExitKind[access.kind];
  exit.address = access.address;
  exit.size = access.size;
  exit.count = access.count;
  exit.write = access.write;
  const ofBatch = batch !== null && access.kind === 'io';
  exit.offset = ofBatch || access.count > 1 ? L.STRING_DATA : L.EXIT_DATA;
  write(exit.offset, access.data);
}

/** @throws SoftError for a state that the software CPU can neither run nor keep */
export function refuseForeign({ apic, halted, unfinished, extended }: CpuState): void {
  if (apic !== null || halted) {
    throw new SoftError(
      'ELIMIT',
      'the state has a local APIC, and the software engine has none',
      'use a state from a machine whose interrupt controllers are devices: --irqchip user',
    );
  }
  if ((extended?.length ?? 0) > L.EXTENDED_BYTES) {
    throw new SoftError(
      'ELIMIT',
      `the state’s XSAVE area has ${extended?.length} further bytes`,
      `the software CPU keeps ${L.EXTENDED_BYTES}`,
    );
  }
  const { answers = [], access, batch } = unfinished ?? {};
  const tooLong = (access?.data.length ?? 0) > L.STRING_BYTES || (batch?.data.length ?? 0) > L.STRING_BYTES;
  if (answers.length >= L.MAX_ANSWERS || tooLong) {
    throw new SoftError(
      'ELIMIT',
      `the state's unfinished instruction has ${answers.length} answers and accesses of ${access?.data.length ?? 0} bytes`,
      `the software CPU takes ${L.MAX_ANSWERS - 1} answers and ${L.STRING_BYTES} bytes`,
    );
  }
}

function timeStamp(view: DataView): bigint {
  return BigInt.asUintN(64, view.getBigUint64(L.CLOCK, true) + view.getBigUint64(L.TSC_OFFSET, true));
}
