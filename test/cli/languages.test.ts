/** Sources in every language, single and several together, run from a folder of the user. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { compileSource } from '../../src/runtime/images/toolchain.js';
import { cli, noGcc, Scratch, terrarium, until } from '../support.js';

const has = (program: string, ...words: string[]) => spawnSync(program, words).status === 0;
const without = (program: string, ...words: string[]): string | false =>
  has(program, ...words) ? false : `SKIPPED: no ${program} here`;

/** Prints its name and halts. */
const kernels: Record<string, { source: string; skip: string | false }> = {
  'k.cpp': {
    skip: noGcc || without('g++', '--version'),
    source: `struct Console { void put(char c) { __asm__ volatile("outb %0, $0xe9" :: "a"(c)); } };
struct Made { int n; Made() : n('!') {} };
Made made;
extern "C" void (*__init_array_start[])();
extern "C" void (*__init_array_end[])();
extern "C" void _start() {
  for (auto make = __init_array_start; make != __init_array_end; make++) (*make)();
  Console console;
  for (const char *p = "k.cpp"; *p; p++) console.put(*p);
  console.put(made.n);
  for (;;) __asm__ volatile("cli; hlt");
}
`,
  },
  'k.rs': {
    skip: noGcc || without('rustc', '--version'),
    source: `#![no_std]
#![no_main]
use core::arch::asm;
#[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop { unsafe { asm!("cli", "hlt") } } }
fn put(c: u8) { unsafe { asm!("out 0xe9, al", in("al") c) } }
#[no_mangle] pub extern "C" fn _start() -> ! { for c in b"k.rs!" { put(*c) } loop { unsafe { asm!("cli", "hlt") } } }
`,
  },
  'k.zig': {
    skip: noGcc || without('zig', 'version'),
    source: `fn put(c: u8) void { asm volatile ("outb %[c], $0xe9" : : [c] "{al}" (c)); }
export fn _start() noreturn { for ("k.zig!") |c| put(c); while (true) asm volatile ("cli; hlt"); }
`,
  },
  'k.asm': {
    skip: without('nasm', '-v'),
    source: `bits 16
org 0x7c00
        mov si, text
next:   lodsb
        out 0xe9, al
        cmp al, '!'
        jne next
        cli
        hlt
text:   db "k.asm!"
        times 510-($-$$) db 0
        dw 0xaa55
`,
  },
};

describe('a kernel in', () => {
  for (const [name, { source, skip }] of Object.entries(kernels)) {
    test(`${name.slice(2)} runs`, { skip }, () => {
      using scratch = new Scratch();
      writeFileSync(scratch.file(name), source);
      const done = terrarium(['run', name, '--engine', 'soft'], { cwd: scratch.path });
      assert.deepEqual([done.stdout, done.status], [`${name}!`, 0], done.stderr);
    });
  }

  test('nasm is linked with C, by either compiler', { skip: noGcc || without('nasm', '-v') }, () => {
    using scratch = new Scratch();
    writeFileSync(
      scratch.file('boot.asm'),
      'bits 64\nglobal _start\nextern put\nsection .text\n_start: mov edi, "n"\n call put\n cli\n hlt\n',
    );
    writeFileSync(
      scratch.file('put.c'),
      'void put(int c) { __asm__ volatile("outb %b0, $0xe9" :: "a"(c)); }\n',
    );
    const compilers = ['gcc', ...(has('clang', '--version') && has('ld.lld', '--version') ? ['clang'] : [])];
    for (const compiler of compilers) {
      const run = ['run', 'boot.asm', 'put.c', '--engine', 'soft', '--cc', compiler];
      const done = terrarium(run, { cwd: scratch.path });
      assert.deepEqual([done.stdout, done.status], ['n', 0], `${compiler}: ${done.stderr}`);
    }
    // A folder that has only sources: all are used, the one with the entry first.
    const done = terrarium(['run', '.', '--engine', 'soft'], { cwd: scratch.path });
    assert.deepEqual([done.stdout, done.status], ['n', 0], done.stderr);
  });
});

describe('a file that is no image', () => {
  test('that is a text is not run as machine code', () => {
    using scratch = new Scratch();
    const texts = {
      'README.md': '# A kernel\n\nIt says hello.\n',
      passwd: 'root:x:0:0:root:/root:/bin/bash\n',
      'run.sh': '#!/bin/sh\necho hello\n',
    };
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(scratch.file(name), text);
      const done = terrarium(['run', name], { cwd: scratch.path });
      assert.equal(done.status, 2);
      assert.match(
        done.stderr,
        name === 'run.sh' ? /a script for \/bin\/sh/ : /this is a text, and not an image/,
      );
    }
  });

  test('an empty name and a folder without sources are reported', () => {
    using scratch = new Scratch();
    assert.match(terrarium(['run', ''], { cwd: scratch.path }).stderr, /the name of the image is empty/);
    assert.match(terrarium(['run', '.'], { cwd: scratch.path }).stderr, /without a guest\.json/);
  });

  test('the package’s guests are found from every folder, and the user’s own have priority', () => {
    using scratch = new Scratch();
    const done = terrarium(['run', 'guests/hello', '--engine', 'soft'], { cwd: scratch.path });
    assert.match(done.stdout, /[Hh]ello/, done.stderr);
    mkdirSync(scratch.file('guests/hello'), { recursive: true });
    assert.match(terrarium(['run', 'guests/hello'], { cwd: scratch.path }).stderr, /without a guest\.json/);
  });
});

