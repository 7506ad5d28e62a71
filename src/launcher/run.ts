import {
  Control,
  type EngineCpu,
  type EngineFailure,
  ExitKind,
  exitKindNames,
} from '../engine/contract/index.js';
import { abortReason, requireAtLeast, requireKnown } from '../errors.js';
import type { Accesses } from './accesses.js';
import { type LauncherCallbacks, stop } from './callbacks.js';

/** The options that end a run, in addition to the guest and the callbacks. */
export interface LauncherRunOptions {
  /** End the run after this many milliseconds of wall-clock time. */
  timeoutMs?: number;
  /** End the run after this many exits. */
  maxExits?: number;
  /** Ends the run when it aborts. A run holds its thread, so only a callback can abort it. */
  signal?: AbortSignal;
}

/** How a run ended. */
export interface LauncherEnd {
  /**
   * `callback`: one returned `Launcher.stop`. `halted`, `shutdown`, `debug`: the guest did that and no callback continued the
   * run. `timeout`, `limit`: by the options. `stopped`: from outside. `engineError`: `failure` says why.
   */
  readonly kind:
    | 'callback'
    | 'halted'
    | 'shutdown'
    | 'debug'
    | 'timeout'
    | 'limit'
    | 'stopped'
    | 'engineError';
  /** The callback that ended the run. */
  readonly callback?: keyof LauncherCallbacks;
  /** One sentence, without a full stop. */
  readonly reason: string;
  /** The number of exits in this run. */
  readonly exits: number;
  /** Port and memory accesses in these exits: more than one each where there is string I/O. */
  readonly accesses: number;
  /** Wall-clock time in milliseconds. */
  readonly elapsedMs: number;
  readonly failure?: EngineFailure;
}

/** The parts of a run. */
export interface Runnable {
  readonly cpu: EngineCpu;
  readonly callbacks: LauncherCallbacks;
  readonly accesses: Accesses;
  readonly control: Int32Array;
  readonly pushesInterrupts: boolean;
}

type Ending = Pick<LauncherEnd, 'kind' | 'callback' | 'reason'>;

/** After a deadline the thread checks it this often: milliseconds. */
const TICK_MS = 8;

/** The loop around KVM_RUN, in the order of LibKVM's `kvm_run`. */
export function runCallbacks(runnable: Runnable, options: LauncherRunOptions): LauncherEnd {
  const { timeoutMs, maxExits = Number.POSITIVE_INFINITY, signal } = options;
  requireKnown(options, ['timeoutMs', 'maxExits', 'signal']);
  requireAtLeast('timeoutMs', timeoutMs, 0);
  requireAtLeast('maxExits', options.maxExits, 1);
  const { cpu, callbacks, accesses, control } = runnable;
  const started = performance.now();
  const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : started + timeoutMs;
  const accessesBefore = accesses.count;
  let exits = 0;
  let ending: Ending | undefined;
  if (timeoutMs !== undefined) cpu.setTimer(Math.max(0.05, timeoutMs), TICK_MS);
  try {
    while (ending === undefined) {
      if (signal?.aborted) {
        ending = { kind: 'stopped', reason: `aborted: ${abortReason(signal)}` };
        break;
      }
      if (exits >= maxExits) {
        ending = { kind: 'limit', reason: `stopped after ${exits} exits, the requested limit` };
        break;
      }
      ending = enter(runnable);
      if (ending !== undefined) break;
      const kind = cpu.run();
      if (callbacks.postRun?.() === stop) ending = ended('postRun');
      if (kind === ExitKind.interrupted) {
        if (Atomics.exchange(control, Control.request, 0) !== 0) {
          ending ??= { kind: 'stopped', reason: 'stopped from outside' };
        } else if (performance.now() >= deadline) {
          ending ??= { kind: 'timeout', reason: `still running after ${timeoutMs} ms` };
        }
        continue;
      }
      exits++;
      // The exit is answered even where postRun ends the run, so that the guest can continue from here.
      const answer = handle(runnable, kind);
      ending ??= answer;
    }
  } finally {
    if (timeoutMs !== undefined) cpu.setTimer(0, 0);
  }
  cpu.completeExit();
  return {
    ...ending,
    exits,
    accesses: accesses.count - accessesBefore,
    elapsedMs: performance.now() - started,
    ...((ending.kind === 'engineError' || ending.kind === 'shutdown') && { failure: cpu.failure() }),
  };
}

/** The work before an entry: pending interrupts, then the launcher's own callbacks. */
function enter({ cpu, callbacks, pushesInterrupts }: Runnable): Ending | undefined {
  if (callbacks.tryPushNmi?.(cpu) === stop) return ended('tryPushNmi');
  if (pushesInterrupts && callbacks.tryPushInterrupts !== undefined) {
    const wanted = callbacks.tryPushInterrupts(cpu);
    if (wanted === stop) return ended('tryPushInterrupts');
    cpu.requestInterruptWindow(wanted === true);
  }
  return callbacks.preRun?.() === stop ? ended('preRun') : undefined;
}

/** Answers an exit; returns how the run ends, if it does. */
function handle({ cpu, callbacks, accesses }: Runnable, kind: ExitKind): Ending | undefined {
  const { exit } = cpu;
  switch (kind) {
    case ExitKind.io:
      return ended(accesses.port(exit));
    case ExitKind.mmio:
      return ended(accesses.memory(exit));
    case ExitKind.halt:
      if (callbacks.halt === undefined) return { kind: 'halted', reason: 'the guest executed HLT' };
      return callbacks.halt() === stop ? ended('halt') : undefined;
    case ExitKind.shutdown:
      callbacks.shutdown?.();
      return { kind: 'shutdown', reason: 'triple fault: a fault, and no way to deliver it' };
    case ExitKind.debug:
      if (callbacks.debug === undefined) {
        return { kind: 'debug', reason: 'a debug event, and there is no debug callback' };
      }
      return callbacks.debug(rip(exit)) === stop ? ended('debug') : undefined;
    case ExitKind.interruptWindow:
      return callbacks.interruptWindow?.() === stop ? ended('interruptWindow') : undefined;
    case ExitKind.tprAccess:
      return callbacks.tprAccess?.(rip(exit), exit.write) === stop ? ended('tprAccess') : undefined;
    default:
      return {
        kind: 'engineError',
        reason: `${exitKindNames[kind] ?? 'unknown'}: ${cpu.failure().message}`,
      };
  }
}

function ended(callback: keyof LauncherCallbacks): Ending;
function ended(callback: keyof LauncherCallbacks | undefined): Ending | undefined;
function ended(callback: keyof LauncherCallbacks | undefined): Ending | undefined {
  return callback && { kind: 'callback', callback, reason: `${callback} ended the run` };
}

function rip({ ripLow, ripHigh }: { ripLow: number; ripHigh: number }): bigint {
  return (BigInt(ripHigh) << 32n) | BigInt(ripLow);
}
