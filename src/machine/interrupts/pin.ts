import type {
  Device,
  InterruptController,
  Line,
  LineListener,
  PinSink,
} from '../../devices/contract/index.js';

/** The target of a pin of the board: one input of one controller. */
interface Input {
  readonly sink: PinSink;
  readonly pin: number;
}

/**
 * One interrupt request of the board. Several devices' lines meet here, and it may lead to several controllers at once, as a
 * PC's ISA interrupts lead to the 8259A pair and to the I/O APIC.
 */
export class Pin {
  readonly irq: number;
  readonly lines: DeviceLine[] = [];
  readonly #inputs: readonly Input[];
  /** How many of the lines are high. */
  #high = 0;

  constructor(irq: number, sinks: readonly PinSink[]) {
    this.irq = irq;
    this.#inputs = sinks
      .map((sink) => ({ sink, pin: sink.wire === undefined ? irq : sink.wire(irq) }))
      .filter(({ sink, pin }) => pin >= 0 && pin < sink.pins);
  }

  get level(): boolean {
    return this.#high > 0;
  }

  /** True where the pin leads to `pin` of `sink`. */
  leadsTo(sink: PinSink, pin: number): boolean {
    return this.#inputs.some((input) => input.sink === sink && input.pin === pin);
  }

  /** True if `controller` would interrupt a CPU were the pin to rise now. */
  opensAt(controller: InterruptController): boolean {
    return this.#inputs.some(({ sink, pin }) => sink === controller && controller.opens(pin));
  }

  /** One of the lines rose: the pin is high, and a controller sees an edge even if it was high before. */
  rise(): void {
    if (this.#high++ > 0) this.drive(false);
    this.drive(true);
  }

  /** One of the lines fell. */
  fall(): void {
    if (--this.#high === 0) this.drive(false);
  }

  /** Sends a level to the controllers. */
  drive(level: boolean): void {
    for (const { sink, pin } of this.#inputs) sink.setPin(pin, level);
  }

  /** Takes the current levels of the lines, without notifying the controllers. */
  recount(): void {
    this.#high = this.lines.filter(({ level }) => level).length;
  }
}

/** A device's line to a pin. */
export class DeviceLine implements Line {
  readonly device: Device;
  readonly pin: Pin;
  readonly listener: LineListener;
  #level = false;
  /** True while devices are being restored: levels are kept, and controllers are not notified. */
  held = false;

  constructor(device: Device, pin: Pin, listener: LineListener) {
    this.device = device;
    this.pin = pin;
    this.listener = listener;
  }

  get level(): boolean {
    return this.#level;
  }

  /** See `LineListener.canRise`. */
  get canRise(): boolean {
    return this.listener.canRise?.() === true;
  }

  set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    if (this.held) return;
    if (level) this.pin.rise();
    else this.pin.fall();
  }

  pulse(): void {
    this.set(false);
    this.set(true);
  }
}
