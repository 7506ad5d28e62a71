/** Debian's gdb: in 16, 32 and 64 bits, on both engines. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { cli, root, Scratch } from '../support.js';
import { gdbEngines, Served } from './gdb-served.js';

/** A counter that goes to five in a function, a `!` on the console, and a final HLT; a test may jump to `spin`. */
const program = (bits: 16 | 32 | 64) => `
  .code${bits}
  .globl _start, again, work, done, spin, counter
_start:
  mov $5, %cx
again:
  call work
  dec %cx
  jnz again
  mov $'!', %al
  out %al, $0xe9
done:
  hlt
work:
  incw ${bits === 64 ? 'counter(%rip)' : 'counter'}
  ret
spin:
  jmp spin
  .balign 8
counter: .word 0
`;

interface Guest {
  elf: string;
  run: string[];
}

/** Builds the program for one width; the ELF file beside a flat image is for gdb's symbols. */
function build(scratch: Scratch, bits: 16 | 32 | 64): Guest {
  const source = scratch.file(`p${bits}.S`);
  const elf = scratch.file(`p${bits}.elf`);
  writeFileSync(source, program(bits));
  const base = bits === 16 ? '0x7c00' : '0x100000';
  const flags = ['-nostdlib', '-static', '-no-pie', '-g', '-Wl,--build-id=none', `-Wl,-Ttext=${base}`];
  execFileSync('gcc', [bits === 64 ? '-m64' : '-m32', ...flags, source, '-o', elf]);
  if (bits !== 16) return { elf, run: [elf, ...(bits === 32 ? ['--mode', 'protected'] : [])] };
  const flat = scratch.file('p16.bin');
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', elf, flat]);
  return { elf, run: [flat, '--mode', 'real', '--load', '0x7c00'] };
}

