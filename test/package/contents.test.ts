/** The content of the package: all files that it names, nothing about the computer that built it, and nothing twice. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../support.js';
import { packed } from './project.js';

const MIB = 1024 * 1024;
const installed = path.join(packed.project, 'node_modules/terrarium-vm');
const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((file) =>
  statSync(path.join(installed, file)).isFile(),
);

describe('the packed package', () => {
  test('has every file that package.json names', () => {
    const { bin, exports, imports } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));
    const named = (value: unknown): string[] =>
      typeof value === 'string' ? [value] : Object.values(value as object).flatMap(named);
    for (const file of named([bin, exports, imports]))
      assert.ok(existsSync(path.join(installed, file)), file);
  });

  test('has no source maps, no stamps of the build and no tests', () => {
    assert.deepEqual(
      files.filter((file) => /\.map$|stamp|\.test\.|tsbuildinfo|^src|^test/.test(file)),
      [],
    );
    for (const file of files.filter((name) => /^dist\/.*\.c?js$/.test(name)))
      assert.doesNotMatch(readFileSync(path.join(installed, file), 'latin1'), /sourceMappingURL=/, file);
  });

  test('does not contain the paths of its build', () => {
    const places = [root, packed.project, homedir()].filter((place) => place.length > '/root'.length);
    for (const file of files) {
      const text = readFileSync(path.join(installed, file), 'latin1');
      for (const place of places) assert.ok(!text.includes(place), `${file} names ${place}`);
    }
  });

  test('takes less than 19 MiB, and less than 6.5 MiB to download', () => {
    const size = files.reduce((sum, file) => sum + statSync(path.join(installed, file)).size, 0);
    assert.ok(size < 19 * MIB, `${(size / MIB).toFixed(1)} MiB`);
    assert.ok(statSync(packed.tarball).size < 6.5 * MIB);
  });
});
