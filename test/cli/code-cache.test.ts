/** Code that V8 compiled at the first start is used by the second, but never required. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { cli, root, Scratch } from '../support.js';

const bundles = ['run.cjs', 'machine-thread.cjs', 'program.cjs', 'pc.cjs'];

const hello = path.join(root, 'guests/hello');
/**
 * A run on the command's own thread, one that boots a disk, one with a thread, and another command: each needs its own
 * bundle.
 */
const starts: [words: string[], shows: RegExp][] = [
  [['run', hello], /Hello from inside the terrarium/],
  [['run', path.join(root, 'guests/fat-shell'), '--engine', 'soft', '--type', 'exit\\n'], /Bye/],
  [['run', hello, '--simvirtio', 'polling'], /Hello from inside the terrarium/],
  [['--version'], /^\d/],
];

/** Starts the command with each of them, or only with the first; returns their stderr. */
function start(cacheHome: string, more: NodeJS.ProcessEnv = {}, how: 'each' | 'first' = 'each'): string {
  const { NODE_DISABLE_COMPILE_CACHE: _, ...env } = process.env;
  return (how === 'each' ? starts : starts.slice(0, 1))
    .map(([words, shows]) => {
      const done = spawnSync(process.execPath, [cli, ...words], {
        encoding: 'utf8',
        env: { ...env, XDG_CACHE_HOME: cacheHome, ...more },
      });
      assert.equal(done.status, 0, done.stderr);
      assert.match(done.stdout, shows);
      return done.stderr;
    })
    .join('');
}

/** The files of the cache, from its folder. */
function entries(cacheHome: string): string[] {
  const folder = path.join(cacheHome, 'terrarium');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => path.join(folder, file))
    .filter((file) => statSync(file).isFile());
}

/** The entry of a bundle in a cache. */
function entryOf(bundle: string, cacheHome: string): string {
  const found = entries(cacheHome).filter((file) => path.basename(file).startsWith(`${bundle}-`));
  assert.equal(found.length, 1, entries(cacheHome).join());
  return found[0]!;
}

/** Asks V8, in a process with its usual flags, whether it accepts the bytes after the three lines of the key. */
function isTaken(bundle: string, entry: string): boolean {
  const ask = `
    const { readFileSync } = require('node:fs');
    const [file, entry] = process.argv.slice(1);
    const bytes = readFileSync(entry);
    let start = 0;
    for (let line = 0; line < 3; line++) start = bytes.indexOf(10, start) + 1;
    const source = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(file, 'latin1') + '\\n})';
    const { cachedDataRejected } = new (require('node:vm').Script)(source, { filename: file, cachedData: bytes.subarray(start) });
    console.log(cachedDataRejected ? 'refused' : 'taken');`;
  const words = ['-e', ask, path.join(root, 'dist', bundle), entry];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.match(stdout, /^(taken|refused)$/m, stderr);
  return stdout.trim() === 'taken';
}

describe('the code that V8 compiled', () => {
  test('is stored by the first start, and accepted by V8', () => {
    using scratch = new Scratch();
    start(scratch.path);
    for (const bundle of bundles) assert.ok(isTaken(bundle, entryOf(bundle, scratch.path)), bundle);
    const kept = () => bundles.map((bundle) => statSync(entryOf(bundle, scratch.path)).ino);
    const before = kept();
    start(scratch.path);
    assert.deepEqual(kept(), before, 'the second start writes nothing');
  });

  test('of an older file, and a damaged one, is compiled again', () => {
    using scratch = new Scratch();
    start(scratch.path);
    for (const bundle of bundles) {
      const entry = entryOf(bundle, scratch.path);
      const [file, size] = readFileSync(entry, 'latin1').split('\n');
      writeFileSync(entry, `${file}\n${size}\n0\nof the file as it was in 1970`);
    }
    start(scratch.path);
    for (const bundle of bundles) assert.ok(isTaken(bundle, entryOf(bundle, scratch.path)), bundle);
    for (const bundle of bundles) writeFileSync(entryOf(bundle, scratch.path), 'nonsense');
    start(scratch.path);
    for (const bundle of bundles) assert.ok(isTaken(bundle, entryOf(bundle, scratch.path)), bundle);
  });

  test('is neither stored nor read where others may write, where it cannot be, and where it is switched off', () => {
    using scratch = new Scratch();
    const open = scratch.file('open');
    mkdirSync(path.join(open, 'terrarium'), { recursive: true });
    chmodSync(path.join(open, 'terrarium'), 0o777);
    start(open, {}, 'first');
    assert.deepEqual(entries(open), []);
    writeFileSync(scratch.file('file'), '');
    start(scratch.file('file'), {}, 'first');
    start(scratch.file('off'), { NODE_DISABLE_COMPILE_CACHE: '1' }, 'first');
    assert.deepEqual(entries(scratch.file('off')), []);
  });

  test('does not include the file that loads it, which is small, since it is compiled each time', () => {
    assert.ok(
      statSync(cli).size < 16 * 1024,
      `${cli} has ${statSync(cli).size} bytes: it imports more than it needs`,
    );
  });

  test('is left out where its folder cannot be made: Node’s own mkdir never returns there', {
    skip: process.platform !== 'linux' && 'only Linux has /proc',
  }, () => {
    start('/proc/terrarium', {}, 'first');
  });
});
