import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Scratch } from '../../test/support.js';
import { prune } from './prune.js';

/** Files of 100 bytes, each written a minute before the one before it. */
function written(folder: string, count: number): void {
  for (let n = 0; n < count; n++) {
    const file = path.join(folder, 'images', `${n % 2}${n}`, `key${n}`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, Buffer.alloc(100));
    const seconds = Date.now() / 1000 - n * 60;
    utimesSync(file, seconds, seconds);
  }
}

const left = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .flatMap((name) => /key(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

describe('the results of earlier gradings', () => {
  test('are kept up to a size, the newest ones', () => {
    using scratch = new Scratch();
    written(scratch.path, 10);
    prune(scratch.path, { bytes: 350, ageMs: 1e9 });
    assert.deepEqual(left(scratch.path), [0, 1, 2]);
  });

  test('are kept up to an age', () => {
    using scratch = new Scratch();
    written(scratch.path, 10);
    prune(scratch.path, { bytes: 1e9, ageMs: 4.5 * 60_000 });
    assert.deepEqual(left(scratch.path), [0, 1, 2, 3, 4]);
  });

  test('may be missing', () => {
    using scratch = new Scratch();
    assert.doesNotThrow(() => prune(scratch.file('none')));
  });
});
