/**
 * Virtio over PCI (4.1), without its legacy interface: vendor capabilities give the places of the registers in a base
 * address. Interrupts are messages (MSI-X) or the function's pin.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Claim,
  Device,
  DeviceHost,
  MemoryRange,
} from '../../contract/index.js';
import {
  Bar,
  Command,
  ConfigSpace,
  MsiX,
  type PciBus,
  type PciFunction,
  type PciSlot,
} from '../../pci/index.js';
import { registerField, stateFields } from '../../state.js';
import { words } from '../../words.js';
import { Interrupt, NO_VECTOR, Type } from '../constants.js';
import type { Transport, VirtioDevice } from '../device.js';
import type { VirtQueue } from '../queue/index.js';
import { interruptWords, Registers, register, remarkOf, statusWords, vectorWords } from './registers.js';
import { Selectors } from './selectors.js';

const VENDOR = 0x1af4;
/** Device IDs are this and the type (4.1.2.1). */
const FIRST_DEVICE = 0x1040;
/** Vendor capabilities (4.1.4). */
const VENDOR_CAPABILITY = 9;
const Part = { common: 1, notify: 2, isr: 3, device: 4, access: 5 } as const;
/** The offsets of the parts in the first base address: a page each. */
const [COMMON, ISR, DEVICE, NOTIFY] = [0, 0x1000, 0x2000, 0x3000] as const;
const PAGE = 0x1000;
const SIZE = 0x4000;
const COMMON_SIZE = 60;
/** Bytes between two queues' notification registers. */
const NOTIFY_STEP = 4;
const REGISTERS_BAR = 0;
const MESSAGES_BAR = 1;

/** Class codes, as QEMU gives them. */
const classes: Readonly<Record<number, number>> = {
  [Type.net]: 0x02_00_00,
  [Type.block]: 0x01_00_00,
  [Type.console]: 0x07_80_00,
  [Type.input]: 0x09_80_00,
  [Type.fileSystem]: 0x01_80_00,
  [Type.socket]: 0x02_80_00,
};
const OTHER_CLASS = 0x00_ff_00;

/** A device's function on the bus. */
export class VirtioPci implements Device, PciFunction, Transport {
  readonly name: string;
  readonly config: ConfigSpace;
  readonly device: VirtioDevice;
  readonly transport = 'PCI';
  readonly #slot: PciSlot;
  readonly #ranges: readonly [MemoryRange, MemoryRange];
  readonly #claims: Claim[] = [];
  readonly #messages: MsiX;
  readonly #select: Selectors;
  readonly #common: Registers;
  readonly #access: number;
  #host: DeviceHost | undefined;
  #isr = 0;
  #configVector = NO_VECTOR;

