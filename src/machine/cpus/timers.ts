import type { Device } from '../../devices/contract/index.js';

/** The devices that know when they have to be asked next. */
export class Timers {
  readonly #devices: readonly Device[];
  readonly any: boolean;

  constructor(devices: readonly Device[]) {
    this.#devices = devices.filter((device) => device.nextEvent !== undefined);
    this.any = this.#devices.length > 0;
  }

  /** The machine time of the first event of all; Infinity where there is none. */
  next(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const device of this.#devices) {
      const event = device.nextEvent?.();
      // Not NaN: a device of the user's own may be wrong.
      if (event !== undefined && event < first) first = event;
    }
    return first;
  }
}
