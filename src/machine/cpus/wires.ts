import type { CpuWires, FpuErrorPins, TimeStamps } from '../../devices/contract/index.js';
import type { EngineCpu } from '../../engine/contract/index.js';
import type { Several } from './several.js';
import type { CycleTime } from './time.js';

/** The board's interface to a CPU. */
export class Wires implements CpuWires {
  readonly #cpu: EngineCpu;
  readonly #several: Several | undefined;
  readonly stamps: TimeStamps | undefined;
  readonly fpuErrors: FpuErrorPins | undefined;
  #rises = () => {};

  /** @param several where there are several CPUs */
  constructor(cpu: EngineCpu, time: CycleTime | undefined, several?: Several) {
    this.#cpu = cpu;
    this.#several = several;
    if (cpu.ignoresFpuErrors !== undefined) this.fpuErrors = this.#pinsOf(cpu);
    if (time === undefined || cpu.timeStamp === undefined) return;
    const now = () => cpu.timeStamp ?? 0n;
    // The counter and the clock both follow the CPU's cycles. A moment that is too far away for a number never comes.
    const momentOf = (value: bigint) =>
      time.momentOf(time.cycles + Math.min(FAR, Math.max(0, Number(value - now()))));
    this.stamps = { now, momentOf };
  }

  /** The CPU waits before an x87 instruction: FERR# is asserted. */
  fpuError(): void {
    this.#rises();
  }

  nmi(): void {
    if (this.#several === undefined) this.#cpu.injectNmi();
    else this.#several.nmi(this.#cpu);
  }

  init(): void {
    this.#several?.init(this.#cpu.index);
  }

  startUp(page: number): void {
    this.#several?.startUp(this.#cpu.index, page);
  }

  #pinsOf(cpu: EngineCpu): FpuErrorPins {
    return {
      get ignored() {
        return cpu.ignoresFpuErrors === true;
      },
      set ignored(ignored) {
        cpu.ignoresFpuErrors = ignored;
      },
      wire: (rises) => {
        this.#rises = rises;
        cpu.ignoresFpuErrors = false;
      },
    };
  }

  get taskPriority(): number {
    return this.#cpu.taskPriority;
  }

  set taskPriority(value: number) {
    this.#cpu.taskPriority = value;
  }
}

/** Cycles: months, at any rate. */
const FAR = 2 ** 50;
