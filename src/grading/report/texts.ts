/**
 * The class as JSON, CSV, JUnit's XML and text.
 *
 * @module
 */
import { type CheckResult, passed } from '../../exercises/index.js';
import type { ClassReport, Entry } from './class-report.js';

export function toJson(report: ClassReport): string {
  const { exercise, entries, distribution, mean, missed } = report;
  const { name, title, points } = exercise;
  return `${JSON.stringify(
    {
      version: 1,
      exercise: { name, title, points },
      passed: report.passed,
      mean,
      distribution,
      missed,
      submissions: entries,
    },
    null,
    1,
  )}\n`;
}

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const row = (cells: readonly (string | number)[]) => `${cells.map(cell).join(',')}\r\n`;

export function toCsv({ entries }: ClassReport): string {
  const head = row(['id', 'name', 'key', 'points', 'out of', 'state', 'passed', 'seed', 'feedback']);
  const lines = entries.map((entry) => {
    const { id, name = '', key = '', verdict, seed } = entry;
    const { points, outOf, state } = verdict;
    return row([id, name, key, points, outOf, state, passed(verdict) ? 'yes' : 'no', seed, feedback(entry)]);
  });
  return head + lines.join('');
}

/** Moodle's grading worksheet, to import into its assignment. */
export function toMoodle({ entries, exercise }: ClassReport): string {
  const head = row(['Identifier', 'Full name', 'Grade', 'Maximum Grade', 'Feedback comments']);
  const lines = entries.map((entry) =>
    row([
      `Participant ${entry.key ?? entry.id}`,
      entry.name ?? entry.id,
      entry.verdict.state === 'set-aside' ? '' : entry.verdict.points.toFixed(2),
      exercise.points.toFixed(2),
      feedback(entry),
    ]),
  );
  return head + lines.join('');
}

/** The text for a student, in a few lines. */
export function feedback({ verdict }: Entry): string {
  if (verdict.state === 'set-aside')
    return 'This submission could not be graded automatically. Your teacher looks at it.';
  if (verdict.state === 'not-compiled')
    return `It was not run: ${verdict.build?.message ?? ''}`.slice(0, 1000);
  const missing = verdict.checks.filter(({ ok }) => !ok);
  return missing.length === 0 ? 'All checks hold.' : [...new Set(missing.map(messageOf))].join('\n');
}

/** The missing requirement, for the student. */
export function messageOf({ message, name, hidden }: CheckResult): string {
  return message === '' ? `${hidden ? 'A hidden check' : name} does not hold.` : message;
}

/** The most useful line of a message: a compiler's first error, else the first line. */
export function firstLine(text: string): string {
  const lines = text.split('\n');
  return lines.find((line) => /:\d+: (?:\d+: )?(?:fatal )?error: /i.test(line)) ?? lines[0]!;
}

const xml = (text: string) =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no place for these
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

export function toJunit({ entries, exercise }: ClassReport): string {
  const suites = entries.map(({ id, verdict }) => {
    const { checks, state } = verdict;
    const failed = checks.filter(({ ok }) => !ok).length;
    const cases =
      state === 'graded'
        ? checks.map((check) => {
            const { ok, expected, found, hidden } = check;
            const seen = hidden ? '' : `expected ${expected}, found ${found}`;
            const inside = ok ? '' : `<failure message="${xml(messageOf(check))}">${xml(seen)}</failure>`;
            return `    <testcase classname="${xml(id)}" name="${xml(check.name)}">${inside}</testcase>\n`;
          })
        : [
            `    <testcase classname="${xml(id)}" name="${state}"><error message="${xml(verdict.problem ?? verdict.build?.message ?? '')}"/></testcase>\n`,
          ];
    const errors = state === 'graded' ? 0 : 1;
    return `  <testsuite name="${xml(id)}" tests="${cases.length}" failures="${failed}" errors="${errors}">\n${cases.join('')}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(exercise.name)}">\n${suites.join('')}</testsuites>\n`;
}

/** Gradescope's `results.json` for one submission. */
export function toGradescope({ exercise }: ClassReport, entry: Entry): string {
  const { verdict } = entry;
  const tests = verdict.checks.map((check) => {
    const { name, ok, points, outOf, hidden, expected, found } = check;
    const seen = hidden || ok ? '' : `\nexpected ${expected}, found ${found}`;
    return {
      name,
      score: points,
      max_score: outOf,
      status: ok ? 'passed' : 'failed',
      ...(!ok && { output: `${messageOf(check)}${seen}` }),
      visibility: 'visible',
    };
  });
  const why = verdict.runs.find((run) => !run.hidden && run.why !== undefined)?.why;
  const output = [feedback(entry), why].filter(Boolean).join('\n\n');
  return `${JSON.stringify({ score: verdict.points, output, output_format: 'text', tests, extra_data: { exercise: exercise.name, seed: entry.seed, state: verdict.state } }, null, 1)}\n`;
}

/** A table for a terminal. */
export function toText(report: ClassReport, plain: (text: string) => string): string {
  const width = Math.min(40, Math.max(7, ...report.entries.map(({ id }) => plain(id).length)));
  const lines = report.entries.map(({ id, verdict }) => {
    const { points, outOf, state } = verdict;
    const first = verdict.checks.find(({ ok }) => !ok);
    const said =
      state === 'graded'
        ? first === undefined
          ? 'all checks hold'
          : messageOf(first)
        : (verdict.problem ?? verdict.build?.message ?? '');
    const short = plain(firstLine(said)).slice(0, 90);
    return `${plain(id).slice(0, 40).padEnd(width)}  ${`${points}/${outOf}`.padStart(7)}  ${state === 'graded' ? '' : `${state}: `}${short}`;
  });
  const { entries, mean, exercise } = report;
  const aside = report.count('set-aside');
  const sum = `${entries.length} submission${entries.length === 1 ? '' : 's'} of ${exercise.title}: ${report.passed} passed, ${report.count('not-compiled')} did not compile${aside > 0 ? `, ${aside} set aside` : ''}; mean ${mean} of ${exercise.points} points`;
  return `${lines.join('\n')}\n\n${sum}\n`;
}
