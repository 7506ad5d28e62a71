/**
 * The result of a verification as text.
 *
 * @module
 */
import { describe } from './compare.js';
import { modes } from './modes.js';
import type { VerifierReport } from './verifier.js';

/** How many kinds of differences are shown with both states. */
const SHOWN = 5;

const number = (value: number) => Math.round(value).toLocaleString('en-US');
const places = {
  long: '64-bit code in ring 3',
  protected: '32-bit code in ring 0',
  real: '16-bit code in real mode',
};

function perSecond(count: number, ms: number): string {
  return `${number((count * 1000) / Math.max(ms, 0.001))} a second`;
}

/** The rows `name`, `count`, `words`, with aligned numbers. */
function rows(lines: readonly (readonly [string, number, string])[]): string[] {
  const width = Math.max(...lines.map(([, count]) => number(count).length));
  return lines.map(([name, count, words]) =>
    `  ${name.padEnd(12)} ${number(count).padStart(width)}  ${words}`.trimEnd(),
  );
}

/** The summary of a run: tests, differences, speed. `oracle` is undefined where there was none. */
export function formatReport(report: VerifierReport, engine: string, oracle: string | undefined): string {
  const { mode, seed, tests, compared, refused, known, found, engineMs, oracleMs, elapsedMs } = report;
  const against = oracle === undefined ? 'alone: nothing is compared' : `against ${oracle}`;
  const lines = [`${engine} ${against}, ${places[mode]}, seed ${seed}`];
  const table: [string, number, string][] = [
    ['tests', tests, `of ${report.rows} rows of the opcode table, ${perSecond(tests, elapsedMs)}`],
    [engine, tests, perSecond(tests, engineMs)],
  ];
  if (oracle === undefined) return [...lines, ...rows(table)].join('\n');
  table.push([oracle, tests, perSecond(tests, oracleMs)], ['compared', compared, '']);
  const worst = [...refused].sort(([, a], [, b]) => b - a).map(([name]) => name);
  if (worst.length > 0) {
    const more = worst.length > 8 ? ` and ${worst.length - 8} more` : '';
    const words = `${oracle} does not support them: ${worst.slice(0, 8).join(', ')}${more}`;
    table.push(['refused', tests - compared, words]);
  }
  for (const [because, count] of known) table.push(['explained', count, because]);
  const unexplained = found.reduce((sum, { count }) => sum + count, 0);
  table.push(['differences', unexplained, unexplained === 0 ? '' : `of ${found.length} kinds`]);
  return [...lines, ...rows(table), ...differences(report, engine, oracle)].join('\n');
}

function differences({ found, mode }: VerifierReport, engine: string, oracle: string): string[] {
  if (found.length === 0) return [];
  const sorted = found.toSorted((a, b) => b.count - a.count);
  const width = Math.max(...sorted.map(({ mnemonic }) => mnemonic.length));
  const lines = ['', 'what differs, by instruction:'];
  for (const { mnemonic, fields, count } of sorted) {
    lines.push(`  ${mnemonic.padEnd(width)} ${number(count).padStart(7)}  ${fields}`);
  }
  for (const { first } of sorted.slice(0, SHOWN)) {
    lines.push('', describe(modes[mode], first, [engine, oracle]));
  }
  const more = sorted.length - SHOWN;
  if (more > 0) lines.push('', `… and ${more} more kinds: --only NAME shows those of one instruction`);
  return lines;
}
