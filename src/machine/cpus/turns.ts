/**
 * Several CPUs that take turns on one thread: each runs its quantum of instructions, then it is the next one's turn. Nothing of this
 * depends on the host, so that a run can be repeated.
 *
 * @module
 */
import {
  type EngineClock,
  type EngineCpu,
  ExitKind,
  isAccess,
  type LateStore,
} from '../../engine/contract/index.js';
import { ConfigError } from '../../errors.js';
import type { GuestMemory } from '../../memory/index.js';
import { type Activity, activities, type Several } from './several.js';
import { initState, startUpState } from './start-up.js';

/** Instructions of a turn: see docs/smp.md. */
export const DEFAULT_QUANTUM = 10_000;

export interface TurnOptions {
  /** Instructions of a turn. */
  quantum?: number;
  /**
   * Each turn has another length, up to twice the quantum, which follows from this number. And the last store of a turn reaches the
   * memory when the CPU's next turn begins, as if it stayed in its store buffer: other CPUs come between a read and its write.
   */
  seed?: number;
}

export interface TurnsState {
  activities: Activity[];
  /** Whose turn it is, and the cycle at which it is over; null: no other CPU runs. */
  turn: number;
  end: number | null;
  /** The state of the generator of lengths. */
  chance: number;
  /** What CPUs have not stored yet. */
  late: { cpu: number; address: number; bytes: number[] }[];
}

/** See the module's comment. */
export class Turns implements Several {
  readonly #cpus: readonly EngineCpu[];
  readonly #clock: EngineClock;
  readonly #memory: GuestMemory;
  readonly #quantum: number;
  readonly #isRandom: boolean;
  readonly #activities: Activity[];
  /** INIT (-1) and start-up interrupts (a page) that came while another CPU's access was answered, in their order. */
  readonly #signals: { readonly cpu: number; readonly page: number }[] = [];
  /** By CPU: the store that waits for its next turn. */
  readonly #late: (LateStore | undefined)[] = [];
  #turn = 0;
  #end = Number.POSITIVE_INFINITY;
  #chance: number;

  /** The first CPU runs; the others wait for a start-up interrupt. */
  constructor(
    cpus: readonly EngineCpu[],
    clock: EngineClock,
    memory: GuestMemory,
    { quantum, seed }: TurnOptions,
  ) {
    this.#cpus = cpus;
    this.#memory = memory;
    this.#clock = clock;
    this.#quantum = quantum ?? DEFAULT_QUANTUM;
    this.#isRandom = seed !== undefined;
    this.#chance = seed ?? 0;
    this.#activities = cpus.map((_, index) => (index === 0 ? 'runs' : 'waits'));
  }

  /** Whose turn it is. */
  get turn(): number {
    return this.#turn;
  }

  activityOf(cpu: number): Activity {
    return this.#activities[cpu]!;
  }

  /** A CPU runs, or is about to be started. */
  get anyRuns(): boolean {
    return this.#signals.length > 0 || this.#activities.includes('runs');
  }

  /** The CPUs that sleep in a HLT. */
  get halted(): readonly EngineCpu[] {
    return this.#cpus.filter(({ index }) => this.#activities[index] === 'halts');
  }

  halt(cpu: number): void {
    this.#activities[cpu] = 'halts';
  }

