import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { asTyped } from '../../../command.js';
import { ConfigError } from '../../../errors.js';
import { type Exercise, isExercise, readExercise, sandboxHere } from '../../../exercises/index.js';
import {
  checkQueueUrl,
  classPageFile,
  findSubmissions,
  gradeClass,
  type Progress,
  QueueService,
  toCsv,
  toGradescope,
  toJson,
  toJunit,
  toMoodle,
  toText,
  writeOutput,
  writePages,
} from '../../../grading/index.js';
import { printableText } from '../../../symbols/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { cacheFolder } from '../../frontend/grading-cache.js';
import { prepareOutput } from '../../frontend/output-file.js';
import { parseCount, parseDuration } from '../../frontend/values.js';
import { DEFAULT_LAB_PORT } from '../../lab-server/server.js';

const examples = `
Examples:
  $ terrarium grade exercise submissions               a folder of folders and archives: a table
  $ terrarium grade exercise class.zip --html report   a page for the class, and one for each student
  $ terrarium grade exercise alice bob.zip carol.tar.gz --json grades.json --csv grades.csv
  $ terrarium grade exercise 'git:class.git#hand-in/*' each branch of a repository that matches
  $ terrarium grade exercise class.zip --queue redis://class.example:6379    by workers on other machines
  $ terrarium grade exercise moodle.zip --moodle grades.csv     from Moodle's export, and for its import
`;

interface Options {
  jobs?: number;
  json?: string;
  junit?: string;
  csv?: string;
  moodle?: string;
  gradescope?: string;
  html?: string;
  lab: string;
  seed?: string;
  student?: string;
  secret?: string;
  patience: number;
  fresh?: boolean;
  quiet?: boolean;
  queue?: string;
}

/** Submissions that wait in a queue for other machines: a third of those that are read ahead. */
const AT_A_TIME = 64;

export function gradeCommand(): Command {
  return new Command('grade')
    .description('Grades submissions: compiles them safely, runs them, and reports what each did.')
    .addHelpText('before', asTyped(examples.trimStart()))
    .argument('<exercise>', 'its folder')
    .argument(
      '<submissions...>',
      'folders, .zip, .tar or .tar.gz files, folders of these, exports of Moodle or Gradescope, git:REPOSITORY#PATTERN',
    )
    .option('-j, --jobs <n>', 'how many at a time; default: one for each processor', parseCount)
    .option('--html <folder>', 'write a page for the class, and one for each student')
    .option(
      '--lab <url>',
      'the lab that opens a student’s run from the page; this default is `terrarium lab`',
      parseLab,
      `http://localhost:${DEFAULT_LAB_PORT}/`,
    )
    .option('--json <file>', 'write everything, for programs; - is stdout')
    .option('--csv <file>', 'write a table for a spreadsheet')
    .option('--junit <file>', 'write the XML that CI systems read')
    .option('--moodle <file>', 'write the grading worksheet to import into a Moodle assignment')
    .option('--gradescope <file>', 'write results.json for one submission')
    .option('--student <name>', 'the student of a single submission; default: the name of its folder')
    .option(
      '--secret <word>',
      'random inputs depend on it and on the student’s name: store it, and keep it secret',
    )
    .option('--seed <text>', 'the same random inputs for every student: to repeat a run')
    .option('--queue <url>', 'let `terrarium worker` grade, on other machines: redis://HOST:6379')
    .option(
      '--patience <time>',
      'wall-clock time after which a submission is set aside',
      parseDuration,
      60_000,
    )
    .option('--fresh', 'grade again what an earlier run has graded')
    .option('-q, --quiet', 'no progress')
    .action(grade);
}

/** `https://lab.example/` → the same; an address that would run as a script is refused. */
function parseLab(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== '')
    throw new InvalidArgumentError(`'${text}' is not an address like https://lab.example/.`);
  return url.href;
}

const ONE = 'name one submission, or omit the option';

