import type { GuestMemory, MemoryRegion } from '../../../memory/index.js';
import {
  Control,
  type Engine,
  type EngineCapabilities,
  type EngineCounters,
  type EngineVm,
  type InterruptMessage,
  type VmOptions,
} from '../../contract/index.js';
import {
  KVM_CAP_BINARY_STATS_FD,
  KVM_CAP_COALESCED_MMIO,
  KVM_CAP_COALESCED_PIO,
  KVM_CAP_EXIT_ON_EMULATION_FAILURE,
  KVM_CAP_IMMEDIATE_EXIT,
  KVM_CAP_SET_TSS_ADDR,
  KVM_CAP_SPLIT_IRQCHIP,
} from '../api/capabilities.js';
import { KVM_IOAPIC_NUM_PINS } from '../api/constants.js';
import { type CpuidEntry, decodeCpuid, guestCpuid } from '../api/cpuid.js';
import { closedHandle, EngineLimit, KvmError } from '../api/errors.js';
import { discardPages, hostPages, shareEqual } from '../api/host-pages.js';
import { Kvm } from '../api/kvm.js';
import { kickThread } from '../api/signal.js';
import type { Stats } from '../api/stats.js';
import { dirtyPages, type Vm } from '../api/vm.js';
import { LazyZones } from './coalesced.js';
import { readCounters } from './counters.js';
import { KvmCpu } from './cpu.js';
import { KvmCrew } from './crew.js';

export interface KvmEngineOptions {
  /** The device file. Default `/dev/kvm`. */
  path?: string;
  /**
   * Lets the host share pages of equal content between VMs, where its KSM is on (madvise MADV_MERGEABLE). Saves memory
   * with many similar guests, but lets a guest detect by timing that another one has an equal page. Default true.
   */
  mergeable?: boolean;
  /**
   * After this many exits for writes to a range that may be coalesced, KVM coalesces them: see `LazyZones`. Default 512; 0
   * coalesces from the first write.
   */
  coalesceAfter?: number;
  /**
   * Opens the files of KVM's counters as soon as there is a VM, so that other processes of the same user can read them
   * (`terrarium stat`): KVM itself opens them only for the process that made the VM. Costs two file descriptors per VM.
   * Default false.
   */
  watchable?: boolean;
  /**
   * Exits for every instruction that KVM cannot emulate; otherwise KVM raises #UD in the guest outside ring 0. For an
   * assisting engine, which runs such instructions. Default false.
   */
  failuresLeave?: boolean;
  /**
   * Uses KVM's breakpoints and steps without testing first whether it hides them from the guest in every mode. For
   * tests of the modes in which it does. Default false.
   */
  trustGuestDebug?: boolean;
}

/** The real CPU, through KVM. Nothing is opened before the first VM. */
export function kvmEngine(options: KvmEngineOptions = {}): KvmEngine {
  return new KvmEngine(options);
}

/** One open device per path and thread: the host's features are read once. */
const open = new Map<string, Kvm>();

/** Closes the KVM device, and every VM of this thread that was left open; the next VM opens it again. */
export function closeKvm(): void {
  for (const kvm of open.values()) kvm[Symbol.dispose]();
  open.clear();
}

const capabilities: EngineCapabilities = {
  instructionClock: false,
  exactRip: false,
  irqchip: true,
  counters: true,
  tprAccess: true,
  msrExits: false,
  hostKernel: true,
  freeWriteLog: false,
};

/** The engine that runs guests on the real CPU; see `kvmEngine`. */
export class KvmEngine implements Engine {
  readonly name = 'kvm';
  readonly capabilities = capabilities;
  readonly #path: string;
  readonly #options: Required<Omit<KvmEngineOptions, 'path'>>;

