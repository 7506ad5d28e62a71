import { DR7, DR7_AFTER_RESET, type Registers, type SystemRegisters } from '../../../x86/index.js';
import type { Watchpoint } from '../../contract/index.js';
import { KVM_CAP_XSAVE2 } from './capabilities.js';
import { decode, encode, scratch } from './codec.js';
import * as K from './constants.js';
import { type CpuidEntry, decodeCpuid, encodeCpuid } from './cpuid.js';
import { encodeEnableCap } from './enable-cap.js';
import { errnoNumbers } from './errno.js';
import { callFailed, KvmError } from './errors.js';
import { Handle, type Host, transferList } from './handle.js';
import * as ioctl from './ioctls.js';
import * as layout from './layout.js';
import type { Libc } from './libc.js';
import { decodeRegisters, encodeRegisters } from './regs.js';
import { mapRunArea, type RunArea, unmapRunArea } from './run-area.js';
import { decodeSystemRegisters, encodeSystemRegisters } from './sregs.js';
import { Stats } from './stats.js';
import {
  type DebugRegisters,
  debugFields,
  decodeFpu,
  decodeXcrs,
  type ExtendedControl,
  encodeFpu,
  encodeXcrs,
  eventFields,
  type FpuState,
  type Translation,
  translationFields,
  type VcpuEvents,
} from './vcpu-state.js';

/** The request of KVM_SET_GUEST_DEBUG. */
export interface GuestDebug {
  singleStep?: boolean;
  /** Exit at INT3 instead of delivering #BP to the guest. */
  softwareBreakpoints?: boolean;
  /** Linear addresses of instructions; with `watchpoints` at most four (DR0 to DR3, the breakpoints first). */
  breakpoints?: readonly bigint[];
  /** Watched data; lengths are 1, 2, 4 or 8. */
  watchpoints?: readonly Watchpoint[];
  /** Take no interrupt while single-stepping (KVM_GUESTDBG_BLOCKIRQ). */
  blockInterrupts?: boolean;
}

/** KVM refuses longer lists (MAX_IO_MSRS, arch/x86/kvm/x86.c). */
const MAX_MSRS = 255;

const regs = scratch(layout.kvm_regs.sizeof);
const sregs = scratch(layout.kvm_sregs.sizeof);
const word = scratch(4);
const oneMsr = scratch(layout.kvm_msrs.sizeof + layout.kvm_msr_entry.sizeof);

/** A virtual CPU. Call it only from the thread that runs it. Made by `Vm.createVcpu`. */
export class Vcpu extends Handle {
  readonly index: number;
  readonly #vm: Pick<Host, 'checkExtension'>;
  #area: RunArea | undefined;