  constructor(device: VirtioDevice, bus: PciBus, slot: number) {
    this.device = device;
    this.name = device.name;
    this.#select = new Selectors(device);
    const { type } = device;
    this.config = new ConfigSpace({
      vendor: VENDOR,
      device: FIRST_DEVICE + type,
      class: classes[type] ?? OTHER_CLASS,
      revision: 1,
      subsystemVendor: VENDOR,
      subsystem: 0x40 + type,
      pin: 1,
    });
    this.config.addBar(new Bar(REGISTERS_BAR, 'memory', SIZE, () => this.#claims[0]));
    this.#messages = new MsiX(this.config, MESSAGES_BAR, device.queues.length + 1, (address, data) =>
      this.mayMaster ? (this.#host?.sendMessage(address, data) ?? false) : false,
    );
    this.config.addBar(new Bar(MESSAGES_BAR, 'memory', this.#messages.size, () => this.#claims[1]));
    this.#capability(Part.common, COMMON, COMMON_SIZE);
    const notify = this.#capability(Part.notify, NOTIFY, NOTIFY_STEP * device.queues.length, 4);
    this.config.set(notify + 16, 4, NOTIFY_STEP);
    this.#capability(Part.isr, ISR, 1);
    this.#capability(Part.device, DEVICE, Math.max(device.configSize, 4));
    this.#access = this.#capability(Part.access, 0, 0, 4);
    // The base address and offset that are accessed through the configuration space (4.1.4.9).
    this.config.allow(this.#access + 4, 1, 0xff);
    for (const at of [8, 12, 16]) this.config.allow(this.#access + at, 4, 0xffff_ffff);
    this.#common = new Registers(this.#registers());
    const range = (size: number): MemoryRange => ({
      address: 0,
      size,
      width: 4,
      hidden: true,
      priority: bus.priority(),
    });
    this.#ranges = [range(SIZE), range(this.#messages.size)];
    const { onWrite } = this.config;
    this.config.onWrite = (offset, size) => {
      onWrite(offset, size);
      this.#configWritten(offset, size);
    };
    this.config.onRead = (offset, size) => this.#configRead(offset, size);
    this.#slot = bus.add(slot, 0, this);
  }

  #capability(kind: number, offset: number, length: number, more = 0): number {
    const size = 16 + more;
    const at = this.config.addCapability(VENDOR_CAPABILITY, size);
    this.config.set(at + 2, 1, size);
    this.config.set(at + 3, 1, kind);
    this.config.set(at + 4, 1, REGISTERS_BAR);
    this.config.set(at + 8, 4, offset);
    this.config.set(at + 12, 4, length);
    return at;
  }

  /** The common configuration (4.1.4.3). */
  #registers() {
    const { device } = this;
    const select = this.#select;
    const queue = () => select.selected;
    const vector = (value: number) => (value < this.#messages.vectors ? value : NO_VECTOR);
    return [
      register(0, 4, 'device feature word', {
        read: () => select.deviceFeatures,
        write: (value) => {
          select.deviceFeatures = value;
        },
      }),
      register(4, 4, 'device features', { read: () => select.offered }),
      register(8, 4, 'driver feature word', {
        read: () => select.driverFeatures,
        write: (value) => {
          select.driverFeatures = value;
        },
      }),
      register(12, 4, 'driver features', {
        read: () => select.accepted,
        write: (value) => {
          select.accepted = value;
        },
      }),
      register(
        16,
        2,
        'configuration vector',
        {
          read: () => this.#configVector,
          write: (value) => {
            this.#configVector = vector(value);
          },
        },
        vectorWords,
      ),
      register(18, 2, 'number of queues', { read: () => device.queues.length }),
      register(
        20,
        1,
        'device status',
        { read: () => device.status, write: (value) => this.#writeStatus(value) },
        statusWords,
      ),
      register(21, 1, 'configuration generation', { read: () => device.generation }),
      register(22, 2, 'queue select', {
        read: () => select.queue,
        write: (value) => {
          select.queue = value;
        },
      }),
      register(24, 2, 'queue size', {
        read: () => queue()?.size ?? 0,
        write: (value) => {
          const one = queue();
          if (one) one.size = value;
        },
      }),
      register(
        26,
        2,
        'queue vector',
        {
          read: () => queue()?.vector ?? NO_VECTOR,
          write: (value) => {
            const one = queue();
            if (one) one.vector = vector(value);
          },
        },
        vectorWords,
      ),
      register(28, 2, 'queue enable', {
        read: () => (queue()?.ring === undefined ? 0 : 1),
        write: (value) => {
          const one = queue();
          if (one && value === 1) device.enableQueue(one);
        },
      }),
      register(30, 2, 'queue notify offset', { read: () => (queue() ? select.queue : 0) }),
      ...select.addresses({ descriptors: 32, driver: 40, device: 48 }, true),
      register(56, 2, 'queue notification data', { read: () => (queue() ? select.queue : 0) }),
      register(58, 2, 'queue reset', {
        write: (value) => {
          const one = queue();
          if (one && value === 1) device.resetQueue(one);
        },
      }),
    ];
  }

  dispose(): void {
    this.device.dispose();
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    for (const range of this.#ranges) this.#claims.push(host.claim(range));
    this.device.attach(host, this);
    this.config.follow();
  }

  canRise(): boolean {
    return !this.#messages.isEnabled && this.device.canAct();
  }

  canWake(): boolean {
    return this.#messages.isEnabled && this.device.canAct();
  }

  remark(isOver = false): string | undefined {
    return isOver ? undefined : remarkOf(this.device);
  }

  get mayMaster(): boolean {
    return (this.config.command & Command.master) !== 0;
  }

  queueInterrupt(queue: VirtQueue): void {
    this.#interrupt(queue.vector, Interrupt.queue);
  }

  configInterrupt(): void {
    this.#interrupt(this.#configVector, Interrupt.config);
  }

  #interrupt(vector: number, bit: number): void {
    if (this.#messages.isEnabled) {
      if (vector !== NO_VECTOR) this.#messages.signal(vector);
      return;
    }
    this.#isr |= bit;
    this.#slot.setInterrupt(true);
  }

  #writeStatus(value: number): void {
    this.device.writeStatus(value);
    if (value !== 0) return;
    this.#configVector = NO_VECTOR;
    this.#select.reset();
    this.#acknowledge();
  }

  #acknowledge(): number {
    const bits = this.#isr;
    this.#isr = 0;
    this.#slot.setInterrupt(false);
    return bits;
  }

  /** Whether an address is in the table of messages, and its offset in its base address. */
  #place(address: number): [isMessages: boolean, offset: number] {
    const [registers, messages] = this.#claims as [Claim, Claim];
    const isMessages =
      messages.isHeld && address >= messages.address && address < messages.address + messages.size;
    return [isMessages, address - (isMessages ? messages : registers).address];
  }

  readMemory(address: number, size: AccessSize): number {
    const [isMessages, offset] = this.#place(address);
    return isMessages ? this.#readMessages(offset, size) : this.#read(offset, size);
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    const [isMessages, offset] = this.#place(address);
    if (!isMessages) this.#write(offset, size, value);
    else if (size === 4 && offset % 4 === 0) this.#messages.write(offset, value);
  }

  #readMessages(offset: number, size: number): number {
    const word = this.#messages.read(offset & ~3) >>> (8 * (offset & 3));
    return size === 4 ? word >>> 0 : word & (2 ** (8 * size) - 1);
  }

  #read(offset: number, size: number): number {
    const within = offset % PAGE;
    switch (offset - within) {
      case COMMON:
        return this.#common.read(within, size);
      case ISR:
        return within === 0 ? this.#acknowledge() : 0;
      case DEVICE:
        return this.device.readConfig(within, size);
      default:
        return 0;
    }
  }

  #write(offset: number, size: number, value: number): void {
    const within = offset % PAGE;
    switch (offset - within) {
      case COMMON:
        this.#common.write(within, size, value);
        return;
      case DEVICE:
        this.device.writeConfig(within, size, value);
        return;
      case NOTIFY:
        if (within % NOTIFY_STEP === 0) this.device.notify(within / NOTIFY_STEP);
        return;
      default:
    }
  }

