/**
 * Linux's KVM: a typed handle for each of its file descriptors (`Kvm` → `Vm` → `Vcpu` → `Stats`), and the engine that
 * runs guests on the real CPU with them.
 *
 * Importing this costs nothing: the C library is loaded and /dev/kvm is opened when they are first used.
 *
 * ```ts
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu();
 * ```
 *
 * @module
 */

/** KVM's extensions, by the names of <linux/kvm.h>. */
export * as capabilities from './capabilities.js';
/** KVM's other numbers, by the names of <linux/kvm.h>. */
export * as constants from './constants.js';
export { KvmCpu } from './cpu.js';
export type { CpuidEntry } from './cpuid.js';
export { closeKvm, KvmEngine, type KvmEngineOptions, KvmVm, kvmEngine } from './engine.js';
export { errnoName } from './errno.js';
export { EngineLimit, KvmError, KvmUnavailableError } from './errors.js';
export { EventFd } from './eventfd.js';
export { type ForeignCounters, ForeignProcess } from './foreign-stats.js';
export { hostAddress } from './host-address.js';
export type {
  GuestClock,
  IoApicState,
  IrqChip,
  IrqChipName,
  PicState,
  PitChannel,
  PitState,
} from './irqchip.js';
export { type CapabilityName, Kvm } from './kvm.js';
/** Sizes and offsets of KVM's structures. */
export * as layout from './layout.js';
export { exitReasonName, suberrorName } from './names.js';
export { has32BitPaging } from './paging.js';
export { setThreadName } from './signal.js';
export type { Stat, StatKind, Stats, StatUnit } from './stats.js';
export type { GuestDebug, Vcpu } from './vcpu.js';
export type { DebugRegisters, ExtendedControl, FpuState, Translation, VcpuEvents } from './vcpu-state.js';
export type { IoEvent, MemorySlot, Vm } from './vm.js';
