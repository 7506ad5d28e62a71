/** What a plain run does without, so that it starts as quickly as Node does: see docs/architecture.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { cli, root, Scratch } from '../support.js';

const hello = path.join(root, 'guests/hello');
/** At its end a process says which of Node's modules it has loaded, and how many threads it has had. */
const SPY = `process.on('exit', () => {
  const loaded = process.moduleLoadList.filter((one) => one.startsWith('NativeModule ')).map((one) => one.slice(13));
  require('fs').writeSync(2, 'LOADED ' + loaded.join(' ') + '\\n');
});`;

function modulesOf(...words: string[]): string[] {
  using scratch = new Scratch();
  const spy = scratch.file('spy.cjs');
  writeFileSync(spy, SPY);
  // Files, as a shell's redirections are.
  const line = `"$0" -r "$1" "$2" "\${@:3}" </dev/null >"$1.out"`;
  const done = spawnSync('bash', ['-c', line, process.execPath, spy, cli, ...words], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return /^LOADED (.*)$/m.exec(done.stderr)![1]!.split(' ');
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
      // On a busy machine a guest of a few milliseconds takes longer, and then somebody might want to type.
      let needed: string[] = unneeded;
      for (let attempt = 0; attempt < 10 && needed.length > 0; attempt++) {
        const loaded = new Set(modulesOf('run', hello, '--engine', engine, '--quiet'));
        needed = unneeded.filter((name) => loaded.has(name));
      }
      assert.deepEqual(needed, []);
    });
  }

  test('has a thread where something of it needs one', () => {
    assert.ok(modulesOf('run', hello, '--simvirtio', 'polling').includes('worker_threads'));
  });
});
