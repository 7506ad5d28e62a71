import { KVM_CAP_SPLIT_IRQCHIP } from './capabilities.js';
import { decode, encode, scratch } from './codec.js';
import * as K from './constants.js';
import { encodeEnableCap } from './enable-cap.js';
import { Handle, type Host } from './handle.js';
import * as ioctl from './ioctls.js';
import {
  clockFields,
  decodeIrqChip,
  decodePit,
  encodeIrqChip,
  encodePit,
  type GuestClock,
  type IrqChip,
  type IrqChipName,
  irqChipNumbers,
  type PitState,
} from './irqchip.js';
import * as layout from './layout.js';
import { libc } from './libc.js';
import { Stats } from './stats.js';
import { Vcpu } from './vcpu.js';

/** A range of guest physical memory and the host memory that backs it (KVM_SET_USER_MEMORY_REGION). */
export interface MemorySlot {
  slot: number;
  /** Guest physical address of the first byte, a multiple of 4,096. */
  address: number;
  /** Bytes, a multiple of 4,096; 0 removes the slot. */
  size: number;
  /**
   * Their address in this process, as `hostAddress` gives it. They must stay there until the slot is removed or the VM is
   * closed.
   */
  hostAddress: bigint;
  /** A write exits as MMIO. */
  readOnly?: boolean;
  logDirty?: boolean;
}

/** An eventfd that is signalled by a guest's write (KVM_IOEVENTFD). */
export interface IoEvent {
  fd: number;
  space: 'port' | 'memory';
  address: number;
  /** Bytes of the write: 1, 2, 4 or 8; 0 for any. */
  length: number;
  /** Only writes of this value. */
  match?: bigint;
}

const region = scratch(layout.kvm_userspace_memory_region.sizeof);
const dirtyLog = scratch(layout.kvm_dirty_log.sizeof);
const zone = scratch(layout.kvm_coalesced_mmio_zone.sizeof);
const address64 = scratch(8);
const irqLevel = scratch(layout.kvm_irq_level.sizeof);

/** A virtual machine: guest memory, vCPUs, interrupt controllers. Made by `Kvm.createVm`. */
export class Vm extends Handle {
  readonly #host: Host;

  /** @internal */
  constructor(host: Handle & Host, fd: number) {
    super('the VM', fd, host);
    this.#host = host;
  }

