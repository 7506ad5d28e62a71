import type { Access, Device } from '../../devices/contract/index.js';
import { Control, type EngineCpu, type Exit, ExitKind, exitKindNames } from '../../engine/contract/index.js';
import { abortReason, ConfigError, requireAtLeast, requireKnown } from '../../errors.js';
import type { Bus } from '../bus/bus.js';
import { hostTime } from '../inputs/index.js';
import type { Interrupts } from '../interrupts/interrupts.js';
import type { Outcome, OutcomeKind } from './outcome.js';
import { type PacedMachine, paceOf } from './pace.js';
import { RecentAccesses } from './recent.js';
import type { Several } from './several.js';
import type { Wires } from './wires.js';

/** The limits of a run. */
export interface RunOptions {
  /** End the run after this many milliseconds of wall-clock time. */
  timeoutMs?: number;
  /** End the run after this many exits. */
  maxExits?: number;
  /**
   * End the run after this many instructions, each iteration of a repeated string instruction being one. Only where the machine's
   * time is its instructions: on the software CPU without `clock: 'wall'`.
   */
  maxInstructions?: number;
  /**
   * Ends the run when it aborts. A run blocks its thread, so the signal must be aborted by a device or by `onTick`;
   * a hosted machine takes signals from the event loop as well.
   */
  signal?: AbortSignal;
  /** Called about every `TICK_MS` while the guest runs, and at the end, with the counts so far. */
  onTick?: (exits: number, coalesced: number) => void;
  /** @internal */
  share?: Share;
}

const OPTIONS: readonly (keyof RunOptions)[] = [
  ...(['timeoutMs', 'maxExits', 'maxInstructions', 'signal', 'onTick', 'share'] as const),
];

/**
 * A run that shares its thread with an event loop: it returns from time to time, and the next run with the same object continues it, as if
 * it had not returned.
 */
export interface Share {
  /**
   * Called regularly: returns whether the run shall return. `sleeps`: how long the guest sleeps now, in milliseconds, unless it is woken; 0
   * while it runs.
   */
  wanted(sleeps: number): boolean;
  /** The run has returned and is not at its end. */
  paused: boolean;
  /** When the run began, and the counts before this part of it. */
  started?: number;
  exits?: number;
  instructions?: number;
  coalesced?: number;
  recent?: RecentAccesses;
}

/** The end of a run: an outcome that still lacks the machine's state. */
export interface Ending {
  kind: OutcomeKind;
  reason: string;
  code?: number;
}

/** Gets every exit after it was handled. Times are in milliseconds of the host's `performance.now()`. */
export interface ExitObserver {
  /** A run starts: the time from here to the first exit is the guest's. */
  begin(started: number): void;
  /**
   * @param device the number of the device that was asked, -1 where there was none
   * @param instructions the CPU's count so far; undefined where it does not count
   */
  record(exit: Exit, device: number, started: number, ended: number, instructions?: number): void;
  /** Called every few milliseconds and at the end, so that what was recorded can be read. */
  flush(): void;
  /** Is called for each access of an exit, before its device: see `AccessListener`. */
  access?(device: Device, access: Access, offset: number): void;
}

/** The parts of a machine that its run loop uses. */
export interface Runnable extends PacedMachine {
  readonly engine: { readonly name: string };
  readonly bus: Bus;
  readonly devices: readonly Device[];
  readonly observer: ExitObserver | undefined;
  /** The run is not observed. */
  readonly quiet: boolean;
  /** True where the engine coalesces some writes. */
  readonly coalescing: boolean;
  readonly interrupts: Interrupts;
  /** The board's connections, by the CPU's number. @internal */
  readonly wires: readonly Wires[];
  readonly cpus: readonly EngineCpu[];
  /** How several CPUs run; undefined where there is one. @internal */
  readonly several: Several | undefined;
  /** The number of the CPU that left its guest last. */
  current: number;
  /** Set by a device that ends the run. */
  ending: Ending | undefined;
  /** Exits so far, of all runs. */
  exits: number;
  /**
   * True where a run ended early while its guest slept in a HLT: the next one continues to sleep. @internal
   */
  sleeps: boolean;
}

const OFF = 'interrupts are off (RFLAGS.IF = 0)';

