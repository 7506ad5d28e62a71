/** Folders that `new` and `course start` cannot make: one line of error, at once, with nothing written. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

const makers = [
  ['new', (folder: string) => ['new', folder]],
  ['course start', (folder: string) => ['course', 'start', '1', folder]],
] as const;

for (const [name, words] of makers) {
  describe(`a folder for ${name}`, () => {
    test('an empty name is refused, and existing files stay', () => {
      using scratch = new Scratch();
      writeFileSync(scratch.file('kernel.c'), 'mine');
      for (const empty of ['', ' ']) {
        const done = terrarium(words(empty), { cwd: scratch.path });
        assert.equal(done.status, 2);
        assert.match(done.stderr, /^terrarium: the name of the folder is empty\n/);
      }
      assert.deepEqual(readdirSync(scratch.path), ['kernel.c']);
      assert.equal(readFileSync(scratch.file('kernel.c'), 'utf8'), 'mine');
    });

    test('where no folder can be made there is an error without a stack trace', () => {
      for (const folder of ['/proc/foo', '/proc/foo/bar', '/etc/passwd', '/etc/passwd/x', '/dev/null/x/y']) {
        const done = terrarium(words(folder));
        assert.equal(done.status, 2, done.stderr);
        assert.match(done.stderr, /^terrarium: .*(cannot be made|not a folder)/, folder);
        assert.doesNotMatch(done.stderr, /\n {4}at /);
      }
    });
  });
}

test('parent folders of the requested one are also made, and an existing one is not changed', () => {
  using scratch = new Scratch();
  assert.equal(terrarium(['new', 'a/b/mine'], { cwd: scratch.path }).status, 0);
  mkdirSync(scratch.file('taken'));
  writeFileSync(scratch.file('taken/notes'), 'mine');
  const done = terrarium(['new', 'taken'], { cwd: scratch.path });
  assert.equal(done.status, 2);
  assert.match(done.stderr, /taken is not empty: it holds notes\n/);
});
