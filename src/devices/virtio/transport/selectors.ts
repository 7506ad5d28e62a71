import { registerField } from '../../state.js';
import type { VirtioDevice } from '../device.js';
import { type RingPart, ringParts } from '../queue/index.js';
import { type Register, register } from './registers.js';

/** A driver's selections of features and of queues. Both transports have these registers. */
export interface Selection {
  deviceFeatures: number;
  driverFeatures: number;
  queue: number;
}

/** The number of a missing word of features: all of them behave alike. */
const NONE = 0xff;

/** The selectors and their targets. */
export class Selectors {
  readonly #device: VirtioDevice;
  #deviceFeatures = 0;
  #driverFeatures = 0;
  queue = 0;

  constructor(device: VirtioDevice) {
    this.#device = device;
  }

  get deviceFeatures(): number {
    return this.#deviceFeatures;
  }

  set deviceFeatures(word: number) {
    this.#deviceFeatures = Math.min(word, NONE);
  }

  get driverFeatures(): number {
    return this.#driverFeatures;
  }

  set driverFeatures(word: number) {
    this.#driverFeatures = Math.min(word, NONE);
  }

  get selected() {
    return this.#device.queues[this.queue];
  }

  get offered(): number {
    return this.#device.offered[this.deviceFeatures] ?? 0;
  }

  get accepted(): number {
    return this.#device.accepted(this.driverFeatures);
  }

  set accepted(bits: number) {
    this.#device.accept(this.driverFeatures, bits);
  }

  /** The six halves of the addresses of a ring's parts, each of the three pairs from its own offset on. */
  addresses(offsets: Record<RingPart, number>, canRead: boolean): Register[] {
    const names = { descriptors: 'descriptors', driver: 'driver area', device: 'device area' };
    return ringParts.flatMap((part) =>
      (['low', 'high'] as const).map((half, i) =>
        register(offsets[part] + 4 * i, 4, `${names[part]} of the queue, ${half}`, {
          ...(canRead && { read: () => this.selected?.half(part, half) ?? 0 }),
          write: (value) => this.selected?.setHalf(part, half, value),
        }),
      ),
    );
  }

  reset(): void {
    this.deviceFeatures = 0;
    this.driverFeatures = 0;
    this.queue = 0;
  }

  save(): Selection {
    const { deviceFeatures, driverFeatures, queue } = this;
    return { deviceFeatures, driverFeatures, queue };
  }

  load(name: string, fields: Record<keyof Selection, unknown>): void {
    const whole = (field: keyof Selection, mask: number) => registerField(name, field, fields[field], mask);
    this.deviceFeatures = whole('deviceFeatures', NONE);
    this.driverFeatures = whole('driverFeatures', NONE);
    this.queue = whole('queue', 0xffff);
  }
}
