import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type CompileOptions,
  chooseTarget,
  compileSource,
  findLinkerScript,
  ToolchainError,
} from './toolchain.js';

const skip =
  spawnSync('gcc', ['--version']).status === 0
    ? false
    : 'NO COMPILER: install gcc and binutils to run this test';

const work = mkdtempSync(path.join(os.tmpdir(), 'toolchain-test-'));
after(() => rmSync(work, { recursive: true, force: true }));
let folders = 0;

/** Writes the files into a new folder and returns the path of the first. */
function sources(files: Record<string, string>): string {
  const folder = path.join(work, String(folders++));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return path.join(folder, Object.keys(files)[0]!);
}

function compile(files: Record<string, string>, options: Partial<CompileOptions> = {}) {
  return compileSource(sources(files), { mode: 'auto', ...options });
}

function refused(files: Record<string, string>, options: Partial<CompileOptions> = {}): ToolchainError {
  try {
    compile(files, options);
  } catch (error) {
    assert.ok(error instanceof ToolchainError, String(error));
    assert.equal(error.code, 'ETOOLCHAIN');
    return error;
  }
  return assert.fail('it compiled');
}

/** Class (1: 32 bits, 2: 64 bits) and entry of an ELF file (ELF specification, figure 1-3). */
function elf(bytes: Uint8Array): { class: number; entry: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(view.getUint32(0), 0x7f454c46);
  return { class: bytes[4]!, entry: view.getUint32(24, true) };
}

const start = 'void _start(void) { for (;;) __asm__ volatile("hlt"); }\n';

describe('what a source compiles to', () => {
  test('16-bit assembler becomes the bytes of its instructions', { skip }, () => {
    // MOV DX, imm16 is BA iw; MOV AL, imm8 is B0 ib; OUT DX, AL is EE; HLT is F4 (SDM 2).
    const { bytes, kind } = compile({
      'k.S': '.code16\n mov $0x80, %dx\n mov $0x42, %al\n out %al, %dx\n hlt\n',
    });
    assert.equal(kind, 'flat');
    assert.deepEqual([...bytes], [0xba, 0x80, 0x00, 0xb0, 0x42, 0xee, 0xf4]);
  });

  test('32-bit and 64-bit code becomes an ELF file that starts at 1 MiB', { skip }, () => {
    for (const [mode, elfClass] of [
      ['protected', 1],
      ['paged', 1],
      ['pae', 1],
      ['long', 2],
      ['auto', 2],
    ] as const) {
      const { bytes, kind } = compile({ 'k.c': start }, { mode });
      assert.equal(kind, 'elf');
      assert.deepEqual(elf(bytes), { class: elfClass, entry: 0x100000 });
    }
    assert.equal(elf(compile({ 'k.s': '.code32\nhlt\n' }).bytes).class, 1);
    assert.equal(elf(compile({ 'k.s': 'hlt\n' }).bytes).class, 2);
  });

  test('C for real mode becomes a flat image whose first byte is _start', { skip }, () => {
    const helper = 'static __attribute__((noinline)) void helper(void) { __asm__ volatile("nop"); }\n';
    const { bytes, kind } = compile(
      { 'k.c': `${helper}void _start(void) { __asm__ volatile("hlt"); helper(); }\n` },
      { mode: 'real' },
    );
    assert.equal(kind, 'flat');
    assert.equal(bytes[0], 0xf4);
  });

  test('a load address moves what the code refers to', { skip }, () => {
    const code = '.code16\n mov $text, %si\n hlt\ntext: .byte 1\n';
    // MOV SI, imm16 is BE iw; the text lies 4 bytes behind the start.
    assert.deepEqual([...compile({ 'k.S': code }).bytes.subarray(0, 3)], [0xbe, 0x04, 0x00]);
    assert.deepEqual(
      [...compile({ 'k.S': code }, { load: 0x1000 }).bytes.subarray(0, 3)],
      [0xbe, 0x04, 0x10],
    );
    assert.equal(elf(compile({ 'k.c': start }, { load: 0x200000 }).bytes).entry, 0x200000);
  });

  test('a boot sector is linked for 7C00, where the firmware puts it', { skip }, () => {
    const code = '.code16\n mov $text, %si\n hlt\ntext: .byte 1\n.org 510\n.word 0xaa55\n';
    for (const mode of ['auto', 'real'] as const) {
      const { bytes } = compile({ 'k.S': code }, { mode });
      assert.equal(bytes.length, 512);
      assert.deepEqual([...bytes.subarray(0, 3)], [0xbe, 0x04, 0x7c]);
    }
  });

  test('code at the reset vector makes an image of 64 KiB', { skip }, () => {
    const code = '.code16\nstart: jmp start\n.org 0xfff0\n ljmp $0xf000, $start\n';
    const { bytes, kind } = compile({ 'k.S': code });
    assert.equal(kind, 'flat');
    assert.equal(bytes.length, 0x10000);
    // JMP ptr16:16 is EA cd: offset, then segment.
    assert.deepEqual([...bytes.subarray(0xfff0, 0xfff6)], [0xea, 0, 0, 0, 0xf0, 0]);
  });

  test('a 16-bit start may go on into 64-bit code', { skip }, () => {
    const code = '.code16\n ljmp $8, $wide\n.code64\nwide: inc %rax\n hlt\n';
    // INC RAX is REX.W FF /0.
    assert.deepEqual([...compile({ 'k.S': code }).bytes], [0xea, 5, 0, 8, 0, 0x48, 0xff, 0xc0, 0xf4]);
  });

  test('the image is the same whichever folder it was built in', { skip }, () => {
    const files = { 'k.c': `${start}const char *file = __FILE__;\n` };
    const strip = { strip: true };
    assert.deepEqual(compile(files, strip).bytes, compile(files, strip).bytes);
  });

  test('64-bit C uses neither SSE nor the red zone', { skip }, () => {
    const code = `struct pair { long a, b; } volatile from, to;\nvoid _start(void) { struct pair p = from; to = p; }\n`;
    const { command } = compile({ 'k.c': code });
    assert.match(command, /-mgeneral-regs-only/);
    assert.match(command, /-mno-red-zone/);
  });
});