  /** KVM_CHECK_EXTENSION for this VM. */
  checkExtension(capability: number): number {
    this.requireOpen();
    if (!this.#host.checksExtensionsOfVms) return this.#host.checkExtension(capability);
    return this.control(ioctl.KVM_CHECK_EXTENSION, capability);
  }

  /** KVM_ENABLE_CAP with up to four arguments. */
  enableCapability(capability: number, ...args: bigint[]): void {
    this.transfer(ioctl.KVM_ENABLE_CAP, encodeEnableCap(capability, args));
  }

  /** KVM_SET_USER_MEMORY_REGION. */
  setMemoryRegion(slot: MemorySlot): void {
    const f = layout.kvm_userspace_memory_region;
    const flags = (slot.readOnly ? K.KVM_MEM_READONLY : 0) | (slot.logDirty ? K.KVM_MEM_LOG_DIRTY_PAGES : 0);
    region.setUint32(f.slot, slot.slot, true);
    region.setUint32(f.flags, flags, true);
    region.setBigUint64(f.guest_phys_addr, BigInt(slot.address), true);
    region.setBigUint64(f.memory_size, BigInt(slot.size), true);
    region.setBigUint64(f.userspace_addr, slot.hostAddress, true);
    this.transfer(ioctl.KVM_SET_USER_MEMORY_REGION, region);
  }

  /**
   * KVM_GET_DIRTY_LOG: one bit per page of the `size` bytes of slot `slot`, set where the guest wrote since the last call.
   * Bit 0 of the first byte is the slot's first page.
   */
  dirtyLog(slot: number, size: number): Uint8Array {
    // KVM writes whole 64-bit words.
    const bitmap = new Uint8Array(Math.ceil(size / 4096 / 64) * 8);
    dirtyLog.setUint32(layout.kvm_dirty_log.slot, slot, true);
    dirtyLog.setBigUint64(layout.kvm_dirty_log.dirty_bitmap, libc().addressOf(bitmap), true);
    this.transfer(ioctl.KVM_GET_DIRTY_LOG, dirtyLog);
    return bitmap;
  }

  /** KVM_SET_TSS_ADDR: three pages that VMX needs for real mode on processors without unrestricted guests. */
  setTssAddress(address: number): void {
    this.control(ioctl.KVM_SET_TSS_ADDR, address);
  }

  /** KVM_SET_IDENTITY_MAP_ADDR: one page for the same processors; before the first vCPU. */
  setIdentityMapAddress(address: number): void {
    address64.setBigUint64(0, BigInt(address), true);
    this.transfer(ioctl.KVM_SET_IDENTITY_MAP_ADDR, address64);
  }

  /** KVM_CREATE_VCPU, and the mapping of its `struct kvm_run`. */
  createVcpu(index = 0): Vcpu {
    this.requireOpen();
    return new Vcpu(this, this.#host.vcpuMmapSize(), index, this.control(ioctl.KVM_CREATE_VCPU, index));
  }

  /**
   * KVM_REGISTER_COALESCED_MMIO: writes to these ports or addresses go into a ring and cause no exit.
   * The addresses must not be RAM.
   */
  registerCoalesced(space: 'port' | 'memory', address: number, length: number): void {
    this.transfer(ioctl.KVM_REGISTER_COALESCED_MMIO, encodeZone(space, address, length));
  }

  /** KVM_UNREGISTER_COALESCED_MMIO. */
  unregisterCoalesced(space: 'port' | 'memory', address: number, length: number): void {
    this.transfer(ioctl.KVM_UNREGISTER_COALESCED_MMIO, encodeZone(space, address, length));
  }

  /** KVM_IOEVENTFD: a guest's write signals an eventfd and causes no exit. */
  addIoEvent(event: IoEvent): void {
    this.transfer(ioctl.KVM_IOEVENTFD, encodeIoEvent(event, 0));
  }

  removeIoEvent(event: IoEvent): void {
    this.transfer(ioctl.KVM_IOEVENTFD, encodeIoEvent(event, K.KVM_IOEVENTFD_FLAG_DEASSIGN));
  }

  /** KVM_CREATE_IRQCHIP: two PICs, an I/O APIC and local APICs inside KVM; before the first vCPU, after the memory. */
  createIrqChip(): void {
    this.control(ioctl.KVM_CREATE_IRQCHIP);
  }

  /**
   * KVM_CAP_SPLIT_IRQCHIP: local APICs inside KVM; the PICs and an I/O APIC of `pins` pins are the monitor's. Before the first vCPU.
   */
  splitIrqChip(pins: number): void {
    this.enableCapability(KVM_CAP_SPLIT_IRQCHIP, BigInt(pins));
  }

  /**
   * KVM_SET_GSI_ROUTING: sets the messages of lines 0, 1, …, all at once. With a split irqchip a vCPU exits with
   * KVM_EXIT_IOAPIC_EOI at the end of an interrupt that belongs to a level-triggered one of them.
   */
  routeMessages(messages: readonly { address: bigint; data: number }[]): void {
    this.transfer(ioctl.KVM_SET_GSI_ROUTING, encodeRoutes(messages));
  }

  /** KVM_GET_IRQCHIP. */
  getIrqChip<N extends IrqChipName>(name: N): IrqChip<N> {
    const chip = scratch(layout.kvm_irqchip.sizeof);
    chip.setUint32(layout.kvm_irqchip.chip_id, irqChipNumbers[name], true);
    this.transfer(ioctl.KVM_GET_IRQCHIP, chip);
    return decodeIrqChip(name, chip);
  }

  /** KVM_SET_IRQCHIP. */
  setIrqChip<N extends IrqChipName>(name: N, state: IrqChip<N>): void {
    this.transfer(ioctl.KVM_SET_IRQCHIP, encodeIrqChip(name, state));
  }

  /** KVM_CREATE_PIT2: the 8254 timer inside KVM. `speaker` serves port 0x61 as well. */
  createPit(options: { speaker?: boolean } = {}): void {
    const config = scratch(layout.kvm_pit_config.sizeof);
    config.setUint32(layout.kvm_pit_config.flags, options.speaker ? K.KVM_PIT_SPEAKER_DUMMY : 0, true);
    this.transfer(ioctl.KVM_CREATE_PIT2, config);
  }

  /** KVM_GET_PIT2. */
  getPit(): PitState {
    const pit = scratch(layout.kvm_pit_state2.sizeof);
    this.transfer(ioctl.KVM_GET_PIT2, pit);
    return decodePit(pit);
  }

  /** KVM_SET_PIT2. */
  setPit(state: PitState): void {
    this.transfer(ioctl.KVM_SET_PIT2, encodePit(state));
  }

  /** KVM_IRQ_LINE: the level of interrupt line `irq` of the in-kernel controllers. */
  irqLine(irq: number, level: boolean): void {
    irqLevel.setUint32(layout.kvm_irq_level.irq, irq, true);
    irqLevel.setUint32(layout.kvm_irq_level.level, level ? 1 : 0, true);
    this.transfer(ioctl.KVM_IRQ_LINE, irqLevel);
  }

  /** KVM_IRQFD: writing to eventfd `fd` pulses interrupt line `irq`. */
  addIrqEvent(fd: number, irq: number): void {
    this.transfer(ioctl.KVM_IRQFD, encodeIrqEvent(fd, irq, 0));
  }

  removeIrqEvent(fd: number, irq: number): void {
    this.transfer(ioctl.KVM_IRQFD, encodeIrqEvent(fd, irq, K.KVM_IRQFD_FLAG_DEASSIGN));
  }

  /** KVM_SIGNAL_MSI: true where the message reached a local APIC, false where the guest blocked it. */
  signalMsi(address: bigint, data: number): boolean {
    const f = layout.kvm_msi;
    const msi = scratch(f.sizeof);
    msi.setUint32(f.address_lo, Number(address & 0xffff_ffffn), true);
    msi.setUint32(f.address_hi, Number(address >> 32n), true);
    msi.setUint32(f.data, data, true);
    return this.transfer(ioctl.KVM_SIGNAL_MSI, msi) > 0;
  }

  /** KVM_GET_CLOCK: the guest's paravirtual clock. */
  getClock(): GuestClock {
    const clock = scratch(layout.kvm_clock_data.sizeof);
    this.transfer(ioctl.KVM_GET_CLOCK, clock);
    return decode(clockFields, clock);
  }

  /** KVM_SET_CLOCK: nanoseconds. */
  setClock(nanoseconds: bigint): void {
    const clock = scratch(layout.kvm_clock_data.sizeof);
    encode({ clock: clockFields.clock }, clock, { clock: nanoseconds });
    this.transfer(ioctl.KVM_SET_CLOCK, clock);
  }

  /** KVM_GET_STATS_FD: KVM's own counters of this VM. Close it after use. */
  openStats(): Stats {
    return new Stats('the VM’s statistics', this.control(ioctl.KVM_GET_STATS_FD), this);
  }
}

/** The numbers of the pages whose bits are set in the dirty log of a slot: from its first page on. */
export function dirtyPages(bitmap: Uint8Array): number[] {
  const pages: number[] = [];
  for (let i = 0; i < bitmap.length; i++) {
    const bits = bitmap[i]!;
    if (bits === 0) continue;
    for (let bit = 0; bit < 8; bit++) if ((bits & (1 << bit)) !== 0) pages.push(i * 8 + bit);
  }
  return pages;
}

function encodeRoutes(messages: readonly { address: bigint; data: number }[]): DataView {
  const f = layout.kvm_irq_routing_entry;
  const first = layout.kvm_irq_routing.entries;
  const list = new DataView(new ArrayBuffer(first + messages.length * f.sizeof));
  list.setUint32(layout.kvm_irq_routing.nr, messages.length, true);
  for (const [line, { address, data }] of messages.entries()) {
    const at = first + line * f.sizeof;
    list.setUint32(at + f.gsi, line, true);
    list.setUint32(at + f.type, K.KVM_IRQ_ROUTING_MSI, true);
    list.setUint32(at + f['u.msi.address_lo'], Number(address & 0xffff_ffffn), true);
    list.setUint32(at + f['u.msi.address_hi'], Number(address >> 32n), true);
    list.setUint32(at + f['u.msi.data'], data, true);
  }
  return list;
}

function encodeZone(space: 'port' | 'memory', address: number, length: number): DataView {
  const f = layout.kvm_coalesced_mmio_zone;
  zone.setBigUint64(f.addr, BigInt(address), true);
  zone.setUint32(f.size, length, true);
  zone.setUint32(f.pio, space === 'port' ? 1 : 0, true);
  return zone;
}

function encodeIoEvent({ fd, space, address, length, match }: IoEvent, flags: number): DataView {
  const f = layout.kvm_ioeventfd;
  const event = scratch(f.sizeof);
  event.setBigUint64(f.datamatch, match ?? 0n, true);
  event.setBigUint64(f.addr, BigInt(address), true);
  event.setUint32(f.len, length, true);
  event.setInt32(f.fd, fd, true);
  const port = space === 'port' ? K.KVM_IOEVENTFD_FLAG_PIO : 0;
  const matched = match === undefined ? 0 : K.KVM_IOEVENTFD_FLAG_DATAMATCH;
  event.setUint32(f.flags, flags | port | matched, true);
  return event;
}

function encodeIrqEvent(fd: number, irq: number, flags: number): DataView {
  const f = layout.kvm_irqfd;
  const event = scratch(f.sizeof);
  event.setUint32(f.fd, fd, true);
  event.setUint32(f.gsi, irq, true);
  event.setUint32(f.flags, flags, true);
  return event;
}
