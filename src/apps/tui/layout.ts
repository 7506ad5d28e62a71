/**
 * The places of the panes in a terminal of a given size. Pure.
 *
 * A wide terminal has three columns, one of 80 has two, a narrow one has one. A pane that does not fit is left out, the least
 * important first; the one with the focus is always shown.
 *
 * @module
 */
import type { CodeBits } from '../../debug/index.js';
import type { PaneName } from './model.js';

/** A pane's place, including its title line. */
export interface Place {
  pane: PaneName;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LayoutRequest {
  columns: number;
  rows: number;
  focus: PaneName;
  zoomed: boolean;
  bits: CodeBits;
  hasScreen: boolean;
  /** Lines below the panes. */
  below?: number;
  /** The image knows the variables of its functions. */
  hasLocals: boolean;
}

/** The smallest usable terminal. */
export const LEAST = { columns: 40, rows: 10 } as const;

/** Lines for the head, the message and the keys. */
export const FRAME_ROWS = 3;

const GAP = 2;
const REGISTERS_WIDTH = 24;
const THREE_COLUMNS = 118;
const TWO_COLUMNS = 72;

/** The least height of a pane, and its preferred height; the order of the list is the order on the screen. */
interface PaneRequest {
  pane: PaneName;
  least: number;
  best: number;
  /** 1 is left out last. */
  rank: number;
}

/** @returns the panes from the top left on, or undefined where the terminal is too small */
export function layout(request: LayoutRequest): Place[] | undefined {
  const { columns, rows, focus, zoomed, below = 0 } = request;
  if (columns < LEAST.columns || rows < LEAST.rows) return undefined;
  const height = rows - FRAME_ROWS - below;
  if (zoomed) return [{ pane: focus, x: 0, y: 1, width: columns, height }];
  const stacks = columnsFor(request, height);
  const shown = new Set(stacks.flatMap(({ panes }) => panes.map(({ pane }) => pane)));
  if (!shown.has(focus)) replaceLast(stacks.at(-1)!.panes, focus);
  let x = 0;
  return stacks.flatMap(({ width, panes }) => {
    let y = 1;
    const places = panes.map(({ pane, height: high }) => {
      const place = { pane, x, y, width, height: high };
      y += high;
      return place;
    });
    x += width + GAP;
    return places;
  });
}

interface Stack {
  width: number;
  panes: { pane: PaneName; height: number }[];
}

function columnsFor({ columns, bits, hasScreen, hasLocals }: LayoutRequest, height: number): Stack[] {
  const registers = registerRows(bits) + 1;
  if (columns < TWO_COLUMNS) return [{ width: columns, panes: fill(oneColumn(hasScreen), height) }];
  const left = REGISTERS_WIDTH;
  if (columns < THREE_COLUMNS) {
    const width = columns - left - GAP;
    return [
      { width: left, panes: fill(leftColumn(registers, height), height) },
      { width, panes: fill(middleColumn(height, true, hasScreen, hasLocals), height) },
    ];
  }
  const rest = columns - left - 2 * GAP;
  const right = Math.min(rest - 58, Math.max(34, Math.floor(rest * 0.42)), 82);
  return [
    { width: left, panes: fill(leftColumn(registers, height), height) },
    { width: rest - right, panes: fill(middleColumn(height, false, false, false), height) },
    { width: right, panes: fill(rightColumn(hasScreen, hasLocals), height) },
  ];
}

/** As many lines as the registers of a mode need. */
export function registerRows(bits: CodeBits): number {
  return bits === 64 ? 25 : 17;
}

function oneColumn(hasScreen: boolean): PaneRequest[] {
  return [
    { pane: 'code', least: 4, best: 9, rank: 1 },
    { pane: 'registers', least: 6, best: 12, rank: 3 },
    { pane: 'stack', least: 3, best: 4, rank: 5 },
    { pane: 'memory', least: 3, best: 5, rank: 4 },
    hasScreen
      ? { pane: 'screen', least: 8, best: 12, rank: 2 }
      : { pane: 'console', least: 3, best: 6, rank: 2 },
  ];
}

function leftColumn(registers: number, height: number): PaneRequest[] {
  return [
    { pane: 'registers', least: Math.min(registers, height), best: registers, rank: 1 },
    { pane: 'points', least: 3, best: 6, rank: 2 },
  ];
}

function middleColumn(
  height: number,
  withStack: boolean,
  withScreen: boolean,
  withLocals: boolean,
): PaneRequest[] {
  return [
    { pane: 'code', least: 5, best: Math.max(9, Math.floor(height * 0.45)), rank: 1 },
    ...(withLocals ? [localsRequest] : []),
    ...(withStack ? [{ pane: 'stack', least: 3, best: Math.floor(height * 0.18), rank: 4 } as const] : []),
    { pane: 'memory', least: 3, best: Math.max(4, Math.floor(height * 0.25)), rank: 3 },
    withScreen
      ? { pane: 'screen', least: 6, best: 26, rank: 2 }
      : { pane: 'console', least: 3, best: 5, rank: 2 },
  ];
}

const localsRequest: PaneRequest = { pane: 'locals', least: 4, best: 9, rank: 2 };

function rightColumn(hasScreen: boolean, hasLocals: boolean): PaneRequest[] {
  return [
    ...(hasScreen ? [{ pane: 'screen', least: 8, best: 26, rank: 1 } as const] : []),
    ...(hasLocals ? [localsRequest] : []),
    { pane: 'stack', least: 4, best: 12, rank: 2 },
    { pane: 'exits', least: 4, best: 20, rank: 3 },
  ];
}

/**
 * Leaves out panes that do not fit; then each pane gets its preferred height in the order of ranks; code and exits take the
 * rest.
 */
function fill(requests: readonly PaneRequest[], height: number): Stack['panes'] {
  const ranked = [...requests].sort((a, b) => a.rank - b.rank);
  const kept = new Map<PaneName, number>();
  let left = height;
  for (const { pane, least } of ranked) {
    if (least > left && kept.size > 0) continue;
    kept.set(pane, Math.min(least, left));
    left -= kept.get(pane)!;
  }
  for (const { pane, best } of ranked) {
    const has = kept.get(pane);
    if (has === undefined) continue;
    const more = Math.max(0, Math.min(left, best - has));
    kept.set(pane, has + more);
    left -= more;
  }
  const panes = requests.flatMap(({ pane }) => (kept.has(pane) ? [{ pane, height: kept.get(pane)! }] : []));
  const first = panes.find(({ pane }) => pane === 'code' || pane === 'exits') ?? panes.at(-1)!;
  first.height += left;
  return panes;
}

/** The pane with the focus replaces the least important one, and takes a few lines from those above where that is too low. */
function replaceLast(panes: Stack['panes'], pane: PaneName): void {
  const last = panes.at(-1)!;
  if (panes.length === 1) {
    const height = Math.max(3, Math.floor(last.height / 2));
    last.height -= height;
    panes.push({ pane, height });
    return;
  }
  last.pane = pane;
  const above = panes.at(-2)!;
  const more = Math.min(Math.max(0, 5 - last.height), Math.max(0, above.height - 4));
  above.height -= more;
  last.height += more;
}