describe('which code a source holds', () => {
  const target = (source: string, file = 'k.S') => chooseTarget(file, source, 'auto');

  test('the first directive outside a comment decides', () => {
    assert.deepEqual(target('// .code32\n/* .code64\n */\n# .code64\n .code16 // 16\n'), {
      kind: 'flat',
      bits: 16,
    });
    assert.deepEqual(target('start: .code32\n'), { kind: 'elf', bits: 32 });
    assert.deepEqual(target('.code16gcc\n'), { kind: 'flat', bits: 16 });
    assert.deepEqual(target('nop\n'), { kind: 'elf', bits: 64 });
    assert.deepEqual(target('.ascii ".code16"\n'), { kind: 'elf', bits: 64 });
  });

  test('a mode that was asked for comes before the directives', () => {
    assert.deepEqual(chooseTarget('k.S', '.code32\n', 'real'), { kind: 'flat', bits: 16 });
    assert.deepEqual(chooseTarget('k.c', '', 'pae'), { kind: 'elf', bits: 32 });
  });

  test('no text makes it fail', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { kind, bits } = target(text);
        assert.ok((kind === 'flat' || kind === 'elf') && [16, 32, 64].includes(bits));
      }),
    );
  });
});

describe('what lies beside a source', () => {
  test('is included, and so are the headers all guests share', { skip }, () => {
    const beside = {
      'k.S': '#include "mine.h"\n#include <ports.h>\n.code16\n.byte MINE, PORT_DEBUG_CONSOLE\n',
      'mine.h': '#define MINE 7\n',
    };
    assert.deepEqual([...compile(beside).bytes], [7, 0xe9]);
  });

  test('a linker script of the same name, linker.ld or kernel16.lds is used', { skip }, () => {
    const script = 'OUTPUT_FORMAT(binary)\nSECTIONS { . = 0x500; .text : { BYTE(0x90) *(.text) } }\n';
    const code = '.code16\nhere: .word here\n';
    for (const name of ['k.lds', 'k.ld', 'linker.ld', 'kernel16.lds']) {
      assert.deepEqual(
        [...compile({ 'k.S': code, [name]: script }).bytes.subarray(0, 3)],
        [0x90, 0x01, 0x05],
        name,
      );
    }
    const file = sources({ 'k.S': code, 'linker.ld': '', 'k.lds': '', 'other.lds': '' });
    assert.equal(path.basename(findLinkerScript(file, 16)!), 'k.lds');
    assert.equal(findLinkerScript(sources({ 'k.S': code, 'kernel16.lds': '' }), 32), undefined);
  });

  test('a script that stops after the jump at FFF0 still gives 64 KiB', { skip }, () => {
    const script =
      'OUTPUT_FORMAT(binary)\nSECTIONS { . = 0; .text : { *(.init) *(.text) } . = ALIGN(4K); .data : { *(.data) } }\n';
    const code = '.code16\nstart: jmp start\n. = 0xfff0\n ljmp $0xf000, $start\n';
    assert.equal(compile({ 'kernel1.S': code, 'kernel16.lds': script }).bytes.length, 0x10000);
  });
});

