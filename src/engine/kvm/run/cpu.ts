import {
  type CpuState,
  CR0,
  checkCpuState,
  type Registers,
  type SystemRegisters,
} from '../../../x86/index.js';
import {
  Control,
  type DebugRequest,
  type EngineCpu,
  type EngineFailure,
  type Exit,
  ExitKind,
  emptyExit,
  type FaultRecord,
  NO_ASSISTANCE,
} from '../../contract/index.js';
import { KVM_CAP_SYNC_REGS } from '../api/capabilities.js';
import * as K from '../api/constants.js';
import { guestCpuid, kernelApic } from '../api/cpuid.js';
import { errnoNumbers } from '../api/errno.js';
import { callFailed, closedHandle, KvmError } from '../api/errors.js';
import { KVM_RUN } from '../api/ioctls.js';
import type { Kvm } from '../api/kvm.js';
import { kvm_run } from '../api/layout.js';
import { decodeRegisters, encodeRegisters } from '../api/regs.js';
import type { RunArea } from '../api/run-area.js';
import { blockKicks, drainKicks, guestSignalMask, KickTimer, threadId, unblockKicks } from '../api/signal.js';
import type { Stats } from '../api/stats.js';
import type { Vcpu } from '../api/vcpu.js';
import type { Vm } from '../api/vm.js';
import { type LazyZones, nextEntry, RING_FIRST, RING_LAST } from './coalesced.js';
import type { CpuOptions } from './cpu-options.js';
import { DebugRegisters } from './debug-registers.js';
import { exitKind, REASON, showCoalesced, showExit } from './exit-record.js';
import { explainFailure } from './failure.js';
import { KeptSelectors, refuseForeign } from './foreign-state.js';
import { asksFor32BitPaging, has32BitPaging, isProtected, needsHardware, pagingRefused } from './paging.js';
import { readState, stateMsrs, writeState } from './state.js';

const SYNCED = kvm_run['s.regs'];
const DR6 = kvm_run['debug.arch.dr6'];
/** More accesses than any instruction without a repeat prefix makes. */
const MAX_ACCESSES = 128;

const NO_DATA = new DataView(new ArrayBuffer(0));

/** A KVM vCPU as an engine's CPU. */
export class KvmCpu implements EngineCpu {
  readonly index: number;
  readonly exit: Exit;
  readonly assistance = NO_ASSISTANCE;
  readonly clock = undefined;
  /** The typed vCPU, for calls that the contract does not have. */
  readonly handle: Vcpu;
  readonly #kvm: Kvm;
  readonly #zones: LazyZones;
  readonly #control: Int32Array;
  readonly #area: RunArea;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #ioctl: Vcpu['ioctl'];
  readonly #errno: Vcpu['errno'];
  readonly #debugRegisters: DebugRegisters;
  /** True where KVM copies the general registers into the mapping at each exit, and reads them from it. */
  #syncs = false;
  #fd: number;
  /** An exit that KVM has made and `run` has not reported, because coalesced writes come first; 0 where there is none. */
  #held = 0;
  /** True while `exit` shows the ring's first entry. */
  #showsEntry = false;
  /** True while an access that `exit` shows has not been completed. */
  #asks = false;
  /** True where the mapping holds the vCPU's current registers, or those of its next run. */
  #registersShown = false;
  /** The MSRs of this CPU's state, after the first use. */
  #msrs: readonly number[] | undefined;
  readonly #hasApic: boolean;
  readonly #read64: CpuOptions['read64'];
  readonly #selectors = new KeptSelectors();
  readonly #deviceApic: boolean;
  readonly #crew: CpuOptions['crew'];
  #stats: Stats | undefined;
  #timer: KickTimer | undefined;
  #disposed = false;