const haltedForGood: Ending = {
  kind: 'halted',
  reason: 'the guest executed HLT with interrupts off (RFLAGS.IF = 0)',
};

const allHaltedForGood: Ending = {
  kind: 'halted',
  reason: 'no CPU runs: each executed HLT with interrupts off (RFLAGS.IF = 0), or was never started',
};

/** The text before "and no interrupt can wake it". */
const standing = (kind: ExitKind) =>
  kind === ExitKind.x87Error
    ? 'an x87 error waits for its interrupt, IRQ 13 (CR0.NE = 0),'
    : 'the guest executed HLT';

const limitOf = (count: number, what: 'exits' | 'instructions'): Ending => ({
  kind: 'limit',
  reason: `stopped after ${count} ${what}, the requested limit`,
});

const NO_INSTRUCTIONS = 'this machine’s instructions are not counted: `maxInstructions` cannot end its run';

/** See `Share`. */
const pausedHere: Ending = { kind: 'stopped', reason: 'its thread does something else' };

/** Ends of a guest that waits or loops. */
const unfinished = new Set<OutcomeKind>(['stopped', 'timeout', 'limit']);

/** Ends that do not come from the guest. */
const resumable = new Set<OutcomeKind>(['stopped', 'timeout', 'limit', 'debug']);

