/** The built-in assembler makes the same from every source of this repository as gcc and the linker. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type Image, parseImage } from '../../src/boot/index.js';
import { compileSources, ToolchainError } from '../../src/runtime/images/toolchain.js';
import { noGcc } from '../support.js';

/** All sources of assembler below a folder. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) return name === 'node_modules' ? [] : sourcesIn(file);
    return /\.[sS]$/.test(name) ? [file] : [];
  });
}

const sources = ['guests', 'templates', 'docs', 'test', 'bench'].flatMap(sourcesIn);

/** The memory from the first to the last loaded byte. */
function memoryOf({ segments, entry }: Image): { start: number; entry: number | undefined; bytes: string } {
  const full = segments.filter(({ bytes }) => bytes.length > 0);
  const start = Math.min(...full.map(({ address }) => address));
  const end = Math.max(...full.map(({ address, bytes }) => address + bytes.length));
  const all = Buffer.alloc(end - start);
  for (const { address, bytes } of full) all.set(bytes, address - start);
  return { start, entry, bytes: all.toString('hex') };
}

describe('the built-in assembler', { skip: noGcc }, () => {
  let compared = 0;
  for (const file of sources) {
    test(`makes the same of ${file} as gcc`, (t) => {
      const options = { mode: 'auto', strip: true } as const;
      let theirs: Uint8Array;
      try {
        theirs = compileSources([file], { ...options, assembler: 'gcc' }).bytes;
      } catch (error) {
        // One of several sources of a program is not a program by itself.
        assert.ok(error instanceof ToolchainError);
        t.diagnostic('gcc does not link it alone');
        return;
      }
      let ours: Uint8Array;
      try {
        ours = compileSources([file], { ...options, assembler: 'builtin' }).bytes;
      } catch (error) {
        assert.match((error as Error).message, /does not read linker scripts/);
        t.diagnostic('it has a linker script of its own');
        return;
      }
      compared++;
      assert.deepEqual(memoryOf(parseImage(ours, file)), memoryOf(parseImage(theirs, file)));
    });
  }

  test('was compared for most of them', () => {
    assert.ok(compared > 100, `${compared} of ${sources.length}`);
  });
});
