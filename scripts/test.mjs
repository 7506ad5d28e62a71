// `npm test`: sets up, checks types, style and rooms, then runs every test. Words select tests: `npm test -- gdb
// devices` runs the files with one of them in their path, `npm test -- 'reads a sector'` the tests with these words in
// their name. `--times` lists the time of each file, and the processor time of it and of the programs that it started.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './build.mjs';
import { cache, runNode, tsc } from './paths.mjs';
import { schedule, select } from './select-tests.mjs';
import { install, say } from './setup.mjs';

const { values, positionals: words } = parseArgs({
  options: { times: { type: 'boolean', default: false } },
  allowPositionals: true,
});
install({ tests: true });
// Meanwhile another core builds the software CPU, if needed.
const checks = words.length > 0 ? [] : [checkTypes(), checkStyle()];
await Promise.all([buildIfStale({ tests: true }), ...checks]);

const { files, patterns } = select(words);
say(`running ${files.length} test files`);
const plan = JSON.stringify({ ...schedule(files), patterns, times: values.times });
process.exitCode = await runNode(['--enable-source-maps', 'scripts/run-tests.mjs', plan]);

async function checkTypes() {
  say('checking types');
  const info = path.join(cache, 'check.tsbuildinfo');
  const words = ['--noEmit', '--incremental', '--tsBuildInfoFile', info];
  const status = await runNode([tsc, ...words]);
  if (status !== 0) process.exit(status);
}

async function checkStyle() {
  say('checking style');
  const status = await runNode(['node_modules/@biomejs/biome/bin/biome', 'check']);
  if (status !== 0) process.exit(status);
}
