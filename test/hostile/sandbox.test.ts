/**
 * Untrusted sources cannot read this host while they are compiled, and do not exceed their limits: in each kind of
 * sandbox.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { inSandbox } from '../../src/runtime/images/sandbox.js';
import { compileSources, findSandbox, type SandboxName } from '../../src/runtime/index.js';
import { noGcc, Scratch } from '../support.js';

for (const kind of ['bubblewrap', 'unshare', 'none'] as const satisfies readonly SandboxName[]) {
  using tried = new Scratch();
  const there = kind === 'none' || findSandbox(() => mkdtempSync(path.join(tried.path, 'x-')), kind) === kind;
  describe(`compiling with ${kind}`, {
    skip: noGcc || (there ? false : `SKIPPED: ${kind} does not work here`),
  }, () => {
    const compile = (name: string, text: string, mode: 'real' | 'long' = 'real') => {
      using scratch = new Scratch();
      writeFileSync(scratch.file(name), text);
      writeFileSync(scratch.file('part.h'), '#define ANSWER 42\n');
      return compileSources([scratch.file(name)], { mode, confined: true, sandbox: kind });
    };
    const start = '.code16\n.globl _start\n_start:\n';

    test('works, with headers beside the source and those of all guests', () => {
      const { bytes } = compile(
        'kernel.S',
        `#include "part.h"\n#include "interrupts.h"\n${start}mov $ANSWER, %al\nhlt\n`,
      );
      assert.deepEqual([...bytes.subarray(0, 3)], [0xb0, 42, 0xf4]);
    });

    test('C compiles, or the error is clear', () => {
      const source = 'int _start(void) { return 42; }\n';
      if (kind === 'none')
        assert.throws(() => compile('kernel.c', source, 'long'), /no safe place to compile/);
      else assert.equal(compile('kernel.c', source, 'long').kind, 'elf');
    });

    for (const file of ['/etc/passwd', '/proc/self/environ', '../../../../../etc/passwd'])
      test(`.incbin and #include of ${file} read nothing of it`, () => {
        for (const text of [`${start}.incbin "${file}"\nhlt\n`, `#include "${file}"\n${start}hlt\n`])
          assert.throws(
            () => compile('kernel.S', text),
            (error: Error) => {
              assert.doesNotMatch(error.message, /root:|PATH=/);
              return true;
            },
          );
      });

    test('gigabytes, endless macros and floods of messages end at the limits', () => {
      assert.throws(() => compile('kernel.S', `${start}.fill 3000000000, 1, 0\n`));
      assert.throws(() => compile('kernel.S', `${start}.rept 100000000\n.quad 1\n.endr\n`));
      if (kind === 'none') return;
      const double = Array.from({ length: 30 }, (_, i) => `#define A${i + 1} A${i} A${i}`).join('\n');
      assert.throws(() =>
        compile('kernel.c', `#define A0 1,\n${double}\nint a[] = { A30 };\nvoid _start(void) {}\n`, 'long'),
      );
      const huge = '__attribute__((section(".data"))) char a[1 << 30] = { 1 }; void _start(void) {}\n';
      assert.throws(() => compile('kernel.c', huge, 'long'));
    });

    if (kind === 'none') return;

    test('the number of processes is limited, also for the host’s root', () => {
      using scratch = new Scratch();
      const script = 'i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i + 1)); done; echo all';
      const [program, ...words] = inSandbox(kind, { read: [], write: scratch.path }, ['sh', '-c', script]);
      const done = spawnSync(program!, words, { encoding: 'utf8', cwd: scratch.path });
      assert.notEqual(done.status, 0);
      assert.doesNotMatch(done.stdout, /all/);
      assert.match(done.stderr, /fork/i);
    });

    test('a command sees neither files nor processes nor the network, and writes only in its folder', () => {
      using scratch = new Scratch();
      const script =
        'test ! -e /etc/passwd && test ! -e /root && test ! -e /home && test "$(ls /proc 2>/dev/null | wc -l)" -eq 0 && ! touch /usr/x 2>/dev/null && touch made && env';
      const [program, ...words] = inSandbox(kind, { read: [], write: scratch.path }, ['sh', '-c', script]);
      const done = spawnSync(program!, words, {
        encoding: 'utf8',
        cwd: scratch.path,
        env: { ...process.env, SECRET: 'x' },
      });
      assert.equal(done.status, 0, done.stderr);
      assert.doesNotMatch(done.stdout, /SECRET/);
      assert.ok(readdirSync(scratch.path).includes('made'));
    });
  });
}
