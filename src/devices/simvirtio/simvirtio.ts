import { ConfigError } from '../../errors.js';
import type { GuestMemory } from '../../memory/index.js';
import type { ByteSink } from '../contract/index.js';
import { type Backend, consoleBackend, echoBackend, sinkBackend } from './backends.js';
import { ConfigSpace } from './config-space.js';
import { type DeviceCounts, type DeviceState, SimvirtioDevice } from './device.js';
import { DeviceTable } from './device-table.js';
import { BUFFER_SIZE, deviceAddress, MAX_DEVICES, SHORTEST_QUEUE, writable } from './layout.js';

/** Elements of each queue by default. */
export const DEFAULT_QUEUE_LENGTH = 4096;

export interface SimvirtioOptions {
  /** The backends of the devices, one each; 1 to 10. */
  backends: readonly Backend[];
  /** Elements of each queue, 2 to 16,384, where a backend asks for no other length; a queue holds one less. Default 4096. */
  maxQueueLength?: number;
}

/** The devices that `terrarium run --simvirtio` gives a machine: a console, an echo and a sink. */
export function standardBackends(output: ByteSink): Backend[] {
  // For measurements, pauses should be as rare as possible.
  return [consoleBackend(output), echoBackend(), sinkBackend(BUFFER_SIZE)];
}

/** Their number, for `simvirtioRegions`. */
export const STANDARD_BACKENDS = 3;

/** @throws ConfigError for an invalid number of devices or queue length */
export function checkOptions(options: SimvirtioOptions): void {
  const { backends } = options;
  if (backends.length < 1 || backends.length > MAX_DEVICES) {
    throw new ConfigError(
      `SIMVIRTIO with ${backends.length} devices`,
      `the device table has room for 1 to ${MAX_DEVICES}`,
    );
  }
  for (const length of queueLengths(options)) {
    if (Number.isInteger(length) && length >= SHORTEST_QUEUE && length <= BUFFER_SIZE) continue;
    throw new ConfigError(
      `a SIMVIRTIO queue of ${length} elements`,
      `give a whole number from ${SHORTEST_QUEUE} to ${BUFFER_SIZE}`,
    );
  }
}

/** The length of each device's queues. */
export function queueLengths({
  backends,
  maxQueueLength = DEFAULT_QUEUE_LENGTH,
}: SimvirtioOptions): number[] {
  return backends.map(({ queueLength }) => queueLength ?? maxQueueLength);
}

/**
 * All SIMVIRTIO devices of a machine over its memory. It belongs to one thread, which need not be the machine's: it touches
 * nothing but shared memory and its backends.
 */
export class Simvirtio {
  readonly #table: DeviceTable;
  readonly #devices: readonly SimvirtioDevice[];
  readonly #spaces: readonly ConfigSpace[];

  /**
   * Writes device table and devices to memory, as after power-on.
   * @throws ConfigError as `checkOptions`, GuestMemoryError where memory lacks `simvirtioRegions`
   */
  constructor(memory: GuestMemory, options: SimvirtioOptions) {
    checkOptions(options);
    const { backends } = options;
    this.#table = new DeviceTable(memory);
    this.#spaces = queueLengths(options).map(
      (length, i) => new ConfigSpace(memory, deviceAddress(i), length),
    );
    this.#devices = backends.map(
      (backend, i) => new SimvirtioDevice(deviceAddress(i), this.#spaces[i]!, this.#table, backend),
    );
  }

  /** Lets every device do its work; 0 where there was none. */
  service(): number {
    let done = 0;
    for (let i = 0; i < this.#devices.length; i++) done += this.#devices[i]!.service();
    return done;
  }

  /**
   * A write of the driver to the registers of device `index`, by exit: bytes of writable fields are stored, the others
   * are dropped; then the device reacts.
   */
  write(index: number, offset: number, size: number, value: number): void {
    const space = this.#spaces[index]!;
    let any = false;
    for (let i = 0; i < size; i++) {
      if (writable[offset + i] !== true) continue;
      space.writeByte(offset + i, (value >>> (8 * i)) & 0xff);
      any = true;
    }
    if (any) this.#devices[index]!.service();
  }

  get counts(): DeviceCounts[] {
    return this.#devices.map((device) => device.counts);
  }

  save(): { devices: DeviceState[]; table: number[] } {
    return { devices: this.#devices.map((device) => device.save()), table: [...this.#table.listed] };
  }

  /** Loads a checked state; see `loadableState`. */
  load({ devices, table }: { devices: DeviceState[]; table: number[] }): void {
    for (const [i, state] of devices.entries()) this.#devices[i]!.load(state);
    this.#table.load(table);
  }
}
