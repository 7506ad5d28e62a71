import type { Assistance, EngineFailure, FaultRecord, Translation } from '../../engine/contract/index.js';
import type { Registers, SystemRegisters } from '../../x86/index.js';
import type { UnclaimedAccess } from '../bus/bus.js';
import type { RecentAccess } from './recent.js';

/** How a run ended. */
export type OutcomeKind =
  /** The guest executed HLT and nothing can wake it. */
  | 'halted'
  /** The guest ended itself with an exit code, through a device. */
  | 'exited'
  /** The guest reset the machine, through the keyboard controller or another register: what a reboot does. */
  | 'reset'
  /** The guest switched the machine off: ACPI's S5, or APM. */
  | 'poweredOff'
  /** The guest's kernel told that it gave up (pvpanic). */
  | 'panicked'
  /** A triple fault. */
  | 'shutdown'
  /** Somebody stopped it: `stop()`, an AbortSignal, a device, or a `maxExits` that ran out (`limit`). */
  | 'stopped'
  | 'limit'
  | 'timeout'
  /** What a debugger asked for has come: its breakpoint, its watchpoint, or the end of a step. */
  | 'debug'
  /** The engine could not go on: `failure` says why. */
  | 'engineError';

/** How a run ended. A value, never an exception: everything that a guest does ends in one of these. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** The guest's own exit code, 0 to 255, where `kind` is `exited`. */
  readonly code?: number;
  /** One sentence for people, without a full stop. */
  readonly reason: string;
  /** The number of the CPU that ended the run, whose registers these are. */
  readonly cpu: number;
  /** `kvm` or `soft`. */
  readonly engine: string;
  /** Times the guest left for the monitor; writes that were coalesced are not among them. */
  readonly exits: number;
  /** The number of coalesced writes, which had no exit of their own. */
  readonly coalesced: number;
  /** What the software CPU did for KVM since the machine was made, where KVM gave up on instructions. */
  readonly assistance?: Assistance;
  /** What the software CPU's translator did since the machine was made, if it did something. */
  readonly translation?: Translation;
  /** Wall time of the run in milliseconds. */
  readonly elapsedMs: number;
  readonly registers: Registers;
  readonly system: SystemRegisters;
  /** Accesses that no device and no memory answered, the first 64 addresses. */
  readonly unclaimed: readonly UnclaimedAccess[];
  /** What the guest reached last, where it did not end by itself or halted: its last 32 exits, what came last first. */
  readonly recent?: readonly RecentAccess[];
  /** What devices know of a guest that waits or did not end: what it asked for in vain, a line each. */
  readonly remarks?: readonly string[];
  /** The engine's own account, where `kind` is `shutdown` or `engineError`. */
  readonly failure?: EngineFailure;
  /** The exceptions that the guest's CPU raised last, oldest first, where the engine sees them and there were any. */
  readonly faults?: readonly FaultRecord[];
}