  /** The access that the capability describes; undefined where it is invalid. */
  #accessed(offset: number, size: number): { at: number; length: number } | undefined {
    const data = this.#access + 16;
    if (offset >= data + 4 || offset + size <= data) return undefined;
    const { config } = this;
    const [bar, at, length] = [
      config.read(this.#access + 4, 1),
      config.read(this.#access + 8, 4),
      config.read(this.#access + 12, 4),
    ];
    const isAccess = [1, 2, 4].includes(length) && at % length === 0 && at + length <= SIZE;
    return bar === REGISTERS_BAR && isAccess ? { at, length } : undefined;
  }

  #configRead(offset: number, size: number): void {
    const found = this.#accessed(offset, size);
    if (found) this.config.set(this.#access + 16, 4, this.#read(found.at, found.length));
  }

  #configWritten(offset: number, size: number): void {
    if (this.#messages.isEnabled) this.#slot.setInterrupt(false);
    // A restored state is no write of a guest.
    const found = size <= 4 ? this.#accessed(offset, size) : undefined;
    if (found) this.#write(found.at, found.length, this.config.read(this.#access + 16, found.length));
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    if (this.#claims.length === 0) return undefined;
    const [isMessages, offset] = this.#place(address);
    if (isMessages) return messageWords;
    const within = offset % PAGE;
    const page = offset - within;
    if (page === COMMON) return this.#common.words(within);
    if (page === NOTIFY) return notifyWords(this.device, Math.floor(within / NOTIFY_STEP));
    return page === ISR ? isrWords : configWords;
  }

  save() {
    return {
      ...this.#select.save(),
      isr: this.#isr,
      configVector: this.#configVector,
      messages: this.#messages.save(),
      device: this.device.save(),
    };
  }

  load(state: unknown): void {
    const { name } = this;
    const { isr, configVector, messages, device, ...selection } = stateFields(name, state, this.save());
    const { table, pending } = stateFields(name, messages, { table: 0, pending: 0 });
    this.#select.load(name, selection);
    this.#isr = registerField(name, 'isr', isr, Interrupt.queue | Interrupt.config);
    this.#configVector = registerField(name, 'configVector', configVector, 0xffff);
    this.#messages.restore(name, table, pending);
    this.device.load(device);
  }
}

const messageWords = words('MSI-X table');
const isrWords = words('interrupt status', interruptWords);
const configWords = words('device configuration');
const notified = new Map<string, AccessWords>();

/** The notification register of a queue. */
export function notifyWords({ queues }: VirtioDevice, index: number): AccessWords {
  const name = queues[index]?.name ?? 'no queue';
  const found = notified.get(name) ?? words(`notify: ${name}`);
  notified.set(name, found);
  return found;
}