/** Runs until something ends the run; see `Machine.run`. */
export function runLoop(machine: Runnable, options: RunOptions): Outcome {
  const { timeoutMs, maxExits = Number.POSITIVE_INFINITY, maxInstructions, signal, onTick, share } = options;
  requireKnown(options, OPTIONS);
  requireAtLeast('timeoutMs', timeoutMs, 0);
  requireAtLeast('maxExits', options.maxExits, 1);
  requireAtLeast('maxInstructions', maxInstructions, 1);
  const { bus, control, interrupts, clock, inputs, cycleTime, several } = machine;
  const observer = machine.quiet ? undefined : machine.observer;
  if (maxInstructions !== undefined && cycleTime === undefined)
    throw new ConfigError(NO_INSTRUCTIONS, 'take the software CPU, with its instructions as its clock');
  let cpu = machine.cpus[machine.current]!;
  let { exit } = cpu;
  const started = hostTime();
  const { started: begun = started, exits: exitsBefore = machine.exits } = share ?? {};
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : begun + timeoutMs;
  const ticking =
    machine.coalescing ||
    interrupts.inEngine ||
    inputs.hasStreams ||
    observer !== undefined ||
    signal !== undefined ||
    onTick !== undefined;
  const lastInstruction =
    maxInstructions === undefined || cycleTime === undefined
      ? Number.POSITIVE_INFINITY
      : (share?.instructions ?? cycleTime.instructions) + maxInstructions;
  const pace = paceOf({ machine, deadline, ticking, lastInstruction });
  const recent = share?.recent ?? new RecentAccesses();
  let coalesced = share?.coalesced ?? 0;
  const lastExit = exitsBefore + maxExits;
  let ending: Ending | undefined;
  machine.ending = undefined;
  if (share !== undefined) share.paused = false;

  /** Checks everything that may have changed while the guest ran or slept. */
  const look = (isDue = true): Ending | undefined => {
    if (isDue) {
      // Always in this order: a run that is repeated does the same.
      clock.ring();
      inputs.look();
    }
    onTick?.(machine.exits - exitsBefore, coalesced);
    observer?.flush();
    if (Atomics.exchange(control, Control.request, 0) !== 0)
      return { kind: 'stopped', reason: 'stopped from outside' };
    if (signal?.aborted) return { kind: 'stopped', reason: `aborted: ${abortReason(signal)}` };
    if (hostTime() >= deadline) return { kind: 'timeout', reason: `still running after ${timeoutMs} ms` };
    return machine.ending;
  };

  /** All instructions of a limited run have been executed. */
  const isDone = () => cycleTime !== undefined && cycleTime.instructions >= lastInstruction;

  let exitsAtTick = -1;
  /** The guest was interrupted: by a tick, an alarm, a deadline, or a request to stop. */
  const tick = (): Ending | undefined => {
    const ended = look(pace.isDue());
    if (ended !== undefined) return ended;
    const isQuiet = several !== undefined && machine.exits === exitsAtTick;
    exitsAtTick = machine.exits;
    if (isQuiet && several.sleepsForGood()) return allHaltedForGood;
    if (interrupts.inEngine && several === undefined) {
      if (cpu.waiting && !cpu.interruptsEnabled) return haltedForGood;
      interrupts.refresh();
    }
    if (isDone()) return limitOf(maxInstructions!, 'instructions');
    if (share?.wanted(0) === true) return pausedHere;
    pace.goOn();
    return undefined;
  };

  /** The guest halted, or waits at an x87 error: sleeps until a device interrupts it. Where none could, that is the end. */
  const sleep = (): Ending | undefined => {
    const what = standing(exit.kind);
    // Those that an interrupt can wake.
    const sleepers = several === undefined ? [cpu] : several.halted.filter((one) => one.interruptsEnabled);
    if (several !== undefined && sleepers.length === 0) return allHaltedForGood;
    if (several === undefined && !cpu.interruptsEnabled)
      return exit.kind === ExitKind.x87Error
        ? { kind: 'halted', reason: `${what} and no interrupt can wake it: ${OFF}` }
        : haltedForGood;
    let slept = false;
    for (;;) {
      // Read before the devices are asked: input that comes meanwhile must end the sleep.
      const seen = Atomics.load(control, Control.wake);
      const ended = look();
      machine.sleeps = ended !== undefined;
      if (ended !== undefined) return ended;
      if (sleepers.some(({ index }) => interrupts.pending(index)) || several?.anyRuns) break;
      if (!interrupts.canWake) {
        const why = interrupts.describe();
        return { kind: 'halted', reason: `${what} and no interrupt can wake it: ${why}` };
      }
      if (share?.wanted(pace.sleepsFor()) === true) {
        machine.sleeps = true;
        return pausedHere;
      }
      pace.sleep(seen);
      slept = true;
    }
    if (slept) pace.woke();
    return undefined;
  };

  /** Wakes CPUs that sleep and gives all their interrupts. */
  const offerAll = (all: Several): void => {
    for (const one of machine.cpus) {
      if (!interrupts.pending(one.index)) continue;
      const activity = all.activityOf(one.index);
      if (activity === 'waits' || (activity === 'halts' && !one.interruptsEnabled)) continue;
      all.wake(one.index);
      all.call(one.index);
      interrupts.offer(one);
      pace.follow();
    }
  };

  observer?.begin(started);
  inputs.running(true);
  try {
    if (pace.begin()) ending = tick();
    if (signal?.aborted) ending = { kind: 'stopped', reason: `aborted: ${abortReason(signal)}` };
    else if (several === undefined ? machine.sleeps && interrupts.delivers : !several.anyRuns)
      ending = sleep();
    if (machine.exits >= lastExit) ending ??= limitOf(maxExits, 'exits');
    while (ending === undefined) {
      if (several !== undefined) {
        offerAll(several);
        cpu = several.run();
        exit = cpu.exit;
        machine.current = cpu.index;
      } else {
        if (interrupts.pending(cpu.index)) {
          interrupts.offer(cpu);
          // A timer whose interrupt was taken knows only now when its next one is due.
          pace.follow();
        }
        cpu.run();
      }
      const { kind } = exit;
      const left = observer === undefined ? 0 : hostTime();
      let device = -1;
      if (kind === ExitKind.io) device = bus.handlePort(exit);
      else if (kind === ExitKind.mmio) device = bus.handleMemory(exit);
      else if (kind === ExitKind.msr) device = bus.handleMsr(exit);
      else if (kind === ExitKind.interrupted) {
        ending = tick();
        continue;
      } else if (kind === ExitKind.debug) {
        ending = { kind: 'debug', reason: 'the debugger’s request was met' };
        continue;
      } else if (kind === ExitKind.endOfInterrupt) interrupts.ended(exit.address);
      else if (kind === ExitKind.x87Error) machine.wires[cpu.index]!.fpuError();
      else if (kind !== ExitKind.halt || !interrupts.delivers) ending = endingOf(machine, cpu, kind);
      if (exit.coalesced) coalesced++;
      else machine.exits++;
      recent.note(exit, device);
      observer?.record(exit, device, left, hostTime(), cpu.clock?.instructions);
      ending ??= machine.ending;
      let halts = (kind === ExitKind.halt || kind === ExitKind.x87Error) && interrupts.delivers;
      if (halts && several !== undefined) {
        several.halt(cpu.index);
        halts = !several.anyRuns;
      }
      if (lastInstruction !== Number.POSITIVE_INFINITY && ending === undefined && isDone()) {
        ending = limitOf(maxInstructions!, 'instructions');
        machine.sleeps = halts;
      }
      if (halts) ending ??= sleep();
      else pace.follow();
      if (machine.exits >= lastExit) ending ??= limitOf(maxExits, 'exits');
    }
  } finally {
    several?.rest();
    cpu.setTimer(0, 0);
    observer?.flush();
    inputs.running(false);
    onTick?.(machine.exits - exitsBefore, coalesced);
  }
  if (share !== undefined) {
    share.paused = ending === pausedHere;
    const instructions = maxInstructions === undefined ? undefined : lastInstruction - maxInstructions;
    Object.assign(share, {
      ...{ started: begun, exits: exitsBefore, coalesced, recent },
      ...(instructions !== undefined && { instructions }),
    });
  }
  if (!resumable.has(ending.kind)) for (const device of machine.devices) device.ended?.();
  cpu.completeExit();
  const elapsedMs = hostTime() - begun;
  const exits = machine.exits - exitsBefore;
  return outcomeOf(machine, cpu, ending, recent, { exits, coalesced, elapsedMs });
}

