/**
 * Linux's KVM: a typed handle for each of its file descriptors (`Kvm` → `Vm` → `Vcpu` → `Stats`), and the engine that
 * runs guests on the real CPU with them.
 *
 * Importing this costs nothing: the C library is loaded and /dev/kvm is opened on first use.
 *
 * ```ts
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu();
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import '../../globals.js';

/** KVM's extensions, by the names of <linux/kvm.h>. */
export * as capabilities from './api/capabilities.js';
/** KVM's other numbers, by the names of <linux/kvm.h>. */
export * as constants from './api/constants.js';
export type { CpuidEntry } from './api/cpuid.js';
export { errnoName } from './api/errno.js';
export { EngineLimit, KvmError, KvmUnavailableError } from './api/errors.js';
export { EventFd } from './api/eventfd.js';
export { lockFile } from './api/file-lock.js';
export { hostAddress } from './api/host-address.js';
export type {
  GuestClock,
  IoApicState,
  IrqChip,
  IrqChipName,
  PicState,
  PitChannel,
  PitState,
} from './api/irqchip.js';
export { type CapabilityName, Kvm } from './api/kvm.js';
/** Sizes and offsets of KVM's structures. */
export * as layout from './api/layout.js';
export { exitReasonName, suberrorName } from './api/names.js';
export { setThreadName } from './api/signal.js';
export type { Stat, StatKind, Stats, StatUnit } from './api/stats.js';
export { Tap } from './api/tap.js';
export type { GuestDebug, Vcpu } from './api/vcpu.js';
export type { DebugRegisters, ExtendedControl, FpuState, Translation, VcpuEvents } from './api/vcpu-state.js';
export type { IoEvent, MemorySlot, Vm } from './api/vm.js';
export { KvmCpu } from './run/cpu.js';
export { closeKvm, KvmEngine, type KvmEngineOptions, KvmVm, kvmEngine } from './run/engine.js';
export { type ForeignCounters, ForeignProcess } from './run/foreign-stats.js';
export { has32BitPaging } from './run/paging.js';
