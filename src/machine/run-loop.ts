import type { Device, InterruptController } from '../devices/contract.js';
import { Control, type EngineCpu, type Exit, ExitKind, exitKindNames } from '../engine/contract.js';
import { abortReason, requireAtLeast } from '../errors.js';
import type { Bus } from './bus.js';
import { canBeWoken, offerInterrupt, Timers } from './interrupts.js';
import type { Outcome, OutcomeKind } from './outcome.js';

/** What can end a run besides the guest itself. */
export interface RunOptions {
  /** End the run after this many milliseconds of wall time. */
  timeoutMs?: number;
  /** End the run after this many exits. */
  maxExits?: number;
  /**
   * Ends the run when it aborts. A run holds its thread, so the signal must be aborted by a device or by `onTick`;
   * a hosted machine takes signals from the event loop as well.
   */
  signal?: AbortSignal;
  /** Called every `TICK_MS` or so while the guest runs, and at the end, with what was counted so far. */
  onTick?: (exits: number, coalesced: number) => void;
}

/** How a run is to end: an outcome that still lacks the machine's state. */
export interface Ending {
  kind: OutcomeKind;
  reason: string;
  code?: number;
}

/** Sees every exit after it was handled. Times are in milliseconds of `performance.now()`. */
export interface ExitObserver {
  /** A run starts: what comes before the first exit is the guest's time from here on. */
  begin(started: number): void;
  /** @param device the number of the device that was asked, -1 where there was none */
  record(exit: Exit, device: number, started: number, ended: number): void;
  /** Called every few milliseconds and at the end, so that what was recorded can be read. */
  flush(): void;
}

/** The parts of a machine that its run loop works with. */
export interface Runnable {
  readonly engine: { readonly name: string };
  readonly cpu: EngineCpu;
  readonly bus: Bus;
  readonly devices: readonly Device[];
  readonly control: Int32Array;
  readonly observer: ExitObserver | undefined;
  /** True where the engine keeps some writes back. */
  readonly coalescing: boolean;
  /** The interrupt controllers where they are devices. */
  readonly controller: InterruptController | undefined;
  /** True where the engine has interrupt controllers of its own, and keeps a HLT to itself. */
  readonly engineIrqchip: boolean;
  /** The machine's clock: see `DeviceHost.now`. */
  now(): number;
  /** Set by a device that ends the run. */
  ending: Ending | undefined;
}

/**
 * While something has to be looked at regularly, the guest is interrupted this often: output that was coalesced is
 * seen, devices see their input, the exit log is read. Two ticks stay under the 20 ms that a person may notice.
 */
export const TICK_MS = 8;

/** Timers are not set for less: a device whose event is due now and for ever must not stop the guest altogether. */
const SHORTEST_TIMER_MS = 0.05;

const haltedForGood: Ending = {
  kind: 'halted',
  reason: 'the guest executed HLT with interrupts off (RFLAGS.IF = 0)',
};