  /** A CPU that sleeps in a HLT goes on. */
  wake(cpu: number): void {
    if (this.#activities[cpu] === 'halts') this.#activities[cpu] = 'runs';
  }

  /** No CPU is in the guest but in `run`. */
  rest(): void {}
  /** Their HLTs leave the guest. */
  sleepsForGood(): boolean {
    return false;
  }

  call(): void {}

  nmi(cpu: EngineCpu): void {
    cpu.injectNmi();
    this.wake(cpu.index);
  }

  /** INIT, for a CPU that is not the first one. */
  init(cpu: number): void {
    this.#signals.push({ cpu, page: -1 });
  }

  /** A start-up interrupt: the CPU begins at the page, where it waits for that. */
  startUp(cpu: number, page: number): void {
    this.#signals.push({ cpu, page });
  }

  /** Runs the CPUs by turns until one leaves the guest for the monitor: that one. One of them has to run. */
  run(): EngineCpu {
    if (this.#signals.length > 0) this.#takeSignals();
    for (let untouched = false; ; untouched = true) {
      const cpu = this.#next();
      if (this.#storeLate(cpu)) untouched = false;
      const kind = cpu.run(untouched);
      if (this.#isRandom) this.#late[cpu.index] = cpu.takeLateStore?.();
      if (kind !== ExitKind.turn) return cpu;
    }
  }

  /** True where the CPU had something left to store. */
  #storeLate({ index }: EngineCpu): boolean {
    const late = this.#late[index];
    if (late === undefined) return false;
    this.#late[index] = undefined;
    // The region may have moved away meanwhile.
    if (this.#memory.contains(late.address, late.bytes.length))
      this.#memory.writeBytes(late.address, late.bytes);
    return true;
  }

  /** The CPU whose turn it is now. */
  #next(): EngineCpu {
    const cpu = this.#cpus[this.#turn]!;
    const runs = this.#activities[this.#turn] === 'runs';
    // An instruction that has begun is completed first.
    const isOver = this.#clock.cycles >= this.#end && !isAccess(cpu.exit.kind);
    if (runs && !isOver) {
      const alone = this.#isAlone;
      if (alone) this.#setEnd(Number.POSITIVE_INFINITY);
      else if (this.#end === Number.POSITIVE_INFINITY) this.#begin();
      else this.#setEnd(this.#end);
      return cpu;
    }
    do this.#turn = (this.#turn + 1) % this.#cpus.length;
    while (this.#activities[this.#turn] !== 'runs');
    if (this.#isAlone) this.#setEnd(Number.POSITIVE_INFINITY);
    else this.#begin();
    return this.#cpus[this.#turn]!;
  }

  get #isAlone(): boolean {
    let running = 0;
    for (const activity of this.#activities) if (activity === 'runs') running++;
    return running === 1;
  }

  #begin(): void {
    this.#setEnd(this.#clock.cycles + this.#length());
  }

  #setEnd(cycle: number): void {
    this.#end = cycle;
    this.#clock.setTurn(cycle, this.#isRandom);
  }

  #length(): number {
    if (!this.#isRandom) return this.#quantum;
    // Mulberry32: a step, and the mixing of its state.
    this.#chance = (this.#chance + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#chance ^ (this.#chance >>> 15), this.#chance | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return 1 + (((mixed ^ (mixed >>> 14)) >>> 0) % (2 * this.#quantum));
  }

  #takeSignals(): void {
    for (const { cpu: index, page } of this.#signals) {
      const cpu = this.#cpus[index]!;
      this.#storeLate(cpu);
      if (page < 0) {
        cpu.setState(initState(cpu.getState()));
        this.#activities[index] = 'waits';
      } else if (this.#activities[index] === 'waits') {
        cpu.setState(startUpState(cpu.getState(), page));
        this.#activities[index] = 'runs';
      }
    }
    this.#signals.length = 0;
  }

  save(): TurnsState {
    if (this.#signals.length > 0) this.#takeSignals();
    return {
      activities: [...this.#activities],
      turn: this.#turn,
      end: this.#end === Number.POSITIVE_INFINITY ? null : this.#end,
      chance: this.#chance,
      late: this.#late.flatMap((store, cpu) =>
        store === undefined ? [] : [{ cpu, address: store.address, bytes: [...store.bytes] }],
      ),
    };
  }

  /** @throws ConfigError for a state that is not one of this many CPUs */
  load({ activities: saved, turn, end, chance, late }: TurnsState): void {
    const isWhole = (value: number, most: number) =>
      Number.isSafeInteger(value) && value >= 0 && value <= most;
    const right =
      saved.length === this.#cpus.length &&
      saved.every((one) => activities.includes(one)) &&
      isWhole(turn, saved.length - 1) &&
      (end === null || isWhole(end, Number.MAX_SAFE_INTEGER)) &&
      isWhole(chance, 0xffff_ffff) &&
      late.every(({ cpu, bytes }) => isWhole(cpu, saved.length - 1) && bytes.length <= 8);
    if (!right) throw new ConfigError(`the CPUs' turns are ${JSON.stringify({ saved, turn, end, chance })}`);
    this.#signals.length = 0;
    this.#late.length = 0;
    for (const { cpu, address, bytes } of late) this.#late[cpu] = { address, bytes: Uint8Array.from(bytes) };
    this.#activities.splice(0, saved.length, ...saved);
    this.#turn = turn;
    this.#chance = chance;
    this.#setEnd(end ?? Number.POSITIVE_INFINITY);
  }
}
