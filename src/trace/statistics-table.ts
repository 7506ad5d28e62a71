import type { StatisticsJson, StatisticsRow } from './statistics.js';

export interface TableOptions {
  /** Columns of the terminal; columns that do not fit are omitted, the least needed first. Default 100. */
  width?: number;
  /** Use ANSI colours. Default false. */
  color?: boolean;
  /** Rows shown; the rest is one line. Default 40. */
  rows?: number;
}

interface Column {
  title: string;
  /** The text of a row; numbers are aligned right. */
  text: (row: StatisticsRow) => string;
  right: boolean;
  /** Columns with the highest number go first where the terminal is narrow; those with 0 never go. */
  optional: number;
}

/** Shown where exits came from several CPUs. */
const cpuColumn: Column = {
  title: 'cpu',
  text: ({ cpu }) => (cpu < 0 ? '' : String(cpu)),
  right: true,
  optional: 0,
};

const columnsOf = (time: readonly Column[]): readonly Column[] => [
  { title: 'exit', text: kindText, right: false, optional: 0 },
  { title: 'where', text: whereText, right: false, optional: 0 },
  { title: 'device', text: (row) => row.device ?? '', right: false, optional: 1 },
  { title: 'count', text: (row) => String(row.count), right: true, optional: 0 },
  { title: 'accesses', text: (row) => String(row.accesses), right: true, optional: 5 },
  { title: 'bytes', text: (row) => String(row.bytes), right: true, optional: 4 },
  ...time,
  { title: 'handle ms', text: (row) => decimals(row.handleMs), right: true, optional: 0 },
  { title: 'median µs', text: (row) => decimals(row.handleMedianUs), right: true, optional: 3 },
];

const milliseconds: readonly Column[] = [
  { title: 'run ms', text: (row) => decimals(row.runMs, row.coalesced), right: true, optional: 0 },
  { title: 'median µs', text: (row) => decimals(row.runMedianUs, row.coalesced), right: true, optional: 2 },
];

/** The speed of an engine that counts instructions varies with JavaScript's engine: the counts show the guest's work. */
const instructions: readonly Column[] = [
  { title: 'instructions', text: (row) => String(row.instructions ?? ''), right: true, optional: 0 },
  { title: 'median', text: (row) => String(row.instructionsMedian ?? ''), right: true, optional: 2 },
];

const GAP = '  ';

/**
 * The statistics as a table of several lines, without a newline at the end. "run" is time in the engine up to the exit, or
 * "instructions" where the engine counts them; "handle" is time in the monitor and its device.
 */
export function formatStatistics(statistics: StatisticsJson, options: TableOptions = {}): string {
  const { width = 100, color = false, rows: most = 40 } = options;
  const shown = statistics.rows.slice(0, most);
  const oneCpu = columnsOf(statistics.instructions === undefined ? milliseconds : instructions);
  const columns = statistics.rows.some(({ cpu }) => cpu > 0) ? [cpuColumn, ...oneCpu] : oneCpu;
  const cells = columns.map((column) => [column.title, ...shown.map((row) => column.text(row))]);
  const widths = cells.map((texts) => Math.max(...texts.map((text) => text.length)));
  const chosen = chooseColumns(columns, widths, width);
  const bold = (text: string) => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const dim = (text: string) => (color ? `\u001b[2m${text}\u001b[22m` : text);
  const line = (row: number) =>
    chosen
      .map((i) =>
        columns[i]!.right ? cells[i]![row]!.padStart(widths[i]!) : cells[i]![row]!.padEnd(widths[i]!),
      )
      .join(GAP)
      .trimEnd();
  const lines = [bold(line(0))];
  for (const [i, row] of shown.entries()) lines.push(row.coalesced ? dim(line(i + 1)) : line(i + 1));
  const hidden = statistics.rows.length - shown.length;
  if (hidden > 0) lines.push(dim(`… and ${hidden} more rows`));
  lines.push(totalLine(statistics));
  return lines.join('\n');
}

/** The columns that fit, by number. */
function chooseColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let chosen = columns.map((_, i) => i);
  const total = () => chosen.reduce((sum, i) => sum + widths[i]! + GAP.length, -GAP.length);
  while (total() > width) {
    const last = Math.max(...chosen.map((i) => columns[i]!.optional));
    if (last === 0) break;
    chosen = chosen.filter((i) => columns[i]!.optional !== last);
  }
  return chosen;
}

function kindText(row: StatisticsRow): string {
  const words = row.direction === '' ? row.kind : `${row.kind} ${row.direction}`;
  return row.coalesced ? `${words} +` : words;
}

function whereText({ kind, address }: StatisticsRow): string {
  if (address === null) return '';
  return kind === 'io'
    ? `0x${address.toString(16).padStart(4, '0')}`
    : `0x${address.toString(16).padStart(8, '0')}`;
}

function decimals(value: number, none = false): string {
  return none ? '' : value.toFixed(value < 100 ? 2 : 0);
}

function totalLine({ exits, coalesced, runMs, instructions: ran, handleMs }: StatisticsJson): string {
  const kept = coalesced > 0 ? `, ${coalesced} coalesced write${coalesced === 1 ? '' : 's'} (+)` : '';
  return `${exits} exit${exits === 1 ? '' : 's'}${kept}; ${ran === undefined ? `${decimals(runMs)} ms` : `${ran} instructions`} run, ${decimals(handleMs)} ms handled`;
}
