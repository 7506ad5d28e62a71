/**
 * The panes that are lists: stack, exits, breakpoints and watchpoints, the guest's console.
 *
 * @module
 */
import type { Model, Point } from '../model.js';
import { type Line, look, type Span } from '../text.js';
import { CHANGED, hex } from './registers.js';

export function stackPane(model: Model): Line[] {
  const digits = model.bits / 4;
  if (model.stackProblem !== undefined) return [[[` ${model.stackProblem}`, look.quiet]]];
  return model.stack.map(({ offset, value, changed, symbol }) => [
    [changed ? CHANGED : ' ', look.changed],
    [`+${hex(offset, 2)}  `, look.quiet],
    [hex(value, digits), changed ? look.changed : look.plain],
    ...(symbol === undefined ? [] : [[`  ${symbol}`, look.symbol] as const]),
  ]);
}

/** Parameters first; `›` marks them. */
export function localsPane(model: Model): Line[] {
  const { locals } = model;
  if (locals === undefined) return [[[' no types are known: compile with -g', look.quiet]]];
  if (locals.length === 0) return [[[' no function of C', look.quiet]]];
  return locals.slice(model.scroll.locals).map(({ name, text, parameter, changed }) => [
    [changed ? CHANGED : ' ', look.changed],
    [name, look.symbol],
    [parameter ? ' › ' : ' = ', look.quiet],
    [text, changed ? look.changed : look.plain],
  ]);
}

/** The newest at the bottom; `back` lines further up. */
export function exitsPane(model: Model, height: number): Line[] {
  const rows = newest(model.exitRows, height, model.scroll.exits);
  if (rows.length === 0) return [[[' none yet', look.quiet]]];
  const width = String(rows.at(-1)!.number).length;
  return rows.map(({ number, what, words }) => [
    [` ${String(number).padStart(width)}  `, look.quiet],
    what,
    ...(words === '' ? [] : [[`  ${words}`, look.quiet] as const]),
  ]);
}

/** With the focus here, one point is selected: `model.scroll.points` is its place in the list. */
export function pointsPane(model: Model, height: number): Line[] {
  const { points, scroll, focus } = model;
  if (points.length === 0) return [[[' none: b or w sets one', look.quiet]]];
  const chosen = Math.min(scroll.points, points.length - 1);
  const lines = points.map((point, i) => pointLine(point, focus === 'points' && i === chosen));
  return lines.slice(Math.max(0, chosen - height + 1));
}

function pointLine({ kind, text, enabled, hits, note }: Point, chosen: boolean): Line {
  const symbol = kind === 'watch' ? '◆' : '●';
  const mark: Span = enabled ? [symbol, look.breakpoint] : ['○', look.quiet];
  const times: Span[] = hits === 0 ? [] : [[`  ×${hits}`, look.quiet]];
  const front: Span = chosen ? ['›', look.strong] : ' ';
  return [front, mark, ` ${text}`, ...times, ...(note === '' ? [] : [[`  ${note}`, look.quiet] as const])];
}

export function consolePane(model: Model, width: number, height: number): Line[] {
  // A line takes one row or more, so this many lines fill the pane.
  const folded = model.console
    .last(height + model.scroll.console + 1)
    .flatMap((line) => foldAt(line, width - 1));
  if (folded.at(-1) === '') folded.pop();
  if (folded.length === 0) return [[[' nothing printed yet', look.quiet]]];
  return newest(folded, height, model.scroll.console).map((line) => [' ', line]);
}

function foldAt(line: string, width: number): string[] {
  const characters = [...line];
  const parts: string[] = [];
  do parts.push(characters.splice(0, width).join(''));
  while (characters.length > 0);
  return parts;
}

function newest<T>(rows: readonly T[], height: number, back: number): readonly T[] {
  const end = Math.max(Math.min(height, rows.length), rows.length - back);
  return rows.slice(Math.max(0, end - height), end);
}
