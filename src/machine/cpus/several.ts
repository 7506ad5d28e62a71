import type { EngineCpu } from '../../engine/contract/index.js';

/** What a CPU does: it runs, it sleeps in a HLT, or it waits for a start-up interrupt (SDM 3A 9.4.3). */
export const activities = ['runs', 'halts', 'waits'] as const;
export type Activity = (typeof activities)[number];

/** How several CPUs of a machine run: in turns (`Turns`), or at the same time (`Together`). */
export interface Several {
  /** Runs them until one leaves the guest for the monitor: that one. */
  run(): EngineCpu;
  /** Until the next `run`, all their states can be read and set. */
  rest(): void;
  /** The same for one. */
  call(cpu: number): void;
  activityOf(cpu: number): Activity;
  /** No CPU runs and none can be woken. Asked while nothing was heard of the CPUs for a while. */
  sleepsForGood(): boolean;
  /** A CPU runs, or is about to be started. */
  readonly anyRuns: boolean;
  /** The CPUs that sleep in a HLT that left the guest. */
  readonly halted: readonly EngineCpu[];
  halt(cpu: number): void;
  /** A CPU that sleeps in a HLT goes on. */
  wake(cpu: number): void;
  nmi(cpu: EngineCpu): void;
  /** INIT, for a CPU that is not the first one. */
  init(cpu: number): void;
  /** A start-up interrupt: the CPU begins at the page, where it waits for that. */
  startUp(cpu: number, page: number): void;
}
