/** Which compiler is taken: the one that was asked for, the one that CC names, else the first that is found. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { findDriver, hasDriver } from './tools.js';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** An environment whose PATH has only these programs. */
function having(...programs: string[]): NodeJS.ProcessEnv {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-tools-'));
  folders.push(folder);
  for (const program of programs) {
    writeFileSync(path.join(folder, program), '#!/bin/sh\n');
    chmodSync(path.join(folder, program), 0o755);
  }
  return { PATH: folder };
}

describe('the compiler', () => {
  test('is what CC names, with its options, or what was asked for', () => {
    const env = { ...having('gcc', 'clang'), CC: ' clang -m32 ' };
    assert.deepEqual(findDriver(undefined, env), { command: ['clang', '-m32'], kind: 'clang' });
    assert.deepEqual(findDriver('gcc', env), { command: ['gcc'], kind: 'gcc' });
    assert.throws(
      () => findDriver(undefined, { ...env, CC: 'tcc' }),
      /the variable CC names tcc, which is not/,
    );
    assert.throws(() => findDriver('icc', env), /--cc names icc, which is not/);
  });

  test('is a cross compiler or clang where only these are found', () => {
    for (const [program, kind] of [
      ['x86_64-elf-gcc', 'gcc'],
      ['x86_64-linux-gnu-gcc', 'gcc'],
      ['clang', 'clang'],
    ] as const) {
      const env = having(program);
      assert.equal(hasDriver(env), true, program);
      assert.deepEqual(findDriver(undefined, env), { command: [program], kind });
    }
    assert.equal(hasDriver(having()), false);
    assert.throws(() => findDriver(undefined, having()), /no compiler was found/);
  });
});
