/**
 * The timeline as lines of text: where the guest is, the mode of its code, and how many exceptions, interrupts and exits there were in
 * each column. Heights of bars are logarithmic. What is not known yet is dotted.
 *
 * @module
 */
import type { SurveyPiece } from '../../../debug/index.js';
import type { Model } from '../model.js';
import { type Line, look, type Span, type Style } from '../text.js';
import { columnOf, type Timeline } from '../timeline.js';

/** Columns of the names at the left. */
export const NAMES = 12;
/** Lines with the title. */
export const TIMELINE_ROWS = 6;
/** In a low terminal: the title, the guest's place, and one line for all marks. */
export const LOW_ROWS = 3;

const BARS = [...'▁▂▃▄▅▆▇█'];
const UNKNOWN: Span = ['·', look.quiet];
/** One event, where no column has more. */
const SINGLE = '▌';

/** How many columns of time fit into a width. */
export const columnsIn = (width: number): number => Math.max(8, width - NAMES - 1);

export function timelinePane(model: Model, rows: number): Line[] {
  const { timeline, history } = model;
  if (timeline === undefined || history === undefined) return [];
  const shown = cellsOf(timeline, columnOf(timeline, history.last));
  const here = columnOf(timeline, history.now) - timeline.first;
  const named = (name: string, cells: readonly Span[]): Line => [
    [` ${name.padEnd(NAMES - 1)}`, look.quiet],
    ...cells.map((cell, i) => (i === here ? underCursor(cell) : cell)),
  ];
  const axis = named('', axisOf(timeline, here, history.last));
  if (rows < TIMELINE_ROWS) return [axis, named('marks', shown.map(markOf))];
  return [
    axis,
    named('mode', modesOf(shown)),
    named('exceptions', barsOf(shown, 'exceptions', look.bad)),
    named('interrupts', barsOf(shown, 'interrupts', look.symbol)),
    named('exits', barsOf(shown, 'exits', look.source)),
  ];
}

/** The text at the right end of the title: what the guest's column has. */
export function timelineNote({ timeline, history }: Model): string {
  if (timeline === undefined || history === undefined) return '';
  const scale = `${count(timeline.size, 'instruction')} a column`;
  const piece = timeline.pieces.get(columnOf(timeline, history.now));
  if (piece === undefined) return scale;
  const { exits, interrupts, exceptions } = piece;
  const here = [
    ...(exits > 0 ? [count(exits, 'exit')] : []),
    ...(interrupts > 0 ? [count(interrupts, 'interrupt')] : []),
    ...(exceptions > 0 ? [count(exceptions, 'exception')] : []),
  ];
  return here.length === 0 ? scale : `${here.join(', ')} here · ${scale}`;
}

/** The pieces; undefined for those that are not known, and nothing after the history. */
function cellsOf({ first, columns, pieces }: Timeline, last: number): (SurveyPiece | undefined)[] {
  const end = Math.min(columns, last - first + 1);
  return Array.from({ length: Math.max(0, end) }, (_, i) => pieces.get(first + i));
}

function axisOf({ columns, first, size }: Timeline, here: number, last: number): Span[] {
  const end = Math.min(columns, columnOf({ size }, last) - first + 1);
  const left = `├${(first * size).toLocaleString('en')} `;
  const right = ` ${Math.min(last, (first + end) * size).toLocaleString('en')}┤`;
  const text = [...'─'.repeat(end)];
  if (left.length + right.length <= end) {
    text.splice(0, left.length, ...left);
    text.splice(end - right.length, right.length, ...right);
  }
  return text.map((cell, i): Span => (i === here ? ['▼', look.here] : [cell, look.quiet]));
}

function barsOf(
  shown: readonly (SurveyPiece | undefined)[],
  name: 'exits' | 'interrupts' | 'exceptions',
  style: Style,
): Span[] {
  const most = Math.max(...shown.map((piece) => piece?.[name] ?? 0));
  return shown.map((piece): Span => {
    if (piece === undefined) return UNKNOWN;
    const events = piece[name];
    if (events === 0) return ' ';
    if (most === 1) return [SINGLE, style];
    const level = Math.ceil((BARS.length * Math.log1p(events)) / Math.log1p(most));
    return [BARS[level - 1]!, style];
  });
}

/** `real┃16┃32──┃64──`: a bar for a change, `╋` for several in a column, and the mode after it where there is room. */
function modesOf(shown: readonly (SurveyPiece | undefined)[]): Span[] {
  const cells: Span[] = shown.map((piece) => (piece === undefined ? UNKNOWN : ['─', look.quiet]));
  let room = 0;
  for (const [i, piece] of shown.entries()) {
    if (piece === undefined) continue;
    const before = shown[i - 1];
    const begins = before === undefined || before.modeChanges > 0;
    if (piece.modeChanges > 0) cells[i] = [piece.modeChanges > 1 ? '╋' : '┃', look.strong];
    if (!begins || i < room) continue;
    const label = [...(piece.real ? 'real' : `${piece.bits}`)];
    const fits = label.every((_, n) => {
      const there = shown[i + n];
      return there !== undefined && there.modeChanges === 0;
    });
    if (!fits) continue;
    for (const [n, letter] of label.entries()) cells[i + n] = [letter, look.title];
    room = i + label.length;
  }
  return cells;
}

/** The rarest kind of event in a column, as a letter. */
function markOf(piece: SurveyPiece | undefined): Span {
  if (piece === undefined) return UNKNOWN;
  if (piece.modeChanges > 0) return ['M', look.title];
  if (piece.exceptions > 0) return ['E', look.bad];
  if (piece.interrupts > 0) return ['I', look.symbol];
  return piece.exits > 0 ? ['x', look.source] : ['─', look.quiet];
}

/** The guest's column is marked in each line. */
function underCursor(cell: Span): Span {
  const [text, style]: readonly [string, Style] = typeof cell === 'string' ? [cell, look.plain] : cell;
  return [text, { ...style, attributes: look.cursor.attributes }];
}

const count = (n: number, word: string) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
