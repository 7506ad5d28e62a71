/**
 * Why a vCPU could not continue, from `struct kvm_run`.
 *
 * @module
 */
import type { EngineFailure } from '../../contract/index.js';
import * as K from '../api/constants.js';
import { kvm_run as f } from '../api/layout.js';
import { exitReasonName, suberrorName } from '../api/names.js';
import { pagingHint } from './paging.js';

/**
 * The failure of an exit with `reason`, which the mapping still shows.
 * @param lacksPaging true where the guest is in protected mode without paging, on a KVM that cannot turn it on
 */
export function explainFailure(view: DataView, reason: number, lacksPaging = () => false): EngineFailure {
  switch (reason) {
    case K.KVM_EXIT_INTERNAL_ERROR:
      return internalError(view);
    case K.KVM_EXIT_FAIL_ENTRY:
      return failEntry(view);
    case K.KVM_EXIT_SHUTDOWN:
      return {
        name: 'KVM_EXIT_SHUTDOWN',
        message: 'triple fault',
        ...(lacksPaging() && { hint: `if the guest had just set CR0.PG without long mode: ${pagingHint}` }),
      };
    case K.KVM_EXIT_UNKNOWN:
      return {
        name: 'KVM_EXIT_UNKNOWN',
        message: `the processor left the guest for a reason that KVM does not handle: ${hex(view.getBigUint64(f['hw.hardware_exit_reason'], true))}`,
      };
    default: {
      const words = otherReasons[reason] ?? 'the kernel may be newer than Terrarium and have new reasons';
      return {
        name: exitReasonName(reason),
        message: `KVM left the guest for a reason that Terrarium’s machines do not have (exit reason ${reason}): ${words}`,
        hint: 'run it on the software CPU (--engine soft), and report this with the guest',
      };
    }
  }
}

/** The meaning of exit reasons that a VM must enable (KVM API 5, and the capabilities of section 7); ours does not. */
const otherReasons: Readonly<Record<number, string>> = {
  [K.KVM_EXIT_EXCEPTION]: 'an exception that KVM does not deliver',
  [K.KVM_EXIT_HYPERCALL]: 'a hypercall that KVM hands to its user',
  [K.KVM_EXIT_DEBUG]: 'a debug event, and nobody debugs the guest',
  [K.KVM_EXIT_NMI]: 'an NMI of the host',
  [K.KVM_EXIT_HYPERV]: 'a request to Hyper-V',
  [K.KVM_EXIT_XEN]: 'a request to Xen',
  [K.KVM_EXIT_X86_RDMSR]: 'RDMSR of a register that KVM does not know',
  [K.KVM_EXIT_X86_WRMSR]: 'WRMSR of a register that KVM does not know',
  [K.KVM_EXIT_DIRTY_RING_FULL]: 'the list of written pages is full',
  [K.KVM_EXIT_X86_BUS_LOCK]: 'a LOCKed access over a cache line’s end, which this host watches',
  [K.KVM_EXIT_NOTIFY]: 'the guest takes no interrupts any more',
  [K.KVM_EXIT_MEMORY_FAULT]: 'memory that KVM cannot give to the guest',
};

function internalError(view: DataView): EngineFailure {
  const suberror = view.getUint32(f['internal.suberror'], true);
  const name = suberrorName(suberror);
  const count = Math.min(view.getUint32(f['internal.ndata'], true), 16);
  if (suberror !== K.KVM_INTERNAL_ERROR_EMULATION) {
    const data = Array.from({ length: count }, (_, i) => view.getBigUint64(f['internal.data'] + 8 * i, true));
    const known = internalErrors[suberror] ?? 'KVM gave up';
    if (data.length === 0) return { name, message: known };
    return { name, message: `${known} (data ${data.map(hex).join(', ')})`, data };
  }
  const message = 'KVM could not emulate an instruction';
  const hint =
    'KVM emulates code that this host’s processor cannot run in the guest’s mode, and does not support every instruction; on hosts with VMX (unrestricted guest) or SVM most run natively';
  const instruction = instructionBytes(view, count);
  return { name, message, hint, ...(instruction && { instruction }) };
}

const internalErrors: Record<number, string> = {
  [K.KVM_INTERNAL_ERROR_SIMUL_EX]: 'two exceptions came at the same time, and KVM cannot deliver both',
  [K.KVM_INTERNAL_ERROR_DELIVERY_EV]: 'the processor left the guest during the delivery of an event',
  [K.KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON]: 'the processor left the guest for an unexpected reason',
};

/** The bytes at the instruction pointer where KVM gives them: `ndata` counts the words of flags and bytes. */
function instructionBytes(view: DataView, ndata: number): Uint8Array | undefined {
  if (ndata < 3) return undefined;
  const flags = view.getUint32(f['emulation_failure.flags'], true);
  if ((flags & K.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) === 0) return undefined;
  const size = Math.min(view.getUint8(f['emulation_failure.insn_size']), 15);
  if (size === 0) return undefined;
  const at = view.byteOffset + f['emulation_failure.insn_bytes'];
  return new Uint8Array(view.buffer, at, size).slice();
}

/** SVM's only reason (APM 2 15.5, appendix C). */
const VMEXIT_INVALID = 0xffff_ffff_ffff_ffffn;
/** VMX sets this bit in the reason of an entry that failed (SDM 3C 25.9.1); the low 16 bits are the reason (appendix C). */
const VMX_ENTRY_FAILURE = 1n << 31n;
const entryFailures: Record<number, string> = {
  33: 'invalid guest state',
  34: 'a model-specific register could not be loaded',
  41: 'a machine check during entry',
};

function failEntry(view: DataView): EngineFailure {
  const reason = view.getBigUint64(f['fail_entry.hardware_entry_failure_reason'], true);
  let words: string | undefined;
  if (reason === VMEXIT_INVALID) words = 'invalid guest state (VMEXIT_INVALID)';
  else if ((reason & VMX_ENTRY_FAILURE) !== 0n) words = entryFailures[Number(reason & 0xffffn)];
  return {
    name: 'KVM_EXIT_FAIL_ENTRY',
    message: `the processor refused the guest's state: ${words ?? 'hardware reason'} (${hex(reason)})`,
    hint: 'check segments, control registers and EFER against each other (SDM 3C 27.3.1)',
  };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
