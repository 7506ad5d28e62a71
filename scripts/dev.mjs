// `npm run dev`: builds when a source changes, and runs the tests that import the changed files, the nearest first. A further
// change ends that run and begins another. Tests that use only the command line run with `npm test -- WORD`.
import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { reachedBy } from './import-graph.mjs';
import { root } from './paths.mjs';
import { schedule } from './select-tests.mjs';
import { install, say } from './setup.mjs';

/** Editors write a file in several steps. */
const QUIET_MS = 100;

install({ tests: true });
await buildIfStale({ tests: true });
const changed = new Set();
let timer;
let run;
for (const folder of ['src', 'test', 'bench']) {
  watch(path.join(root, folder), { recursive: true }, (_, name) => {
    if (name === null || !name.endsWith('.ts')) return;
    changed.add(path.join(folder, name));
    clearTimeout(timer);
    timer = setTimeout(restart, QUIET_MS);
  });
}
process.on('exit', endRun);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit());
say('waiting for changes in src/, test/ and bench/ (Ctrl-C ends)');

let work = Promise.resolve();

/** One build at a time: a change during one is built after it. */
function restart() {
  endRun();
  work = work.then(buildAndTest);
}

async function buildAndTest() {
  const files = [...changed];
  changed.clear();
  if (files.length === 0) return;
  try {
    await buildIfStale({ tests: true });
  } catch (error) {
    // esbuild has printed its errors; the next change tries again.
    if (error.errors === undefined) say(error.message);
    return;
  }
  const tests = reachedBy(files).filter((file) => existsSync(path.join(root, file)));
  say(`${files.join(', ')} changed: ${tests.length} test files reach it`);
  if (tests.length > 0) startTests(tests);
}

/** Ends the run with the test files that it has started: they are in its process group. */
function endRun() {
  if (run?.exitCode !== null || run.signalCode !== null) return;
  try {
    process.kill(-run.pid, 'SIGTERM');
  } catch {
    // It has already ended.
  }
}

function startTests(tests) {
  endRun();
  const plan = JSON.stringify({ ...schedule(tests, { keepOrder: true }), patterns: [] });
  const words = ['--enable-source-maps', path.join(root, 'scripts/run-tests.mjs'), plan];
  run = spawn(process.execPath, words, { cwd: root, stdio: 'inherit', detached: true });
}
