/**
 * Virtio over registers at a fixed address (4.2, version 2): for machines without PCI. A kernel needs their addresses on its command line.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  MemoryRange,
} from '../../contract/index.js';
import { registerField, stateFields } from '../../state.js';
import { words } from '../../words.js';
import { Interrupt } from '../constants.js';
import type { Transport, VirtioDevice } from '../device.js';
import { interruptWords, Registers, register, remarkOf, statusWords } from './registers.js';
import { Selectors } from './selectors.js';

/** `virt`, as little-endian bytes. */
const MAGIC = 0x7472_6976;
const VERSION = 2;
const VENDOR = 0x1af4;
/** The offset of a device's configuration, and the size of everything. */
const CONFIG = 0x100;
export const MMIO_SIZE = 0x200;
/** No shared memory: its length is all ones. */
const NONE = 0xffff_ffff;

/** See the module's comment. */
export class VirtioMmio implements Device, Transport {
  readonly name: string;
  readonly device: VirtioDevice;
  readonly transport = 'MMIO';
  readonly mayMaster = true;
  readonly memory: readonly MemoryRange[];
  readonly address: number;
  readonly irq: number;
  readonly #select: Selectors;
  readonly #registers: Registers;
  #line: Line | undefined;
  #interrupts = 0;

  constructor(device: VirtioDevice, address: number, irq: number) {
    this.device = device;
    this.name = device.name;
    this.address = address;
    this.irq = irq;
    this.memory = [{ address, size: MMIO_SIZE, width: 4 }];
    this.#select = new Selectors(device);
    this.#registers = new Registers(this.#all());
  }

  /** The registers (4.2.2). */
  #all() {
    const { device } = this;
    const select = this.#select;
    const queue = () => select.selected;
    return [
      register(0x000, 4, 'magic value', { read: () => MAGIC }),
      register(0x004, 4, 'version', { read: () => VERSION }),
      register(0x008, 4, 'device type', { read: () => device.type }),
      register(0x00c, 4, 'vendor', { read: () => VENDOR }),
      register(0x010, 4, 'device features', { read: () => select.offered }),
      register(0x014, 4, 'device feature word', {
        write: (value) => {
          select.deviceFeatures = value;
        },
      }),
      register(0x020, 4, 'driver features', {
        write: (value) => {
          select.accepted = value;
        },
      }),
      register(0x024, 4, 'driver feature word', {
        write: (value) => {
          select.driverFeatures = value;
        },
      }),
      register(0x030, 4, 'queue select', {
        write: (value) => {
          select.queue = Math.min(value, 0xffff);
        },
      }),
      register(0x034, 4, 'largest queue size', { read: () => queue()?.maximum ?? 0 }),
      register(0x038, 4, 'queue size', {
        write: (value) => {
          const one = queue();
          if (one) one.size = Math.min(value, 0xffff);
        },
      }),
      register(0x044, 4, 'queue ready', {
        read: () => (queue()?.ring === undefined ? 0 : 1),
        write: (value) => {
          const one = queue();
          if (one && value === 1) device.enableQueue(one);
          else if (value === 0) one?.disable();
        },
      }),
      register(0x050, 4, 'notify', { write: (value) => device.notify(value & 0xffff) }),
      register(0x060, 4, 'interrupt status', { read: () => this.#interrupts }, interruptWords),
      register(
        0x064,
        4,
        'interrupt acknowledge',
        { write: (value) => this.#acknowledge(value) },
        interruptWords,
      ),
      register(
        0x070,
        4,
        'device status',
        { read: () => device.status, write: (value) => this.#writeStatus(value & 0xff) },
        statusWords,
      ),
      ...select.addresses({ descriptors: 0x080, driver: 0x090, device: 0x0a0 }, false),
      register(0x0b0, 4, 'shared memory length, low', { read: () => NONE }),
      register(0x0b4, 4, 'shared memory length, high', { read: () => NONE }),
      register(0x0b8, 4, 'shared memory base, low', { read: () => NONE }),
      register(0x0bc, 4, 'shared memory base, high', { read: () => NONE }),
      register(0x0c0, 4, 'queue reset', {
        write: (value) => {
          const one = queue();
          if (one && value === 1) device.resetQueue(one);
        },
      }),
      register(0x0fc, 4, 'configuration generation', { read: () => device.generation }),
    ];
  }

  dispose(): void {
    this.device.dispose();
  }

  attach(host: DeviceHost): void {
    this.#line = host.line(this.irq, { canRise: () => this.device.canAct() });
    this.device.attach(host, this);
  }

  remark(isOver = false): string | undefined {
    return isOver ? undefined : remarkOf(this.device);
  }

  queueInterrupt(): void {
    this.#interrupt(Interrupt.queue);
  }

  configInterrupt(): void {
    this.#interrupt(Interrupt.config);
  }

  /** An ISA interrupt is an edge, and each cause is one. */
  #interrupt(bit: number): void {
    this.#interrupts |= bit;
    this.#line?.pulse();
  }

  #acknowledge(bits: number): void {
    this.#interrupts &= ~bits;
    this.#line?.set(this.#interrupts !== 0);
  }

  #writeStatus(value: number): void {
    this.device.writeStatus(value);
    if (value !== 0) return;
    this.#select.reset();
    this.#acknowledge(Interrupt.queue | Interrupt.config);
  }

  readMemory(address: number, size: AccessSize): number {
    const offset = address - this.address;
    if (offset >= CONFIG) return this.device.readConfig(offset - CONFIG, size);
    // The registers have 32 bits, and only whole ones are read and written (4.2.2.2).
    return size === 4 ? this.#registers.read(offset, size) : 0;
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    const offset = address - this.address;
    if (offset >= CONFIG) this.device.writeConfig(offset - CONFIG, size, value);
    else this.#registers.write(offset, size, value);
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    const offset = address - this.address;
    return offset >= CONFIG ? configWords : this.#registers.words(offset);
  }

  save() {
    return { ...this.#select.save(), interrupts: this.#interrupts, device: this.device.save() };
  }

  load(state: unknown): void {
    const { interrupts, device, ...selection } = stateFields(this.name, state, this.save());
    this.#select.load(this.name, selection);
    this.#interrupts = registerField(this.name, 'interrupts', interrupts, Interrupt.queue | Interrupt.config);
    this.device.load(device);
  }
}

const configWords = words('device configuration');

/** The option that describes a device to a Linux kernel (Documentation/admin-guide/kernel-parameters: virtio_mmio.device). */
export const mmioParameter = ({ address, irq }: VirtioMmio): string =>
  `virtio_mmio.device=${MMIO_SIZE}@0x${address.toString(16)}:${irq}`;
