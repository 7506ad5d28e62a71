/**
 * Reads the whole state of a vCPU from KVM, and writes it.
 *
 * @module
 */
import {
  CPU_STATE_VERSION,
  type CpuState,
  DR7,
  Fxsave,
  MSR,
  type PendingEvents,
  sharedMsrs,
  systemRegisterMsrs,
  XCR0,
  XSTATE_BV,
} from '../../../x86/index.js';
import * as K from '../api/constants.js';
import { EngineLimit, KvmError } from '../api/errors.js';
import type { Kvm } from '../api/kvm.js';
import type { Vcpu } from '../api/vcpu.js';

const X87_AND_SSE = XCR0.X87 | XCR0.SSE;
/** INT3 and INTO: a pending exception of theirs is dropped, and the instruction runs again. */
const BREAKPOINT = 3;
const OVERFLOW = 4;
const DB = 1;
/** These advance with time; a write sets both. */
const counters: readonly number[] = [MSR.IA32_TIME_STAMP_COUNTER, MSR.IA32_TSC_ADJUST];

/** The MSRs of a state on this host, in the order in which they must be written. */
export function stateMsrs(kvm: Kvm): readonly number[] {
  const own = [...kvm.msrIndexList()].filter((msr) => !sharedMsrs.includes(msr));
  return [...sharedMsrs, ...own].filter((msr) => !systemRegisterMsrs.includes(msr));
}

/** What `readState` and `writeState` need from a CPU. */
export interface VcpuParts {
  vcpu: Vcpu;
  /** See `stateMsrs`; those that the vCPU cannot read are removed from it. */
  msrs: readonly number[];
  /** The interrupt controllers are KVM's, so that it has the local APIC and HLT. */
  hasApic: boolean;
}

/** The state without the general and the system registers. */
export function readState({ vcpu, msrs, hasApic }: VcpuParts): Omit<CpuState, 'registers' | 'system'> {
  const events = readEvents(vcpu);
  const { db0, db1, db2, db3, dr6, dr7 } = vcpu.getDebugRegisters();
  const area = vcpu.getXsave();
  const components = viewOf(area).getBigUint64(XSTATE_BV, true);
  return {
    version: CPU_STATE_VERSION,
    events,
    debug: { addresses: [db0, db1, db2, db3], dr6, dr7 },
    fpu: area.slice(0, Fxsave.size),
    fpuSelectors: { fcs: 0, fds: 0 },
    xcr0: readXcr0(vcpu),
    extended: (components & ~X87_AND_SSE) === 0n ? null : area.slice(XSTATE_BV),
    pdptes: null,
    msrs: vcpu.getMsrs(msrs),
    halted: hasApic && vcpu.getMpState() === K.KVM_MP_STATE_HALTED,
    apic: hasApic ? vcpu.getLapic() : null,
    unfinished: null,
    time: null,
  };
}

function readEvents(vcpu: Vcpu): PendingEvents {
  const events = vcpu.getEvents();
  const { exceptionNumber: vector } = events;
  const bySoftware = vector === BREAKPOINT || vector === OVERFLOW;
  const raised = (events.exceptionInjected || events.exceptionPending) && !bySoftware;
  const movSs = (events.interruptShadow & K.KVM_X86_SHADOW_INT_MOV_SS) !== 0;
  return {
    shadow: movSs ? 'movSs' : events.interruptShadow !== 0 ? 'sti' : 'none',
    nmiPending: events.nmiPending !== 0 || events.nmiInjected,
    // An NMI whose delivery was interrupted already masks others; it is delivered again.
    nmiMasked: events.nmiMasked && !events.nmiInjected,
    // INT n whose delivery was interrupted runs again.
    interrupt: events.interruptInjected && !events.interruptSoft ? events.interruptNumber : null,
    exception: raised
      ? { vector, errorCode: events.exceptionHasErrorCode ? events.exceptionErrorCode : null }
      : null,
    debugTraps: 0,
  };
}

/**
 * Writes the state without the general and the system registers. Where `known` is the state that this vCPU gave last, the time
 * stamp counter keeps running, and equal parts are not written.
 * @throws EngineLimit for a state that this host's KVM refuses
 */
export function writeState(parts: VcpuParts, state: CpuState, known: CpuState | undefined): void {
  const { vcpu, hasApic } = parts;
  writeEvents(vcpu, state.events);
  writeDebugRegisters(vcpu, state, known);
  if (known === undefined || !sameXsave(state, known)) writeXsave(vcpu, state);
  if (state.xcr0 !== known?.xcr0) vcpu.setXcrs([{ number: 0, value: state.xcr0 | XCR0.X87 }]);
  writeMsrs(parts, state, known);
  if (!hasApic || state.apic === null) return;
  vcpu.setLapic(state.apic);
  vcpu.setMpState(state.halted ? K.KVM_MP_STATE_HALTED : K.KVM_MP_STATE_RUNNABLE);
}

