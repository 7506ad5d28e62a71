import type { TraceBucket, TraceRow, TraceSummaryJson } from './summary.js';
import type { TimelineJson } from './timeline.js';

export interface SummaryTextOptions {
  /** Columns of the terminal. */
  width: number;
  /** Rows of a table. */
  top: number;
  bold(text: string): string;
  dim(text: string): string;
}

const LEVELS = ' ▁▂▃▄▅▆▇█';
const EIGHTHS = ' ▏▎▍▌▋▊▉█';
const GAP = '  ';

/** A trace as tables, histograms and a timeline for a terminal; no newline at the end. */
export function formatTraceSummary(summary: TraceSummaryJson, options: SummaryTextOptions): string {
  const { reasons, places, devices, handling, running, timeline } = summary;
  const { bold } = options;
  const parts = [
    headline(summary),
    table('exits by reason', reasons, options, false),
    ...(places.length > 0 ? [table('what was touched', places, options, true)] : []),
    ...(devices.length > 0 ? [deviceBars(devices, options)] : []),
    `${bold('how long an exit was handled')}\n${bars(handling, options)}`,
    `${bold('how long the guest ran before one')}\n${bars(running, options)}`,
    formatTimeline(timeline, options),
  ];
  return parts.join('\n\n');
}

/** Microseconds as people read them. */
export function formatUs(us: number): string {
  if (us < 1000) return `${Number(us.toPrecision(3))} µs`;
  if (us < 1e6) return `${Number((us / 1000).toPrecision(3))} ms`;
  return `${Number((us / 1e6).toPrecision(4))} s`;
}

function headline({ exits, coalesced, elapsedUs, guestUs, haltedUs, handleUs }: TraceSummaryJson): string {
  const share = (us: number) => `${elapsedUs > 0 ? ((us / elapsedUs) * 100).toFixed(1) : '0.0'} %`;
  const kept = coalesced > 0 ? ` and ${coalesced} coalesced writes` : '';
  const halted = haltedUs > 0 ? `, halted ${formatUs(haltedUs)} (${share(haltedUs)})` : '';
  return (
    `${exits} exit${exits === 1 ? '' : 's'}${kept} in ${formatUs(elapsedUs)}: guest ${formatUs(guestUs)} ` +
    `(${share(guestUs)})${halted}, handled ${formatUs(handleUs)} (${share(handleUs)})`
  );
}

/** `out`, `read`; where there is no direction, the kind. */
const verb = ({ kind, direction }: TraceRow) => (direction === '' ? kind : direction);

function where({ kind, address }: TraceRow): string {
  if (address === null) return '';
  return `0x${address.toString(16).padStart(kind === 'io' ? 4 : 8, '0')}`;
}

