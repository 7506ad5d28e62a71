import type { Assistance, EngineFailure, FaultRecord, Translation } from '../../engine/contract/index.js';
import type { Registers, SystemRegisters } from '../../x86/index.js';
import type { UnclaimedAccess } from '../bus/bus.js';
import type { RecentAccess } from './recent.js';
import type { Activity } from './several.js';

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
  /** The guest's kernel reported a panic (pvpanic). */
  | 'panicked'
  /** A triple fault. */
  | 'shutdown'
  /** It was stopped by `stop()`, an AbortSignal or a device, or `maxExits` was reached (`limit`). */
  | 'stopped'
  | 'limit'
  | 'timeout'
  /** A debugger's request was met: a breakpoint, a watchpoint, or the end of a step. */
  | 'debug'
  /** The engine could not continue: `failure` says why. */
  | 'engineError';

/** A CPU beside the one that ended a run. */
export interface OtherCpu {
  readonly cpu: number;
  readonly activity: Activity;
  readonly registers: Registers;
  readonly system: SystemRegisters;
}

/** How a run ended. A value, never an exception: everything that a guest does ends in one of these. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** The guest's own exit code, 0 to 255, where `kind` is `exited`. */
  readonly code?: number;
  /** One sentence, without a full stop. */
  readonly reason: string;
  /** The number of the CPU that ended the run, whose registers these are. */
  readonly cpu: number;
  /** `kvm` or `soft`. */
  readonly engine: string;
  /** The number of exits to the monitor, without coalesced writes. */
  readonly exits: number;
  /** The number of coalesced writes, which had no exit of their own. */
  readonly coalesced: number;
  /** The software CPU's work for KVM since the machine was made, where KVM gave up on instructions. */
  readonly assistance?: Assistance;
  /** The work of the software CPU's translator since the machine was made, if any. */
  readonly translation?: Translation;
  /** Wall-clock time of the run in milliseconds. */
  readonly elapsedMs: number;
  readonly registers: Registers;
  readonly system: SystemRegisters;
  /** The other CPUs, where there are several. */
  readonly others?: readonly OtherCpu[];
  /** Accesses that no device and no memory answered, the first 64 addresses. */
  readonly unclaimed: readonly UnclaimedAccess[];
  /** The guest's last 32 exits, the latest first, where it did not end by itself or halted. */
  readonly recent?: readonly RecentAccess[];
  /** The devices' notes, a line each: requests of a guest that waits or did not end, which were not served; output that nobody gets. */
  readonly remarks?: readonly string[];
  /** The engine's own account, where `kind` is `shutdown` or `engineError`. */
  readonly failure?: EngineFailure;
  /** The exceptions that the guest's CPU raised last, oldest first, where the engine sees them and there were any. */
  readonly faults?: readonly FaultRecord[];
}
