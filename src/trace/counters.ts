import type { EngineCounter, EngineCounters } from '../engine/contract/index.js';

/** The counters of one thing, such as a VM or one of its CPUs. */
export interface CounterGroup {
  /** For people, unique among the groups that are shown together: `vm`, `vcpu 0`. */
  where: string;
  counters: readonly EngineCounter[];
}

/** A counter, and how it changed. */
export interface CounterRow extends EngineCounter {
  where: string;
  /** The difference to the previous look: negative where an `instant` counter fell. Undefined at the first look. */
  change?: number;
  /** `change` a second. */
  perSecond?: number;
}

/** An engine's counters as groups. */
export function counterGroups({ vm, cpus }: EngineCounters): CounterGroup[] {
  return [
    { where: 'vm', counters: vm },
    ...cpus.map((counters, index) => ({ where: `vcpu ${index}`, counters })),
  ];
}

/**
 * All counters of `now`, with their changes since `before` (a look `seconds` ago). A new group has no changes, nor has
 * one that counts less than before: it belongs to another VM.
 */
export function counterRows(
  now: readonly CounterGroup[],
  before: readonly CounterGroup[] = [],
  seconds?: number,
): CounterRow[] {
  return now.flatMap(({ where, counters }) => {
    const old = new Map(
      before.find((group) => group.where === where)?.counters.map((counter) => [counter.name, counter.value]),
    );
    const renewed = counters.some(
      ({ name, kind, value }) => kind === 'cumulative' && value < (old.get(name) ?? 0),
    );
    return counters.map((counter) => {
      const was = renewed ? undefined : old.get(counter.name);
      if (was === undefined) return { ...counter, where };
      const change = counter.value - was;
      return { ...counter, where, change, ...(seconds !== undefined && { perSecond: change / seconds }) };
    });
  });
}

export interface CounterTableOptions {
  /** Use ANSI colours. Default false. */
  color?: boolean;
  /** Rows shown; the rest is one line. Default 40. */
  rows?: number;
}

/**
 * Counters as a table of several lines, without a newline at the end; those that are 0 are left out, and those that
 * change fastest come first.
 */
export function formatCounters(all: readonly CounterRow[], options: CounterTableOptions = {}): string {
  const { color = false, rows: most = 40 } = options;
  const rows = all.filter(({ value, change = 0 }) => value !== 0 || change !== 0).sort(fastestFirst);
  const timed = rows.some(({ perSecond }) => perSecond !== undefined);
  const shown = rows.slice(0, Math.max(1, most));
  const cells = [
    ['counter', 'of', 'total', timed ? 'per second' : ''],
    ...shown.map(({ name, where, value, unit, perSecond }) => [
      name,
      where,
      unit === '' ? String(value) : `${value} ${unit}`,
      perSecond === undefined ? '' : rateText(perSecond),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((text, column) => (column < 2 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  if (color) lines[0] = `\u001b[1m${lines[0]}\u001b[22m`;
  if (rows.length === 0) lines.push('every counter is 0');
  if (rows.length > shown.length) lines.push(`… and ${rows.length - shown.length} more`);
  return lines.join('\n');
}

/** A counter as one line, for logs. */
export function formatCounter({ name, where, value, unit, perSecond }: CounterRow): string {
  const rate = perSecond === undefined ? '' : `  ${rateText(perSecond)}/s`;
  return `${where}  ${name}  ${value}${unit === '' ? '' : ` ${unit}`}${rate}`;
}

function fastestFirst(a: CounterRow, b: CounterRow): number {
  return (
    Math.abs(b.perSecond ?? b.change ?? 0) - Math.abs(a.perSecond ?? a.change ?? 0) ||
    b.value - a.value ||
    (a.name < b.name ? -1 : 1)
  );
}

function rateText(perSecond: number): string {
  return perSecond.toFixed(perSecond !== 0 && Math.abs(perSecond) < 10 ? 1 : 0);
}
