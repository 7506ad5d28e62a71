/**
 * The parts of a vCPU's state other than registers: floating point, extended state, events, debug registers.
 *
 * @module
 */
import { type Decoded, decode, encode, type Fields, scratch } from './codec.js';
import { KVM_MAX_XCRS } from './constants.js';
import * as layout from './layout.js';

const fpu = layout.kvm_fpu;
const fpuFields = {
  fcw: ['u16', fpu.fcw],
  fsw: ['u16', fpu.fsw],
  /** The tag word in FXSAVE's abridged form, one bit per register (SDM 1 10.5.1). */
  ftwx: ['u8', fpu.ftwx],
  lastOpcode: ['u16', fpu.last_opcode],
  lastIp: ['u64', fpu.last_ip],
  lastDp: ['u64', fpu.last_dp],
  mxcsr: ['u32', fpu.mxcsr],
} as const satisfies Fields;

/** x87 and SSE (`struct kvm_fpu`). */
export interface FpuState extends Decoded<typeof fpuFields> {
  /** ST0 to ST7, 16 bytes each of which 10 are used. */
  fpr: Uint8Array;
  /** XMM0 to XMM15, 16 bytes each. */
  xmm: Uint8Array;
}

export function decodeFpu(view: DataView): FpuState {
  const bytes = new Uint8Array(view.buffer);
  return {
    ...decode(fpuFields, view),
    fpr: bytes.slice(fpu.fpr, fpu.fpr + 128),
    xmm: bytes.slice(fpu.xmm, fpu.xmm + 256),
  };
}

export function encodeFpu(state: FpuState): DataView {
  const view = scratch(fpu.sizeof);
  const bytes = new Uint8Array(view.buffer);
  encode(fpuFields, view, state);
  bytes.set(state.fpr.subarray(0, 128), fpu.fpr);
  bytes.set(state.xmm.subarray(0, 256), fpu.xmm);
  return view;
}

/** An extended control register; number 0 (XCR0) enables the parts of the extended state (SDM 3A 2.6). */
export interface ExtendedControl {
  number: number;
  value: bigint;
}

export function decodeXcrs(view: DataView): ExtendedControl[] {
  const count = Math.min(view.getUint32(layout.kvm_xcrs.nr_xcrs, true), KVM_MAX_XCRS);
  return Array.from({ length: count }, (_, i) => {
    const at = layout.kvm_xcrs.xcrs + i * layout.kvm_xcr.sizeof;
    return {
      number: view.getUint32(at + layout.kvm_xcr.xcr, true),
      value: view.getBigUint64(at + layout.kvm_xcr.value, true),
    };
  });
}

export function encodeXcrs(controls: readonly ExtendedControl[]): DataView {
  const view = scratch(layout.kvm_xcrs.sizeof);
  const taken = controls.slice(0, KVM_MAX_XCRS);
  view.setUint32(layout.kvm_xcrs.nr_xcrs, taken.length, true);
  for (const [i, { number, value }] of taken.entries()) {
    const at = layout.kvm_xcrs.xcrs + i * layout.kvm_xcr.sizeof;
    view.setUint32(at + layout.kvm_xcr.xcr, number, true);
    view.setBigUint64(at + layout.kvm_xcr.value, value, true);
  }
  return view;
}

const events = layout.kvm_vcpu_events;
export const eventFields = {
  exceptionInjected: ['flag', events['exception.injected']],
  exceptionNumber: ['u8', events['exception.nr']],
  exceptionHasErrorCode: ['flag', events['exception.has_error_code']],
  exceptionPending: ['flag', events['exception.pending']],
  exceptionErrorCode: ['u32', events['exception.error_code']],
  interruptInjected: ['flag', events['interrupt.injected']],
  interruptNumber: ['u8', events['interrupt.nr']],
  interruptSoft: ['flag', events['interrupt.soft']],
  /** Bit 0: after MOV SS; bit 1: after STI. */
  interruptShadow: ['u8', events['interrupt.shadow']],
  nmiInjected: ['flag', events['nmi.injected']],
  nmiPending: ['u8', events['nmi.pending']],
  nmiMasked: ['flag', events['nmi.masked']],
  sipiVector: ['u32', events.sipi_vector],
  /** Which optional parts KVM should use: KVM_VCPUEVENT_VALID_*. */
  flags: ['u32', events.flags],
  smm: ['flag', events['smi.smm']],
  smiPending: ['flag', events['smi.pending']],
  smmInsideNmi: ['flag', events['smi.smm_inside_nmi']],
  latchedInit: ['u8', events['smi.latched_init']],
  tripleFaultPending: ['flag', events['triple_fault.pending']],
  exceptionHasPayload: ['flag', events.exception_has_payload],
  exceptionPayload: ['u64', events.exception_payload],
} as const satisfies Fields;

/** Pending exceptions and interrupts (`struct kvm_vcpu_events`). */
export type VcpuEvents = Decoded<typeof eventFields>;

const debug = layout.kvm_debugregs;
export const debugFields = {
  db0: ['u64', debug.db],
  db1: ['u64', debug.db + 8],
  db2: ['u64', debug.db + 16],
  db3: ['u64', debug.db + 24],
  dr6: ['u64', debug.dr6],
  dr7: ['u64', debug.dr7],
} as const satisfies Fields;

/** The guest's debug registers (`struct kvm_debugregs`, SDM 3B 18.2). */
export type DebugRegisters = Decoded<typeof debugFields>;

const translation = layout.kvm_translation;
export const translationFields = {
  physicalAddress: ['u64', translation.physical_address],
  valid: ['flag', translation.valid],
  writeable: ['flag', translation.writeable],
  usermode: ['flag', translation.usermode],
} as const satisfies Fields;

/** The result of KVM_TRANSLATE for a linear address. */
export type Translation = Decoded<typeof translationFields>;
