/**
 * Interrupts of a machine whose controllers are devices: who gets them to the CPU, and what can wake a guest that halts.
 *
 * @module
 */
import type { Device, InterruptController } from '../../devices/contract/index.js';
import type { EngineCpu } from '../../engine/contract/index.js';

/**
 * Gives the CPU the interrupt that waits, or asks to be told as soon as it can take one. Call it before each run while
 * the controller has one pending.
 */
export function offerInterrupt(controller: InterruptController, cpu: EngineCpu): void {
  if (cpu.readyForInterrupt) cpu.injectInterrupt(controller.acknowledge());
  cpu.requestInterruptWindow(controller.pending);
}

/** Lets devices follow what becomes of their interrupts. */
export function watchLines(controller: InterruptController, devices: readonly Device[]): void {
  const acknowledged = devices.filter((device) => device.acknowledged !== undefined);
  const unmasked = devices.filter((device) => device.unmasked !== undefined);
  controller.watch({
    acknowledged: (irq) => {
      for (const device of acknowledged) device.acknowledged?.(irq);
    },
    unmasked: (irq) => {
      for (const device of unmasked) device.unmasked?.(irq);
    },
  });
}

/** True where a device could interrupt a guest that halted. */
export function canBeWoken(controller: InterruptController, devices: readonly Device[]): boolean {
  const opens = (irq: number) => controller.opens(irq);
  let anyOpens = false;
  for (let irq = 0; irq < LINES && !anyOpens; irq++) anyOpens = opens(irq);
  return devices.some((device) => {
    if (device.canWake !== undefined) return device.canWake(opens);
    return device.poll !== undefined && anyOpens;
  });
}

const LINES = 16;

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
