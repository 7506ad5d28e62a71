import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseImage } from '../boot/index.js';
import { readLines } from './dwarf-lines.js';
import { SourceLines } from './source-lines.js';
import { SymbolTable } from './symbol-table.js';

const noGcc = spawnSync('gcc', ['--version']).status === 0 ? false : 'SKIPPED: no gcc here';

/** A small program in C, with lines of the DWARF that is asked for. */
function compiled(flags: readonly string[]): Uint8Array {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-symbols-'));
  try {
    const source = path.join(folder, 'two.c');
    const image = path.join(folder, 'two.elf');
    writeFileSync(
      source,
      'int twice(int n)\n{\n  return n + n;\n}\n\nvoid _start(void)\n{\n  twice(3);\n}\n',
    );
    const fixed = ['-O0', '-ffreestanding', '-nostdlib', '-static', '-no-pie', '-fcf-protection=none'];
    const done = spawnSync('gcc', [...fixed, ...flags, '-o', image, source], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return new Uint8Array(readFileSync(image));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a debugger asks of a table. */
function askEverything(table: SymbolTable, address: bigint): void {
  for (const at of [0n, address - 1n, address, address + 9n, (1n << 64n) - 1n]) {
    table.locate(at);
    table.functionAt(at);
    table.lines.rangeAt(at);
    table.callFrames?.ruleAt(at);
    table.symbolsWithin({ from: at, to: at + 16n });
    table.lines.startsWithin({ from: at, to: at + 16n });
  }
  for (const file of table.lines.files) {
    table.lines.linesOf(file);
    table.lines.placesOf(file, 3);
  }
}

describe('the names of addresses', { skip: noGcc }, () => {
  for (const version of [2, 3, 4, 5]) {
    for (const bits of [32, 64]) {
      test(`come from symbols and DWARF ${version} of ${bits}-bit code`, () => {
        const image = parseImage(compiled([`-gdwarf-${version}`, `-m${bits}`]), 'two');
        const table = new SymbolTable(image);
        const entry = BigInt(image.entry!);
        assert.equal(table.symbolAt(entry), '_start');
        assert.equal(table.lineAt(entry), 'two.c:7');
        assert.equal(table.locate(entry + 1n), '<_start+0x1>  two.c:7');
        assert.equal(table.locate(0x10n), undefined);
      });
    }
  }

  test('are missing where the file has none', () => {
    const table = new SymbolTable(parseImage(compiled(['-s']), 'two'));
    assert.equal(table.locate(0x401000n), undefined);
  });

  test('of a broken file are missing or others, and nothing is thrown', () => {
    const good = compiled(['-gdwarf-5', '-m64', '-fno-asynchronous-unwind-tables']);
    const lines = parseImage(good, 'two').sections!.find(({ name }) => name === '.debug_line')!.bytes;
    const broken = fc.array(fc.tuple(fc.nat(lines.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(broken, fc.nat(lines.length), (changes, length) => {
        const bytes = lines.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        readLines(bytes, { lineStrings: undefined, strings: undefined });
      }),
    );
    // All that a debugger asks, of every section damaged.
    const { sections = [], entry = 0, format } = parseImage(good, 'two');
    const section = fc.nat(sections.length - 1);
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(section, damage, fc.nat(), (which, changes, length) => {
        const damaged = sections.map(({ name, bytes }, i) => {
          if (i !== which) return { name, bytes };
          const copy = bytes.slice(0, length % 3 === 0 ? length % bytes.length : bytes.length);
          for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
          return { name, bytes: copy };
        });
        askEverything(new SymbolTable({ format, sections: damaged }), BigInt(entry));
      }),
      { numRuns: 300 },
    );
    // Where the section headers are, how many, and which one has the names (offsets 40 to 47 and 58 to 63).
    fc.assert(
      fc.property(fc.constantFrom(40, 41, 42, 47, 58, 60, 61, 62, 63), fc.nat(255), (at, value) => {
        const bytes = good.slice();
        bytes[at] = value;
        const image = parseImage(bytes, 'two');
        new SymbolTable(image).locate(BigInt(image.entry!));
      }),
    );
  });
});

test('a statement begins at an address where any of its rows says so, as in optimised code', () => {
  const file = { name: 'a.c', path: 'a.c', directory: undefined };
  const row = (address: bigint, line: number, statement: boolean) => ({ address, file, line, statement });
  const lines = new SourceLines([
    row(0x10n, 8, true),
    row(0x16n, 8, false),
    row(0x16n, 13, true),
    row(0x16n, 13, false),
    row(0x19n, 13, false),
    row(0x20n, 20, true),
    row(0x20n, 21, false),
  ]);
  const begins = [0x0fn, 0x10n, 0x11n, 0x16n, 0x19n, 0x20n].filter((address) =>
    lines.beginsStatement(address),
  );
  assert.deepEqual(begins, [0x10n, 0x16n]);
});
