import { type Delivery, DeliveryMode } from './delivery.js';
import { LVT_ENTRIES, LVT_LEVEL, LVT_MASKED, Lvt, lvtBits } from './registers.js';

/** The local vector table: the interrupts of the sources inside the APIC, and of its pins LINT0 and LINT1 (SDM 3A 11.5.1). */
export class VectorTable {
  readonly #entries = new Uint32Array(LVT_ENTRIES);

  /** @param first the bootstrap processor: a BIOS leaves its LINT0 as ExtINT, for the 8259A, and LINT1 as NMI */
  reset(first: boolean): void {
    this.#entries.fill(LVT_MASKED);
    if (!first) return;
    this.#entries[Lvt.lint0] = DeliveryMode.extInt << 8;
    this.#entries[Lvt.lint1] = DeliveryMode.nmi << 8;
  }

  read(entry: number): number {
    return this.#entries[entry]!;
  }

  write(entry: number, value: number): void {
    this.#entries[entry] = value & lvtBits[entry]!;
  }

  maskAll(): void {
    for (const entry of this.#entries.keys()) this.#entries[entry]! |= LVT_MASKED;
  }

  isMasked(entry: number): boolean {
    return (this.#entries[entry]! & LVT_MASKED) !== 0;
  }

  /** The timer's mode, `TimerMode`. Mode 3 is reserved: it counts as the one-shot mode. */
  get timerMode(): number {
    const mode = (this.#entries[Lvt.timer]! >> 17) & 3;
    return mode === 3 ? 0 : mode;
  }

  /** The 8259A's INT reaches the processor. */
  get passesExtInt(): boolean {
    return !this.isMasked(Lvt.lint0) && ((this.#entries[Lvt.lint0]! >> 8) & 7) === DeliveryMode.extInt;
  }

  /** The interrupt of a source; undefined where its entry is masked. @param id the APIC's own */
  delivery(entry: number, id: number): Delivery | undefined {
    const value = this.#entries[entry]!;
    if (value & LVT_MASKED) return undefined;
    const mode = entry === Lvt.timer || entry === Lvt.error ? DeliveryMode.fixed : (value >> 8) & 7;
    const level = (value & LVT_LEVEL) !== 0 && mode === DeliveryMode.fixed;
    return { mode, vector: value & 0xff, level, logical: false, destination: id };
  }

  save(): number[] {
    return [...this.#entries];
  }

  /** @param entries checked: none has a bit that a guest cannot set */
  load(entries: readonly number[]): void {
    this.#entries.set(entries);
  }
}
