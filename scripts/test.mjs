// `npm test`: sets up, checks types, style and rooms, then runs every test. Words narrow it: `npm test -- boot devices`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root, setup } from './setup.mjs';

const words = process.argv.slice(2);
await setup({ tests: true });

function step(name, ...command) {
  process.stderr.write(`terrarium: ${name}\n`);
  const done = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

if (words.length === 0) {
  step('checking types', 'node_modules/typescript/bin/tsc', '--noEmit');
  step('checking style', 'node_modules/@biomejs/biome/bin/biome', 'check');
}
const files = readdirSync(path.join(root, 'build'), { recursive: true })
  .filter(
    (file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  .map((file) => path.join('build', file))
  .sort();
if (files.length === 0) {
  process.stderr.write(`terrarium: no test file has ${words.join(' or ')} in its name\n`);
  process.exit(1);
}
// One file at a time: timing tests and counts of a process's file descriptors want the machine for themselves.
step(
  `running ${files.length} test files`,
  '--enable-source-maps',
  '--test',
  '--test-concurrency=1',
  '--test-reporter=spec',
  // Nothing may hang: a test that does fails instead.
  '--test-timeout=300000',
  ...files,
);