describe('what cannot be compiled', () => {
  test('a syntax error is told in the compiler’s words, with file and line', { skip }, () => {
    const file = sources({ 'k.c': 'int a;\nvoid _start(void) { return 1 }\n' });
    assert.throws(
      () => compileSource(file, { mode: 'auto' }),
      (error: ToolchainError) => error.message.includes(`${file}:2:`) && /expected ';'/.test(error.message),
    );
    assert.match(refused({ 'k.S': 'nop\nbogus %eax\n' }).message, /k\.S:2: Error: no such instruction/);
  });

  test('C without _start, and a flat image that does not begin with it', { skip }, () => {
    assert.match(
      refused({ 'k.c': 'void main(void) {}\n' }).message,
      /there is no _start: C begins with void _start/,
    );
    const late = '.code16\n nop\n.globl _start\n_start: hlt\n';
    assert.match(refused({ 'k.S': late }).message, /_start is not the first byte/);
  });

  test('functions that a library would have', { skip }, () => {
    const divide = 'long long a, b;\nvoid _start(void) { a /= b; }\n';
    assert.match(refused({ 'k.c': divide }, { mode: 'protected' }).hint!, /libgcc/);
    const copy =
      'struct { char c[500]; } a, b;\nvoid _start(void) { a = b; }\nvoid *memcpy(void *, const void *, unsigned long);\nvoid f(unsigned long n) { memcpy(&a, &b, n); }\n';
    assert.match(refused({ 'k.c': copy }).hint!, /memcpy/);
  });

  test('floating point, which a guest starts without', { skip }, () => {
    const half = 'double x; double f(void) { return x; }\nvoid _start(void) { f(); }\n';
    assert.match(refused({ 'k.c': half }).hint!, /double and float need SSE/);
  });

  test('a file that is missing, a folder, or something else', () => {
    const missing = path.join(work, 'none.S');
    assert.throws(() => compileSource(missing, { mode: 'auto' }), /none\.S: no such file/);
    mkdirSync(path.join(work, 'folder.c'));
    assert.throws(() => compileSource(path.join(work, 'folder.c'), { mode: 'auto' }), /not a regular file/);
    assert.match(refused({ 'k.py': '' }).message, /k\.py: not a source/);
    assert.match(refused({ 'k.C': '' }).message, /not a source/);
    assert.match(refused({ 'k.S': '.code16\n hlt\n' }, { load: -1 }).message, /address -1/);
  });

  test('an empty source', { skip }, () => {
    assert.match(refused({ 'k.S': '.code16\n' }).message, /image is empty/);
  });

  test('a host without the compiler says what to install', () => {
    const error = refused({ 'k.S': 'hlt\n' }, { compiler: 'no-such-gcc' });
    assert.match(error.message, /--cc names no-such-gcc, which is not a program on this host/);
    assert.match(error.hint!, /sudo apt-get install gcc binutils/);
  });

  test('a compiler that never ends is stopped, and what it started does not hold up the answer', () => {
    const slow = path.join(work, 'slow-gcc');
    const ended = path.join(work, 'slow-gcc.ended');
    writeFileSync(slow, `#!/bin/sh\nsleep 60\n: > '${ended}'\n`);
    chmodSync(slow, 0o755);
    assert.match(
      refused({ 'k.S': 'hlt\n' }, { compiler: slow, timeoutMs: 300 }).message,
      /did not end within 300 ms/,
    );
    assert.equal(existsSync(ended), false);
  });

  test('an image of gigabytes', { skip }, () => {
    assert.match(
      refused({ 'k.S': '.code16\n hlt\n.fill 0x7f000000\n' }).message,
      /larger than 256 MiB|did not end/,
    );
  });

  test('names that look like options or lists of options are files', { skip }, () => {
    const folder = path.dirname(
      sources({ '-v.S': '.code16\nhlt\n', '@list.S': '.code16\nhlt\n', 'a b,c.S': '.code16\nhlt\n' }),
    );
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const file of ['-v.S', '@list.S', 'a b,c.S']) {
        assert.deepEqual([...compileSource(file, { mode: 'auto' }).bytes], [0xf4], file);
      }
    } finally {
      process.chdir(before);
    }
  });

  test('nothing is left behind', () => {
    const left = readdirSync(os.tmpdir()).filter(
      (name) => name.startsWith('terrarium-') && !name.startsWith('terrarium-test'),
    );
    try {
      compile({ 'k.S': 'bogus\n' });
    } catch {
      // an error or not: the folder has to go
    }
    const now = readdirSync(os.tmpdir()).filter(
      (name) => name.startsWith('terrarium-') && !name.startsWith('terrarium-test'),
    );
    assert.ok(now.length <= left.length);
  });
});
