/**
 * What a vCPU holds besides registers, as the contract has it.
 *
 * @module
 */
import { type CpuInternals, sharedMsrs } from '../../../x86/index.js';
import { KvmError } from '../api/errors.js';
import type { Vcpu } from '../api/vcpu.js';

/** FXSAVE's part of an XSAVE area, and the word behind it that says which parts are in use (SDM 1 13.4). */
const FXSAVE_BYTES = 512;
const X87_AND_SSE = 3n;
/** In FXSAVE's part: the bits that MXCSR may have, which are the processor's own, and the end of what is state. */
const MXCSR_MASK = 28;
const ST0 = 32;
const STATE_END = 416;

export function readInternals(vcpu: Vcpu): CpuInternals {
  const events = vcpu.getEvents();
  const { db0, db1, db2, db3, dr6, dr7 } = vcpu.getDebugRegisters();
  const msrs = new Map<number, bigint>();
  for (const msr of sharedMsrs) {
    const value = readMsr(vcpu, msr);
    if (value !== undefined) msrs.set(msr, value);
  }
  return {
    shadow: events.interruptShadow !== 0,
    nmiPending: events.nmiPending !== 0,
    nmiMasked: events.nmiMasked,
    interrupt: events.interruptInjected ? events.interruptNumber : -1,
    debug: [db0, db1, db2, db3, dr6, dr7],
    fpu: vcpu.getXsave().slice(0, FXSAVE_BYTES),
    xcr0: readXcr0(vcpu) & X87_AND_SSE,
    msrs,
  };
}

/** Writes what differs from `before`, which this vCPU gave; the time stamp counter goes on by itself. */
export function writeInternals(vcpu: Vcpu, now: CpuInternals, before: CpuInternals | undefined): void {
  // Whatever was on its way when KVM gave up has been dealt with.
  vcpu.setEvents({
    ...vcpu.getEvents(),
    exceptionInjected: false,
    exceptionPending: false,
    interruptInjected: now.interrupt >= 0,
    interruptNumber: Math.max(0, now.interrupt),
    interruptShadow: now.shadow ? 1 : 0,
    nmiPending: now.nmiPending ? 1 : 0,
    nmiMasked: now.nmiMasked,
  });
  if (!same(now.debug, before?.debug)) {
    const [db0 = 0n, db1 = 0n, db2 = 0n, db3 = 0n, dr6 = 0n, dr7 = 0n] = now.debug;
    vcpu.setDebugRegisters({ db0, db1, db2, db3, dr6, dr7 });
  }
  if (before === undefined || !same(stateOf(now.fpu), stateOf(before.fpu))) {
    const area = vcpu.getXsave();
    area.set(now.fpu.subarray(0, MXCSR_MASK));
    area.set(now.fpu.subarray(ST0, STATE_END), ST0);
    const view = new DataView(area.buffer, area.byteOffset);
    view.setBigUint64(FXSAVE_BYTES, view.getBigUint64(FXSAVE_BYTES, true) | X87_AND_SSE, true);
    vcpu.setXsave(area);
  }
  if (now.xcr0 !== before?.xcr0) {
    vcpu.setXcrs([{ number: 0, value: (readXcr0(vcpu) & ~X87_AND_SSE) | (now.xcr0 & X87_AND_SSE) }]);
  }
  for (const [msr, value] of now.msrs) {
    if (msr !== TIME_STAMP_COUNTER && value !== before?.msrs.get(msr)) vcpu.setMsr(msr, value);
  }
}

const TIME_STAMP_COUNTER = 0x10;

/** FXSAVE's part without what is not the guest's. */
function stateOf(fpu: Uint8Array): Uint8Array {
  const state = fpu.slice(0, STATE_END);
  state.fill(0, MXCSR_MASK, ST0);
  return state;
}

function readXcr0(vcpu: Vcpu): bigint {
  return vcpu.getXcrs().find(({ number }) => number === 0)?.value ?? 1n;
}

function readMsr(vcpu: Vcpu, msr: number): bigint | undefined {
  try {
    return vcpu.getMsr(msr);
  } catch (error) {
    if (error instanceof KvmError && error.code === 'EMSR') return undefined;
    throw error;
  }
}

function same<T>(a: ArrayLike<T>, b: ArrayLike<T> | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