function writeEvents(vcpu: Vcpu, { shadow, exception, debugTraps, ...events }: PendingEvents): void {
  const trap = debugTraps === 0 ? null : { vector: DB, errorCode: null };
  const raised = exception ?? trap;
  vcpu.setEvents({
    ...vcpu.getEvents(),
    exceptionInjected: raised !== null,
    exceptionPending: false,
    exceptionNumber: raised?.vector ?? 0,
    exceptionHasErrorCode: raised !== null && raised.errorCode !== null,
    exceptionErrorCode: raised?.errorCode ?? 0,
    interruptInjected: events.interrupt !== null,
    interruptNumber: events.interrupt ?? 0,
    interruptSoft: false,
    interruptShadow: shadowBits[shadow],
    nmiInjected: false,
    nmiPending: events.nmiPending ? 1 : 0,
    nmiMasked: events.nmiMasked,
  });
}

const shadowBits = { none: 0, sti: K.KVM_X86_SHADOW_INT_STI, movSs: K.KVM_X86_SHADOW_INT_MOV_SS };

/** A pending debug exception is delivered as such: DR6 already has its cause. */
function writeDebugRegisters(vcpu: Vcpu, { debug, events }: CpuState, known: CpuState | undefined): void {
  const [db0, db1, db2, db3] = debug.addresses;
  const trap = BigInt(events.debugTraps);
  const dr6 = debug.dr6 | trap;
  const dr7 = trap === 0n ? debug.dr7 : debug.dr7 & ~DR7.GD;
  const before = known?.debug;
  const same = dr6 === before?.dr6 && dr7 === before.dr7 && equal(debug.addresses, before.addresses);
  if (!same) vcpu.setDebugRegisters({ db0, db1, db2, db3, dr6, dr7 });
}

function writeXsave(vcpu: Vcpu, { fpu, extended }: CpuState): void {
  const area = vcpu.getXsave();
  area.set(fpu.subarray(0, Fxsave.MXCSR_MASK));
  area.set(fpu.subarray(Fxsave.ST, Fxsave.end), Fxsave.ST);
  const rest = area.length - XSTATE_BV;
  if (extended !== null && extended.length > rest && extended.subarray(rest).some((byte) => byte !== 0)) {
    throw new EngineLimit(
      `the state has an XSAVE area of ${extended.length + XSTATE_BV} bytes, and this host's has ${area.length}`,
      'load the state on a host whose processor has the same extensions',
    );
  }
  if (extended !== null) area.set(extended.subarray(0, rest), XSTATE_BV);
  const view = viewOf(area);
  const others = extended === null ? 0n : view.getBigUint64(XSTATE_BV, true);
  view.setBigUint64(XSTATE_BV, others | X87_AND_SSE, true);
  vcpu.setXsave(area);
}

/** One at a time, since KVM stops at the first register of a list that it refuses; equal values are not written. */
function writeMsrs({ vcpu, msrs }: VcpuParts, state: CpuState, known: CpuState | undefined): void {
  const before = new Map(known?.msrs ?? vcpu.getMsrs(msrs));
  for (const [msr, value] of state.msrs) {
    if (counters.includes(msr) ? known !== undefined : value === before.get(msr)) continue;
    try {
      vcpu.setMsr(msr, value);
    } catch (error) {
      if (!(error instanceof KvmError) || error.code !== 'EMSR') throw error;
      throw new EngineLimit(
        `this host's KVM refuses the value 0x${value.toString(16)} of MSR 0x${msr.toString(16)}`,
        'load the state on a host whose processor has the same model-specific registers',
      );
    }
  }
}

function readXcr0(vcpu: Vcpu): bigint {
  return vcpu.getXcrs().find(({ number }) => number === 0)?.value ?? XCR0.X87;
}

function sameXsave(a: CpuState, b: CpuState): boolean {
  const state = ({ fpu }: CpuState) => [
    fpu.subarray(0, Fxsave.MXCSR_MASK),
    fpu.subarray(Fxsave.ST, Fxsave.end),
  ];
  const [before, after] = [state(a), state(b)];
  if (!before.every((bytes, n) => equal(bytes, after[n]!))) return false;
  return (
    a.extended === b.extended || (a.extended !== null && b.extended !== null && equal(a.extended, b.extended))
  );
}

function equal<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
