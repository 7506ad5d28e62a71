// Runs test files, some at a time where they can share the machine, and reports them as one run in Node's own `spec` format: the
// failures again at the end, and one summary. Started by scripts/test.mjs with a JSON of { shared, alone, patterns, times, patienceMs };
// a list among the files of `shared` is a group, whose files run in one process, one after another.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';

/**
 * Nothing may hang: a file that reports nothing for this time is ended. A file has many tests, and a busy host may take
 * long for all.
 */
const TIMEOUT_MS = 300_000;

/** The lines of Node's summary, in its order. */
const counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** The kinds of failure that Node counts as cancelled. */
const cancelled = new Set(['cancelledByParent', 'testAborted', 'testTimeoutFailure']);

const { shared, alone, patterns, times, patienceMs = TIMEOUT_MS } = JSON.parse(process.argv[2]);
const report = new Spec();
report.pipe(process.stdout);

const started = performance.now();
const durations = [];
const scratch = mkdtempSync(path.join(tmpdir(), 'terrarium-run-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const measured = times ? path.join(scratch, 'times') : undefined;
if (times) measureIn(process.env);
// Twice as many as there are processors, up to four: files often wait. A name selects few tests: then each file has
// its own process, since Node reports tests that are not selected in different ways.
await runAll(patterns.length > 0 ? shared.flat() : shared, Math.min(4, 2 * availableParallelism()));
await runAll(alone, 1);

if (times) sayTimes();
for (const [name, count] of Object.entries(counts)) say(`${name} ${count}`);
say(`duration_ms ${performance.now() - started}`);
report.end();
const none = counts.tests === 0 && patterns.length > 0;
if (none) process.stderr.write(`terrarium: no test has '${patterns.join("' or '")}' in its name\n`);
process.exitCode = counts.fail + counts.cancelled > 0 || none ? 1 : 0;

function say(message) {
  report.write({ type: 'test:diagnostic', data: { nesting: 0, message } });
}

/** The test files' processes report their use of the processor: scripts/measure-tests.mjs. */
function measureIn(env) {
  const { NODE_OPTIONS = '' } = env;
  env.TERRARIUM_TIMES = JSON.stringify({ report: measured, NODE_OPTIONS });
  env.NODE_OPTIONS = `${NODE_OPTIONS} --import=${new URL('measure-tests.mjs', import.meta.url)}`;
}

/** Wall-clock and processor time of each file, the latter where /proc has it (scripts/measure-tests.mjs). */
function sayTimes() {
  const lines = existsSync(measured) ? readFileSync(measured, 'utf8').trim().split('\n') : [];
  const used = new Map();
  for (const { file, own, programs } of lines.map((line) => JSON.parse(line))) {
    const before = used.get(file) ?? { own: 0, programs: 0 };
    used.set(file, { own: before.own + own, programs: before.programs + programs });
  }
  // For a group only the sum is known: it is divided among the files in proportion to their time.
  const rows = durations.map(({ file, seconds, entry = file, share = 1 }) => {
    const { own, programs } = used.get(path.resolve(entry)) ?? {};
    return { file, seconds, own: own && own * share, programs: programs && programs * share };
  });
  const work = ({ seconds, own = seconds, programs = 0 }) => own + programs;
  for (const row of rows.sort((a, b) => work(b) - work(a))) sayTime(row);
  const sum = (of) => rows.reduce((total, row) => total + (row[of] ?? 0), 0);
  sayTime({ file: 'all', seconds: sum('seconds'), own: sum('own'), programs: sum('programs') });
}

function sayTime({ file, seconds, own, programs }) {
  const column = (value) => `${value?.toFixed(1) ?? '?'} s`.padStart(8);
  say(`${column(seconds)}, of a processor ${column(own)} and its programs ${column(programs)}  ${file}`);
}

async function runAll(entries, width) {
  const waiting = [...entries];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await (Array.isArray(next) ? runGroup(next) : runFile(next));
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** A file is reported after its end, since the lines of two files would mix. */
async function runFile(file) {
  const { events, hung, seconds } = await eventsOf(file);
  if (hung) say(`${file} reported nothing for ${patienceMs / 1000} s and was ended`);
  durations.push({ file, seconds });
  reportAll(patterns.length === 0 ? events : withoutUnnamed(events));
}

/**
 * Runs files in one process. If that process ends early, each file runs again in its own process, which shows the
 * cause.
 */
async function runGroup(files) {
  const entry = path.join(scratch, `${path.basename(files[0], '.js')}-and-${files.length - 1}.mjs`);
  const imports = ['build/test/support/turns.js', ...files].map(
    (file) => `import '${pathToFileURL(path.resolve(file))}';\n`,
  );
  writeFileSync(entry, imports.join(''));
  const { events, hung, seconds } = await eventsOf(entry);
  if (
    hung ||
    events.some(({ type, data }) => type === 'test:fail' && path.basename(data.name) === path.basename(entry))
  ) {
    say(
      `${files.length} files in one process did not complete; each runs again separately: ${files.join(' ')}`,
    );
    for (const file of files) await runFile(file);
    return;
  }
  const tests = events.filter(({ type, data }) => /^test:(pass|fail)$/.test(type) && data.nesting === 0);
  const timeOf = (some) => some.reduce((sum, { data }) => sum + data.details.duration_ms, 0);
  const total = timeOf(tests) || 1;
  for (const file of files) {
    const share = timeOf(tests.filter((test) => isOf(test, file))) / total;
    durations.push({ file, seconds: share * seconds, entry, share });
  }
  reportAll(events);
}

/** Node names a built file's source, where there is a source map. */
function isOf({ data }, file) {
  const source = path.resolve(path.relative('build', file).replace(/\.js$/, '.ts'));
  return data.file === source || data.file === path.resolve(file);
}

/** Runs a file with Node's runner, to its end or until it stops reporting. */
async function eventsOf(file) {
  const begun = performance.now();
  const hangs = new AbortController();
  let patience = setTimeout(() => hangs.abort(), patienceMs);
  const options = {
    files: [path.resolve(file)],
    concurrency: 1,
    signal: hangs.signal,
  };
  if (patterns.length > 0) options.testNamePatterns = patterns;
  const events = [];
  for await (const event of run(options)) {
    events.push(event);
    clearTimeout(patience);
    patience = setTimeout(() => hangs.abort(), patienceMs);
  }
  clearTimeout(patience);
  return { events, hung: hangs.signal.aborted, seconds: (performance.now() - begun) / 1000 };
}

function reportAll(events) {
  for (const event of events) {
    if (isSummary(event)) continue;
    count(event);
    report.write(event);
  }
}

/** A file's own summary is not shown. */
function isSummary({ type, data }) {
  if (type === 'test:summary') return true;
  return type === 'test:diagnostic' && data.nesting === 0 && /^\w+ [\d.]+$/.test(data.message);
}

/** Counts like Node. */
function count({ type, data }) {
  if (type !== 'test:pass' && type !== 'test:fail') return;
  if (data.details.type === 'suite') {
    counts.suites++;
    return;
  }
  counts.tests++;
  if (data.skip !== undefined) counts.skipped++;
  else if (data.todo !== undefined) counts.todo++;
  else if (type === 'test:pass') counts.pass++;
  else if (cancelled.has(data.details.error?.failureType)) counts.cancelled++;
  else counts.fail++;
}

/**
 * Where tests are selected by name, Node 20 reports all others as skipped and their suites as passed, and later
 * versions report a file without a selected test as passed. A suite is reported after its tests.
 */
function withoutUnnamed(events) {
  const unnamed = new Set();
  const shown = [];
  for (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const inside = shown.findLastIndex((nesting) => nesting <= data.nesting);
    const isEmpty = data.details.type === 'suite' && inside === shown.length - 1;
    const isOther = path.isAbsolute(data.name) || /name does not match pattern/.test(String(data.skip));
    if (type === 'test:pass' && (isEmpty || isOther)) unnamed.add(place(data));
    else shown.push(data.nesting);
  }
  return events.filter(({ data }) => !unnamed.has(place(data)));
}

function place({ name, nesting, line, column }) {
  return [name, nesting, line, column].join();
}