/** The outcome of a run. Field by field, not by spreads, which cost 2 % of a machine's life. */
function outcomeOf(
  { engine, bus, devices, cpus, several }: Runnable,
  cpu: EngineCpu,
  { kind, reason, code }: Ending,
  recent: RecentAccesses,
  { exits, coalesced, elapsedMs }: Pick<Outcome, 'exits' | 'coalesced' | 'elapsedMs'>,
): Outcome {
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
    kind,
    reason,
    cpu: cpu.index,
    engine: engine.name,
    exits,
    coalesced,
    elapsedMs,
    registers: cpu.getRegisters(),
    system: cpu.getSystemRegisters(),
    unclaimed: bus.unclaimed,
  };
  if (several !== undefined)
    outcome.others = cpus
      .filter((one) => one !== cpu)
      .map((one) => ({
        cpu: one.index,
        activity: several.activityOf(one.index),
        registers: one.getRegisters(),
        system: one.getSystemRegisters(),
      }));
  const { assistance, translation } = cpu;
  const faults = cpu.recentFaults();
  if (code !== undefined) outcome.code = code;
  // A guest that ended by itself has a reason already.
  const waits = unfinished.has(kind) || (kind === 'halted' && reason !== haltedForGood.reason);
  if (waits) {
    outcome.recent = recent.list(devices);
  }
  const remarks: string[] = [];
  for (const device of devices) {
    const remark = device.remark?.(!waits);
    if (remark !== undefined) remarks.push(remark);
  }
  if (remarks.length > 0) outcome.remarks = remarks;
  if (assistance.times > 0) outcome.assistance = assistance;
  if (translation !== undefined && (translation.functions > 0 || translation.stopped !== undefined))
    outcome.translation = translation;
  if (kind === 'engineError' || kind === 'shutdown') outcome.failure = cpu.failure();
  if (faults.length > 0) outcome.faults = faults;
  return outcome;
}

/** The effect on the run of an exit that no device answers. */
function endingOf({ several }: Runnable, cpu: EngineCpu, kind: ExitKind): Ending | undefined {
  const who = several === undefined ? '' : `CPU ${cpu.index}: `;
  switch (kind) {
    case ExitKind.halt:
      return { kind: 'halted', reason: `${who}the guest executed HLT` };
    case ExitKind.shutdown:
      return { kind: 'shutdown', reason: `${who}triple fault: a fault, and no way to deliver it` };
    case ExitKind.interruptWindow:
      cpu.requestInterruptWindow(false);
      return undefined;
    default: {
      const failure = cpu.failure();
      return { kind: 'engineError', reason: `${who}${exitKindNames[kind] ?? 'unknown'}: ${failure.message}` };
    }
  }
}
