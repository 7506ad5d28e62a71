import type { GuestMemory } from '../../memory/index.js';
import {
  BUFFER_SIZE,
  DeviceStatus,
  MAGIC_VALUE,
  QUEUE_RUN,
  Register,
  RX_BUFFER,
  TX_BUFFER,
} from './layout.js';
import type { SharedQueue } from './queue.js';

/** The indexes that the device writes, as 32-bit words of its registers. */
const DEVICE_INDEXES = [Register.txTail / 4, Register.rxHead / 4] as const;
/** Bytes of a device's registers that have a meaning, rounded up. */
const REGISTERS_SIZE = 0x100;

/**
 * A device's registers and queues in guest memory, seen from the device. Fields that a driver must not write are never
 * read back, since by polling nothing prevents a driver from writing them.
 */
export class ConfigSpace {
  readonly tx: SharedQueue;
  readonly rx: SharedQueue;
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Uint32Array;

  /** @throws GuestMemoryError where the machine does not have the memory that `simvirtioRegions` names */
  constructor(memory: GuestMemory, address: number, maxlen: number) {
    // Checked: they throw where there is no such memory.
    const registers = memory.hold(address, REGISTERS_SIZE);
    const tx = memory.hold(address + TX_BUFFER, BUFFER_SIZE);
    const rx = memory.hold(address + RX_BUFFER, BUFFER_SIZE);
    this.#bytes = registers;
    this.#halves = new Uint16Array(memory.buffer, registers.byteOffset, REGISTERS_SIZE / 2);
    this.#words = new Uint32Array(memory.buffer, registers.byteOffset, REGISTERS_SIZE / 4);
    this.tx = { control: this.#control(Register.txHead), buffer: tx.subarray(0, maxlen) };
    this.rx = { control: this.#control(Register.rxHead), buffer: rx.subarray(0, maxlen) };
  }

  #control(offset: number): Uint32Array {
    return this.#words.subarray(offset / 4, offset / 4 + 2);
  }

  get driverStatus(): number {
    return Atomics.load(this.#halves, Register.driverStatus / 2);
  }
  set driverStatus(status: number) {
    Atomics.store(this.#halves, Register.driverStatus / 2, status);
  }

  /**
   * Restores the accepted status where a driver's status was refused, unless the driver has written another one
   * meanwhile.
   */
  refuseDriverStatus(refused: number, accepted: number): void {
    Atomics.compareExchange(this.#halves, Register.driverStatus / 2, refused, accepted);
  }

  set deviceStatus(status: DeviceStatus) {
    Atomics.store(this.#bytes, Register.deviceStatus, status);
  }

  get queueSelector(): number {
    return Atomics.load(this.#bytes, Register.queueSelector);
  }

  /** Writes the selected queue's length: the length first, so that a reader of the second value also sees the first. */
  answerSelector(selector: number, length: number): void {
    Atomics.store(this.#halves, Register.maxQueueLength / 2, length);
    Atomics.store(this.#bytes, Register.queueSelected, selector);
  }

  get txRuns(): boolean {
    return (Atomics.load(this.#bytes, Register.txControl) & QUEUE_RUN) !== 0;
  }
  get rxRuns(): boolean {
    return (Atomics.load(this.#bytes, Register.rxControl) & QUEUE_RUN) !== 0;
  }

  /** Resets everything except queues and statuses. */
  initialize(): void {
    Atomics.store(this.#words, Register.magic / 4, MAGIC_VALUE);
    Atomics.store(this.#bytes, Register.queueSelector, 0);
    Atomics.store(this.#bytes, Register.txControl, QUEUE_RUN);
    Atomics.store(this.#bytes, Register.rxControl, QUEUE_RUN);
  }

  /**
   * While a device waits in reset, restores the device's fields that the driver has overwritten, which by polling
   * nothing prevents: so a reset works after any writes. A correct driver never writes these, so it is not disturbed.
   */
  restore(selected: number, length: number): void {
    if (Atomics.load(this.#words, Register.magic / 4) !== MAGIC_VALUE)
      Atomics.store(this.#words, Register.magic / 4, MAGIC_VALUE);
    for (const word of DEVICE_INDEXES) {
      if (Atomics.load(this.#words, word) !== 0) Atomics.store(this.#words, word, 0);
    }
    const answered =
      Atomics.load(this.#bytes, Register.queueSelected) === selected &&
      Atomics.load(this.#halves, Register.maxQueueLength / 2) === length;
    if (!answered) this.answerSelector(selected, length);
    // Last: a driver that waits for the reset reads this one.
    if (Atomics.load(this.#bytes, Register.deviceStatus) !== DeviceStatus.reset)
      this.deviceStatus = DeviceStatus.reset;
  }

  /** Stores one byte that a driver wrote. */
  writeByte(offset: number, value: number): void {
    this.#bytes[offset] = value;
  }
}
