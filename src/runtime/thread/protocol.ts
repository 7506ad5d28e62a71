/**
 * The messages between the threads of a hosted machine. Bytes of consoles and traces go through shared rings instead, and a
 * stop through the control block, since a thread that runs a guest reads no messages.
 *
 * @module
 */
import type { Image, ImagePlace } from '../../boot/index.js';
import type { MachineSpec } from '../../config/index.js';
import type { DebugMethod } from '../../debug/index.js';
import type { Glance, Picture } from '../../devices/contract/index.js';
import type { DeviceCounts, VirtioView } from '../../devices/index.js';
import type { TranslationsFound } from '../../inspect/index.js';
import type { InputRecord, MachineState, Outcome } from '../../machine/index.js';
import type { MemoryRegion } from '../../memory/index.js';
import type { Profile } from '../../profile/index.js';
import type { CounterRow, TraceFilter } from '../../trace/index.js';
import type { CpuRegisters } from '../../x86/index.js';
import type { PollChannels, PollReport } from './polling.js';
import type { PortableError } from './portable-error.js';
import type { Frame, Moment } from './screen-feed.js';
import type { MachineSigns } from './signs.js';
import type { TypedText } from './typing.js';

/** The format of a trace: lines of text, a JSON object per exit, or events for Chrome's and Perfetto's viewers. */
export const traceFormats = ['text', 'ndjson', 'chrome'] as const;
export type TraceFormat = (typeof traceFormats)[number];

export interface TraceOptions {
  format: TraceFormat;
  /** Which exits; default: all. */
  filter?: TraceFilter;
  /** Of text: how many characters a line has room for; default: as many as it has. */
  columns?: number;
}

/** What to observe while a hosted machine runs. Plain data, like the machine's description. */
export interface ObserveOptions {
  /** Takes a picture of the VGA at each of these moments of the run: see `HostedMachine.onCaptured`. */
  captureAt?: readonly Moment[];
  /** Types each text at its moment of the run, or when the guest has printed a text. */
  typing?: readonly TypedText[];
  /** Sends the VGA's picture while the guest runs: see `HostedMachine.onFrame`. */
  frames?: boolean;
  /** Trace the exits: see `HostedMachine.onTrace`. */
  trace?: TraceOptions;
  /** Count exits by reason, address and device. */
  statistics?: boolean;
  /** Measure where the guest spends its instructions: see `HostedOutcome.profile`. Needs the software CPU. */
  profile?: boolean;
  /** Report the translated functions, and those at these linear addresses in full: see `HostedOutcome.translations`. */
  translations?: readonly bigint[];
  /** The machine is run by a debugger: see `HostedMachine.debugTarget`. It keeps a log of its exits. */
  debug?: boolean;
  /** The names of addresses for a debugger's explanations and a profile: the image with its symbols, where the guest's has none. */
  symbols?: Image;
  /** The record of an earlier run on the software CPU: the machine takes its inputs again, and afterwards live ones. */
  replay?: InputRecord;
  /** The state of another machine that was made in the same way: this one continues from there. */
  from?: MachineState;
  /** Ports of a virtio console by their names: see `HostedMachine.port`. */
  ports?: readonly string[];
  /** Record the inputs from outside: see `HostedMachine.record`. */
  record?: boolean;
}

/** A guest's writes to a disk whose changes are kept in memory. */
export interface WrittenDisk {
  /** `hd0` and so on. */
  name: string;
  file: string;
  /** In whole pieces of 4 KiB. */
  bytes: number;
}

/** The parts of a machine on another thread. */
export interface HostedParts {
  spec: MachineSpec;
  image: Image;
  observe: ObserveOptions;
}

/** What flows through rings. */
export const streamNames = ['output', 'input', 'keys', 'mouse', 'button', 'trace', 'log'] as const;
export type StreamName = (typeof streamNames)[number];

