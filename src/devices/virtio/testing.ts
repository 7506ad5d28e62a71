/**
 * A driver of virtio devices in TypeScript, which accesses them as a guest does: through a transport's registers and
 * RAM. For tests; not part of the package.
 *
 * @module
 */
import { GuestMemory } from '../../memory/index.js';
import type { AccessSize, DeviceHost } from '../contract/index.js';
import { PciBus } from '../pci/index.js';
import { TestClock, TestInputs, testHost } from '../test-host.js';
import { Feature, Status } from './constants.js';
import type { VirtioDevice } from './device.js';
import { VirtioPci } from './transport/pci.js';

export const RAM = 1024 * 1024;
/** A page that a guest cannot write. */
export const ROM = 0x20_0000;
const REGISTERS = 0xe000_0000;
const MESSAGES = 0xe001_0000;

/** A machine's memory with one device on a PCI bus. */
export class Bench {
  readonly memory = GuestMemory.create([
    { address: 0, size: RAM },
    { address: ROM, size: 4096, readOnly: true },
  ]);
  readonly bus = new PciBus();
  readonly clock = new TestClock();
  readonly inputs = new TestInputs();
  readonly pci: VirtioPci;
  /** Messages that were sent. */
  readonly messages: { address: number; data: number }[] = [];

  constructor(device: VirtioDevice, more: Partial<DeviceHost> = {}) {
    this.pci = new VirtioPci(device, this.bus, 4);
    this.pci.attach(
      testHost({
        memory: this.memory,
        clock: this.clock,
        inputs: this.inputs,
        sendMessage: (address, data) => this.messages.push({ address, data }) > 0,
        ...more,
      }),
    );
    this.pci.config.write(0x10, 4, REGISTERS);
    this.pci.config.write(0x14, 4, MESSAGES);
    this.pci.config.write(4, 2, 6);
  }

  read(offset: number, size: AccessSize): number {
    return this.pci.readMemory(REGISTERS + offset, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.pci.writeMemory(REGISTERS + offset, size, value);
  }

  message(vector: number, address: number, data: number): void {
    for (const [i, value] of [address, 0, data, 0].entries())
      this.pci.writeMemory(MESSAGES + 16 * vector + 4 * i, 4, value);
  }
}

export interface DriverOptions {
  /** Feature bits in addition to VERSION_1. */
  features?: readonly number[];
  size?: number;
}

/** Offsets of the common configuration, of the notifications and of the device's configuration. */
const Common = {
  driverSelect: 8,
  driverFeatures: 12,
  status: 20,
  queue: 22,
  size: 24,
  enable: 28,
  descriptors: 32,
  driver: 40,
  device: 48,
} as const;
const CONFIG = 0x2000;
const NOTIFY = 0x3000;

/** A part of a buffer: bytes for the device, or room for this many bytes from it. */
export type Part = Uint8Array | number;

export interface Used {
  id: number;
  length: number;
  /** All that the device could write, even if it reports less. */
  bytes: Uint8Array;
}

/** A driver that follows the specification. */
export class MockDriver {
  readonly bench: Bench;
  readonly has: (feature: number) => boolean;
  readonly size: number;
  #free = 0x1_0000;

  constructor(bench: Bench, { features = [], size = 8 }: DriverOptions = {}) {
    this.bench = bench;
    this.size = size;
    const wanted = new Set([...features, Feature.version1]);
    this.has = (feature) => wanted.has(feature);
    const set = (bits: number) => bench.write(Common.status, 1, bits);
    set(0);
    set(Status.acknowledge);
    set(Status.acknowledge | Status.driver);
    for (const word of [0, 1]) {
      bench.write(Common.driverSelect, 4, word);
      const bits = [...wanted].filter((bit) => bit >> 5 === word);
      bench.write(
        Common.driverFeatures,
        4,
        bits.reduce((sum, bit) => sum + 2 ** (bit & 31), 0),
      );
    }
    set(bench.read(Common.status, 1) | Status.featuresOk);
  }

