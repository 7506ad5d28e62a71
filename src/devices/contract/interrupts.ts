/** What an interrupt controller tells the devices behind its lines; see `InterruptController.watch`. */
export interface LineWatcher {
  /** The CPU has taken the interrupt of line `irq`. */
  acknowledged(irq: number): void;
  /** Line `irq` was masked and is not any more. */
  unmasked(irq: number): void;
}

/** What turns the levels of interrupt lines into vectors for the CPU: on a PC, two 8259A. */
export interface InterruptController {
  setIrq(irq: number, level: boolean): void;
  /** Its INT pin: an interrupt waits for the CPU. */
  readonly pending: boolean;
  /** The CPU takes the interrupt that waits (INTA): its vector, 0 to 255. */
  acknowledge(): number;
  /** True if the CPU would be interrupted were line `irq` to rise now: not masked, nothing more urgent in service. */
  opens(irq: number): boolean;
  /** Why some or all lines do not open: a phrase for people. */
  describe(): string;
  watch(watcher: LineWatcher): void;
}
