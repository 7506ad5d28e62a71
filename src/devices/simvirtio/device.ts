import type { Backend } from './backends.js';
import type { ConfigSpace } from './config-space.js';
import type { DeviceTable } from './device-table.js';
import { COMMAND_CONFIGURE, COMMAND_RESET, DeviceStatus, DriverStatus } from './layout.js';
import { ConsumerEnd, ProducerEnd, type QueueEnds } from './queue.js';

/** The state of the handshake: see the figure in `docs/simvirtio.md`. */
export const phases = ['reset', 'acknowledged', 'configured', 'ready'] as const;
export type Phase = (typeof phases)[number];

/** The statuses that a driver may write, by phase; `DRIVER_RESET` is valid at any time. */
const allowed: Record<Phase, readonly number[]> = {
  reset: [DriverStatus.ack],
  acknowledged: [DriverStatus.driver],
  configured: [DriverStatus.driver, DriverStatus.ok],
  ready: [],
};

const statusOf: Record<Phase, DeviceStatus> = {
  reset: DeviceStatus.reset,
  acknowledged: DeviceStatus.reset,
  configured: DeviceStatus.config,
  ready: DeviceStatus.ready,
};

/** Counts of a device since it was made: bytes, and its driver's errors. */
export interface DeviceCounts {
  /** The backend's name. */
  name: string;
  phase: Phase;
  /** Data bytes, from the driver and to it. The letters of the handshake are not among them. */
  transmitted: number;
  received: number;
  resets: number;
  /** Statuses that were refused, and bytes that meant nothing before the device was ready. */
  refused: number;
}

/** A device's own state, for `save` and `load`. */
export interface DeviceState {
  phase: Phase;
  accepted: number;
  selected: number;
  tx: QueueEnds;
  rx: QueueEnds;
  kept: number[];
}

/**
 * One SIMVIRTIO device: the state machine between a driver's memory and a backend.
 *
 * It reacts only in `service`, which reads the shared memory and does all pending work: with exits after each write of
 * the driver, with polling repeatedly. So both see the same device.
 */
export class SimvirtioDevice {
  readonly address: number;
  readonly #registers: ConfigSpace;
  readonly #table: DeviceTable;
  readonly #backend: Backend;
  readonly #tx: ConsumerEnd;
  readonly #rx: ProducerEnd;
  readonly #transmit: (bytes: Uint8Array) => number;
  readonly #receive: (room: Uint8Array) => number;
  #phase: Phase = 'reset';
  /** The driver status that was accepted last. */
  #accepted: number = DriverStatus.reset;
  #selected = 0;
  #transmitted = 0;
  #received = 0;
  #resets = 0;
  #refused = 0;

  constructor(address: number, registers: ConfigSpace, table: DeviceTable, backend: Backend) {
    this.address = address;
    this.#registers = registers;
    this.#table = table;
    this.#backend = backend;
    this.#tx = new ConsumerEnd(registers.tx);
    this.#rx = new ProducerEnd(registers.rx);
    this.#transmit = (bytes) => backend.transmit(bytes);
    this.#receive = (room) => backend.receive(room);
    this.#reset();
    this.#resets = 0;
  }

  /**
   * Reacts to the driver's actions; at most a queue's length each way.
   * @returns the amount of work: 0 where there was none
   */
  service(): number {
    const tx = this.#tx;
    // Head before status: so a byte that was pushed after a status is never treated as one from before it.
    tx.look();
    const changes = this.#followStatus() + this.#followSelector();
    if (this.#phase === 'reset') {
      this.#registers.restore(this.#selected, this.#lengthOf(this.#selected));
      if (tx.cleared) return changes;
      this.#reset();
      return changes + 1;
    }
    const runs = this.#registers.txRuns;
    if (runs && this.#phase !== 'ready') return changes + this.#obey();
    const sent = runs ? tx.drain(this.#transmit) : 0;
    this.#transmitted += sent;
    if (this.#phase !== 'ready') return changes;
    this.#rx.look();
    const got = this.#backend.available && this.#registers.rxRuns ? this.#rx.fill(this.#receive) : 0;
    this.#received += got;
    return changes + sent + got;
  }

  get counts(): DeviceCounts {
    return {
      name: this.#backend.name,
      phase: this.#phase,
      transmitted: this.#transmitted,
      received: this.#received,
      resets: this.#resets,
      refused: this.#refused,
    };
  }

  /** Acts on a new driver status; an unknown one, or one that is not valid now, is replaced by the old one. */
  #followStatus(): number {
    const status = this.#registers.driverStatus;
    if (status === this.#accepted) return 0;
    if (status === DriverStatus.reset) {
      this.#reset();
      return 1;
    }
    if (!allowed[this.#phase].includes(status)) {
      this.#registers.refuseDriverStatus(status, this.#accepted);
      this.#refused++;
      return 1;
    }
    this.#accepted = status;
    if (status === DriverStatus.ack) this.#enter('acknowledged');
    else if (status === DriverStatus.ok) this.#enter('ready');
    return 1;
  }

  #followSelector(): number {
    const selector = this.#registers.queueSelector;
    if (selector === this.#selected) return 0;
    this.#select(selector);
    return 1;
  }

  #select(selector: number): void {
    this.#selected = selector;
    this.#registers.answerSelector(selector, this.#lengthOf(selector));
  }

  #lengthOf(selector: number): number {
    const { tx, rx } = this.#registers;
    return selector === 0 ? tx.buffer.length : selector === 1 ? rx.buffer.length : 0;
  }

  /** Before it is ready, a device reads TX as letters: R resets it, C configures it, all others have no meaning. */
  #obey(): number {
    let read = 0;
    for (let byte = this.#tx.pop(); byte >= 0; byte = this.#tx.pop()) {
      read++;
      if (byte === COMMAND_RESET) {
        // The reset empties the queue: bytes after the R are lost.
        this.#reset();
      } else if (byte === COMMAND_CONFIGURE && this.#phase === 'acknowledged') {
        this.#table.add(this.address);
        this.#enter('configured');
      } else {
        this.#refused++;
      }
    }
    return read;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#registers.deviceStatus = statusOf[phase];
  }

  /**
   * As after power-on. A driver that waits sees it completed when the device status is DEVICE_RESET, the driver status
   * DRIVER_RESET and both indexes of TX 0: so the device status, which may be the only change, is written last.
   */
  #reset(): void {
    this.#table.remove(this.address);
    this.#backend.reset();
    this.#registers.initialize();
    this.#select(0);
    this.#accepted = DriverStatus.reset;
    this.#registers.driverStatus = DriverStatus.reset;
    this.#rx.clear();
    this.#tx.clear();
    this.#enter('reset');
    this.#resets++;
  }

  save(): DeviceState {
    return {
      phase: this.#phase,
      accepted: this.#accepted,
      selected: this.#selected,
      tx: this.#tx.save(),
      rx: this.#rx.save(),
      kept: this.#backend.save?.() ?? [],
    };
  }

  /** Loads a checked state; guest memory is restored with the machine's own. */
  load(state: DeviceState): void {
    this.#phase = state.phase;
    this.#accepted = state.accepted;
    this.#selected = state.selected;
    this.#tx.load(state.tx);
    this.#rx.load(state.rx);
    this.#backend.load?.(state.kept);
  }
}