async function grade(folder: string, words: string[], options: Options): Promise<void> {
  const exercise = findExercise(folder);
  const found = findSubmissions(exercise, words);
  if (options.student !== undefined && found.length !== 1)
    throw new ConfigError(`--student is for one submission, and there are ${found.length}`, ONE);
  const submissions = options.student === undefined ? found : [{ ...found[0]!, id: options.student }];
  if (options.gradescope !== undefined && submissions.length !== 1)
    throw new ConfigError(`--gradescope is for one submission, and there are ${submissions.length}`, ONE);
  const { json, junit, csv, moodle, gradescope, html } = options;
  for (const [option, file] of Object.entries({ json, junit, csv, moodle, gradescope }))
    prepareOutput(`--${option}`, file);
  if (html !== undefined) prepareOutput('--html', classPageFile(html));
  if (!options.quiet && options.queue === undefined) noteSandbox();
  const say = (text: string) => void process.stderr.write(`terrarium: ${text}\n`);
  const service =
    options.queue === undefined
      ? undefined
      : await QueueService.open(checkQueueUrl(options.queue), exercise, say);
  const aborted = new AbortController();
  const stop = () => aborted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const progress = options.quiet ? undefined : new ProgressLine();
  const report = await gradeClass({
    exercise,
    submissions,
    jobs: options.jobs ?? (service ? AT_A_TIME : availableParallelism()),
    ...(service && { service }),
    cache: cacheFolder(),
    patienceMs: options.patience,
    signal: aborted.signal,
    ...(options.fresh && { fresh: true }),
    ...(options.secret !== undefined && { secret: options.secret }),
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(progress && { onProgress: (now: Progress) => progress.show(now) }),
  }).finally(() => progress?.end());
  if (json !== undefined) writeOutput(json, toJson(report));
  if (junit !== undefined) writeOutput(junit, toJunit(report));
  if (csv !== undefined) writeOutput(csv, toCsv(report));
  if (moodle !== undefined) writeOutput(moodle, toMoodle(report));
  if (gradescope !== undefined) writeOutput(gradescope, toGradescope(report, report.entries[0]!));
  if (![json, junit, csv, moodle, gradescope].includes('-'))
    process.stdout.write(toText(report, printableText));
  if (html !== undefined)
    process.stderr.write(`terrarium: written to ${writePages(report, html, options.lab)}\n`);
  // A class in which some did not pass was graded too; only a submission that could not be graded is a failure.
  process.exitCode = report.count('set-aside') > 0 ? ExitStatus.expectationFailed : ExitStatus.ok;
}

function findExercise(folder: string): Exercise {
  if (isExercise(folder) || existsSync(folder)) return readExercise(folder);
  throw new ConfigError(
    `${folder}: no such folder`,
    'the first word is the exercise’s folder, the others are submissions',
  );
}

function noteSandbox(): void {
  const kind = sandboxHere();
  process.stderr.write(
    kind === 'none'
      ? 'terrarium: neither bubblewrap nor unshare works here: only assembler sources are taken, by the built-in assembler\n'
      : `terrarium: sources are compiled in ${kind === 'unshare' ? 'namespaces (unshare)' : kind}\n`,
  );
}

/** On a terminal one line that is overwritten; elsewhere a new line from time to time. */
class ProgressLine {
  readonly #tty = process.stderr.isTTY === true;
  #last = 0;
  #open = false;

  show({ done, all, known, elapsedMs }: Progress): void {
    if (elapsedMs - this.#last < (this.#tty ? 200 : 10_000) && done < all) return;
    if (!this.#tty && done === all && this.#last === 0) return;
    this.#last = elapsedMs;
    const fresh = done - known;
    const rate = (fresh * 1000) / Math.max(elapsedMs, 1);
    const left = fresh > 0 && done < all ? `, about ${durationText((all - done) / rate)} left` : '';
    const text = `graded ${done} of ${all}${known > 0 ? ` (${known} earlier)` : ''}, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second${left}`;
    process.stderr.write(this.#tty ? `\r\x1b[K${text}` : `terrarium: ${text}\n`);
    this.#open = this.#tty;
  }

  end(): void {
    if (this.#open) process.stderr.write('\n');
    this.#open = false;
  }
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