/** Runs until something ends the run; see `Machine.run`. */
export function runLoop(machine: Runnable, options: RunOptions): Outcome {
  const { timeoutMs, maxExits = Number.POSITIVE_INFINITY, signal, onTick } = options;
  requireAtLeast('timeoutMs', timeoutMs, 0);
  requireAtLeast('maxExits', options.maxExits, 1);
  const { cpu, bus, control, observer, controller } = machine;
  const { exit } = cpu;
  const pollers = machine.devices.filter((device) => device.poll !== undefined);
  const timers = new Timers(machine.devices);
  const started = performance.now();
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : started + timeoutMs;
  const ticking =
    machine.coalescing ||
    machine.engineIrqchip ||
    pollers.length > 0 ||
    observer !== undefined ||
    signal !== undefined ||
    onTick !== undefined;
  let exits = 0;
  let coalesced = 0;
  let ending: Ending | undefined;
  /** The device event that the timer was last set for, in machine time. */
  let armedFor = Number.POSITIVE_INFINITY;
  machine.ending = undefined;

  /** Milliseconds until something has to be looked at: the deadline, a device's event, the next tick. */
  const untilNext = (): number => {
    armedFor = timers.next();
    const until = Math.min(deadline - performance.now(), armedFor - machine.now());
    return Math.max(SHORTEST_TIMER_MS, ticking ? Math.min(TICK_MS, until) : until);
  };
  const arm = () => {
    const until = untilNext();
    if (until !== Number.POSITIVE_INFINITY) cpu.setTimer(until, TICK_MS);
  };

  /** Looks at everything that may have changed while the guest ran or slept. */
  const look = (): Ending | undefined => {
    for (const device of pollers) device.poll?.();
    onTick?.(exits, coalesced);
    observer?.flush();
    if (Atomics.exchange(control, Control.request, 0) !== 0)
      return { kind: 'stopped', reason: 'stopped from outside' };
    if (signal?.aborted) return { kind: 'stopped', reason: `aborted: ${abortReason(signal)}` };
    if (performance.now() >= deadline)
      return { kind: 'timeout', reason: `still running after ${timeoutMs} ms` };
    return machine.ending;
  };

  /** The guest was interrupted: by a tick, a deadline, or somebody who wants it to stop. */
  const tick = (): Ending | undefined => {
    const ended = look();
    if (ended !== undefined) return ended;
    if (machine.engineIrqchip && cpu.waiting && !cpu.interruptsEnabled) return haltedForGood;
    // The timer goes on by itself every TICK_MS: set it where something comes before that.
    if (deadline - performance.now() < TICK_MS || timers.next() - machine.now() < TICK_MS) arm();
    return undefined;
  };

  /** The guest halted: sleeps until a device interrupts it. Where none could, that is the end. */
  const sleep = (controller: InterruptController): Ending | undefined => {
    if (!cpu.interruptsEnabled) return haltedForGood;
    let armed = true;
    for (;;) {
      // Read before the devices are asked: input that comes while they are must not be slept over.
      const seen = Atomics.load(control, Control.wake);
      const ended = look();
      if (ended !== undefined) return ended;
      if (controller.pending) break;
      if (!canBeWoken(controller, machine.devices)) {
        const why = controller.describe();
        return { kind: 'halted', reason: `the guest executed HLT and no interrupt can wake it: ${why}` };
      }
      // A timer that runs out while the thread sleeps would call it out of the guest right after it woke.
      if (armed) cpu.setTimer(0, 0);
      armed = false;
      Atomics.wait(control, Control.wake, seen, untilNext());
    }
    if (!armed) arm();
    return undefined;
  };

  observer?.begin(started);
  arm();
  try {
    if (signal?.aborted) ending = { kind: 'stopped', reason: `aborted: ${abortReason(signal)}` };
    while (ending === undefined) {
      if (controller?.pending) {
        offerInterrupt(controller, cpu);
        // A timer whose interrupt was taken knows only now when its next one is due.
        if (timers.next() !== armedFor) arm();
      }
      const kind = cpu.run();
      const left = observer === undefined ? 0 : performance.now();
      let device = -1;
      if (kind === ExitKind.io) device = bus.handlePort(exit);
      else if (kind === ExitKind.mmio) device = bus.handleMemory(exit);
      else if (kind === ExitKind.interrupted) {
        ending = tick();
        continue;
      } else if (kind !== ExitKind.halt || controller === undefined) ending = endingOf(machine, kind);
      if (exit.coalesced) coalesced++;
      else exits++;
      observer?.record(exit, device, left, performance.now());
      ending ??= machine.ending;
      if (kind === ExitKind.halt && controller !== undefined) ending ??= sleep(controller);
      else if (timers.any && timers.next() !== armedFor) arm();
      if (exits >= maxExits)
        ending ??= { kind: 'limit', reason: `stopped after ${exits} exits, as was asked` };
    }
  } finally {
    cpu.setTimer(0, 0);
    observer?.flush();
    onTick?.(exits, coalesced);
  }
  // What the guest did since the last tick and told nobody of is still to be seen.
  for (const device of pollers) device.poll?.();
  cpu.completeExit();
  return {
    kind: ending.kind,
    reason: ending.reason,
    ...(ending.code !== undefined && { code: ending.code }),
    engine: machine.engine.name,
    exits,
    coalesced,
    elapsedMs: performance.now() - started,
    registers: cpu.getRegisters(),
    system: cpu.getSystemRegisters(),
    unclaimed: bus.unclaimed,
    ...((ending.kind === 'engineError' || ending.kind === 'shutdown') && { failure: cpu.failure() }),
  };
}

/** What an exit that no device answers means for the run. */
function endingOf(machine: Runnable, kind: ExitKind): Ending | undefined {
  switch (kind) {
    case ExitKind.halt:
      return { kind: 'halted', reason: 'the guest executed HLT' };
    case ExitKind.shutdown:
      return { kind: 'shutdown', reason: 'triple fault: a fault, and no way to deliver it' };
    case ExitKind.interruptWindow:
      machine.cpu.requestInterruptWindow(false);
      return undefined;
    default: {
      const failure = machine.cpu.failure();
      return { kind: 'engineError', reason: `${exitKindNames[kind] ?? 'unknown'}: ${failure.message}` };
    }
  }
}