  get status(): number {
    return this.bench.read(Common.status, 1);
  }

  /** Makes queues ready, then the device. */
  start(...queues: number[]): DriverQueue[] {
    const made = queues.map((index) => this.queue(index));
    this.bench.write(Common.status, 1, this.status | Status.driverOk);
    return made;
  }

  queue(index: number): DriverQueue {
    const { bench, size } = this;
    const at = { descriptors: this.allocate(16 * size, 16), driver: 0, device: 0 };
    const packed = this.has(Feature.packed);
    at.driver = this.allocate(packed ? 4 : 6 + 2 * size, 4);
    at.device = this.allocate(packed ? 4 : 6 + 8 * size, 4);
    bench.memory.view(at.descriptors, this.#free - at.descriptors).fill(0);
    bench.write(Common.queue, 2, index);
    bench.write(Common.size, 2, size);
    for (const part of ['descriptors', 'driver', 'device'] as const) {
      bench.write(Common[part], 4, at[part]);
      bench.write(Common[part] + 4, 4, 0);
    }
    bench.write(Common.enable, 2, 1);
    return packed ? new PackedQueue(this, index, at) : new SplitQueue(this, index, at);
  }

  allocate(bytes: number, by = 1): number {
    const at = Math.ceil(this.#free / by) * by;
    this.#free = at + bytes;
    return at;
  }

  /** Puts bytes into memory, or makes room: returns the address. */
  place(part: Part): number {
    const at = this.allocate(typeof part === 'number' ? part : part.length);
    if (typeof part !== 'number') this.bench.memory.writeBytes(at, part);
    return at;
  }

  kick(index: number): void {
    this.bench.write(NOTIFY + 4 * index, 2, index);
  }

  config(offset: number, size: AccessSize): number {
    return this.bench.read(CONFIG + offset, size);
  }
}

export interface Places {
  descriptors: number;
  driver: number;
  device: number;
}

interface Sent {
  rooms: { at: number; length: number }[];
  slots: number;
}

/** A queue as its driver sees it. */
export abstract class DriverQueue {
  readonly driver: MockDriver;
  readonly index: number;
  readonly at: Places;
  protected readonly sent = new Map<number, Sent>();

  constructor(driver: MockDriver, index: number, at: Places) {
    this.driver = driver;
    this.index = index;
    this.at = at;
  }

  /** Makes a buffer available without a notification. Returns its number. */
  abstract add(parts: readonly Part[], indirect?: boolean): number;
  /** The buffers that the device has returned since the last call. */
  abstract used(): Used[];

  /** Makes a buffer available, notifies, and takes the used buffer. */
  send(parts: readonly Part[], indirect = false): Used | undefined {
    const id = this.add(parts, indirect);
    this.driver.kick(this.index);
    return this.used().find((one) => one.id === id);
  }

  protected placed(parts: readonly Part[]): { at: number; length: number; write: boolean }[] {
    return parts.map((part) => {
      const write = typeof part === 'number';
      return { at: this.driver.place(part), length: write ? part : part.length, write };
    });
  }

  protected note(
    id: number,
    pieces: readonly { at: number; length: number; write: boolean }[],
    slots: number,
  ): void {
    this.sent.set(id, { rooms: pieces.filter(({ write }) => write), slots });
  }

  protected taken(id: number, length: number): Used {
    const { rooms = [] } = this.sent.get(id) ?? {};
    const parts = rooms.map(({ at, length: room }) => this.driver.bench.memory.readBytes(at, room));
    const bytes = new Uint8Array(Buffer.concat(parts));
    this.sent.delete(id);
    return { id, length, bytes };
  }
}

class SplitQueue extends DriverQueue {
  #next = 0;
  #available = 0;
  #seen = 0;

  add(parts: readonly Part[], indirect = false): number {
    const { memory } = this.driver.bench;
    const { size } = this.driver;
    const pieces = this.placed(parts);
    const head = this.#next;
    const table = indirect ? this.driver.allocate(16 * pieces.length, 16) : this.at.descriptors;
    const place = (n: number) => (indirect ? n : (head + n) % size);
    for (const [n, { at, length, write }] of pieces.entries()) {
      const more = n + 1 < pieces.length;
      this.descriptor(
        table + 16 * place(n),
        at,
        length,
        (write ? 2 : 0) | (more ? 1 : 0),
        more ? place(n + 1) : 0,
      );
    }
    if (indirect) this.descriptor(this.at.descriptors + 16 * head, table, 16 * pieces.length, 4, 0);
    this.#next = (head + (indirect ? 1 : pieces.length)) % size;
    this.note(head, pieces, indirect ? 1 : pieces.length);
    memory.write16(this.at.driver + 4 + 2 * (this.#available % size), head);
    this.#available = (this.#available + 1) & 0xffff;
    memory.write16(this.at.driver + 2, this.#available);
    return head;
  }

  descriptor(at: number, address: number, length: number, flags: number, next: number): void {
    const { memory } = this.driver.bench;
    memory.write64(at, BigInt(address));
    memory.write32(at + 8, length);
    memory.write16(at + 12, flags);
    memory.write16(at + 14, next);
  }

  used(): Used[] {
    const { memory } = this.driver.bench;
    const { size } = this.driver;
    const found: Used[] = [];
    for (; this.#seen !== memory.read16(this.at.device + 2); this.#seen = (this.#seen + 1) & 0xffff) {
      const entry = this.at.device + 4 + 8 * (this.#seen % size);
      found.push(this.taken(memory.read32(entry), memory.read32(entry + 4)));
    }
    return found;
  }
}

class PackedQueue extends DriverQueue {
  #next = 0;
  #wrap = true;
  #seen = 0;
  #seenWrap = true;
  #id = 0;

  add(parts: readonly Part[], indirect = false): number {
    const pieces = this.placed(parts);
    const id = this.#id++ % this.driver.size;
    const { memory } = this.driver.bench;
    if (indirect) {
      const table = this.driver.allocate(16 * pieces.length, 16);
      for (const [n, { at, length, write }] of pieces.entries()) {
        memory.write64(table + 16 * n, BigInt(at));
        memory.write32(table + 16 * n + 8, length);
        memory.write16(table + 16 * n + 14, write ? 2 : 0);
      }
      this.#put(table, 16 * pieces.length, id, 4);
    } else
      for (const [n, { at, length, write }] of pieces.entries())
        this.#put(at, length, id, (write ? 2 : 0) | (n + 1 < pieces.length ? 1 : 0));
    this.note(id, pieces, indirect ? 1 : pieces.length);
    return id;
  }

  #put(address: number, length: number, id: number, flags: number): void {
    const { memory } = this.driver.bench;
    const at = this.at.descriptors + 16 * this.#next;
    memory.write64(at, BigInt(address));
    memory.write32(at + 8, length);
    memory.write16(at + 12, id);
    memory.write16(at + 14, flags | (this.#wrap ? 0x80 : 0x8000));
    this.#next++;
    if (this.#next < this.driver.size) return;
    this.#next = 0;
    this.#wrap = !this.#wrap;
  }

  used(): Used[] {
    const { memory } = this.driver.bench;
    const found: Used[] = [];
    for (;;) {
      const at = this.at.descriptors + 16 * this.#seen;
      const flags = memory.read16(at + 14);
      const isUsed = ((flags & 0x8000) !== 0) === this.#seenWrap && ((flags & 0x80) !== 0) === this.#seenWrap;
      const id = memory.read16(at + 12);
      const sent = this.sent.get(id);
      if (!isUsed || sent === undefined) return found;
      const length = memory.read32(at + 8);
      this.#seen += sent.slots;
      if (this.#seen >= this.driver.size) {
        this.#seen -= this.driver.size;
        this.#seenWrap = !this.#seenWrap;
      }
      found.push(this.taken(id, length));
    }
  }
}