  /** @internal */
  constructor(
    kvm: Kvm,
    vm: Vm,
    zones: LazyZones,
    index: number,
    control: Int32Array,
    { trustsGuestDebug, hasApic, deviceApic, read64, crew, cpus }: CpuOptions,
  ) {
    this.#crew = crew;
    this.#hasApic = hasApic;
    this.#read64 = read64;
    this.#deviceApic = deviceApic;
    this.#kvm = kvm;
    this.#zones = zones;
    this.#control = control;
    this.index = index;
    this.handle = vm.createVcpu(index);
    this.handle.adopt(this);
    this.#debugRegisters = new DebugRegisters(kvm, this.handle, trustsGuestDebug);
    this.#fd = this.handle.fd;
    this.#ioctl = this.handle.ioctl;
    this.#errno = this.handle.errno;
    this.#area = this.handle.area;
    this.#words = this.#area.words;
    this.#bytes = this.#area.bytes;
    this.exit = emptyExit(this.#area.view, 0, index);
    blockKicks();
    try {
      Atomics.store(control, Control.thread, threadId());
      this.handle.setSignalMask(guestSignalMask());
      this.handle.setCpuidBuffer(guestCpuid(kvm.supportedCpuid(), index, kernelApic(kvm, hasApic), cpus));
      this.#syncs = (kvm.checkExtension(KVM_CAP_SYNC_REGS) & K.KVM_SYNC_X86_REGS) !== 0;
      if (this.#syncs) this.#words[kvm_run.kvm_valid_regs >> 2] = K.KVM_SYNC_X86_REGS;
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** KVM's own counters of this CPU; needs KVM_CAP_BINARY_STATS_FD. They stay open as long as the CPU. */
  get stats(): Stats {
    this.#stats ??= this.handle.openStats();
    return this.#stats;
  }

  run(): ExitKind {
    const words = this.#words;
    if (this.#fd < 0) throw closedHandle(`CPU ${this.index}`);
    if (this.#showsEntry) {
      this.#showsEntry = false;
      words[RING_FIRST] = nextEntry(words[RING_FIRST]!);
    }
    if (this.#held !== 0) return this.#report();
    this.#asks = false;
    for (;;) {
      if (Atomics.load(this.#control, Control.request) !== 0) {
        this.#held = ExitKind.interrupted;
        return this.#report();
      }
      if (this.#ioctl(this.#fd, KVM_RUN, 0) === 0) {
        this.#registersShown = this.#syncs;
        const lowered = words[REASON] === K.KVM_EXIT_SET_TPR;
        // CR8 was lowered, and no interrupt is pending for that: nothing to do.
        if (lowered && !this.#deviceApic) continue;
        this.#held = lowered ? ExitKind.interruptWindow : exitKind(words);
        return this.#report();
      }
      const errno = this.#errno();
      if (errno === errnoNumbers.EINTR) {
        this.#registersShown = this.#syncs;
        this.#bytes[kvm_run.immediate_exit] = 0;
        drainKicks();
        this.#held = ExitKind.interrupted;
        return this.#report();
      }
      // The vCPU was not ready to run, for example because it just received its start-up interrupt (SIPI).
      if (errno !== errnoNumbers.EAGAIN) throw callFailed('KVM_RUN', errno);
    }
  }

  /**
   * Prepares to enter the guest on another thread. True where there is something to report first: then `exit` shows it.
   * @internal
   */
  enter(): boolean {
    const words = this.#words;
    if (this.#fd < 0) throw closedHandle(`CPU ${this.index}`);
    if (this.#showsEntry) {
      this.#showsEntry = false;
      words[RING_FIRST] = nextEntry(words[RING_FIRST]!);
    }
    if (this.#held !== 0) {
      this.#report();
      return true;
    }
    this.#asks = false;
    this.#bytes[kvm_run.immediate_exit] = 0;
    return false;
  }

  /** The other thread has exited the guest, with this error or none. True where `exit` shows the reason. @internal */
  leave(errno: number): boolean {
    this.hold(errno);
    if (this.#held === 0) return false;
    this.#report();
    return true;
  }

  /** As `leave`, but `exit` will show it at the next `enter`. @internal */
  hold(errno: number): void {
    const words = this.#words;
    this.#registersShown = this.#syncs;
    this.#bytes[kvm_run.immediate_exit] = 0;
    if (errno === errnoNumbers.EINTR) return;
    if (errno !== 0) throw callFailed('KVM_RUN', errno);
    if (words[REASON] !== K.KVM_EXIT_SET_TPR) this.#held = exitKind(words);
  }

  /** The thread must exit the guest, or not enter it. @internal */
  leaveAtOnce(): void {
    this.#bytes[kvm_run.immediate_exit] = 1;
  }

  /** Shows the next coalesced write; without one, the held exit. */
  #report(): ExitKind {
    const words = this.#words;
    const exit = this.exit;
    if (words[RING_FIRST] !== words[RING_LAST]) {
      this.#showsEntry = true;
      showCoalesced(exit, words[RING_FIRST]!, words);
      return exit.kind;
    }
    const kind = this.#held as ExitKind;
    this.#held = 0;
    showExit(exit, kind, words);
    this.#asks = kind === ExitKind.io || kind === ExitKind.mmio;
    if (this.#asks && this.#zones.waiting !== 0 && exit.write) {
      this.#zones.note(kind === ExitKind.io ? 'port' : 'memory', exit.address);
    }
    return kind;
  }

  completeExit(): void {
    if (this.#fd < 0) throw closedHandle(`CPU ${this.index}`);
    // The held exit has not been reported: completing it now would lose it. Only accesses have to be completed.
    if (this.#held !== 0 || !this.#asks) return;
    this.#asks = false;
    this.#bytes[kvm_run.immediate_exit] = 1;
    try {
      // KVM API 5, KVM_EXIT_IO: entering with immediate_exit set completes the pending access and returns with EINTR.
      if (this.#ioctl(this.#fd, KVM_RUN, 0) === 0) {
        // The instruction makes another access (an MMIO of more than 8 bytes): the next `run` reports it.
        this.#held = exitKind(this.#words);
        return;
      }
      const errno = this.#errno();
      if (errno !== errnoNumbers.EINTR && errno !== errnoNumbers.EAGAIN) throw callFailed('KVM_RUN', errno);
    } finally {
      this.#bytes[kvm_run.immediate_exit] = 0;
    }
  }

  /**
   * New registers are about to be set: KVM would finish an instruction that is in the middle of an access, and its
   * results would overwrite them. So the instruction is finished here; its further accesses are not reported.
   */
  #giveUpAccess(): void {
    for (let accesses = 0; this.#asks && accesses < MAX_ACCESSES; accesses++) {
      this.completeExit();
      this.#asks = this.#held === ExitKind.io || this.#held === ExitKind.mmio;
      if (this.#asks) this.#held = 0;
    }
  }

  /** From the mapping, where KVM has stored them there: this saves a call. */
  getRegisters(): Registers {
    this.#live();
    return this.#registersShown ? decodeRegisters(this.#area.view, SYNCED) : this.handle.getRegisters();
  }

  /** Where KVM reads them from the mapping, it does so at the next run (KVM API 5, KVM_CAP_SYNC_REGS). */
  setRegisters(registers: Registers): void {
    this.#live();
    this.#giveUpAccess();
    if (!this.#syncs) {
      this.handle.setRegisters(registers);
      return;
    }
    encodeRegisters(this.#area.view, registers, SYNCED);
    this.#words[kvm_run.kvm_dirty_regs >> 2] = K.KVM_SYNC_X86_REGS;
    this.#registersShown = true;
  }

  getSystemRegisters(): SystemRegisters {
    return this.handle.getSystemRegisters();
  }

  setSystemRegisters(system: SystemRegisters): void {
    this.#giveUpAccess();
    this.handle.setSystemRegisters(system);
    if (asksFor32BitPaging(system) && (this.handle.getSystemRegisters().cr0 & CR0.PG) === 0n) {
      throw pagingRefused();
    }
  }

  getState(): CpuState {
    this.#live();
    if (this.#asks) {
      throw new KvmError(
        'EBUSY',
        `CPU ${this.index} is in the middle of an access, where KVM cannot give its state`,
        {
          hint: 'complete the access first: completeExit()',
        },
      );
    }
    // Events first: reading them makes KVM write CR2 and DR6 for a pending exception.
    const state = readState(this.#parts());
    this.#msrs = state.msrs.map(([msr]) => msr);
    const fpuSelectors = this.#selectors.of(state);
    return { ...state, fpuSelectors, registers: this.getRegisters(), system: this.getSystemRegisters() };
  }

  setState(state: CpuState, known?: CpuState): void {
    this.#live();
    checkCpuState(state);
    refuseForeign(state, { hasApic: this.#hasApic, read64: this.#read64 });
    this.setSystemRegisters(state.system);
    this.setRegisters(state.registers);
    writeState(this.#parts(), state, known);
    this.#selectors.keep(state);
  }

  #parts() {
    this.#msrs ??= stateMsrs(this.#kvm);
    return { vcpu: this.handle, msrs: this.#msrs, hasApic: this.#hasApic };
  }

  canRun(system: SystemRegisters): boolean {
    return !needsHardware(system) || has32BitPaging(this.#kvm);
  }

  needsHelp(system: SystemRegisters): boolean {
    return isProtected(system) && !has32BitPaging(this.#kvm);
  }

  setTimer(firstMs: number, intervalMs: number): void {
    if (this.#fd < 0) throw closedHandle(`CPU ${this.index}`);
    if (this.#crew !== undefined) {
      this.#crew.setTimer(firstMs, intervalMs);
      return;
    }
    if (this.#timer === undefined) {
      if (firstMs === 0 && intervalMs === 0) return;
      this.#timer = new KickTimer();
    }
    this.#timer.set(firstMs, intervalMs);
  }

  get readyForInterrupt(): boolean {
    return this.#live()[kvm_run.ready_for_interrupt_injection] !== 0;
  }

  get interruptsEnabled(): boolean {
    return this.#live()[kvm_run.if_flag] !== 0;
  }

  get taskPriority(): number {
    return this.#live()[kvm_run.cr8]! & 15;
  }

  set taskPriority(value: number) {
    this.#live()[kvm_run.cr8] = value & 15;
  }

  /** Reading it is a call of its own, and it does not follow the machine's clock. */
  readonly timeStamp = undefined;

  requestInterruptWindow(wanted: boolean): void {
    this.#live()[kvm_run.request_interrupt_window] = wanted ? 1 : 0;
  }

  injectInterrupt(vector: number): void {
    if (!Number.isInteger(vector) || vector < 0 || vector > 255) {
      throw new KvmError('EINVAL', `there is no interrupt vector ${vector}`, {
        hint: 'vectors are 0 to 255',
      });
    }
    if (!this.readyForInterrupt) {
      throw new KvmError('ENOTREADY', `CPU ${this.index} cannot take interrupt ${vector} now`, {
        hint: 'check readyForInterrupt, or call requestInterruptWindow and wait for that exit',
      });
    }
    this.handle.interrupt(vector);
    // KVM accepts one at a time, and would report that only at the next exit.
    this.#bytes[kvm_run.ready_for_interrupt_injection] = 0;
  }

  injectNmi(): void {
    this.handle.nmi();
  }

  reportTprAccess(wanted: boolean): void {
    this.handle.reportTprAccess(wanted);
  }

  /** It sleeps in a HLT with RFLAGS.IF = 0, or waits to be started. While it is not in the guest. @internal */
  get sleepsForGood(): boolean {
    if (this.#held !== 0) return false;
    const state = this.handle.getMpState();
    const unstarted = state === K.KVM_MP_STATE_UNINITIALIZED || state === K.KVM_MP_STATE_INIT_RECEIVED;
    return unstarted || (state === K.KVM_MP_STATE_HALTED && !this.interruptsEnabled);
  }

  get waiting(): boolean {
    return this.handle.getMpState() === K.KVM_MP_STATE_HALTED;
  }

  debug(request: DebugRequest | undefined): string | undefined {
    this.#live();
    return this.#debugRegisters.set(request);
  }

  get touchedWatchpoint(): number {
    return this.#debugRegisters.touchedWatchpoint(this.#live()[DR6]!);
  }

  /** KVM does not report the exceptions that it delivers. */
  recentFaults(): readonly FaultRecord[] {
    return [];
  }

  failure(): EngineFailure {
    this.#live();
    const lacksPaging = () => {
      const system = this.getSystemRegisters();
      return isProtected(system) && (system.cr0 & CR0.PG) === 0n && !has32BitPaging(this.#kvm);
    };
    return explainFailure(this.#area.view, this.exit.reason, lacksPaging);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#fd = -1;
    this.#timer?.[Symbol.dispose]();
    this.handle[Symbol.dispose]();
    unblockKicks();
    Atomics.compareExchange(this.#control, Control.thread, threadId(), 0);
    // From now on the mapping may belong to another vCPU.
    this.exit.data = NO_DATA;
  }

  /** The mapping's bytes while the vCPU lives. */
  #live(): Uint8Array {
    if (this.#fd < 0) throw closedHandle(`CPU ${this.index}`);
    return this.#bytes;
  }
}
