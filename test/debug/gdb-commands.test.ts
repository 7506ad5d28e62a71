/** Commands that people type in gdb, in a program in C: in 16, 32 and 64 bits, on both engines. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch } from '../support.js';
import { gdbEngines, Served } from './gdb-served.js';

const source = `volatile int total;
static int add(int a, int b)
{
  int sum = a + b;
  total = sum;
  return sum;
}
int work(int n)
{
  int s = 0;
  for (int i = 0; i < n; i++)
    s = add(s, i);
  return s;
}
void _start(void)
{
  work(5);
  work(3);
  for (;;)
    __asm__ volatile("hlt");
}
`;

const flags =
  '-nostdlib -static -no-pie -g -O0 -ffreestanding -fno-pic -mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,--build-id=none';

/** Builds it for one width of code. In 16 bits it is a flat image, and its ELF file gives gdb the symbols. */
function build(scratch: Scratch, bits: 16 | 32 | 64): { elf: string; run: string[] } {
  const elf = scratch.file(`c${bits}.elf`);
  writeFileSync(scratch.file('prog.c'), source);
  const base = bits === 16 ? '0x7c00' : '0x100000';
  execFileSync('gcc', [`-m${bits}`, ...flags.split(' '), `-Wl,-Ttext=${base}`, 'prog.c', '-o', elf], {
    cwd: scratch.path,
  });
  if (bits !== 16) return { elf, run: [elf] };
  const flat = scratch.file('c16.bin');
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', elf, flat]);
  const [, start] = /^(\w+) T _start$/m.exec(execFileSync('nm', [elf], { encoding: 'utf8' })) ?? [];
  return { elf, run: [flat, '--mode', 'real', '--load', base, '--entry', `0x${start}`] };
}

describe('gdb and a program in C, backwards', { skip: gdbEngines[0]!.skip }, () => {
  for (const bits of [16, 32, 64] as const)
    test(`in ${bits} bits: by instruction, by line, out to the caller, to a breakpoint and to a writer`, async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch, bits);
      await using served = await new Served(run, 'soft').ready();
      const text = await served.gdb(
        `symbol-file ${elf}`,
        'break add if a == 3',
        'continue',
        'delete',
        'reverse-stepi',
        'stepi',
        'reverse-finish',
        'info locals',
        'reverse-next',
        'watch total',
        'reverse-continue',
        'reverse-continue',
        'delete',
        'break add',
        'reverse-continue',
        'info args',
        'delete',
        'reverse-continue',
        'monitor origin $rip',
        'monitor origin',
        'monitor writes qword [rsp]',
        'monitor history',
        'continue',
        'reverse-stepi',
        'monitor goto 10',
        'monitor goto exit 9',
        'monitor goto nowhere',
        'monitor first byte [rip] == 0xf4',
        'monitor last eax == 0x12345678',
        'kill',
      );
      // The call in work's loop, whose sum is 3 there: 0 + 1 + 2.
      assert.match(text, /\n12\t {4}s = add\(s, i\);\n/, text);
      assert.match(text, /\ni = 3\ns = 3\n/, text);
      // add(1, 2) wrote 3 to it last, and add(0, 1) 1 before.
      assert.match(
        text,
        /watchpoint \d: total[\s\S]*Old value = 3\nNew value = 1\n[\s\S]*Old value = 1\nNew value = 0/,
        text,
      );
      assert.match(text, /Breakpoint \d, add \(a=0, b=1\)[\s\S]*\na = 0\nb = 1\n/, text);
      assert.match(text, /No more reverse-execution history/, text);
      assert.match(text, /rip is 0x[0-9a-f]+ \(\d+\) at instruction 0\n {2}it is so since the start/, text);
      assert.match(text, /origin of what\? Write it as in: monitor origin qword \[rsp\]/, text);
      assert.match(text, /nothing wrote there in this history/, text);
      assert.match(text, /instruction 0 of \d+; the guest can go back to 0/, text);
      assert.match(text, /instruction 10 of \d+/, text);
      assert.match(text, /exit 9 is not in this history/, text);
      assert.match(text, /goto where\? Write it as in: monitor goto 1000/, text);
      // Before the HLT, by its opcode.
      assert.match(text, /\n0x\w+.*\ninstruction \d{3} of \d+; the guest can go back to 0/, text);
      assert.match(text, /eax == 0x12345678 holds at no moment before this moment, which has 0 to \d+/, text);
    });
});

for (const { name, skip } of gdbEngines) {
  describe(`gdb and a program in C on ${name}`, { skip }, () => {
    for (const bits of [16, 32, 64] as const) {
      test(`in ${bits} bits: by line, by function, by condition`, async () => {
        using scratch = new Scratch();
        const { elf, run } = build(scratch, bits);
        await using served = await new Served(run, name).ready();
        const text = await served.gdb(
          `symbol-file ${elf}`,
          'tbreak work',
          'continue',
          'info display',
          'next',
          'next',
          'display s',
          'next',
          'break add if a == 3',
          'continue',
          'backtrace',
          'info args',
          'up',
          'info locals',
          'down',
          'finish',
          'advance 13',
          'until 18',
          'x/i work',
          'kill',
        );
        assert.match(text, /Temporary breakpoint 1, work \(n=5\) at prog\.c:/, text);
        assert.match(text, /\n11\t[\s\S]*\n12\t[\s\S]*1: s = 0/, text);
        assert.match(text, /Breakpoint 2, add \(a=3, b=3\)/, text);
        assert.match(
          text,
          /#0 +add \(a=3, b=3\)[^\n]*\n#1 .* in work \(n=5\) at prog\.c:12\n#2 .* in _start \(\) at prog\.c:17\n/,
          text,
        );
        assert.match(text, /a = 3\nb = 3\n/, text);
        assert.match(text, /#1 [\s\S]*i = 3\ns = 3\n/, text);
        assert.match(text, /Value returned is \$1 = 6/, text);
        assert.match(text, /work \(n=5\) at prog\.c:13[\s\S]*1: s = 10/, text);
        assert.match(text, /_start \(\) at prog\.c:1[78]/, text);
        assert.match(text, /0x\w+ <work>:\s+push/, text);
        assert.equal(await served.ended, 130);
      });

      test(`in ${bits} bits: watched values, counts, hardware breakpoints, jump`, async () => {
        using scratch = new Scratch();
        const { elf, run } = build(scratch, bits);
        await using served = await new Served(run, name).ready();
        const text = await served.gdb(
          `symbol-file ${elf}`,
          'watch total if total > 2',
          'continue',
          'continue',
          'delete',
          'rwatch total',
          'hbreak 18',
          'continue',
          'print total',
          'delete',
          'break add',
          'ignore 4 2',
          'continue',
          'print a',
          'info breakpoints',
          'delete',
          'tbreak 20',
          'jump 20',
          'kill',
        );
        assert.match(text, /Old value = 1\nNew value = 3\n[\s\S]*Old value = 3\nNew value = 6\n/, text);
        // Nothing reads it: the next stop is after the first call, at the hardware breakpoint.
        assert.match(text, /Breakpoint 3, _start \(\) at prog\.c:18[\s\S]*\$1 = 10\n/, text);
        assert.match(text, /Breakpoint 4, add \(a=1, b=2\)/, text);
        assert.match(text, /breakpoint already hit 3 times/, text);
        assert.match(text, /Temporary breakpoint 5, _start \(\) at prog\.c:20/, text);
        assert.equal(await served.ended, 130);
      });
    }
  });
}
