/**
 * The messages between a page and its Worker: plain data.
 *
 * @module
 */
import type { Complaint, GuestMode } from '../assembler/index.js';
import type { MachineSpec } from '../config/index.js';
import type { HistoryRange, Space } from '../debug/index.js';
import type { MouseMove } from '../devices/index.js';
import type { Explanation } from '../explain/index.js';
import type { DeviceDrawing } from '../inspect/index.js';
import type { RecordedInput } from '../terra/index.js';
import type { HeatFor, MemoryHeat } from './memory-heat.js';
import type { CpuTables, PagesFor, PagesLook } from './tables.js';

/** A file of a project: a source, a header, or what `incbin` names. */
export interface ProjectFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** The files to assemble: the first one, and those that it includes. */
export interface Project {
  readonly files: readonly ProjectFile[];
  readonly mode: GuestMode;
  /** Address to link for; default: as for `terrarium run`. */
  readonly load?: number;
}

/** A source as an image. */
export interface Built {
  readonly image: Uint8Array;
  readonly kind: 'flat' | 'elf';
  /** An ELF file with its symbols and lines. */
  readonly symbols: Uint8Array;
  /** The address of the first byte of code in each line of the main file that has code, as `[line, address, bytes]`. */
  readonly lines: readonly (readonly [number, bigint, Uint8Array])[];
}

/** A source that cannot be assembled. */
export interface NotBuilt {
  readonly complaints: readonly Complaint[];
}

