/**
 * A device's interrupt line: its own wire, which it drives and whose level it knows. Where the wire leads is the machine's
 * business: several devices may share a pin, and a pin may lead to several controllers.
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

/** The notifications and questions of a line to the device that drives it. */
export interface LineListener {
  /** A CPU has taken the interrupt of this line, which is high. */
  acknowledged?(): void;
  /** The controller had masked this line and now lets it through. */
  unmasked?(): void;
  /**
   * Could the line rise without the guest's doing: when time passes or input comes? A guest that halts where no line could is at
   * its end. Without this method: yes if the device has set an alarm.
   */
  canRise?(): boolean;
}

/** An interrupt controller's notifications about its pins; see `InterruptController.watch`. */
export interface PinWatcher {
  /** A CPU has taken the interrupt of `pin`. */
  acknowledged(pin: number): void;
  /** `pin` was masked and is now unmasked. */
  unmasked(pin: number): void;
  /** The controller's `messages` are others now. */
  rerouted?(): void;
}

/** Where interrupt pins lead: the input side of a controller. */
export interface PinSink {
  /** How many pins it has, numbered from 0. */
  readonly pins: number;
  /**
   * Its pin that interrupt request `irq` is wired to, -1 for none. Without this method: the pin of the same number. (A PC's IRQ 0
   * is on pin 2 of its I/O APIC.)
   */
  wire?(irq: number): number;
  /** Drives a pin. Low and high again while it was high is a new edge. */
  setPin(pin: number, level: boolean): void;
  /** Takes an interrupt message (MSI); false where nothing answers at `address`. Missing where it takes none. */
  message?(address: number, data: number): boolean;
}

/** What turns the levels of interrupt pins into vectors for CPUs: on a PC, two 8259A. */
export interface InterruptController extends PinSink {
  /** An interrupt is pending for CPU number `cpu`. Asked before each entry into the guest. */
  pending(cpu: number): boolean;
  /** CPU `cpu` takes its pending interrupt (INTA): the vector, 0 to 255. */
  acknowledge(cpu: number): number;
  /** True if a CPU would be interrupted were `pin` to rise now: not masked, nothing more urgent in service. */
  opens(pin: number): boolean;
  /** Why some or all pins are closed: a phrase. */
  describe(): string;
  watch(watcher: PinWatcher): void;
  /** For local APICs inside the engine: the messages that the controller may send, of whose ends it must be notified. */
  messages?(): readonly { readonly address: number; readonly data: number }[];
  /** A local APIC inside the engine has ended an interrupt of this vector. */
  interruptEnded?(vector: number): void;
}
