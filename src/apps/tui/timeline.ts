/**
 * The timeline: the history in columns of equally many instructions. What happened in a column is found out while nothing else is to be
 * done, for the columns that are shown.
 *
 * @module
 */
import type { Debugger, HistoryRange, SurveyPiece } from '../../debug/index.js';

/** The columns that are shown. */
export interface Timeline {
  /** Instructions of a column: a power of two. */
  size: number;
  /** The number of the first one: it begins at instruction `first * size`. */
  first: number;
  /** How many fit. */
  columns: number;
  /** What happened, by their numbers; those that are missing are not known yet. */
  pieces: ReadonlyMap<number, SurveyPiece>;
}

/** How long the guest's thread may count events before it is asked for something else: milliseconds. */
const BUDGET_MS = 40;
/** A key zooms by this factor. */
const ZOOM = 4;
/** Columns between the guest's and the edge. */
const MARGIN = 4;

/** The number of the column that has an instruction. */
export const columnOf = ({ size }: Pick<Timeline, 'size'>, instruction: number): number =>
  Math.floor(instruction / size);

/** The timeline of the whole history. */
export function wholeTimeline(range: HistoryRange, columns: number): Timeline {
  let size = 1;
  while (columnOf({ size }, range.last) - columnOf({ size }, range.first) >= columns) size *= 2;
  return { size, first: columnOf({ size }, range.first), columns, pieces: new Map() };
}

/** Another scale, with the guest's column in the middle where the history has that much. */
export function zoomed(timeline: Timeline, range: HistoryRange, by: 'in' | 'out'): Timeline {
  const whole = wholeTimeline(range, timeline.columns);
  const size = by === 'in' ? Math.max(1, timeline.size / ZOOM) : Math.min(whole.size, timeline.size * ZOOM);
  if (size === timeline.size) return timeline;
  if (size === whole.size) return whole;
  return inside(
    { ...timeline, size, first: columnOf({ size }, range.now) - (timeline.columns >> 1), pieces: new Map() },
    range,
  );
}

/** The same scale after the guest has moved: its column is shown, and a whole timeline stays one. */
export function followed(
  timeline: Timeline,
  range: HistoryRange,
  before: HistoryRange | undefined,
): Timeline {
  const pieces = stillKnown(timeline, range, before);
  const wasWhole = before !== undefined && wholeTimeline(before, timeline.columns).size <= timeline.size;
  if (wasWhole) {
    const whole = wholeTimeline(range, timeline.columns);
    return whole.size === timeline.size ? { ...whole, pieces } : whole;
  }
  const now = columnOf(timeline, range.now);
  const { first, columns } = timeline;
  if (now >= first + MARGIN && now < first + columns - MARGIN) return { ...timeline, pieces };
  return inside({ ...timeline, first: now - (columns >> 1), pieces }, range);
}

/** The same timeline in a terminal of another width. */
export function widened(timeline: Timeline, range: HistoryRange, columns: number): Timeline {
  const isWhole = wholeTimeline(range, timeline.columns).size <= timeline.size;
  if (!isWhole) return inside({ ...timeline, columns }, range);
  const whole = wholeTimeline(range, columns);
  return whole.size === timeline.size ? { ...whole, pieces: timeline.pieces } : whole;
}

/** Without columns before the history, or more than one after it. */
function inside(timeline: Timeline, range: HistoryRange): Timeline {
  const last = columnOf(timeline, range.last) - timeline.columns + 1;
  return { ...timeline, first: Math.max(columnOf(timeline, range.first), Math.min(timeline.first, last)) };
}

/** The pieces without those that were not whole, or belong to a future that was dropped. */
function stillKnown(
  timeline: Timeline,
  range: HistoryRange,
  before: HistoryRange | undefined,
): Timeline['pieces'] {
  if (before === undefined || range.last < before.last) return new Map();
  if (range.last === before.last) return timeline.pieces;
  const cut = columnOf(timeline, before.last);
  return new Map([...timeline.pieces].filter(([column]) => column < cut));
}

/** The columns that are not known: from the first one on, those without a gap. */
export function unknownOf(timeline: Timeline, range: HistoryRange): { from: number; to: number } | undefined {
  const { first, columns, size, pieces } = timeline;
  const end = Math.min(first + columns, columnOf(timeline, range.last - 1) + 1);
  let from = first;
  while (from < end && pieces.has(from)) from++;
  if (from >= end) return undefined;
  let to = from;
  while (to < end && !pieces.has(to)) to++;
  return { from: Math.max(range.first, from * size), to: Math.min(range.last, to * size) };
}

/** Finds out what happened in some more columns. @returns false where nothing was left to do, or it was interrupted */
export async function survey(held: Debugger, timeline: Timeline, range: HistoryRange): Promise<boolean> {
  const unknown = unknownOf(timeline, range);
  if (unknown === undefined) return false;
  const { size } = timeline;
  // The oldest column may begin before the history does: it is counted on its own.
  const first = Math.min(unknown.to, (columnOf(timeline, unknown.from) + 1) * size);
  const to = unknown.from % size === 0 ? unknown.to : first;
  const found = await held.target.survey({ from: unknown.from, to, size, budgetMs: BUDGET_MS });
  timeline.pieces = new Map([
    ...timeline.pieces,
    ...found.map((piece) => [columnOf(timeline, piece.from), piece] as const),
  ]);
  return found.length > 0;
}

/** Whether something is marked in a column. */
export const isMarked = ({ exits, interrupts, exceptions, modeChanges }: SurveyPiece): boolean =>
  exits + interrupts + exceptions + modeChanges > 0;

/** Where a key goes from a moment; undefined for other keys. `<` and `>` go to columns with marks. */
export function momentFor(
  timeline: Timeline,
  { first, last }: HistoryRange,
  now: number,
  key: string,
): number | undefined {
  const column = columnOf(timeline, now);
  const at = (number: number) => Math.min(last, Math.max(first, number * timeline.size));
  const marked = [...timeline.pieces].filter(([, piece]) => isMarked(piece)).map(([number]) => number);
  switch (key) {
    case 'ArrowLeft':
      return at(now > column * timeline.size && timeline.size > 1 ? column : column - 1);
    case 'ArrowRight':
      return at(column + 1);
    case '<':
      return at(
        Math.max(columnOf(timeline, first), ...marked.filter((number) => number * timeline.size < now)),
      );
    case '>':
      return at(Math.min(columnOf(timeline, last) + 1, ...marked.filter((number) => number > column)));
    default:
      return undefined;
  }
}