describe('a misspelled word', () => {
  test('is answered with the right one', () => {
    assert.match(terrarium(['course', 'chek']).stderr, /unknown command 'chek'\n\(Did you mean check\?\)/);
    assert.match(terrarium(['runn', 'k.S']).stderr, /Did you mean run\?/);
  });

  test('of --report or --trace does not overwrite the guest’s source, and is reported before the run', () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.S'), '.code16\nhlt\n');
    writeFileSync(scratch.file('other.c'), 'mine');
    for (const words of [
      ['--trace=k.S'],
      ['--report', 'k.S'],
      ['--report', 'other.c'],
      ['--report', 'no/x.json'],
    ]) {
      const done = terrarium(['run', 'k.S', ...words], { cwd: scratch.path });
      assert.equal(done.status, 2);
      assert.match(done.stderr, /would be overwritten|the folder no of no\/x.json does not exist/);
      assert.doesNotMatch(done.stderr, /halted/);
    }
    assert.equal(readFileSync(scratch.file('k.S'), 'utf8'), '.code16\nhlt\n');
    assert.equal(readFileSync(scratch.file('other.c'), 'utf8'), 'mine');
  });
});

describe('untrusted sources', { skip: noGcc }, () => {
  const refused = (files: Record<string, string>, name: string) => {
    using scratch = new Scratch();
    for (const [file, text] of Object.entries(files)) writeFileSync(scratch.file(file), text);
    let message = '';
    try {
      compileSource(scratch.file(name), { mode: 'auto', confined: true });
    } catch (error) {
      message = (error as Error).message;
    }
    return message;
  };
  const start = '.globl _start\n_start: hlt\n';
  const hostname = readFileSync('/etc/passwd', 'latin1').slice(0, 20);

  test('cannot read this host’s files, under any name', () => {
    const sources: [string, Record<string, string>][] = [
      ['k.S', { 'k.S': `${start}.incbin "/etc/passwd"\n` }],
      ['k.S', { 'k.S': `#include "/etc/passwd"\n${start}` }],
      ['k.S', { 'k.S': `.macro m a, b\n.\\a\\b "/etc/passwd"\n.endm\nm inc, bin\n${start}` }],
      ['k.S', { 'k.S': `#define X incbin\n.X "/etc/passwd"\n${start}` }],
      ['k.S', { 'k.S': `.include "/etc/passwd"\n${start}` }],
      ['k.S', { 'k.S': `.macro m a, b\n.\\a\\b "/etc/passwd"\n.endm\nm inc, lude\n${start}` }],
      ['k.c', { 'k.c': 'asm(".inc" "bin \\"/etc/passwd\\"");\nvoid _start(void) {}\n' }],
      ['k.c', { 'k.c': '#define F "/etc/passwd"\n#include F\nvoid _start(void) {}\n' }],
      ['k.S', { 'k.S': '#include "part.h"\n', 'part.h': `${start}.incbin "/etc/passwd"\n` }],
    ];
    for (const [name, files] of sources) {
      const message = refused(files, name);
      assert.match(message, /reads \/etc\/passwd, which does not belong to it/, JSON.stringify(files));
      assert.ok(!message.includes(hostname));
    }
    using scratch = new Scratch();
    symlinkSync('/etc/passwd', scratch.file('k.S'));
    const link = () => compileSource(scratch.file('k.S'), { mode: 'auto', confined: true });
    assert.throws(link, /leads to a file outside its folder/);
    assert.match(refused({ 'k.rs': '' }, 'k.rs'), /untrusted rust code is not compiled/);
  });

  test('can read files beside them, and headers', () => {
    const files = {
      'k.c': '#include <stdint.h>\n#include "io.h"\n#include "part.h"\n',
      'part.h': 'void _start(void) {}\n',
    };
    assert.equal(refused(files, 'k.c'), '');
    assert.match(refused({ 'k.S': 'bogus\n' }, 'k.S'), /no such instruction/);
  });
});

test('a running compiler ends with Terrarium, and its folder is removed', { skip: noGcc }, async () => {
  using scratch = new Scratch();
  spawnSync('mkfifo', [scratch.file('fifo.h')]);
  writeFileSync(scratch.file('k.S'), '#include "fifo.h"\n');
  mkdirSync(scratch.file('tmp'));
  const env = { ...process.env, TMPDIR: scratch.file('tmp') };
  const child = spawn(process.execPath, [cli, 'run', scratch.file('k.S')], { env, stdio: 'ignore' });
  const mine = () => spawnSync('pgrep', ['-f', scratch.file('fifo.h').replace('fifo.h', 'k.S')]).status === 0;
  await until('the compiler', () => spawnSync('pgrep', ['-f', `cc1.*${scratch.path}`]).status === 0);
  child.kill('SIGTERM');
  await until('the end of all', () => !mine());
  await until('an empty folder', () => readdirSync(scratch.file('tmp')).length === 0);
  assert.ok(existsSync(scratch.file('tmp')));
});
