/**
 * The errors of calls to the kernel's KVM, each with its remedy.
 *
 * @module
 */
import { TerrariumError } from '../../../errors.js';
import { accessAdvice } from './access.js';
import { errnoName } from './errno.js';

/** A call to the kernel failed, or a handle was used after it was closed. */
export class KvmError extends TerrariumError {
  /** The name of the call: an ioctl (`KVM_CREATE_VM`), `open`, `mmap`; empty for a closed handle. */
  readonly call: string;
  /** The kernel's error number; 0 where the kernel was not called. */
  readonly errno: number;

  constructor(
    code: string,
    message: string,
    options: { call?: string; errno?: number; hint?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.call = options.call ?? '';
    this.errno = options.errno ?? 0;
  }
}

/** This host cannot run KVM at all. */
export class KvmUnavailableError extends KvmError {
  constructor(message: string, hint: string, cause?: unknown) {
    super('ENOKVM', message, cause === undefined ? { hint } : { hint, cause });
  }
}

/** This host's engine cannot run the CPU state, though other hosts can. */
export class EngineLimit extends TerrariumError {
  constructor(message: string, hint: string) {
    super('ELIMIT', message, { hint });
  }
}

const hints: Record<string, string> = {
  'KVM_CREATE_VM ENOMEM': 'the host is out of memory for virtual machines: end other ones first',
  'KVM_CREATE_VM EBUSY':
    'another hypervisor (VirtualBox, VMware) may hold the processor’s virtualization: end it first',
  'KVM_CREATE_VCPU EEXIST': 'give each virtual CPU of a machine its own number',
  'KVM_CREATE_VCPU EINVAL': 'the number is past what this host allows: see KVM_CAP_MAX_VCPU_ID',
  'KVM_SET_USER_MEMORY_REGION EEXIST':
    'the region overlaps another slot, or the pages that KVM keeps for itself below 4 GiB',
  'KVM_SET_USER_MEMORY_REGION EINVAL':
    'address, size and host address must be multiples of 4096, and a slot cannot change its size',
  'KVM_SET_SREGS EINVAL':
    'the control registers contradict each other (SDM 3A 2.5): long mode needs CR0.PG, CR4.PAE, EFER.LME and EFER.LMA together, and reserved bits must be 0',
  'KVM_RUN EFAULT':
    'KVM could not reach the host memory of a guest address: was the memory unmapped, or is the host out of memory?',
  'KVM_IRQ_LINE ENXIO': 'make the interrupt controller first: createIrqChip()',
  'KVM_CREATE_PIT2 ENOENT': 'make the interrupt controller first: createIrqChip()',
  'KVM_CREATE_IRQCHIP EEXIST': 'the VM already has one',
  'KVM_CREATE_IRQCHIP EINVAL': 'make the interrupt controller before the first virtual CPU',
  'KVM_GET_DIRTY_LOG ENOENT': 'the slot keeps no dirty log: map it with logDirty',
  'KVM_TPR_ACCESS_REPORTING EINVAL': 'make the interrupt controller first: createIrqChip()',
  'pidfd_getfd EPERM':
    'reading another process needs the permission of a debugger: be its user or root (sudo), and see /proc/sys/kernel/yama/ptrace_scope',
  'pidfd_open ENOSYS': 'reading another process needs Linux 5.6 or newer',
  'KVM_INTERRUPT ENXIO': 'with an in-kernel interrupt controller, interrupts go through irqLine()',
};
const general: Record<string, string> = {
  EMFILE: 'the process has too many open files: dispose machines that have ended, or raise ulimit -n',
  ENFILE: 'the host has too many open files: end other programs',
  ENOMEM: 'the host is out of memory: end other programs, or give guests less',
  ENOTTY: 'this kernel’s KVM does not have it: call checkExtension first, or run a newer kernel',
  EOPNOTSUPP: 'this kernel’s KVM does not have it: call checkExtension first, or run a newer kernel',
  EFAULT: 'an address that it was given is not mapped',
  ENXIO: 'it needs something that this VM does not have: an interrupt controller, a timer or a local APIC',
};

/** The place of the kernel's documentation of a call. */
const manual = (call: string) =>
  call.startsWith('KVM_')
    ? `Documentation/virt/kvm/api.rst of the Linux kernel says when ${call} gives this error`
    : `the manual page says when the call gives this error: man 2 ${call}`;

/** The error for a call that failed with `errno`. */
export function callFailed(call: string, errno: number): KvmError {
  const name = errnoName(errno);
  const hint = hints[`${call} ${name}`] ?? general[name] ?? manual(call);
  return new KvmError(name, `${call}: ${name}`, { call, errno, hint });
}

/** The error for a device file that could not be opened: one complete line, so it has no separate hint. */
export function openFailed(path: string, errno: number): KvmError {
  const name = errnoName(errno);
  const advice = name === 'EACCES' ? accessAdvice(path) : (openHints[name] ?? general[name]);
  const message = advice === undefined ? `${path}: ${name}` : `${path}: ${name}: ${advice}`;
  return new KvmError(name, message, { call: 'open', errno });
}

const openHints: Record<string, string> = {
  EPERM: 'this container or sandbox keeps the device away: give it /dev/kvm (docker run --device /dev/kvm)',
  ENOENT:
    'load the module: sudo modprobe kvm_intel (or kvm_amd), and switch on virtualization in the firmware; in a container, pass --device /dev/kvm',
  ENODEV:
    'the device file exists, but KVM is not loaded: sudo modprobe kvm_intel (or kvm_amd), and switch on virtualization in the firmware',
  ENXIO:
    'the device file exists, but KVM is not loaded: sudo modprobe kvm_intel (or kvm_amd), and switch on virtualization in the firmware',
};

/** The error for a handle that was used after it was closed. */
export function closedHandle(name: string): KvmError {
  return new KvmError('ECLOSED', `${name} was used after it was closed`, {
    hint: 'keep it open (using, Symbol.dispose) as long as anything needs it',
  });
}
