/**
 * Where an image's sources are found, by the compiler's directory and path (DWARF 5, 6.2.4), not only by their name.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { parseImage } from '../../boot/index.js';
import { SymbolTable } from '../../symbols/index.js';
import { buildImage } from './image-file.js';
import { sourceFinder } from './source-files.js';
import { hasDriver } from './tools.js';

const top = mkdtempSync(path.join(tmpdir(), 'terrarium-source-'));
after(() => rmSync(top, { recursive: true }));

const at = (file: string) => path.join(top, file);

function put(file: string, text = ''): void {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
}

/** The file that is found, below `top`. */
function found(folder: string, directory: string | undefined, given: string, named: string[] = []) {
  const file = { directory, path: given, name: path.basename(given) };
  const place = sourceFinder(folder, named)(file);
  return place && path.relative(top, place);
}

describe('the source of a line', () => {
  for (const file of ['k/main.c', 'k/lib/main.c', 'elsewhere/main.c', 'away/own.c']) put(file);
  const folder = at('k');

  test('is the file that the compiler read, beside another one of its name', () => {
    assert.equal(found(folder, folder, 'main.c'), 'k/main.c');
    assert.equal(found(folder, folder, 'lib/main.c'), 'k/lib/main.c');
    assert.equal(found(at('k/lib'), folder, 'main.c'), 'k/main.c');
  });

  test('is found from the image’s folder where the directory is a way from there', () => {
    assert.equal(found(at('elsewhere'), '../k', 'main.c'), 'k/main.c');
    const before = process.cwd();
    process.chdir(at('elsewhere'));
    try {
      assert.equal(found(folder, '.', 'main.c'), 'k/main.c');
    } finally {
      process.chdir(before);
    }
  });

  test('is found in the folder of an image that was moved', () => {
    assert.equal(found(folder, '/gone', 'main.c'), 'k/main.c');
    assert.equal(found(folder, '/gone', 'lib/main.c'), 'k/lib/main.c');
    assert.equal(found(folder, '/gone', 'guests/k/main.c'), 'k/main.c');
    assert.equal(found(folder, '/gone', '/gone/main.c'), 'k/main.c');
  });

  test('lies beside the image, where the compiler’s directory is not known', () => {
    const before = process.cwd();
    process.chdir(at('elsewhere'));
    try {
      assert.equal(found(folder, undefined, 'main.c'), 'k/main.c');
    } finally {
      process.chdir(before);
    }
  });

  test('is not another file of the same name', () => {
    assert.equal(found(folder, '/gone', 'drivers/main.c'), undefined);
    assert.equal(found(folder, '/gone', '/usr/src/other/main.c'), undefined);
  });

  test('is searched by its name in the folders that the user names', () => {
    assert.equal(found(folder, folder, 'lib/own.c', [at('away')]), 'away/own.c');
    assert.equal(found(folder, folder, 'main.c', [at('elsewhere')]), 'elsewhere/main.c');
  });

  test('is no pipe, and no name that cannot be a file’s', () => {
    spawnSync('mkfifo', [at('k/pipe.c')]);
    assert.equal(found(folder, folder, 'pipe.c'), undefined);
    assert.equal(found(folder, folder, 'a\0b.c'), undefined);
    assert.equal(found(folder, folder, `${'x'.repeat(5000)}.c`), undefined);
  });

  test('is found from an image that is kept in another folder', { skip: !hasDriver() && 'no gcc' }, () => {
    put('k/here.c', 'void _start(void) { for (;;) __asm__("hlt"); }\n');
    put('elsewhere/here.c', '/* another one */\n');
    const { bytes } = buildImage([at('k/here.c')], {}, { keptIn: at('elsewhere') });
    const { files } = new SymbolTable(parseImage(bytes, 'here.elf')).lines;
    const find = sourceFinder(at('elsewhere'));
    assert.deepEqual(files.map(find), [at('k/here.c')]);
  });
});
