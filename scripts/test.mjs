// `npm test`: sets up, checks types, style and rooms, then runs every test. Words choose: `npm test -- gdb devices` runs the files
// that have one of them in their path, `npm test -- 'reads a sector'` the tests that have it in their name. `--times` lists how
// long each file took.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './build.mjs';
import { cache, root } from './paths.mjs';
import { schedule, select } from './select-tests.mjs';
import { install, say } from './setup.mjs';

const { values, positionals: words } = parseArgs({
  options: { times: { type: 'boolean', default: false } },
  allowPositionals: true,
});
install({ tests: true });
// One of both cores builds the software CPU meanwhile, where that is needed.
const checks = words.length > 0 ? [] : [checkTypes(), checkStyle()];
await Promise.all([buildIfStale({ tests: true }), ...checks]);

const { files, patterns } = select(words);
say(`running ${files.length} test files`);
const plan = JSON.stringify({ ...schedule(files), patterns, times: values.times });
process.exitCode = await node('--enable-source-maps', 'scripts/run-tests.mjs', plan);

async function checkTypes() {
  say('checking types');
  const info = path.join(cache, 'check.tsbuildinfo');
  const status = await node(
    'node_modules/typescript/bin/tsc',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    info,
  );
  if (status !== 0) process.exit(status);
}

async function checkStyle() {
  say('checking style');
  const status = await node('node_modules/@biomejs/biome/bin/biome', 'check');
  if (status !== 0) process.exit(status);
}

/** Runs Node on a script, and gives its exit status. */
function node(...command) {
  const child = spawn(process.execPath, command, { cwd: root, stdio: 'inherit' });
  return new Promise((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
}
