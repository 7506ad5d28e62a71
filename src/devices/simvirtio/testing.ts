/**
 * A driver for SIMVIRTIO devices in TypeScript, like one in a guest. It does one memory access at a time, so that a
 * test can do anything between two of them. For tests; not part of the package.
 *
 * @module
 */
import { GuestMemory } from '../../memory/index.js';
import type { AccessSize } from '../contract/index.js';
import { TestClock, testHost } from '../test-host.js';
import type { Backend } from './backends.js';
import {
  DeviceStatus,
  DriverStatus,
  deviceAddress,
  type Notification,
  Register,
  RX_BUFFER,
  simvirtioRegions,
  TX_BUFFER,
} from './layout.js';
import { simvirtio } from './notification.js';

/** The values that the driver's generators yield: it made one access, or it has to wait. */
export type Step = 'access' | 'wait';

/** A machine's memory with SIMVIRTIO, without a guest: tests make the guest's writes. */
export class Bench {
  readonly memory: GuestMemory;
  readonly device: ReturnType<typeof simvirtio>;
  readonly #clock = new TestClock();

  constructor(notification: Notification, backends: Backend[], maxQueueLength = 16) {
    const ram = { address: 0, size: 4096 };
    this.memory = GuestMemory.create([ram, ...simvirtioRegions(notification, backends.length)]);
    this.device = simvirtio(notification, { backends, maxQueueLength });
    const { memory } = this;
    this.device.attach(testHost({ memory, clock: this.#clock }));
  }

  /** A write of the guest: an exit for read-only memory, a store elsewhere. */
  write(address: number, size: AccessSize, value: number): void {
    if (this.memory.find(address)?.readOnly === true && 'writeMemory' in this.device) {
      this.device.writeMemory(address, size, value);
    } else if (size === 1) this.memory.write8(address, value);
    else if (size === 2) this.memory.write16(address, value);
    else this.memory.write32(address, value);
  }

  /** Lets devices without notification poll. */
  service(): void {
    if (this.#clock.next !== Number.POSITIVE_INFINITY) this.#clock.goTo(this.#clock.next);
  }

  /** Runs a driver, and lets the devices poll between any two accesses; throws where it waits forever. */
  run(driver: Generator<Step, void>): void {
    let waits = 0;
    for (let step = driver.next(); !step.done; step = driver.next()) {
      waits = step.value === 'wait' ? waits + 1 : 0;
      if (waits > 1000) throw new Error('the driver waits forever');
      this.service();
    }
  }
}

/** The driver of one device. */
export class MockDriver {
  readonly address: number;
  readonly #bench: Bench;
  readonly #maxlen: number;

  constructor(bench: Bench, index = 0, maxlen = 16) {
    this.#bench = bench;
    this.address = deviceAddress(index);
    this.#maxlen = maxlen;
  }

  read8(offset: number): number {
    return this.#bench.memory.read8(this.address + offset);
  }
  read16(offset: number): number {
    return this.#bench.memory.read16(this.address + offset);
  }
  read32(offset: number): number {
    return this.#bench.memory.read32(this.address + offset);
  }
  write(offset: number, size: AccessSize, value: number): void {
    this.#bench.write(this.address + offset, size, value);
  }

  get deviceStatus(): number {
    return this.read8(Register.deviceStatus);
  }
  get driverStatus(): number {
    return this.read16(Register.driverStatus);
  }
  set driverStatus(status: number) {
    this.write(Register.driverStatus, 2, status);
  }

  /** Puts one byte into TX; false where it is full. */
  push(byte: number): boolean {
    const head = this.read32(Register.txHead);
    const next = (head + 1) % this.#maxlen;
    if (next === this.read32(Register.txTail)) return false;
    this.write(TX_BUFFER + head, 1, byte);
    this.write(Register.txHead, 4, next);
    return true;
  }

  /** Takes one byte out of RX; −1 where it is empty. */
  pop(): number {
    const tail = this.read32(Register.rxTail);
    if (tail === this.read32(Register.rxHead)) return -1;
    const byte = this.read8(RX_BUFFER + tail);
    this.write(Register.rxTail, 4, (tail + 1) % this.#maxlen);
    return byte;
  }

  /** `push`, an access at a time, as often as it takes. */
  *send(bytes: Iterable<number>): Generator<Step, void> {
    for (const byte of bytes) {
      const head = this.read32(Register.txHead);
      const next = (head + 1) % this.#maxlen;
      while (this.read32(Register.txTail) === next) yield 'wait';
      this.write(TX_BUFFER + head, 1, byte);
      yield 'access';
      this.write(Register.txHead, 4, next);
      yield 'access';
    }
  }

  /** `pop`, an access at a time, until there are `count` bytes in `into`. */
  *receive(count: number, into: number[]): Generator<Step, void> {
    while (into.length < count) {
      const tail = this.read32(Register.rxTail);
      while (this.read32(Register.rxHead) === tail) yield 'wait';
      into.push(this.read8(RX_BUFFER + tail));
      yield 'access';
      this.write(Register.rxTail, 4, (tail + 1) % this.#maxlen);
      yield 'access';
    }
  }

  *waitForReset(): Generator<Step, void> {
    const done = () =>
      this.deviceStatus === DeviceStatus.reset &&
      this.driverStatus === DriverStatus.reset &&
      this.read32(Register.txHead) === 0 &&
      this.read32(Register.txTail) === 0;
    while (!done()) yield 'wait';
  }

  *waitFor(status: DeviceStatus): Generator<Step, void> {
    while (this.deviceStatus !== status) yield 'wait';
  }

  /** The handshake of the assignment. */
  *handshake(): Generator<Step, void> {
    yield* this.send(Buffer.from('R'));
    yield* this.waitForReset();
    this.driverStatus = DriverStatus.ack;
    yield 'access';
    yield* this.send(Buffer.from('C'));
    yield* this.waitFor(DeviceStatus.config);
    this.driverStatus = DriverStatus.ok;
    yield 'access';
    yield* this.waitFor(DeviceStatus.ready);
  }

  /** A reset from any phase, through the driver status. */
  *resetDevice(): Generator<Step, void> {
    this.driverStatus = DriverStatus.reset;
    yield 'access';
    yield* this.waitForReset();
  }
}
