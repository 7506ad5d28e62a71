/**
 * What the threads of a hosted machine say to each other. Bytes of consoles and traces do not go this way but through
 * shared rings, and a stop goes through the control block, since a thread that runs a guest reads no messages.
 *
 * @module
 */
import type { Image, ImagePlace } from '../../boot/index.js';
import type { MachineSpec } from '../../config/index.js';
import type { DebugMethod } from '../../debug/index.js';
import type { Picture } from '../../devices/contract/index.js';
import type { DeviceCounts } from '../../devices/index.js';
import type { Outcome } from '../../machine/index.js';
import type { MemoryRegion } from '../../memory/index.js';
import type { CounterRow, TraceFilter } from '../../trace/index.js';
import type { CpuRegisters } from '../../x86/index.js';
import type { PollChannels, PollReport } from './polling.js';
import type { PortableError } from './portable-error.js';
import type { Frame, Moment } from './screen-feed.js';

/** How a trace is written: lines for people, an object of JSON an exit, or events for Chrome's and Perfetto's viewers. */
export const traceFormats = ['text', 'ndjson', 'chrome'] as const;
export type TraceFormat = (typeof traceFormats)[number];

export interface TraceOptions {
  format: TraceFormat;
  /** Which exits; default: all. */
  filter?: TraceFilter;
}

/** What is looked at while a hosted machine runs. Plain data, as the machine's description. */
export interface ObserveOptions {
  /** Takes a picture of what the VGA shows at each of these moments of the run: see `HostedMachine.onCaptured`. */
  captureAt?: readonly Moment[];
  /** Sends what the VGA shows while the guest runs: see `HostedMachine.onFrame`. */
  frames?: boolean;
  /** Trace the exits: see `HostedMachine.onTrace`. */
  trace?: TraceOptions;
  /** Count exits by reason, address and device. */
  statistics?: boolean;
  /** The machine is run by a debugger: see `HostedMachine.debugTarget`. It keeps a log of its exits. */
  debug?: boolean;
  /** The names of addresses for a debugger's explanations: the image with its symbols, where the guest's has none. */
  symbols?: Image;
}

/** What a machine on another thread is made from. */
export interface HostedParts {
  spec: MachineSpec;
  image: Image;
  observe: ObserveOptions;
}

/** What flows through rings. */
export const streamNames = ['output', 'input', 'keys', 'trace', 'log'] as const;
export type StreamName = (typeof streamNames)[number];

/** The memory that both threads see. */
export interface Channels extends Record<StreamName, SharedArrayBuffer> {
  control: SharedArrayBuffer;
  output: SharedArrayBuffer;
  input: SharedArrayBuffer;
  /** Keys that go down and up, a byte each: see `keys.ts`. */
  keys: SharedArrayBuffer;
  trace: SharedArrayBuffer;
  /** Lines that the guest logs by hypercall. */
  log: SharedArrayBuffer;
  /** What was counted so far, as 64-bit floats: exits, coalesced writes. Written every few milliseconds. */
  progress: SharedArrayBuffer;
  /** One word: not 0 while a frame is on its way or being shown, so that the next one waits. */
  frames: SharedArrayBuffer;
}

export interface PortableRunOptions {
  timeoutMs?: number;
  maxExits?: number;
}

export type ToWorker =
  | { type: 'create'; parts: HostedParts; channels: Channels }
  /** `aborted`: why the run ends before its first instruction. */
  | { type: 'run'; options: PortableRunOptions; aborted?: string }
  | { type: 'state' }
  | { type: 'debug'; method: DebugMethod; args: readonly unknown[] }
  | { type: 'endDebug' }
  | { type: 'screen' }
  | { type: 'createPoller'; channels: PollChannels }
  | { type: 'poll' }
  | { type: 'dispose' }
  /** Gives everything back and ends the thread. */
  | { type: 'end' };

export type FromWorker =
  | ({ type: 'created' } & MadeMachine)
  | { type: 'output' }
  | { type: 'trace' }
  | { type: 'log' }
  | { type: 'inputTaken' }
  /** The guest looks for input for the first time. */
  | { type: 'inputWanted' }
  /** What the guest has done to its lights and its speaker since the last time it was looked at. */
  | { type: 'signs'; leds: number; frequency: number; beeps: number }
  | { type: 'frame'; frame: Frame }
  | { type: 'captured'; picture: Picture; index: number }
  | {
      type: 'outcome';
      outcome: Outcome;
      /** As they are now: a device's memory may be shown elsewhere than before. */
      regions: readonly MemoryRegion[];
      statistics?: unknown;
      counters?: CounterRow[];
      simvirtio?: DeviceCounts[];
    }
  | { type: 'state'; state: CpuRegisters }
  /** `regions` where the guest ran; `made` where the machine was made anew. */
  | { type: 'debugged'; result: unknown; regions?: readonly MemoryRegion[]; made?: MadeMachine }
  /** None where no device shows anything. */
  | { type: 'screen'; picture: Picture | undefined }
  | { type: 'pollerCreated' }
  | { type: 'polled'; report: PollReport }
  | { type: 'disposed' }
  | { type: 'error'; error: PortableError };

/** A machine as other threads come to know it. */
export interface MadeMachine {
  memory: WebAssembly.Memory;
  regions: readonly MemoryRegion[];
  boot: BootReport;
  engine: string;
  /** See `EngineCapabilities`. */
  hostKernel: boolean;
  /** Why `auto` did not take KVM. */
  because?: string;
}

/** Where a guest was put. */
export interface BootReport {
  mode: string;
  format: string;
  entry: number;
  stack: number;
  /** Where the image lies in guest physical memory. */
  segments: readonly ImagePlace[];
  /** What the user should know: what the kernel asked for and did not get. */
  notes: readonly string[];
}
