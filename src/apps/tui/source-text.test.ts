/** The lines of sources, found by the compiler's directory and path (DWARF 5, 6.2.4), not by their name alone. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { SourceText } from './source-text.js';

const top = mkdtempSync(path.join(tmpdir(), 'terrarium-source-'));
after(() => rmSync(top, { recursive: true }));

function put(file: string, text: string): string {
  const full = path.join(top, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const shown = (folder: string, directory: string | undefined, given: string) =>
  new SourceText(folder).line({ file: { directory, path: given, name: path.basename(given) }, line: 1 });

describe('the source of a line', () => {
  put('k/main.c', 'of the kernel');
  put('k/lib/main.c', 'of the library');
  const folder = path.join(top, 'k');

  test('is the file that the compiler read, beside another one of its name', () => {
    assert.equal(shown(folder, folder, 'main.c'), 'of the kernel');
    assert.equal(shown(folder, folder, 'lib/main.c'), 'of the library');
    assert.equal(shown(path.join(folder, 'lib'), folder, 'main.c'), 'of the kernel');
  });

  test('is found in the folder of an image that was moved', () => {
    assert.equal(shown(folder, '/gone', 'main.c'), 'of the kernel');
    assert.equal(shown(folder, '/gone', 'lib/main.c'), 'of the library');
    assert.equal(shown(folder, '/gone', 'guests/k/main.c'), 'of the kernel');
    assert.equal(shown(folder, '/gone', '/gone/main.c'), 'of the kernel');
  });

  test('lies beside the image, where the compiler’s directory is not known', () => {
    put('elsewhere/main.c', 'of neither');
    const before = process.cwd();
    process.chdir(path.join(top, 'elsewhere'));
    try {
      assert.equal(shown(folder, undefined, 'main.c'), 'of the kernel');
    } finally {
      process.chdir(before);
    }
  });

  test('is not another file of the same name', () => {
    assert.equal(shown(folder, '/gone', 'drivers/main.c'), undefined);
    assert.equal(shown(folder, '/gone', '/usr/src/other/main.c'), undefined);
  });
});
