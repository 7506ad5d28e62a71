/**
 * A device's interrupt line: its own wire, which it drives and whose level it knows. The machine connects the wire:
 * several devices may share a pin, and a pin may lead to several controllers.
 */
export interface Line {
  /** The level that the device drives. */
  readonly level: boolean;
  /**
   * Drives the line. Each rise is an edge for an edge-triggered controller, even while another device holds the same pin high; a
   * pin falls when the last of its lines falls.
   */
  set(level: boolean): void;
  /** Low, then high: a new edge. The line stays high, since an 8259A drops a request that falls before it is acknowledged. */
  pulse(): void;
}

/** The calls from a line to the device that drives it. */
export interface LineListener {
  /** A CPU has taken the interrupt of this line, which is high. */
  acknowledged?(): void;
  /** The controller had masked this line and has unmasked it now. */
  unmasked?(): void;
  /**
   * Could the line rise without an action of the guest: when time passes or input arrives? A guest that halts where no
   * line can is at its end. Without this method: yes if the device has set an alarm.
   */
  canRise?(): boolean;
}

/** An interrupt controller's notifications about its pins; see `InterruptController.watch`. */
export interface PinWatcher {
  /** A CPU has taken the interrupt of `pin`. */
  acknowledged(pin: number): void;
  /** `pin` was masked and is now unmasked. */
  unmasked(pin: number): void;
  /** The controller's `messages` have changed. */
  rerouted?(): void;
}

/** The input side of a controller, to which interrupt pins lead. */
export interface PinSink {
  /** How many pins it has, numbered from 0. */
  readonly pins: number;
  /**
   * The pin for interrupt request `irq`, -1 for none. Without this method: the pin of the same number. (A PC's IRQ 0 is
   * on pin 2 of its I/O APIC.)
   */
  wire?(irq: number): number;
  /** Drives a pin. A high pin that is driven low and high again has a new edge. */
  setPin(pin: number, level: boolean): void;
  /** Takes an interrupt message (MSI); false where nothing answers at `address`. Missing where it takes none. */
  message?(address: number, data: number): boolean;
}

/** Turns the levels of interrupt pins into vectors for CPUs: on a PC, two 8259A. */
export interface InterruptController extends PinSink {
  /** An interrupt is pending for CPU number `cpu`. Asked before each entry into the guest. */
  pending(cpu: number): boolean;
  /** CPU `cpu` takes its pending interrupt (INTA): the vector, 0 to 255. */
  acknowledge(cpu: number): number;
  /**
   * True if a rise of `pin` would interrupt a CPU now: it is not masked, and nothing of higher priority is in service.
   */
  opens(pin: number): boolean;
  /** Why some or all pins cannot interrupt: a phrase. */
  describe(): string;
  watch(watcher: PinWatcher): void;
  /** For local APICs inside the engine: the messages that the controller may send and whose EOI it must get. */
  messages?(): readonly { readonly address: number; readonly data: number }[];
  /** A local APIC inside the engine has ended an interrupt of this vector. */
  interruptEnded?(vector: number): void;
}
