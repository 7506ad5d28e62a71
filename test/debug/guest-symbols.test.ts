/** The source of every guest is found: committed images are compiled again for their symbols. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { loadImage, sourceFinder } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { noGcc, root, Scratch } from '../support.js';

const guests = readdirSync(path.join(root, 'guests'))
  .map((name) => path.join(root, 'guests', name))
  .filter((folder) => existsSync(path.join(folder, 'guest.json')));

describe('the sources of guests', { skip: noGcc }, () => {
  test('are found for every guest folder, and each file with code exists', () => {
    for (const folder of guests) {
      const { source } = JSON.parse(readFileSync(path.join(folder, 'guest.json'), 'utf8'));
      const { image, symbols, sourceFolder } = loadImage(folder);
      const { files } = new SymbolTable(symbols?.() ?? image).lines;
      assert.ok(
        files.some(({ name }) => name === path.basename(source)),
        folder,
      );
      const find = sourceFinder(sourceFolder);
      for (const file of files) assert.ok(find(file), `${folder}: ${file.path}`);
    }
  });

  test('are not used where they compile to other code than the image', () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('guest.json'), '{ "image": "k.bin", "source": "k.S", "mode": "real" }');
    writeFileSync(scratch.file('k.S'), '.code16\nhlt\n');
    writeFileSync(scratch.file('k.bin'), new Uint8Array([0x90, 0xf4]));
    assert.equal(loadImage(scratch.path).symbols?.(), undefined);
    writeFileSync(scratch.file('k.bin'), new Uint8Array([0xf4]));
    assert.ok(loadImage(scratch.path).symbols?.());
  });
});