/** A disk by its bytes. */
export interface DriveBytes {
  readonly kind: 'disk' | 'floppy' | 'cdrom';
  /** Its name for the user. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A machine that is made in a Worker. */
export interface MachineParts {
  /** As for `createMachine`; fields that name files of a host are refused. */
  readonly spec: MachineSpec;
  readonly image: Uint8Array;
  /** The image's name for messages. */
  readonly name: string;
  /** An ELF file with symbols and lines, where the image has none. */
  readonly symbols?: Uint8Array;
  readonly drives?: readonly DriveBytes[];
  readonly initrd?: Uint8Array;
  /** Modules with a device as their default export or as `device`, by their URLs. */
  readonly devices?: readonly string[];
  /** Inputs of an earlier run, which come again at the same moments. */
  readonly inputs?: readonly RecordedInput[];
}

/** The properties of the new machine. */
export interface MadeInWorker {
  readonly mode: string;
  readonly entry: number;
  readonly devices: readonly string[];
  readonly hasScreen: boolean;
  readonly memory: number;
  /** Why it cannot go back; undefined where it can. */
  readonly noHistory: string | undefined;
  readonly notes: readonly string[];
}

/** How a guest moves, forward or back. */
export const moves = [
  'resume',
  'step',
  'next',
  'stepLine',
  'nextLine',
  'finish',
  'stepBack',
  'nextBack',
  'stepLineBack',
  'nextLineBack',
  'finishBack',
  'resumeBack',
] as const;
export type Move = (typeof moves)[number];

/** A place in a source. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
}

/** Why a guest has stopped. */
export interface Halt {
  readonly why: 'step' | 'breakpoint' | 'watchpoint' | 'interrupt' | 'end' | 'begin';
  readonly notes: readonly string[];
  /** A watchpoint's value before and after. */
  readonly watched?: { readonly before: bigint; readonly after: bigint };
  readonly end?: GuestEnd;
}

/** How a guest has ended. */
export interface GuestEnd {
  readonly kind: string;
  readonly reason: string;
  readonly code?: number;
  readonly exits: number;
}

/** A requested breakpoint: by a line of a source, or by an address or a name. */
export interface WantedBreakpoint {
  readonly file?: string;
  readonly line?: number;
  readonly where?: string;
  readonly condition?: string;
}

/** The result for a requested breakpoint. */
export interface SetBreakpoint {
  /** The line that has it: the requested one, or the next with code. */
  readonly line?: number;
  readonly problem?: string;
}

/** The parts of the machine to read. */
export interface LookFor {
  /** The address of the memory to read. */
  readonly memory?: { readonly address: bigint | string; readonly length: number; readonly space?: Space };
  /** Instructions around an address; default: the next one. */
  readonly code?: { readonly address?: bigint | string; readonly before: number; readonly after: number };
  /** Words of the stack. */
  readonly stack?: number;
  readonly frames?: number;
}

export interface CodeRow {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly label?: string;
  readonly source?: SourcePlace;
}

/** A machine at one moment. */
export interface Look {
  readonly registers: Readonly<Record<string, bigint>>;
  readonly bits: 16 | 32 | 64;
  readonly mode: string;
  /** Linear. */
  readonly pc: bigint;
  readonly symbol?: string;
  readonly source?: SourcePlace;
  readonly memory?: { readonly address: bigint; readonly bytes: Uint8Array; readonly problem?: string };
  readonly code?: readonly CodeRow[];
  readonly stack?: { readonly pointer: bigint; readonly size: 2 | 4 | 8; readonly words: readonly bigint[] };
  readonly frames?: readonly {
    readonly pc: bigint;
    readonly symbol?: string;
    readonly source?: SourcePlace;
    readonly by: string;
  }[];
  readonly history?: HistoryRange;
  /** Exits up to this moment. */
  readonly exits: number;
  /** Milliseconds of the machine's time. */
  readonly time: number;
  readonly end?: GuestEnd;
}

/** One exit as text. */
export interface ExitRow {
  /** From 1. */
  readonly number: number;
  readonly kind: string;
  readonly write: boolean;
  readonly address: number;
  readonly size: number;
  readonly count: number;
  readonly data: bigint;
  readonly device: string;
  /** The device's own words for the register and the value. */
  readonly words: string;
  readonly rip: bigint;
  /** The CPU's instruction count after it. */
  readonly instructions: number;
}

/** Exits over a part of the guest's time, which ends at `until`: how many of each kind in each column. */
export interface ExitTimeline {
  readonly from: number;
  readonly to: number;
  readonly until: number;
  /** `firsts`: the number of the first exit in each column, 0 where there is none. */
  readonly rows: readonly {
    readonly name: string;
    readonly counts: readonly number[];
    readonly firsts: readonly number[];
  }[];
  /** The first exit that is still stored. */
  readonly first: number;
  readonly total: number;
}

/** A changed area of the screen. */
export interface ScreenArea {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** The text of a text mode, row by row. */
  readonly text?: string;
}

/** A lesson's or an exercise's run, and its expectations. */
export interface Check {
  readonly input?: string;
  readonly keys?: string;
  /** The arguments for the modules of devices. */
  readonly options?: unknown;
  readonly timeoutMs?: number;
  readonly expectations: readonly string[];
}

export interface CheckResult {
  readonly end: GuestEnd;
  readonly console: string;
  readonly results: readonly {
    readonly ok: boolean;
    readonly text: string;
    readonly found: string;
    readonly expected: string;
  }[];
  /** Where the guest ended badly: why. */
  readonly why?: string;
}

/** The calls that a page makes. */
export interface WorkerCalls {
  assemble(project: Project): Built | NotBuilt;
  /** The help for a mnemonic, from the opcode table; undefined for an unknown one. */
  help(mnemonic: string): string | undefined;
  mnemonics(): readonly string[];
  open(parts: MachineParts): MadeInWorker;
  openTerra(file: Uint8Array): MadeInWorker;
  restart(): Look;
  go(move: Move): Halt;
  goTo(instructions: number): Halt;
  goToExit(exit: number): Halt;
  /** Runs a new machine to a moment, and stops exactly there. */
  runTo(instructions: number): Halt;
  lastWrite(what: string): Halt;
  look(what: LookFor): Look;
  breakpoints(wanted: readonly WantedBreakpoint[]): readonly SetBreakpoint[];
  watch(expressions: readonly string[]): readonly (string | undefined)[];
  evaluate(text: string): string;
  setRegister(name: string, value: bigint): void;
  write(address: bigint, bytes: Uint8Array): void;
  describe(what: string): string;
  tables(): CpuTables;
  pages(what: PagesFor): PagesLook;
  heat(what: HeatFor): MemoryHeat;
  rings(): readonly DeviceDrawing[];
  why(): { readonly text: string; readonly explanation: Explanation; readonly line?: SourcePlace };
  exits(from: number, count: number): readonly ExitRow[];
  timeline(columns: number, part?: { readonly from?: number; readonly to?: number }): ExitTimeline;
  inputs(): readonly RecordedInput[];
  save(): Uint8Array;
  check(parts: MachineParts, check: Check): CheckResult;
  close(): void;
}
export type CallName = keyof WorkerCalls;

/** The names of all calls: nothing else in the Worker can be called. */
export const callNames: ReadonlySet<string> = new Set(
  Object.keys({
    ...{ assemble: 0, help: 0, mnemonics: 0, open: 0, openTerra: 0, restart: 0, go: 0, goTo: 0, goToExit: 0 },
    ...{ runTo: 0, lastWrite: 0, look: 0, breakpoints: 0, watch: 0, evaluate: 0, setRegister: 0, write: 0 },
    ...{
      describe: 0,
      tables: 0,
      pages: 0,
      heat: 0,
      rings: 0,
      why: 0,
      exits: 0,
      timeline: 0,
      inputs: 0,
      save: 0,
      check: 0,
      close: 0,
    },
  } satisfies Record<CallName, 0>),
);

/** A page's messages without an answer. */
export type PageNotice =
  | { readonly tell: 'interrupt' }
  | { readonly tell: 'send'; readonly bytes: Uint8Array }
  | { readonly tell: 'key'; readonly name: string; readonly down: boolean }
  /** Keys as for `terrarium run --keys`: they are typed as fast as the guest reads them. */
  | { readonly tell: 'type'; readonly keys: string }
  | { readonly tell: 'mouse'; readonly move: MouseMove }
  | { readonly tell: 'taken'; readonly bytes: number }
  | { readonly tell: 'shown' }
  /** The guest's time follows the host's, or runs as fast as it can. */
  | { readonly tell: 'pace'; readonly real: boolean };

/** The first message: the CPU's program, and the shared words that stop a running guest. */
export interface Hello {
  readonly hello: { readonly program: string; readonly control: SharedArrayBuffer };
}

export type ToWorker =
  | Hello
  | PageNotice
  | { readonly id: number; readonly call: CallName; readonly args: unknown[] };

export type FromWorker =
  | { readonly ready: true }
  | { readonly failed: PlainError }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly output: Uint8Array }
  | { readonly screen: ScreenArea }
  | { readonly log: string }
  /** The guest has switched its mouse's reports on or off. */
  | { readonly mouse: boolean }
  | { readonly progress: Progress };

export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Sent while a guest runs, some times a second, and in the end. */
export interface Progress {
  readonly running: boolean;
  readonly instructions: number;
  readonly exits: number;
  readonly time: number;
}

/** Words of the shared block behind `Control`'s. */
export const PAUSE_WORD = 4;
export const SIGNAL_WORDS = 8;
