/**
 * The content of the display, as plain data. The controller fills it, panes are drawn from it, and neither depends on the other.
 *
 * @module
 */
import type { CodeBits, CpuView, HistoryRange } from '../../debug/index.js';
import type { Picture } from '../../devices/contract/index.js';
import type { Outcome } from '../../machine/index.js';
import type { GuestConsole } from './guest-console.js';
import type { Timeline } from './timeline.js';

export const paneNames = [
  'registers',
  'code',
  'stack',
  'memory',
  'console',
  'screen',
  'exits',
  'points',
  'locals',
] as const;
export type PaneName = (typeof paneNames)[number];

/** One instruction of the listing. */
export interface CodeRow {
  /** Linear. */
  address: bigint;
  bytes: Uint8Array;
  text: string;
  /** The symbol that begins here. */
  label?: string;
  /** The first instruction of a source line: `kernel.c:12`, and the line itself where the file can be read. */
  source?: { place: string; text?: string };
}

/** Bytes from a linear address on; fewer than requested where memory ends. */
export interface Bytes {
  address: bigint;
  bytes: Uint8Array;
}

export interface StackWord {
  /** Distance from the stack pointer. */
  offset: number;
  value: bigint;
  changed: boolean;
  /** The code that the word may point to: `main+0x12`. */
  symbol?: string;
}

export interface ExitRow {
  number: number;
  /** `out 0x3f8 ← 48`. */
  what: string;
  /** The device's description of the access. */
  words: string;
}

/** A parameter or a variable of the current C function. */
export interface LocalRow {
  name: string;
  text: string;
  parameter: boolean;
  changed: boolean;
}

/** A breakpoint or a watchpoint. */
export interface Point {
  id: number;
  kind: 'breakpoint' | 'watch';
  /** The text as it was typed, with its condition. */
  text: string;
  address: bigint;
  enabled: boolean;
  hits: number;
  /** Its source line, or the size of the watched memory. */
  note: string;
}

export type Tone = 'plain' | 'good' | 'bad' | 'running';

/** A line that is being typed. */
export interface Prompt {
  label: string;
  text: string;
  /** Examples, shown while the line is empty. */
  hint: string;
}

/** A text over the panes that the user reads and closes. */
export interface Overlay {
  title: string;
  lines: readonly string[];
  /** The first visible line. */
  top: number;
}

export interface Model {
  /** The image's name, for the head. */
  readonly image: string;
  readonly engine: string;
  readonly hasScreen: boolean;
  phase: 'stopped' | 'running' | 'ended';
  /** The CPU's mode: `16-bit real mode`. */
  mode: string;
  bits: CodeBits;
  pc: bigint;
  view: CpuView | undefined;
  /** The CPU at the previous stop. */
  before: CpuView | undefined;
  exits: number;
  /** How far the guest can go back, and where it is; undefined where it cannot. */
  history: HistoryRange | undefined;
  /** Shown below the panes; undefined where it is closed. */
  timeline: Timeline | undefined;
  outcome: Outcome | undefined;
  /** The listing, from the first visible instruction on. */
  code: readonly CodeRow[];
  /** The address of the instruction under the cursor. */
  cursor: bigint;
  stack: readonly StackWord[];
  /** Why there is no stack to show. */
  stackProblem: string | undefined;
  memory: Bytes;
  /** The same memory at the previous stop, where it was read then. */
  memoryBefore: Bytes | undefined;
  memoryProblem: string | undefined;
  readonly console: GuestConsole;
  picture: Picture | undefined;
  exitRows: readonly ExitRow[];
  points: readonly Point[];
  /** Undefined where the image has no debug information. */
  locals: readonly LocalRow[] | undefined;
  message: { text: string; tone: Tone };
  focus: PaneName;
  zoomed: boolean;
  /** How far a pane is scrolled, in lines: down for those that begin at the top, up for those that end at the newest. */
  readonly scroll: Record<PaneName, number>;
  /** How far the screen is moved to the left, in columns. */
  screenRight: number;
  prompt: Prompt | undefined;
  overlay: Overlay | undefined;
  /** Where keys go instead: the guest's serial port or its keyboard. */
  typing: 'serial' | 'keyboard' | undefined;
}

export function newModel(
  parts: Pick<Model, 'image' | 'engine' | 'hasScreen' | 'console'> & { memoryAt: bigint },
): Model {
  const { memoryAt, ...known } = parts;
  return {
    ...known,
    phase: 'stopped',
    mode: '',
    bits: 16,
    pc: 0n,
    view: undefined,
    before: undefined,
    exits: 0,
    history: undefined,
    timeline: undefined,
    outcome: undefined,
    code: [],
    cursor: 0n,
    stack: [],
    stackProblem: undefined,
    memory: { address: memoryAt, bytes: new Uint8Array(0) },
    memoryBefore: undefined,
    memoryProblem: undefined,
    picture: undefined,
    exitRows: [],
    points: [],
    locals: undefined,
    message: { text: '', tone: 'plain' },
    focus: 'code',
    zoomed: false,
    scroll: Object.fromEntries(paneNames.map((name) => [name, 0])) as Record<PaneName, number>,
    screenRight: 0,
    prompt: undefined,
    overlay: undefined,
    typing: undefined,
  };
}
