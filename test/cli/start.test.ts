/** What a plain run does not load or start, so that it starts nearly as quickly as Node: see docs/architecture.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { cli, root, Scratch } from '../support.js';

const hello = path.join(root, 'guests/hello');
/** At its end a process says which of Node's modules it has loaded, and which of the package's bundles. */
const SPY = `const fs = require('fs');
const { readFileSync } = fs;
const bundles = new Set();
fs.readFileSync = (file, ...rest) => {
  const [, bundle] = /([\\w-]+)\\.cjs$/.exec(file) ?? [];
  if (bundle !== undefined) bundles.add(bundle);
  return readFileSync(file, ...rest);
};
process.on('exit', () => {
  const loaded = process.moduleLoadList.filter((one) => one.startsWith('NativeModule ')).map((one) => one.slice(13));
  fs.writeSync(2, 'LOADED ' + loaded.join(' ') + '\\nBUNDLES ' + [...bundles].sort().join(' ') + '\\n');
});`;

interface Loaded {
  modules: string[];
  bundles: string[];
}

function loadedBy(...words: string[]): Loaded {
  using scratch = new Scratch();
  const spy = scratch.file('spy.cjs');
  writeFileSync(spy, SPY);
  // Files, as a shell's redirections are.
  const line = `"$0" -r "$1" "$2" "\${@:3}" </dev/null >"$1.out"`;
  const done = spawnSync('bash', ['-c', line, process.execPath, spy, cli, ...words], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const list = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(done.stderr)![1]!.split(' ');
  return { modules: list('LOADED'), bundles: list('BUNDLES') };
}

describe('a plain run', () => {
  for (const engine of ['auto', 'soft']) {
    test(`needs neither a thread nor most of Node's modules (${engine})`, () => {
      const unneeded = [
        'child_process',
        'worker_threads',
        'net',
        'tty',
        'zlib',
        'crypto',
        'os',
        'fs/promises',
        'readline',
      ];
      // On a busy machine a guest of a few milliseconds takes longer, and then a user may type.
      let needed: string[] = unneeded;
      for (let attempt = 0; attempt < 10 && needed.length > 0; attempt++) {
        const loaded = new Set(loadedBy('run', hello, '--engine', engine, '--quiet').modules);
        needed = unneeded.filter((name) => loaded.has(name));
      }
      assert.deepEqual(needed, []);
    });
  }

  test('loads the code of its engine, and not that of other commands or missing devices', () => {
    const bundlesOf = (guest: string, ...words: string[]) =>
      loadedBy('run', path.join(root, guest), '--engine', 'soft', ...words).bundles;
    assert.deepEqual(bundlesOf('guests/hello'), ['cli', 'run', 'soft']);
    assert.deepEqual(bundlesOf('guests/fat-shell', '--quiet', '--type', 'exit\\n'), [
      'cli',
      'pc',
      'run',
      'soft',
    ]);
  });

  test('has a thread where one of its options needs one', () => {
    assert.ok(loadedBy('run', hello, '--simvirtio', 'polling').modules.includes('worker_threads'));
  });
});
