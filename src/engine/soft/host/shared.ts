/**
 * The parts that the CPUs of one VM share: the program and its memory, the clock, the translator, the host's timer. The
 * state's fixed addresses in the engine area belong to one of them at a time.
 *
 * @module
 */
import { Control, type DebugRequest } from '../../contract/index.js';
import * as L from '../layout.js';
import type { Translator } from '../translate/index.js';
import { SoftClock } from './clock.js';
import type { Program } from './program.js';
import { Samples } from './samples.js';

/** No breakpoint, no watchpoint, no step. */
export const NO_REQUEST: DebugRequest = { step: false, breakpoints: [], watchpoints: [] };

export function isSame(a: DebugRequest, b: DebugRequest): boolean {
  if (a === b) return true;
  const { breakpoints, watchpoints } = a;
  return (
    a.step === b.step &&
    breakpoints.length === b.breakpoints.length &&
    watchpoints.length === b.watchpoints.length &&
    breakpoints.every((address, i) => address === b.breakpoints[i]) &&
    watchpoints.every((one, i) => {
      const { address, length, on } = b.watchpoints[i]!;
      return one.address === address && one.length === length && one.on === on;
    })
  );
}

/**
 * Instructions between two checks of the clock and the control block. The slowest (self-modifying code) take some hundred times
 * as long as the fastest, so each check computes the number until the next one: at most SLICE_MS of time, so that a stop or a
 * deadline is prompt. The guest's behaviour does not depend on it.
 */
const slices = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map((power) => 1n << BigInt(power));
const SLICE_MS = 1;

/** See the module's comment. */
export class Shared {
  readonly program: Program;
  readonly view: DataView;
  readonly control: Int32Array;
  readonly translator: Translator | undefined;
  readonly clock: SoftClock;
  readonly samples: Samples;
  /** The CPU to which the state's fixed addresses belong. */
  now = 0;
  /** The content of the debugger's tables. */
  request = NO_REQUEST;
  readonly #cpus: number;
  /** The index of the next slice. */
  #slice = 0;
  /** When `run` returns `interrupted` next, in milliseconds of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #interval = 0;

  constructor(
    program: Program,
    view: DataView,
    control: Int32Array,
    { translator, cpus }: { translator: Translator | undefined; cpus: number },
  ) {
    this.program = program;
    this.view = view;
    this.control = control;
    this.translator = translator;
    this.#cpus = cpus;
    this.clock = new SoftClock(view);
    this.samples = new Samples(this.clock);
  }

  /** From now on the state's fixed addresses belong to this CPU. */
  select(cpu: number): void {
    this.program.selectCpu(cpu);
    this.now = cpu;
  }

  /** The address of a word of a CPU's state, in the fixed addresses or in its area; `at`: the word's fixed address. */
  placeOf(cpu: number, at: number): number {
    if (cpu === this.now) return at;
    const area = L.POOL_END - (this.#cpus - cpu) * L.CPU_AREA;
    return at < L.REGIONS ? area + at : area + L.AREA_SYSTEM + at - L.TLB_NOW;
  }

  /** Instructions until the next check of the clock. */
  get slice(): bigint {
    return slices[this.#slice]!;
  }

  /** A slice that began at `before` (0: unknown) is over. Returns when the next one begins. */
  fitSlice(before: number): number {
    const now = performance.now();
    if (before === 0) return now;
    const ms = now - before;
    if (ms > SLICE_MS && this.#slice > 0) this.#slice--;
    else if (ms < SLICE_MS / 4 && this.#slice < slices.length - 1) this.#slice++;
    return now;
  }

  setTimer(firstMs: number, intervalMs: number): void {
    const first = firstMs === 0 && intervalMs === 0 ? Number.POSITIVE_INFINITY : firstMs;
    this.#due = performance.now() + first;
    this.#interval = intervalMs;
  }

  /** The timer is already due. */
  ring(): void {
    this.#due = 0;
  }

  /** The CPUs' thread must return, or the timer rang. */
  isDue(): boolean {
    if (Atomics.load(this.control, Control.request) !== 0) return true;
    if (this.#due === Number.POSITIVE_INFINITY) return false;
    const now = performance.now();
    if (now < this.#due) return false;
    this.#due = this.#interval === 0 ? Number.POSITIVE_INFINITY : now + this.#interval;
    return true;
  }
}
