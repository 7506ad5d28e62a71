/** A debugger reads the same from an image as binutils: lines, symbols and call frames, of DWARF 2 to 5. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { DebugTarget } from '../../src/debug/index.js';
import { listing } from '../../src/debug/listing.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { noGcc, root, Scratch } from '../support.js';

const noBinutils: string | false = ['objdump', 'readelf', 'addr2line', 'nm'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
)
  ? false
  : 'SKIPPED: no binutils here: apt-get install binutils';

const include = path.join(root, 'guests/include');
const guests = [
  { source: 'guests/paging-demand/paging-demand.c', bits: 64 },
  { source: 'guests/khw-protected/khw.c', bits: 32 },
  { source: 'guests/snake/snake.c', bits: 32 },
  { source: 'guests/tick-long/tick-long.S', bits: 64 },
  { source: 'guests/tick-real/tick-real.S', bits: 16 },
] as const;

/** With optimisation lines are split and functions are inlined; without it there are frame pointers. */
function compiled(scratch: Scratch, source: string, bits: number, level: string, version: number) {
  const file = scratch.file('image.elf');
  const flags = ['-ffreestanding', '-nostdlib', '-static', '-no-pie', '-fno-pic', '-fno-stack-protector'];
  const code = [
    '-mgeneral-regs-only',
    '-fno-asynchronous-unwind-tables',
    ...(bits === 64 ? ['-mno-red-zone'] : []),
  ];
  const text = bits === 16 ? '0x1000' : '0x100000';
  const all = [`-m${bits}`, `-O${level}`, `-gdwarf-${version}`, ...flags, ...code, '-I', include, '-w'];
  execFileSync('gcc', [...all, `-Wl,-Ttext=${text},-e,${text}`, '-o', file, source], {
    cwd: root,
    stdio: 'pipe',
  });
  return { file, table: new SymbolTable(parseImage(new Uint8Array(readFileSync(file)), 'image')) };
}

const out = (tool: string, args: readonly string[], input = '') =>
  execFileSync(tool, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 26,
    stdio: ['pipe', 'pipe', 'ignore'],
  });

/** `name line address stmt` of every row that has code, sorted. */
function theirRows(file: string): string[] {
  const found = out('objdump', ['--dwarf=decodedline', file]).matchAll(
    /^(\S+) +(\d+) +(0x[\da-f]+|0)(?: +\d+)?(?: +(x))?\s*$/gm,
  );
  return [...found].map(
    ([, name, line, address, statement]) => `${name} ${line} ${BigInt(address!)} ${statement ?? ''}`,
  );
}

for (const version of [2, 3, 4, 5]) {
  describe(`lines, symbols and frames of DWARF ${version}`, { skip: noGcc || noBinutils }, () => {
    for (const { source, bits } of guests) {
      for (const level of ['0', '2']) {
        if (source.endsWith('.S') && level === '0') continue;
        test(`of ${path.basename(source)} at -O${level} are those that binutils read`, () => {
          using scratch = new Scratch();
          const { file, table } = compiled(scratch, source, bits, level, version);
          const theirs = theirRows(file);
          assert.ok(theirs.length > 10);
          const ours = table.lines.rows
            .filter((row) => row.file !== undefined)
            .map((row) => `${row.file!.name} ${row.line} ${row.address} ${row.statement ? 'x' : ''}`);
          assert.deepEqual(ours.sort(), theirs.sort());

          const addresses = [...new Set(table.lines.rows.map(({ address }) => address))].sort((a, b) =>
            a < b ? -1 : 1,
          );
          const asked = addresses.flatMap((one) => [one, one + 1n]).slice(0, -2);
          const said = out('addr2line', ['-e', file], asked.map((one) => `0x${one.toString(16)}`).join('\n'));
          const lines = said
            .trim()
            .split('\n')
            .map((line) => line.replace(/ \(discriminator \d+\)$/, ''));
          for (const [i, address] of asked.entries()) {
            const [, name, number] = /([^/]+):(\d+|\?)$/.exec(lines[i]!)!;
            if (number === '?' || number === '0') continue;
            // addr2line of binutils 2.40 counts DWARF 5's files from 1 (they begin at 0), objdump does not.
            const ours = table.lineAt(address)!;
            const expected = version === 5 ? `${ours.split(':')[0]}:${number}` : `${name}:${number}`;
            assert.equal(ours, expected, `at 0x${address.toString(16)}`);
          }

          const names = [...out('nm', [file]).matchAll(/^([\da-f]+) [tTdDbBrR] (\S+)$/gm)];
          assert.ok(names.length > 0);
          for (const [, address, name] of names) {
            const found = table.symbols.filter((symbol) => symbol.name === name);
            assert.ok(
              found.some((symbol) => symbol.address === BigInt(`0x${address}`)),
              name,
            );
          }
          if (source.endsWith('.c')) assert.ok(comparedFrames(file, table) > (level === '0' ? 5 : -1));
        });
      }
    }
  });
}