  /** @internal */
  constructor(vm: Handle & Pick<Host, 'checkExtension'>, mmapSize: number, index: number, fd: number) {
    super(`vCPU ${index}`, fd, vm);
    this.index = index;
    this.#vm = vm;
    try {
      this.#area = mapRunArea(fd, mmapSize);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The C library's ioctl and errno, for the run loop. @internal */
  get ioctl(): Libc['ioctl'] {
    return this.libc.ioctl;
  }

  /** @internal */
  get errno(): Libc['errno'] {
    return this.libc.errno;
  }

  /**
   * The mapping of `struct kvm_run`, only for the run loop: views of it stay readable after the vCPU is closed, but then show
   * zeros, or another vCPU.
   * @internal
   */
  get area(): RunArea {
    // Throws for a closed handle.
    this.fd;
    return this.#area!;
  }

  /** Called when the file descriptor is closed, whose number the run loop stores. @internal */
  override adopt(user: Disposable): void {
    super.adopt(user);
  }

  protected override release(): void {
    if (this.#area !== undefined) unmapRunArea(this.#area);
    this.#area = undefined;
  }

  /** A copy of bytes of `struct kvm_run` (offsets: `layout.kvm_run`). */
  readRun(offset: number, length: number): DataView {
    const { bytes } = this.area;
    checkRange(offset, length, bytes.length);
    return new DataView(bytes.slice(offset, offset + length).buffer);
  }

  /** Writes bytes of `struct kvm_run`: the data of a read, `request_interrupt_window`, … */
  writeRun(offset: number, bytes: Uint8Array): void {
    const { bytes: area } = this.area;
    checkRange(offset, bytes.length, area.length);
    area.set(bytes, offset);
  }

  /**
   * KVM_RUN: runs the guest and returns the exit reason; KVM_EXIT_INTR where a signal ended it.
   * @throws KvmError where the kernel refuses to run the vCPU.
   */
  run(): number {
    const { words } = this.area;
    while (this.libc.ioctl(this.fd, ioctl.KVM_RUN, 0) < 0) {
      const errno = this.libc.errno();
      if (errno === errnoNumbers.EINTR) return K.KVM_EXIT_INTR;
      if (errno !== errnoNumbers.EAGAIN) throw callFailed('KVM_RUN', errno);
    }
    return words[layout.kvm_run.exit_reason >> 2]!;
  }

  /** KVM_GET_REGS. */
  getRegisters(): Registers {
    this.transfer(ioctl.KVM_GET_REGS, regs);
    return decodeRegisters(regs);
  }

  /** KVM_SET_REGS. */
  setRegisters(registers: Registers): void {
    encodeRegisters(regs, registers);
    this.transfer(ioctl.KVM_SET_REGS, regs);
  }

  /** KVM_GET_SREGS. */
  getSystemRegisters(): SystemRegisters {
    this.transfer(ioctl.KVM_GET_SREGS, sregs);
    return decodeSystemRegisters(sregs);
  }

  /** KVM_SET_SREGS, with no interrupt in the bitmap (`setEvents` has them). */
  setSystemRegisters(system: SystemRegisters): void {
    sregs.setBigUint64(layout.kvm_sregs.interrupt_bitmap, 0n, true);
    for (let i = layout.kvm_sregs.interrupt_bitmap; i < layout.kvm_sregs.sizeof; i += 8) {
      sregs.setBigUint64(i, 0n, true);
    }
    encodeSystemRegisters(sregs, system);
    this.transfer(ioctl.KVM_SET_SREGS, sregs);
  }

  /** KVM_GET_FPU. */
  getFpu(): FpuState {
    const fpu = scratch(layout.kvm_fpu.sizeof);
    this.transfer(ioctl.KVM_GET_FPU, fpu);
    return decodeFpu(fpu);
  }

  /** KVM_SET_FPU. */
  setFpu(state: FpuState): void {
    this.transfer(ioctl.KVM_SET_FPU, encodeFpu(state));
  }

  /** KVM_GET_XSAVE or KVM_GET_XSAVE2: the extended state in the format of XSAVE (SDM 1 13.4), in this host's size. */
  getXsave(): Uint8Array {
    const size = this.#vm.checkExtension(KVM_CAP_XSAVE2);
    const bytes = new Uint8Array(Math.max(size, layout.kvm_xsave.sizeof));
    this.transfer(size > layout.kvm_xsave.sizeof ? ioctl.KVM_GET_XSAVE2 : ioctl.KVM_GET_XSAVE, bytes);
    return bytes;
  }

  /** KVM_SET_XSAVE: the result of `getXsave` on the same host. */
  setXsave(bytes: Uint8Array): void {
    const size = Math.max(this.#vm.checkExtension(KVM_CAP_XSAVE2), layout.kvm_xsave.sizeof);
    if (bytes.length !== size) {
      throw new KvmError('EINVAL', `the extended state has ${bytes.length} bytes, this host's has ${size}`, {
        call: 'KVM_SET_XSAVE',
        hint: 'pass the result of getXsave() on this host',
      });
    }
    this.transfer(ioctl.KVM_SET_XSAVE, bytes);
  }

  /** KVM_GET_XCRS. */
  getXcrs(): ExtendedControl[] {
    const xcrs = scratch(layout.kvm_xcrs.sizeof);
    this.transfer(ioctl.KVM_GET_XCRS, xcrs);
    return decodeXcrs(xcrs);
  }

  /** KVM_SET_XCRS. */
  setXcrs(controls: readonly ExtendedControl[]): void {
    this.transfer(ioctl.KVM_SET_XCRS, encodeXcrs(controls));
  }

  /** KVM_GET_MSRS for one model-specific register. @throws KvmError `EMSR` where this host's KVM does not have the register. */
  getMsr(index: number): bigint {
    this.#msr(ioctl.KVM_GET_MSRS, index, 0n);
    return oneMsr.getBigUint64(layout.kvm_msrs.entries + layout.kvm_msr_entry.data, true);
  }

  /**
   * KVM_GET_MSRS for many registers, with as few calls as possible: KVM stops at a register that it does not have; those are
   * left out of the result. Gives pairs of MSR index and value.
   */
  getMsrs(indexes: readonly number[]): (readonly [index: number, value: bigint])[] {
    // Throws for a closed handle, even for an empty list.
    this.fd;
    const found: [number, bigint][] = [];
    const { entries } = layout.kvm_msrs;
    const { sizeof, index, data } = layout.kvm_msr_entry;
    for (let from = 0; from < indexes.length; ) {
      const asked = indexes.slice(from, from + MAX_MSRS);
      const list = scratch(layout.kvm_msrs.sizeof + asked.length * sizeof);
      list.setUint32(layout.kvm_msrs.nmsrs, asked.length, true);
      for (const [n, msr] of asked.entries()) list.setUint32(entries + n * sizeof + index, msr, true);
      const count = this.transfer(ioctl.KVM_GET_MSRS, list);
      for (const [n, msr] of asked.slice(0, count).entries())
        found.push([msr, list.getBigUint64(entries + n * sizeof + data, true)]);
      from += count === asked.length ? count : count + 1;
    }
    return found;
  }

  /** KVM_SET_MSRS for one register; one at a time, since KVM stops at the first register of a list that it refuses. */
  setMsr(index: number, value: bigint): void {
    this.#msr(ioctl.KVM_SET_MSRS, index, value);
  }

  #msr(request: number, index: number, value: bigint): void {
    const at = layout.kvm_msrs.entries;
    oneMsr.setUint32(layout.kvm_msrs.nmsrs, 1, true);
    oneMsr.setUint32(at + layout.kvm_msr_entry.index, index, true);
    oneMsr.setBigUint64(at + layout.kvm_msr_entry.data, value, true);
    if (this.transfer(request, oneMsr) === 1) return;
    const call = request === ioctl.KVM_GET_MSRS ? 'KVM_GET_MSRS' : 'KVM_SET_MSRS';
    throw new KvmError('EMSR', `${call} refused MSR 0x${index.toString(16)}`, {
      call,
      hint: 'Kvm.msrIndexList() lists this host’s registers; the value may also be wrong',
    });
  }

  /** KVM_SET_CPUID2: the results of the guest's CPUID; before its first run. */
  setCpuid(entries: readonly CpuidEntry[]): void {
    this.setCpuidBuffer(encodeCpuid(entries));
  }

  /** KVM_SET_CPUID2 with a `struct kvm_cpuid2` that is ready. @internal */
  setCpuidBuffer(buffer: DataView): void {
    this.transfer(ioctl.KVM_SET_CPUID2, buffer);
  }

  /** KVM_GET_CPUID2. */
  getCpuid(): CpuidEntry[] {
    const { sizeof: entryBytes } = layout.kvm_cpuid_entry2;
    const call = (buffer: DataView) => this.libc.ioctlPointer(this.fd, ioctl.KVM_GET_CPUID2, buffer);
    return decodeCpuid(transferList(call, ioctl.KVM_GET_CPUID2, layout.kvm_cpuid2.sizeof, entryBytes, 128));
  }

  /** KVM_GET_VCPU_EVENTS. */
  getEvents(): VcpuEvents {
    const events = scratch(layout.kvm_vcpu_events.sizeof);
    this.transfer(ioctl.KVM_GET_VCPU_EVENTS, events);
    return decode(eventFields, events);
  }

  /** KVM_SET_VCPU_EVENTS. */
  setEvents(state: VcpuEvents): void {
    const events = scratch(layout.kvm_vcpu_events.sizeof);
    encode(eventFields, events, state);
    this.transfer(ioctl.KVM_SET_VCPU_EVENTS, events);
  }

  /** KVM_GET_DEBUGREGS. */
  getDebugRegisters(): DebugRegisters {
    const debug = scratch(layout.kvm_debugregs.sizeof);
    this.transfer(ioctl.KVM_GET_DEBUGREGS, debug);
    return decode(debugFields, debug);
  }

  /** KVM_SET_DEBUGREGS. */
  setDebugRegisters(state: DebugRegisters): void {
    const debug = scratch(layout.kvm_debugregs.sizeof);
    encode(debugFields, debug, state);
    this.transfer(ioctl.KVM_SET_DEBUGREGS, debug);
  }

  /** KVM_GET_MP_STATE: KVM_MP_STATE_*. */
  getMpState(): number {
    this.transfer(ioctl.KVM_GET_MP_STATE, word);
    return word.getUint32(0, true);
  }

  /** KVM_SET_MP_STATE; needs an in-kernel interrupt controller for anything but KVM_MP_STATE_RUNNABLE. */
  setMpState(state: number): void {
    word.setUint32(0, state, true);
    this.transfer(ioctl.KVM_SET_MP_STATE, word);
  }

  /** KVM_GET_LAPIC: the local APIC's register page, 1,024 bytes; needs an in-kernel interrupt controller. */
  getLapic(): Uint8Array {
    const lapic = new Uint8Array(layout.kvm_lapic_state.sizeof);
    this.transfer(ioctl.KVM_GET_LAPIC, lapic);
    return lapic;
  }

  /** KVM_SET_LAPIC. */
  setLapic(registers: Uint8Array): void {
    const lapic = new Uint8Array(layout.kvm_lapic_state.sizeof);
    lapic.set(registers.subarray(0, lapic.length));
    this.transfer(ioctl.KVM_SET_LAPIC, lapic);
  }

  /**
   * KVM_TPR_ACCESS_REPORTING: exit with KVM_EXIT_TPR_ACCESS after each access to the local APIC's task
   * priority register; needs an in-kernel interrupt controller.
   */
  reportTprAccess(wanted: boolean): void {
    const control = scratch(layout.kvm_tpr_access_ctl.sizeof);
    control.setUint32(layout.kvm_tpr_access_ctl.enabled, wanted ? 1 : 0, true);
    this.transfer(ioctl.KVM_TPR_ACCESS_REPORTING, control);
  }

  /** KVM_INTERRUPT: injects external interrupt `vector`; without an in-kernel interrupt controller. */
  interrupt(vector: number): void {
    word.setUint32(0, vector, true);
    this.transfer(ioctl.KVM_INTERRUPT, word);
  }

  /** KVM_NMI. */
  nmi(): void {
    this.control(ioctl.KVM_NMI);
  }

  /** KVM_SET_GUEST_DEBUG; `{}` turns it off. Events cause KVM_EXIT_DEBUG. */
  setGuestDebug(asked: GuestDebug): void {
    const { singleStep, softwareBreakpoints, breakpoints = [], watchpoints = [], blockInterrupts } = asked;
    const count = breakpoints.length + watchpoints.length;
    if (count > 4) {
      throw new KvmError('EINVAL', `${count} hardware breakpoints were requested`, {
        call: 'KVM_SET_GUEST_DEBUG',
        hint: 'an x86 processor has four',
      });
    }
    const f = layout.kvm_guest_debug;
    const debug = scratch(f.sizeof);
    let control = 0;
    if (singleStep) control |= K.KVM_GUESTDBG_SINGLESTEP;
    if (softwareBreakpoints) control |= K.KVM_GUESTDBG_USE_SW_BP;
    if (count > 0) control |= K.KVM_GUESTDBG_USE_HW_BP;
    if (blockInterrupts) control |= K.KVM_GUESTDBG_BLOCKIRQ;
    if (control !== 0) control |= K.KVM_GUESTDBG_ENABLE;
    debug.setUint32(f.control, control, true);
    let dr7: bigint = DR7_AFTER_RESET;
    for (const [i, address] of breakpoints.entries()) {
      debug.setBigUint64(f['arch.debugreg'] + 8 * i, address, true);
      dr7 |= DR7.globalEnable(i) | DR7.kind(i, DR7.EXECUTION, 1);
    }
    for (const [index, { address, length, on }] of watchpoints.entries()) {
      const i = breakpoints.length + index;
      debug.setBigUint64(f['arch.debugreg'] + 8 * i, address, true);
      const kind = on === 'write' ? DR7.WRITES : DR7.ACCESSES;
      dr7 |= DR7.globalEnable(i) | DR7.kind(i, kind, length);
    }
    debug.setBigUint64(f['arch.debugreg'] + 8 * 7, dr7, true);
    this.transfer(ioctl.KVM_SET_GUEST_DEBUG, debug);
  }

  /** KVM_SET_SIGNAL_MASK: the signals that are blocked inside the guest, as the kernel's 8 bytes. */
  setSignalMask(mask: DataView): void {
    this.transfer(ioctl.KVM_SET_SIGNAL_MASK, mask);
  }

  /** KVM_TRANSLATE: a linear address through the guest's page tables. */
  translate(linearAddress: bigint): Translation {
    const translation = scratch(layout.kvm_translation.sizeof);
    translation.setBigUint64(layout.kvm_translation.linear_address, linearAddress, true);
    this.transfer(ioctl.KVM_TRANSLATE, translation);
    return decode(translationFields, translation);
  }

  /** KVM_GET_TSC_KHZ: the guest's time stamp counter, in kHz. */
  tscKhz(): number {
    return this.control(ioctl.KVM_GET_TSC_KHZ);
  }

  /** KVM_SET_TSC_KHZ. */
  setTscKhz(khz: number): void {
    this.control(ioctl.KVM_SET_TSC_KHZ, khz);
  }

  /** KVM_ENABLE_CAP for this vCPU. */
  enableCapability(capability: number, ...args: bigint[]): void {
    this.transfer(ioctl.KVM_ENABLE_CAP, encodeEnableCap(capability, args));
  }

  /** KVM_GET_STATS_FD: KVM's own counters of this vCPU. Close it after use. */
  openStats(): Stats {
    return new Stats(`the statistics of ${this.name}`, this.control(ioctl.KVM_GET_STATS_FD), this);
  }
}

function checkRange(offset: number, length: number, size: number): void {
  if (Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0) {
    if (offset + length <= size) return;
  }
  throw new KvmError('ERANGE', `${length} bytes at ${offset} are not in the vCPU's mapping of ${size}`);
}
