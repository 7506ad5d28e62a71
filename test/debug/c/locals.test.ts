/** Variables, expressions and types of C: the answers of gdb and the monitor at the same stop. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch } from '../../support.js';
import { gdbEngines, Served } from '../gdb-served.js';
import { expressions, program, refused, types } from './program.js';

const flags = [
  ...[
    '-nostdlib',
    '-static',
    '-no-pie',
    '-ffreestanding',
    '-fno-pic',
    '-mno-red-zone',
    '-fno-stack-protector',
  ],
  ...[
    '-fno-asynchronous-unwind-tables',
    '-fcf-protection=none',
    '-Wl,--build-id=none',
    '-Wl,-Ttext=0x100000',
  ],
  ...['-fno-tree-vectorize', '-w'],
];

interface Build {
  bits: 32 | 64;
  dwarf: 4 | 5;
  level: '-O0' | '-Og' | '-O2';
}

function build(scratch: Scratch, { bits, dwarf, level }: Build): string {
  writeFileSync(scratch.file('prog.c'), program);
  execFileSync('gcc', [`-m${bits}`, `-gdwarf-${dwarf}`, level, ...flags, 'prog.c', '-o', 'prog.elf'], {
    cwd: scratch.path,
  });
  return scratch.file('prog.elf');
}

const mark = (what: string) => `echo \\n@@${what}\\n`;

/** The answers of one gdb by their marks. */
function answersOf(text: string): Map<string, string> {
  const parts = text.split(/\n@@/).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1).trim()];
    }),
  );
}

/** gdb counts the values that it prints. */
const withoutNumber = (text: string | undefined) => text?.replace(/^\$\d+ = /, '');

const builds: Build[] = [
  { bits: 64, dwarf: 5, level: '-O0' },
  { bits: 32, dwarf: 4, level: '-O0' },
  { bits: 32, dwarf: 5, level: '-Og' },
  { bits: 64, dwarf: 4, level: '-Og' },
  { bits: 64, dwarf: 5, level: '-O2' },
  { bits: 32, dwarf: 4, level: '-O2' },
];

describe('C in the debugger has the same answers as in gdb', { skip: gdbEngines[0]!.skip }, () => {
  for (const one of builds)
    test(`${one.bits} bits, DWARF ${one.dwarf}, ${one.level}: variables of each function of the stack`, async () => {
      using scratch = new Scratch();
      const elf = build(scratch, one);
      await using served = await new Served([elf], 'soft').ready();
      const stops = ['first', 'second', 'third'];
      const asked = stops.flatMap((stop) => [
        'continue',
        ...[0, 1, 2].flatMap((frame) => [
          `frame ${frame}`,
          mark(`${stop} ${frame} args`),
          'info args',
          mark(`${stop} ${frame} locals`),
          'info locals',
          mark(`${stop} ${frame} ours`),
          `monitor locals ${frame}`,
          mark('end'),
        ]),
        mark(`${stop} stack`),
        'backtrace',
        mark(`${stop} our stack`),
        'monitor backtrace',
        mark(`${stop} end`),
      ]);
      const text = await served.gdb(`symbol-file ${elf}`, 'break add', ...asked, 'kill');
      const answers = answersOf(text);
      for (const stop of stops) {
        for (const frame of [0, 1, 2]) {
          const ours = answers.get(`${stop} ${frame} ours`)!.split('\n');
          const theirs = [answers.get(`${stop} ${frame} args`)!, answers.get(`${stop} ${frame} locals`)!]
            .filter((said) => !/^No (arguments|locals|symbol table)/.test(said))
            .flatMap((said) => said.split('\n'))
            // gdb also adds the caller's values.
            .filter((line) => !line.includes('@entry'));
          if (theirs.length > 0) assert.deepEqual(ours, theirs, `${stop} stop, frame ${frame}`);
        }
        const named = (said: string) =>
          [...said.matchAll(/^#\d+ .*$/gm)].map(
            ([line]) => /(?:in )?(\w+)(?:\+0x[\da-f]+)? (?: ?\(| ?\w+\.c)/.exec(line)?.[1],
          );
        assert.deepEqual(
          named(answers.get(`${stop} our stack`)!),
          named(answers.get(`${stop} stack`)!),
          text,
        );
      }
    });

  for (const [bits, dwarf] of [
    [32, 4],
    [64, 5],
  ] as const)
    test(`${bits} bits, DWARF ${dwarf}: ${expressions.length} expressions`, async () => {
      using scratch = new Scratch();
      const elf = build(scratch, { bits, dwarf, level: '-O0' });
      await using served = await new Served([elf], 'soft').ready();
      const asked = expressions.flatMap((one, i) => [
        mark(`${i} gdb`),
        `print ${one}`,
        mark(`${i} ours`),
        `monitor print ${one}`,
      ]);
      const shapes = types.flatMap((one, i) => [
        mark(`ptype ${i}`),
        `ptype ${one}`,
        mark(`our ptype ${i}`),
        `monitor ptype ${one}`,
      ]);
      const bad = refused.flatMap(([one], i) => [mark(`bad ${i}`), `monitor print ${one}`]);
      const text = await served.gdb(
        `symbol-file ${elf}`,
        'break add',
        'continue',
        ...asked,
        ...shapes,
        ...bad,
        mark('end'),
        'kill',
      );
      const answers = answersOf(text);
      for (const [i, [, message]] of refused.entries()) assert.match(answers.get(`bad ${i}`)!, message);
      const shaped = types.flatMap((one, i) => {
        const [ours, theirs] = [`type = ${answers.get(`our ptype ${i}`)}`, answers.get(`ptype ${i}`)];
        return ours === theirs ? [] : [`${one}: gdb ${theirs}, ours ${ours}`];
      });
      assert.deepEqual(shaped, []);
      const wrong = expressions.flatMap((one, i) => {
        const theirs = withoutNumber(answers.get(`${i} gdb`));
        const ours = answers
          .get(`${i} ours`)
          ?.replace(/\+0x([\da-f]+)>/g, (_, digits) => `+${Number(`0x${digits}`)}>`);
        return theirs === ours ? [] : [`${one}: gdb ${theirs}, ours ${ours}`];
      });
      assert.deepEqual(wrong, []);
    });
});
