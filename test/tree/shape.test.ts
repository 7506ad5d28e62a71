/** The shape of the source: a change of one kind touches few, known files; no code tests an engine's name; no file is long. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { opcodes } from '../../src/isa/index.js';

const src = path.resolve('src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|testing\.ts$|test-host\.ts$/.test(file));

/** A source without its comments. */
const code = (file: string) =>
  readFileSync(path.join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, '');

/** The most lines of a file: a longer one has more than one idea. */
const LONGEST = 450;

describe('the shape of the source', () => {
  test(`no file has more than ${LONGEST} lines`, () => {
    const all = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.tsx?$/.test(file),
    );
    const lines = (file: string) => readFileSync(path.join(src, file), 'utf8').trimEnd().split('\n').length;
    const long = all
      .map((file) => `${file}: ${lines(file)}`)
      .filter((file) => +file.split(': ')[1]! > LONGEST);
    assert.deepEqual(long, [], 'split it by its ideas');
  });

  test('no code tests an engine’s name where it needs a capability', () => {
    // Messages, and options.
    const words = ['apps/frontend/ending.ts', 'apps/cli/commands/verify.ts'];
    const asks =
      /\bengine(?:\??\.name)?\s*[!=]==?\s*['"](?:soft|kvm)['"]|\bengine\.name\.(?:startsWith|includes)/;
    assert.deepEqual(
      files.filter((file) => !words.includes(file) && asks.test(code(file))),
      [],
      'use `engine.capabilities`, and add one where none fits',
    );
  });

  /** In addition to the tables, which have its row, its meaning and its spelling: CPUID's names, and its function. */
  const known = [
    'isa/table/newer.ts',
    'isa/table/mnemonics.ts',
    'isa/features.ts',
    'engine/soft/host/cpuid.ts',
    'function',
  ];

  test('an instruction is its row, its meaning and its function, and no other file names it', () => {
    const table = code('isa/table/newer.ts');
    const names = opcodes()
      .map(({ name }) => name)
      // Names that are not words of this language; and only CRC32 has operands of two sizes, which the generator and
      // AT&T's spelling know.
      .filter((name) => name.length > 3 && name !== 'crc32' && new RegExp(`\\b${name}\\b`).test(table));
    const own = [...new Set(names)].filter((name) =>
      files.some(
        (file) =>
          file.startsWith('engine/soft/cpu/') && new RegExp(`export function ${name}\\b`).test(code(file)),
      ),
    );
    assert.ok(own.length >= 5, own.join());
    // Faults of KVM, and AT&T's spellings by rule, are not specific to the instruction.
    const texts = new Map(
      files
        .filter((file) => !['verify/differences.ts', 'isa/att.ts'].includes(file))
        .map((file) => [file, code(file)]),
    );
    for (const name of own) {
      const word = new RegExp(`\\b${name}\\b`);
      const found = [...texts.keys()].filter((file) => word.test(texts.get(file)!));
      const rooms = found.map((file) => (file.startsWith('engine/soft/cpu/') ? 'function' : file));
      assert.deepEqual(
        rooms.filter((room) => !known.includes(room) && !room.startsWith('isa/table/')),
        [],
        `${name} is in ${found.join(', ')}`,
      );
      assert.equal(
        rooms.filter((room) => room === 'function').length,
        1,
        `${name} is in ${found.join(', ')}`,
      );
    }
  });
});