/** Cells in columns; rows that are too wide for the terminal are cut in the last column of text. */
function table(
  title: string,
  rows: readonly TraceRow[],
  options: SummaryTextOptions,
  places: boolean,
): string {
  const { top, bold, dim, width } = options;
  const shown = rows.slice(0, top);
  const head = places ? ['', 'where', 'device', 'register'] : ['', ''];
  const numbers = ['exits', 'guest', 'handled', 'median'];
  const texts = shown.map((row) =>
    places ? [verb(row), where(row), row.device ?? '', row.register ?? ''] : [row.kind, row.direction],
  );
  const values = shown.map(({ count, runUs, handleUs, medianUs }) => [
    String(count),
    formatUs(runUs),
    formatUs(handleUs),
    formatUs(medianUs),
  ]);
  const widthOf = (cells: string[][], column: number) => Math.max(...cells.map((row) => row[column]!.length));
  const textWidths = head.map((_, column) => widthOf([head, ...texts], column));
  const valueWidths = numbers.map((_, column) => widthOf([numbers, ...values], column));
  const used = [...textWidths, ...valueWidths].reduce((sum, one) => sum + one + GAP.length, -GAP.length);
  const last = textWidths.length - 1;
  textWidths[last] = Math.max(4, textWidths[last]! - Math.max(0, used - width));
  const line = (text: readonly string[], value: readonly string[]) =>
    [
      ...text.map((cell, column) => fit(cell, textWidths[column]!)),
      ...value.map((cell, column) => cell.padStart(valueWidths[column]!)),
    ].join(GAP);
  const lines = [
    bold(title),
    dim(line(head, numbers)),
    ...texts.map((text, row) => line(text, values[row]!)),
  ];
  if (rows.length > shown.length) lines.push(dim(`… and ${rows.length - shown.length} more`));
  return lines.join('\n');
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function deviceBars(devices: readonly TraceRow[], options: SummaryTextOptions): string {
  const total = devices.reduce((sum, { handleUs }) => sum + handleUs, 0);
  const rows = devices.slice(0, options.top).map(({ device, count, handleUs }) => ({
    name: device ?? '(nobody)',
    value: handleUs,
    label: `${formatUs(handleUs)}, ${count} exit${count === 1 ? '' : 's'}`,
  }));
  return `${options.bold('time by device')}\n${drawBars(rows, Math.max(total, 1e-9), options)}`;
}

function bars(buckets: readonly TraceBucket[], options: SummaryTextOptions): string {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const rows = buckets.map(({ toUs, count }) => ({
    name: `< ${formatUs(toUs)}`,
    value: count,
    label: String(count),
  }));
  return rows.length === 0 ? 'nothing' : drawBars(rows, most, options);
}

function drawBars(
  rows: readonly { name: string; value: number; label: string }[],
  most: number,
  { width }: SummaryTextOptions,
): string {
  const names = Math.max(...rows.map(({ name }) => name.length));
  const labels = Math.max(...rows.map(({ label }) => label.length));
  const room = Math.max(4, Math.min(60, width - names - labels - 4));
  return rows
    .map(
      ({ name, value, label }) => `${name.padStart(names)}  ${bar(value / most, room, value > 0)} ${label}`,
    )
    .join('\n');
}

/** A bar in eighths of a character; a value above 0 shows at least one. */
function bar(share: number, room: number, some: boolean): string {
  const eighths = Math.max(some ? 1 : 0, Math.round(Math.min(1, share) * room * 8));
  return '█'.repeat(eighths >> 3) + (eighths & 7 ? EIGHTHS[eighths & 7] : '');
}

function formatTimeline(timeline: TimelineJson, { width, bold, dim }: SummaryTextOptions): string {
  const { columns, columnUs, rows } = timeline;
  if (columns === 0) return 'no timeline';
  const names = Math.min(20, Math.max(...rows.map(({ name }) => name.length)));
  const room = Math.max(10, Math.min(columns, width - names - 2));
  // A column of the terminal may be several of the timeline.
  const step = Math.ceil(columns / room);
  const cells = Math.ceil(columns / step);
  const sum = (values: readonly number[]) =>
    Array.from({ length: cells }, (_, cell) =>
      values.slice(cell * step, (cell + 1) * step).reduce((total, value) => total + value, 0),
    );
  const most = Math.max(1, ...rows.flatMap(({ counts }) => sum(counts)));
  const lines = rows.map(({ name, counts, busyUs }) => {
    const isTime = name === 'guest' || name === 'halted';
    const values = sum(isTime ? busyUs : counts);
    const full = isTime ? columnUs * step : most;
    return `${fit(name, names)}  ${values.map((value) => level(value / full)).join('')}`;
  });
  const each = formatUs(columnUs * step);
  const note = `${each} a column; guest and halted: share of the time; others: exits, at most ${most} a column`;
  return [bold('timeline'), ...lines, dim(note)].join('\n');
}

function level(share: number): string {
  return LEVELS[share <= 0 ? 0 : Math.min(8, Math.max(1, Math.round(share * 8)))]!;
}