for (const { name, skip } of gdbEngines) {
  describe(`gdb and a guest on ${name}`, { skip }, () => {
    for (const bits of [16, 32, 64] as const) {
      const pc = bits === 64 ? 'rip' : 'eip';

      test(`in ${bits} bits: symbols, breakpoints, steps, registers, and the end`, async () => {
        using scratch = new Scratch();
        const { elf, run } = build(scratch, bits);
        const architecture = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' }[bits];
        await using served = await new Served(run, name).ready();
        const text = await served.gdb(
          `file ${elf}`,
          // The file always says i386.
          `set architecture ${architecture}`,
          'x/i $pc',
          'break work',
          'continue',
          'print/x $pc == (long) &work',
          'x/2xb &work',
          'printf "counter %d\\n", *(short*) &counter',
          'stepi',
          'printf "counter %d\\n", *(short*) &counter',
          'set var $cx = 1',
          'delete',
          'hbreak done',
          'continue',
          'print/x $pc == (long) &done',
          'delete',
          'continue',
          `info registers ${pc}`,
          'continue',
        );
        assert.match(text, /=> 0x\w+ <_start>:\s+mov +\$0x5,%cx/, text);
        assert.match(text, /Breakpoint 1, .*work/, text);
        assert.equal(text.match(/= 0x1\n/g)?.length, 2, text);
        assert.match(text, /counter 0\n[\s\S]*counter 1\n/, text);
        // Not INT3, although a breakpoint is set there.
        assert.match(text, bits === 32 ? /<work>:\s+0x66\s+0xff/ : /<work>:\s+0x(ff|66)\s+0x\w\w/, text);
        assert.match(text, /RFLAGS\.IF = 0[\s\S]*exited normally/, text);
        assert.equal(await served.ended, 0);
        assert.equal(served.output, '!');
      });

      test(`in ${bits} bits: gdb gets the architecture and all registers`, async () => {
        using scratch = new Scratch();
        await using served = await new Served(build(scratch, bits).run, name).ready();
        const text = await served.gdb('show confirm', 'show architecture', 'info all-registers', 'kill');
        const architecture = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' }[bits];
        assert.match(text, new RegExp(`\\(currently "${architecture}"\\)`), text);
        for (const register of [
          pc,
          'cs',
          'eflags',
          'st0',
          'fctrl',
          'xmm7',
          'mxcsr',
          'fs_base',
          'cr0',
          'efer',
        ])
          assert.match(text, new RegExp(`^${register} `, 'm'), text);
        // As after FNINIT and reset.
        assert.match(text, /^fctrl +0x37f/m, text);
        assert.match(text, /^mxcsr +0x1f80/m, text);
        assert.equal(await served.ended, 130);
      });

      test(`in ${bits} bits: watchpoints, physical memory, and writes`, async () => {
        using scratch = new Scratch();
        const { elf, run } = build(scratch, bits);
        await using served = await new Served(run, name).ready();
        const text = await served.gdb(
          `file ${elf}`,
          'set var *(short*) &counter = 40',
          'watch *(short*) &counter',
          'continue',
          'continue',
          'monitor accessor',
          'delete',
          'monitor physical on',
          'x/dh &counter',
          'monitor physical off',
          'awatch *(char*) &counter',
          'continue',
          'delete',
          'set var $pc = (long) &done',
          'kill',
        );
        assert.match(text, /Old value = 40\nNew value = 41/, text);
        assert.match(text, /Old value = 41\nNew value = 42/, text);
        assert.match(text, /<counter>:\s+42\n/, text);
        // In 16 bits only gdb has the symbols.
        assert.match(text, /^0x[\da-f]+( {2}<work(\+0x[\da-f]+)?> {2}p\d+\.S:15)?$/m, text);
        assert.match(text, /access \(read\/write\) watchpoint/, text);
        assert.equal(await served.ended, 130);
      });
    }

    test('monitor why: for a running guest, and for a dead one, with its source line', async () => {
      await using served = await new Served(
        ['guests/mistakes/divide-by-zero/divide-by-zero.S'],
        name,
      ).ready();
      const text = await served.gdb('show version', 'monitor why', 'continue', 'monitor why', 'kill');
      assert.match(
        text,
        /the guest has not died[\s\S]*SIGSEGV[\s\S]*why: #DE[\s\S]*divide-by-zero\.S:9/,
        text,
      );
      assert.match(text, /ecx is 0[\s\S]*triple fault/, text);
    });

    for (const bits of [16, 32, 64] as const) {
      test(`in ${bits} bits: Ctrl-C, detach, attach again, and the guest ends while no gdb is attached`, async () => {
        using scratch = new Scratch();
        const { elf, run } = build(scratch, bits);
        const socket = scratch.file('gdb.sock');
        await using served = await new Served(run, name, socket).ready();
        assert.equal(served.where, socket);
        // gdb itself is sent Ctrl-C while it waits for the guest.
        const text = await served.gdb(
          `symbol-file ${elf}`,
          'set var $pc = (long) &spin',
          'python import threading, os, signal; threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()',
          'continue',
          'print/x $pc == (long) &spin',
          'detach',
        );
        assert.match(text, /SIGINT/, text);
        assert.match(text, /= 0x1\n/, text);
        const again = await served.gdb(
          `symbol-file ${elf}`,
          'print/x $pc == (long) &spin',
          'set var $pc = (long) &done',
          'detach',
        );
        assert.match(again, /= 0x1\n/, again);
        assert.equal(await served.ended, 0);
      });
    }
  });
}

describe('--gdb', () => {
  test('names options that it refuses, and an invalid port', () => {
    for (const [flags, words] of [
      [['--gdb', '--timeout', '1s'], /--timeout cannot be used with --gdb/],
      [['--gdb=70000'], /not a port/],
      [['--gdb=/nowhere/at/all'], /cannot be served/],
    ] as const) {
      const done = spawnSync(process.execPath, [cli, 'run', 'guests/hello', '--engine', 'soft', ...flags], {
        encoding: 'utf8',
        cwd: root,
      });
      assert.equal(done.status, 2, done.stderr);
      assert.match(done.stderr, words);
    }
  });
});