  constructor(options: KvmEngineOptions = {}) {
    const { path = '/dev/kvm', mergeable = true, coalesceAfter = 512 } = options;
    const { watchable = false, failuresLeave = false, trustGuestDebug = false } = options;
    this.#path = path;
    this.#options = { mergeable, coalesceAfter, watchable, failuresLeave, trustGuestDebug };
  }

  /**
   * The KVM device, opened at the first use.
   * @throws KvmError with the remedy where this host cannot run KVM.
   */
  get device(): Kvm {
    let kvm = open.get(this.#path);
    if (kvm === undefined || kvm.closed) {
      kvm = Kvm.open(this.#path);
      if (kvm.checkExtension(KVM_CAP_IMMEDIATE_EXIT) === 0) {
        kvm[Symbol.dispose]();
        throw new KvmError('EVERSION', 'this kernel’s KVM has no KVM_CAP_IMMEDIATE_EXIT', {
          hint: 'run a Linux kernel of 4.13 or newer',
        });
      }
      open.set(this.#path, kvm);
    }
    return kvm;
  }

  /** CPUID of a guest's first CPU. */
  guestCpuid(): CpuidEntry[] {
    return decodeCpuid(guestCpuid(this.device.supportedCpuid(), 0));
  }

  createVm(memory: GuestMemory, { irqchip = 'none', apic, cpus = 1 }: VmOptions = {}): KvmVm {
    if (cpus > 1 && irqchip !== 'kernel' && irqchip !== 'split')
      throw new EngineLimit(
        `on KVM ${cpus} CPUs need the kernel’s local APICs, which start and interrupt them`,
        'use --irqchip split, or the software CPU: --engine soft',
      );
    const vm = new KvmVm(this.device, memory, this.#options);
    vm.cpus = cpus;
    vm.deviceApic = apic !== undefined;
    if (irqchip !== 'kernel' && irqchip !== 'split') return vm;
    try {
      // After the memory: adding a slot later makes KVM wait for the controllers' setup (12 ms instead of 0.8 ms).
      if (irqchip === 'kernel') vm.createIrqChip();
      else vm.splitIrqChip();
      return vm;
    } catch (error) {
      vm[Symbol.dispose]();
      throw error;
    }
  }

  kick(control: Int32Array): void {
    const thread = Atomics.load(control, Control.thread);
    if (thread !== 0) kickThread(thread);
  }

  discard(memory: GuestMemory): boolean {
    return discardPages(memory, hostPages(memory));
  }
}

/** A KVM VM with its memory mapped. */
export class KvmVm implements EngineVm {
  /** The typed VM, for calls that the contract does not have. */
  readonly handle: Vm;
  readonly #kvm: Kvm;
  readonly #cpus: KvmCpu[] = [];
  /** The slots of the VM, with their sizes in bytes: a hidden region has none. */
  readonly #mapped = new Map<number, number>();
  /** The slots with a dirty log, and the pages that it had before the slot was last remapped. */
  readonly #logs = new Map<number, number[]>();
  #base = 0n;
  readonly #zones: LazyZones;
  readonly #watchable: boolean;
  readonly #trustGuestDebug: boolean;
  #hasApic = false;
  /** The local APICs are devices. @internal */
  deviceApic = false;
  /** How many CPUs there will be. @internal */
  cpus = 1;
  #crew: KvmCrew | undefined;
  #stats: Stats | undefined;
  /** KVM reads and writes these bytes; they must not be garbage-collected before the VM is closed. */
  #memory: GuestMemory | undefined;

  /** @internal */
  constructor(kvm: Kvm, memory: GuestMemory, options: Required<Omit<KvmEngineOptions, 'path'>>) {
    this.#kvm = kvm;
    this.#memory = memory;
    this.handle = kvm.createVm();
    this.#trustGuestDebug = options.trustGuestDebug;
    this.#watchable = options.watchable && this.#countersAreFiles();
    this.#zones = new LazyZones(options.coalesceAfter, (space, address, length) =>
      this.handle.registerCoalesced(space, address, length),
    );
    try {
      const pages = hostPages(memory);
      this.#base = pages.base;
      for (const region of memory.regions) {
        if (region.logDirty) this.#logs.set(region.slot, []);
        this.#map(region);
      }
      if (options.mergeable) shareEqual(pages);
      this.#reservePages(memory.regions);
      if (this.#watchable) this.#stats = this.handle.openStats();
      if (options.failuresLeave && kvm.checkExtension(KVM_CAP_EXIT_ON_EMULATION_FAILURE) !== 0)
        this.handle.enableCapability(KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1n);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Interrupt controllers, local APICs and a timer in the kernel; before the first CPU. @internal */
  createIrqChip(): void {
    this.handle.createIrqChip();
    this.handle.createPit({ speaker: true });
    this.#hasApic = true;
  }

  /** Local APICs in the kernel, and no other controller; before the first CPU. @internal */
  splitIrqChip(): void {
    if (this.#kvm.checkExtension(KVM_CAP_SPLIT_IRQCHIP) === 0)
      throw new EngineLimit(
        'this KVM has no split interrupt controllers (KVM_CAP_SPLIT_IRQCHIP)',
        'use those that are devices, --irqchip user, or all in the kernel, --irqchip kernel',
      );
    this.handle.splitIrqChip(KVM_IOAPIC_NUM_PINS);
    this.#hasApic = true;
  }

  createCpu(control: Int32Array): KvmCpu {
    if (this.#memory === undefined) throw closedHandle('the VM');
    const index = this.#cpus.length;
    if (this.cpus > 1) this.#crew ??= new KvmCrew(control);
    const cpu = new KvmCpu(this.#kvm, this.handle, this.#zones, index, control, {
      trustsGuestDebug: this.#trustGuestDebug,
      hasApic: this.#hasApic,
      deviceApic: this.deviceApic,
      crew: this.#crew,
      cpus: this.cpus,
      read64: (address) => (this.#memory?.contains(address, 8) ? this.#memory.read64(address) : undefined),
    });
    if (this.#watchable) cpu.stats;
    this.#cpus.push(cpu);
    this.#crew?.add(cpu);
    return cpu;
  }

  get crew(): KvmCrew | undefined {
    return this.#crew;
  }

  coalesce(space: 'port' | 'memory', address: number, length: number): boolean {
    const capability = space === 'port' ? KVM_CAP_COALESCED_PIO : KVM_CAP_COALESCED_MMIO;
    if (this.#kvm.checkExtension(capability) === 0) return false;
    if (this.#memory === undefined) throw closedHandle('the VM');
    this.#zones.add(space, address, length);
    return true;
  }

  uncoalesce(space: 'port' | 'memory', address: number, length: number): void {
    if (!this.#zones.remove(space, address)) this.handle.unregisterCoalesced(space, address, length);
  }

  setIrq(irq: number, level: boolean): void {
    this.handle.irqLine(irq, level);
  }

  signalMessage(address: number, data: number): boolean {
    return this.handle.signalMsi(BigInt(address), data);
  }

  /**
   * KVM reports the ends of level-triggered interrupts only: so all are declared as level-triggered here; the sent
   * messages do not change.
   */
  watchEnds(messages: readonly InterruptMessage[]): void {
    this.handle.routeMessages(
      messages.map(({ address, data }) => ({ address: BigInt(address), data: data | LEVEL_TRIGGERED })),
    );
  }

  logDirtyPages(slot: number, on: boolean): void {
    const region = this.#region(slot);
    if (on) {
      // KVM keeps a slot's log: its content is dropped.
      if (this.#logs.has(slot)) this.takeDirtyPages(slot);
      else this.#logs.set(slot, []);
    } else this.#logs.delete(slot);
    // With the same address and size, KVM changes only the flags.
    this.#map(region);
  }

  takeDirtyPages(slot: number): number[] {
    const region = this.#region(slot);
    const earlier = this.#logs.get(slot);
    if (earlier === undefined) throw new KvmError('ENOLOG', `memory slot ${slot} keeps no dirty log`);
    const pages = this.#mapped.has(slot) ? dirtyPages(this.handle.dirtyLog(slot, region.size)) : [];
    if (earlier.length === 0) return pages;
    this.#logs.set(slot, []);
    return [...new Set([...earlier, ...pages])].sort((a, b) => a - b);
  }

  remapRegion(slot: number): void {
    const region = this.#region(slot);
    // KVM cannot move a slot that changes its size: remove it and add it again.
    const mapped = this.#mapped.get(slot);
    if (mapped !== undefined) {
      // Its log goes with it.
      this.#logs.get(slot)?.push(...dirtyPages(this.handle.dirtyLog(slot, mapped)));
      this.handle.setMemoryRegion({ slot, address: region.address, size: 0, hostAddress: 0n });
      this.#mapped.delete(slot);
    }
    this.#map(region);
  }

  #region(slot: number): MemoryRegion {
    if (this.#memory === undefined) throw closedHandle('the VM');
    const region = this.#memory.regions.find((one) => one.slot === slot);
    if (region === undefined) throw new KvmError('ENOSLOT', `the VM has no memory slot ${slot}`);
    return region;
  }

  #map({ slot, address, size, offset, readOnly }: MemoryRegion): void {
    if (size === 0) return;
    const hostAddress = this.#base + BigInt(offset);
    const logDirty = this.#logs.has(slot);
    this.handle.setMemoryRegion({ slot, address, size, hostAddress, readOnly, logDirty });
    this.#mapped.set(slot, size);
  }

  readCounters(): EngineCounters {
    if (this.#memory === undefined) throw closedHandle('the VM');
    if (!this.#countersAreFiles()) return { vm: [], cpus: [] };
    this.#stats ??= this.handle.openStats();
    return { vm: readCounters(this.#stats), cpus: this.#cpus.map(({ stats }) => readCounters(stats)) };
  }

  #countersAreFiles(): boolean {
    return this.#kvm.checkExtension(KVM_CAP_BINARY_STATS_FD) !== 0;
  }

  [Symbol.dispose](): void {
    if (this.#memory === undefined) return;
    this.#crew?.end();
    for (const cpu of this.#cpus) cpu[Symbol.dispose]();
    this.handle[Symbol.dispose]();
    this.#memory = undefined;
  }

  /** Finds room for the pages that VMX needs where the processor has no unrestricted guests (KVM API 4.31, 4.37). */
  #reservePages(regions: readonly MemoryRegion[]): void {
    if (this.#kvm.checkExtension(KVM_CAP_SET_TSS_ADDR) === 0) return;
    const address = findPrivatePages(regions);
    // No room: processors with unrestricted guests need none, and on others KVM reports it when the guest runs.
    if (address === undefined) return;
    if (address !== PRIVATE_PAGES) this.handle.setIdentityMapAddress(address);
    this.handle.setTssAddress(address + PAGE);
  }
}

const PAGE = 4096;
/** Of a message's data: bit 15, the trigger mode (SDM 3A 11.11.2). */
const LEVEL_TRIGGERED = 0x8000;
/** Where KVM puts its identity map by default, and the TSS right after it, at 0xfffbd000. */
const PRIVATE_PAGES = 0xfffbc000;
/** The identity map and three pages of TSS. */
const PRIVATE_SIZE = 4 * PAGE;

/** The highest free addresses for four pages, searched from KVM's default downwards. @internal */
export function findPrivatePages(regions: readonly { address: number; size: number }[]): number | undefined {
  let address = PRIVATE_PAGES;
  for (;;) {
    const hit = regions.find((r) => r.address < address + PRIVATE_SIZE && address < r.address + r.size);
    if (hit === undefined) return address;
    address = hit.address - PRIVATE_SIZE;
    if (address < 0) return undefined;
  }
}