describe('a listing backwards', { skip: noGcc || noBinutils }, () => {
  for (const { source, bits } of guests) {
    test(`of ${path.basename(source)} is objdump's, from any instruction; mostly so without symbols`, async () => {
      using scratch = new Scratch();
      const { file, table } = compiled(scratch, source, bits, '2', 5);
      const { segments } = parseImage(new Uint8Array(readFileSync(file)), 'image');
      const text = bits === 16 ? 0x1000 : 0x100000;
      const segment = segments.find(({ address, bytes }) => text >= address && text < address + bytes.length);
      const code = { address: BigInt(segment!.address), bytes: segment!.bytes };
      const shown = out('objdump', ['-d', '-w', '-j', '.text', ...(bits === 16 ? ['-mi8086'] : []), file]);
      const all = [...shown.matchAll(/^ *([\da-f]+):\t/gm)].map(([, at]) => BigInt(`0x${at}`));
      // objdump leaves zeros out, which are data.
      const gap = all.findIndex((at, i) => i > 0 && at - all[i - 1]! > 15n);
      const starts = all.slice(0, gap < 0 ? 200 : Math.min(gap, 200));
      const target = {
        read: async (at: bigint, length: number) => {
          const offset = Number(at - code.address);
          if (offset < 0 || offset >= code.bytes.length) throw new Error('nothing is here');
          return code.bytes.subarray(offset, offset + length);
        },
      } as unknown as DebugTarget;
      const none = new SymbolTable({ format: 'elf64' });
      let right = 0;
      let tried = 0;
      for (const [i, address] of starts.entries()) {
        if (i % 3 !== 0) continue;
        tried++;
        const before = Math.min(6, i);
        const options = { bits, base: 0n, before, after: 0 };
        const expected = starts.slice(i - before, i + 1);
        const known = await listing(target, table, address, options);
        assert.deepEqual(
          known.map((line) => line.address),
          expected,
          `before 0x${address.toString(16)}`,
        );
        const guessed = await listing(target, none, address, options);
        if (guessed.map((line) => line.address).join() === expected.join()) right++;
      }
      assert.ok(starts.length > 10);
      assert.ok(right / tried > 0.9, `${right} of ${tried}`);
    });
  }
});

/** Each row of readelf's interpretation is the rule for its address. Returns their number. */
function comparedFrames(file: string, table: SymbolTable): number {
  const text = out('readelf', ['--debug-dump=frames-interp', file]);
  let columns: string[] = [];
  let compared = 0;
  for (const line of text.split('\n')) {
    if (/^ +LOC/.test(line)) columns = line.trim().split(/\s+/);
    const [, address, cfa, rest] = /^([\da-f]{8,16}) (\S+) +(.*?)\s*$/.exec(line) ?? [];
    if (address === undefined || !/^[er]/.test(cfa!) || BigInt(`0x${address}`) === 0n) continue;
    const rule = table.callFrames!.ruleAt(BigInt(`0x${address}`))!;
    const sign = (value: bigint) => `${value < 0n ? '' : '+'}${value}`;
    assert.equal(`${rule.register.slice(1)}${sign(rule.offset)}`, cfa!.slice(1), address);
    for (const [i, place] of rest!.split(/\s+/).entries()) {
      const column = columns[i + 2]!;
      const ours =
        column === 'ra' ? rule.returnAt : rule.saved.get(`r${column.replace(/^[er]/, '')}` as 'rax');
      const theirs = /^c([+-]\d+)$/.exec(place)?.[1];
      assert.equal(ours?.toString(), theirs, `${column} at ${address}`);
    }
    compared++;
  }
  return compared;
}