/** The memory that both threads share. */
export interface Channels extends Record<StreamName, SharedArrayBuffer> {
  control: SharedArrayBuffer;
  output: SharedArrayBuffer;
  input: SharedArrayBuffer;
  /** Keys that go down and up, a byte each: see `keys.ts`. */
  keys: SharedArrayBuffer;
  /** Moves of the mouse: see `keys.ts`. */
  mouse: SharedArrayBuffer;
  /** A byte for each press of the power button. */
  button: SharedArrayBuffer;
  trace: SharedArrayBuffer;
  /** Lines that the guest logs by hypercall. */
  log: SharedArrayBuffer;
  /** The ports of a virtio console, in the order of `ObserveOptions.ports`. */
  ports: readonly PortChannels[];
  /** The counts so far, as 64-bit floats: exits, coalesced writes. Written every few milliseconds. */
  progress: SharedArrayBuffer;
  /** One word: not 0 while a frame is on its way or being shown, so that the next one waits. */
  frames: SharedArrayBuffer;
}

/** Both directions of a port. */
export interface PortChannels {
  output: SharedArrayBuffer;
  input: SharedArrayBuffer;
}

export interface PortableRunOptions {
  timeoutMs?: number;
  maxExits?: number;
  maxInstructions?: number;
}

export type ToWorker =
  | { type: 'create'; parts: HostedParts; channels: Channels }
  /** `aborted`: why the run ends before its first instruction. */
  | { type: 'run'; options: PortableRunOptions; aborted?: string }
  | { type: 'state' }
  | { type: 'debug'; method: DebugMethod; args: readonly unknown[] }
  | { type: 'endDebug' }
  | { type: 'screen' }
  | { type: 'glance' }
  | { type: 'record' }
  | { type: 'save' }
  | { type: 'createPoller'; channels: PollChannels }
  | { type: 'poll' }
  | { type: 'dispose' }
  /** Releases everything and ends the thread. */
  | { type: 'end' };

export type FromWorker =
  | ({ type: 'created' } & MadeMachine)
  | { type: 'output' }
  | { type: 'trace' }
  | { type: 'log' }
  | { type: 'inputTaken' }
  /** As `output` and `inputTaken`, of a console's port. */
  | { type: 'portOutput'; index: number }
  | { type: 'portTaken'; index: number }
  /** The guest looks for input for the first time. */
  | { type: 'inputWanted' }
  /** Changes of lights, speaker and mouse since the last report. */
  | ({ type: 'signs' } & MachineSigns)
  | { type: 'frame'; frame: Frame }
  | { type: 'captured'; picture: Picture; index: number }
  | {
      type: 'outcome';
      outcome: Outcome;
      /** The current regions: a device's memory may be mapped elsewhere than before. */
      regions: readonly MemoryRegion[];
      statistics?: unknown;
      counters?: CounterRow[];
      profile?: Profile;
      translations?: TranslationsFound;
      simvirtio?: DeviceCounts[];
      virtio?: VirtioView[];
      /** The writes to disks that are lost with the machine. */
      written?: WrittenDisk[];
    }
  | { type: 'state'; state: CpuRegisters }
  /** `regions` where the guest ran; `made` where the machine was made again. */
  | { type: 'debugged'; result: unknown; regions?: readonly MemoryRegion[]; made?: MadeMachine }
  /** None without a display device. */
  | { type: 'screen'; picture: Picture | undefined }
  | { type: 'glance'; glance: Glance | undefined }
  | { type: 'recorded'; record: InputRecord }
  | ({ type: 'saved' } & SavedMachine)
  /** The machine was saved in the middle of its run, which continues; this is not an answer to a request. */
  | { type: 'savedRunning'; saved?: SavedMachine; error?: PortableError }
  | { type: 'pollerCreated' }
  | { type: 'polled'; report: PollReport }
  | { type: 'disposed' }
  | { type: 'error'; error: PortableError };

/** A machine's state, and how many instructions its CPU has run, where they are counted. */
export interface SavedMachine {
  state: MachineState;
  instructions: number | undefined;
}

/** The description of a machine for other threads. */
export interface MadeMachine {
  memory: WebAssembly.Memory;
  regions: readonly MemoryRegion[];
  boot: BootReport;
  engine: string;
  /** See `EngineCapabilities`. */
  hostKernel: boolean;
  /** It has a power button: ACPI's. */
  hasPowerButton: boolean;
  /** Why `auto` did not choose KVM. */
  because?: string;
}

/** Where a guest was loaded. */
export interface BootReport {
  mode: string;
  format: string;
  entry: number;
  stack: number;
  /** The image's guest physical addresses. */
  segments: readonly ImagePlace[];
  /** Notes for the user: the kernel's requests that were not met. */
  notes: readonly string[];
}
