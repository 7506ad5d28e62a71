import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../support.js';

// What V8 compiled ahead is only worth something where V8 takes it, and must never be needed.

const bundles = ['dist/program.cjs', 'dist/machine-thread.cjs'];

/** Says whether V8 takes the cache. In a process of its own: flags that tests set here count too. */
const ask = `
  const { readFileSync } = require('node:fs');
  const [file] = process.argv.slice(1);
  const source = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(file, 'latin1') + '\\n})';
  const script = new (require('node:vm').Script)(source, { filename: file, cachedData: readFileSync(file + '.cache') });
  console.log(script.cachedDataRejected ? 'refused' : 'taken');`;

const answer = (bundle: string, ...flags: string[]) =>
  spawnSync(process.execPath, [...flags, '-e', ask, path.join(root, bundle)], { encoding: 'utf8' });

for (const bundle of bundles) {
  test(`V8 takes the code that the build compiled of ${bundle}`, () => {
    const { stdout, stderr } = answer(bundle);
    assert.equal(stdout, 'taken\n', stderr);
  });
}

test('a V8 with other flags refuses it and compiles anew, and the guest runs', () => {
  // Flags are among what V8 compares (SerializedCodeData::SanityCheck).
  const flag = '--no-lazy';
  for (const bundle of bundles) assert.equal(answer(bundle, flag).stdout, 'refused\n');
  const words = [flag, path.join(root, 'dist/cli.cjs'), 'run', path.join(root, 'guests/hello')];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Hello from inside the terrarium/);
});
