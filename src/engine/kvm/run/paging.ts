/**
 * Whether this host's KVM can run 32-bit paging. VMX and SVM can; implementations that run guests without them (kvm_pvm) accept
 * CR0.PG without long mode but leave it clear, and a guest that sets it itself ends in a shutdown.
 *
 * @module
 */
import { CR0, EFER, type SystemRegisters } from '../../../x86/index.js';
import { EngineLimit } from '../api/errors.js';
import type { Kvm } from '../api/kvm.js';

export const pagingHint =
  'this host’s KVM cannot run guests with 32-bit or PAE paging: run it on the software CPU (--engine soft), or switch on long mode together with paging';

/** True for a state with paging on and long mode off. */
export function asksFor32BitPaging({ cr0, efer }: SystemRegisters): boolean {
  return (cr0 & CR0.PG) !== 0n && (efer & (EFER.LME | EFER.LMA)) === 0n;
}

/**
 * True for a state that a KVM without VMX and SVM cannot run. That is 32-bit paging, and protected mode outside ring 0 or after
 * a hardware task switch, which sets CR0.TS: there exceptions that change the ring or the task are delivered wrongly, and KVM
 * does not report it.
 */
export function needsHardware(system: SystemRegisters): boolean {
  if (asksFor32BitPaging(system)) return true;
  return isProtected(system) && (system.ss.dpl !== 0 || (system.cr0 & CR0.TS) !== 0n);
}

/** Protected mode without long mode. */
export function isProtected({ cr0, efer }: SystemRegisters): boolean {
  return (cr0 & CR0.PE) !== 0n && (efer & (EFER.LME | EFER.LMA)) === 0n;
}

/** The error for a vCPU that did not accept CR0.PG. */
export function pagingRefused(): EngineLimit {
  return new EngineLimit(
    'this host’s KVM refuses 32-bit paging: CR0.PG is clear after KVM_SET_SREGS set it without long mode',
    'run it on the software CPU (--engine soft), or use a host whose KVM has VMX or SVM',
  );
}

let answer: boolean | undefined;

/** Tests a vCPU of a machine without memory, once per process. */
export function has32BitPaging(kvm: Kvm): boolean {
  if (answer !== undefined) return answer;
  using vm = kvm.createVm();
  using vcpu = vm.createVcpu();
  const system = vcpu.getSystemRegisters();
  vcpu.setSystemRegisters({ ...system, cr0: system.cr0 | CR0.PE | CR0.PG, cr3: 0n });
  answer = (vcpu.getSystemRegisters().cr0 & CR0.PG) !== 0n;
  return answer;
}
