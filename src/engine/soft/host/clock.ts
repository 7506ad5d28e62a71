import type { CpuTime } from '../../../x86/index.js';
import type { EngineClock } from '../../contract/index.js';
import * as L from '../layout.js';

/** No alarm. */
export const NEVER = 0x7fff_ffff_ffff_ffffn;
const HIGH = 0x1_0000_0000;

/** The software CPU's clock: a cycle for each instruction, and the skipped cycles. */
export class SoftClock implements EngineClock {
  readonly #view: DataView;
  /** The skipped cycles, which passed without an instruction. */
  skipped = 0;
  accessCycles = 0;
  #alarm = Number.POSITIVE_INFINITY;
  /** The count of instructions at which a run ends although no alarm is due. */
  #pause = Number.POSITIVE_INFINITY;
  /** The cycle at which the turn of the running CPU ends. */
  #turn = Number.POSITIVE_INFINITY;

  /** @internal */
  constructor(view: DataView) {
    this.#view = view;
  }

  get cycles(): number {
    return this.#view.getUint32(L.CLOCK, true) + this.#view.getInt32(L.CLOCK + 4, true) * HIGH;
  }

  get instructions(): number {
    return this.cycles - this.skipped;
  }

  setAlarm(cycle: number): void {
    // Not at once: a guest whose alarm is always due would make no progress.
    this.#alarm = Math.max(cycle, this.cycles + 1);
    this.#arm();
  }

  /** Ends runs after this number of instructions, in addition to the alarm and without an effect on it. */
  pauseAt(instructions: number): void {
    this.#pause = instructions;
    this.#arm();
  }

  setTurn(cycle: number, lateStore = false): void {
    if (cycle === this.#turn) return;
    this.#turn = cycle;
    if (lateStore && cycle !== Number.POSITIVE_INFINITY) this.#set(L.LATE_AT, cycle);
    else this.#view.setBigInt64(L.LATE_AT, NEVER, true);
    this.#arm();
  }

  get turnIsOver(): boolean {
    return this.cycles >= this.#turn;
  }

  /** The exact end of a run: the program has only one limit. */
  #arm(): void {
    const next = Math.min(this.#alarm, this.#pause + this.skipped, this.#turn);
    if (next === Number.POSITIVE_INFINITY) this.#view.setBigInt64(L.ALARM, NEVER, true);
    else this.#set(L.ALARM, Math.max(next, this.cycles + 1));
  }

  /** True once, when the alarm is due. */
  rings(): boolean {
    if (this.cycles < this.#alarm) return false;
    this.setAlarm(Number.POSITIVE_INFINITY);
    return true;
  }

  advance(cycle: number): void {
    this.#skip(cycle - this.cycles);
  }

  /** The monitor has answered `count` accesses. */
  answered(accesses: number): void {
    this.#skip(accesses * this.accessCycles);
  }

  save(): CpuTime {
    return { cycles: this.cycles, skipped: this.skipped };
  }

  load({ cycles, skipped }: CpuTime): void {
    this.skipped = skipped;
    this.#set(L.CLOCK, cycles);
    this.setAlarm(Number.POSITIVE_INFINITY);
  }

  #skip(cycles: number): void {
    if (!(cycles > 0)) return;
    this.#set(L.CLOCK, this.cycles + cycles);
    this.skipped += cycles;
    if (this.#pause !== Number.POSITIVE_INFINITY) this.#arm();
  }

  /** As two halves, so that nothing is allocated. */
  #set(place: number, cycles: number): void {
    this.#view.setUint32(place, cycles % HIGH, true);
    this.#view.setUint32(place + 4, Math.floor(cycles / HIGH), true);
  }
}
