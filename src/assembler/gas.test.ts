/** Sources of GNU as: what whole programs become, with GNU as itself as the judge, and what is said of wrong ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AssembleOptions, AssemblerError, assemble, flatImage } from './index.js';
import { noAs } from './testing.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function ours(source: string, options: Partial<AssembleOptions> = {}): string {
  return hex(flatImage(assemble(source, { file: 'k.S', syntax: 'gas-cpp', bits: 64, ...options })));
}

/** The sections that GNU as makes of it, linked to an address by ld. */
function theirs(source: string, base = 0): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-gas-'));
  try {
    const file = (name: string) => path.join(folder, name);
    writeFileSync(file('k.S'), source);
    const script = `SECTIONS { . = ${base}; .image : { *(.text) *(.rodata) *(.data) } =0 .bss (NOLOAD) : { *(.bss) } /DISCARD/ : { *(.note*) } }`;
    writeFileSync(file('k.ld'), script);
    execFileSync('gcc', ['-c', '-Wa,-mx86-used-note=no', '-o', file('k.o'), file('k.S')]);
    execFileSync('ld', ['--oformat=binary', '-T', file('k.ld'), '-o', file('k.bin'), file('k.o')], {
      stdio: 'pipe',
    });
    return hex(readFileSync(file('k.bin')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const programs: Record<string, string> = {
  'branches as short as they reach':
    '.code32\na: jmp b\n.skip 120\nb: je a\n jne c\n.skip 130\nc: jmp a\n call a\n loop c\n jecxz c\n jmp .\n',
  'branches that push each other over the edge': `.code64\na: ${'jmp z\n.skip 3\n'.repeat(40)}z: jmp a\n`,
  'local labels': '.code16\n1: nop\n jmp 1b\n jmp 1f\n1: jmp 1b\n2: jmp 2b\n jne 1b\n',
  'numbers and expressions':
    ".byte 1+2*3, 0x10|1, ~0, -1, 1<<4, 10/3, 10%3, 'A, '\\n, 2 == 2, (1+2)*3, 5-3+1, 7 & 3 + 1\n.quad 1 << 40, -1\n",
  'distances between labels':
    'a: nop\nb: .long b - a, c - a, . - a\n mov $b - a, %eax\nc: .set size, c - a\n add $size, %ecx\n',
  strings: '.ascii "a" "b", "c\\n\\x41\\101\\\\\\"", ""\n.asciz "z;#/*"\n.string "é"\n',
  'alignments in code and data':
    '.code64\n nop\n.balign 16\n ret\n.p2align 5\n nop\n.balign 8, 0xcc\n.data\n.byte 1\n.balign 8\n.byte 2\n.balign 64,,3\n.byte 3\n',
  'a large alignment, jumped over': '.code32\n nop\n.balign 4096\n nop\n.balign 256\n',
  'fills, skips and origins':
    '.fill 3, 2, 0x1234\n.skip 4, 0x90\n.zero 2\n.org 20\n.byte 1\na: .org a + 7, 0xee\n.byte 2\n',
  'sections in their order':
    '.section .rodata\n.byte 2\n.data\n.byte 3\n.text\n.byte 1\n.section .bss\nb: .skip 8\n.text\n.quad b\n.pushsection .data\n.byte 4\n.popsection\n.byte 5\n.previous\n',
  'floating-point numbers': '.float 1.5, -2\n.double 0.1, 1e10\n',
  macros:
    '.macro twice what, n=2\n.rept \\n\n\\what\n.endr\n.endm\n twice nop\n twice "mov %eax, %ebx", 3\n twice n=1, what=hlt\n.macro lab\nl\\@: jmp l\\@\n.endm\n lab\n lab\n',
  'macros with rests, required and joined arguments':
    '.macro push_all first, rest:vararg\n push \\first\n.ifnb \\rest\n push_all \\rest\n.endif\n.endm\n push_all %rax, %rbx, %rcx\n.macro reg name:req\n mov %r\\name, %r\\()\\name\n.endm\n reg ax\n',
  repetitions:
    '.irp r, ax, bx, cx\n push %r\\r\n.endr\n.irpc d, 012\n.byte \\d\n.endr\n.set i, 0\n.rept 4\n.byte i\n.set i, i + 1\n.endr\n',
  conditions:
    '.set v, 2\n.if v == 2\n.byte 1\n.elseif v\n.byte 2\n.else\n.byte 3\n.endif\n.ifdef v\n.byte 4\n.endif\n.ifndef w\n.byte 5\n.endif\n.ifc a,a\n.byte 6\n.endif\n.if 0\n.if 1\n.byte 7\n.endif\n.else\n.byte 8\n.endif\n',
  "C's preprocessor":
    '#define N 3\n#define ADD(a, b) ((a) + (b))\n#define CAT(a, b) a##b\n#define STR(x) #x\n#if N > 2 && defined(ADD) && !defined(M)\n.byte ADD(N, 1), CAT(1, 2)\n.ascii STR(hi)\n#elif 1\n.byte 9\n#else\n.byte 8\n#endif\n/* a\n comment */ .byte 7 // end\n.byte __ASSEMBLER__\n',
  'immediates as short as they are known':
    '.code64\n.set a, 5\n add $a, %rax\n add $b, %rax\n.set b, 6\n add $127, %eax\n add $128, %eax\n add $-129, %eax\n push $1\n push $300\n mov $-1, %rax\n mov $0x123456789, %rax\n imul $3, %ecx\n',
  addresses:
    '.code64\nx: mov x, %eax\n mov x(%rip), %rbx\n mov x+4(,%rcx,8), %edx\n lea -8(%rbp), %rsp\n mov %fs:0, %rax\n movabs x, %al\n mov 4(%rip), %eax\n mov (%r13), %r12\n',
  'far jumps and tables':
    '.code16\n ljmp $0xf000, $0xfff0\n ljmp $8, $l\n lcall *x\nx: lgdt x\n data32 lgdt x\n.code32\nl: ljmp $16, $l\n',
  "Intel's syntax":
    '.intel_syntax noprefix\n.code32\na: mov eax, DWORD PTR [ebx+ecx*4+a]\n mov eax, a\n mov eax, OFFSET a\n jmp a\n call [eax]\n rep movsb\n fadd st, st(2)\n add BYTE PTR es:[di], 1\n.att_syntax\n mov $1, %eax\n',
  prefixes: '.code64\n lock incl (%rax)\n rep movsb\n rep; stosq\n repne scasb\n cs nop\n',
};

describe('a source of GNU as', () => {
  for (const [name, source] of Object.entries(programs)) {
    test(`has ${name}`, { skip: noAs }, () => {
      for (const base of [0, 0x7c00]) {
        assert.equal(ours(source, { base: BigInt(base) }), theirs(source, base));
      }
    });
  }

  test('includes files, and parts of them', () => {
    const files: Record<string, string> = {
      'a.inc': '.byte 2\n#include "b.inc"\n',
      'b.inc': '.byte 3\n',
      'c.bin': 'abcdef',
    };
    const read = (name: string) =>
      files[name] === undefined ? undefined : { file: name, bytes: Buffer.from(files[name]) };
    const source = '.byte 1\n#include "a.inc"\n.include "b.inc"\n.incbin "c.bin", 1, 3\n.incbin "c.bin"\n';
    assert.equal(ours(source, { read }), `01020303${hex(Buffer.from('bcd'))}${hex(Buffer.from('abcdef'))}`);
  });

  test('tells where each line’s code lies', () => {
    const { lines, symbols } = assemble('nop\nx: jmp x\n\n ret\n', {
      file: 'k.s',
      syntax: 'gas',
      base: 0x100n,
    });
    assert.deepEqual(
      lines.map(({ address, origin }) => [address, origin.line]),
      [
        [0x100n, 1],
        [0x101n, 2],
        [0x103n, 4],
      ],
    );
    assert.equal(symbols.get('x'), 0x101n);
  });
});

function complaints(source: string, options: Partial<AssembleOptions> = {}): string[] {
  try {
    assemble(source, { file: 'k.S', syntax: 'gas-cpp', ...options });
  } catch (error) {
    assert.ok(error instanceof AssemblerError, String(error));
    return error.message.split('\n');
  }
  return assert.fail('it was assembled');
}

describe('a wrong source of GNU as', () => {
  const wrong: Record<string, RegExp> = {
    ' mvo %eax, %ebx': /^k\.S:1:2: unknown instruction 'mvo' \(did you mean mov\?\)$/,
    '.bite 1': /^k\.S:1:1: unknown directive \.bite \(did you mean \.byte\?\)$/,
    ' mov %eax, %bx': /eax and bx are not of the same size|bx and eax are not of the same size/,
    ' mov %eaz, %ebx': /^k\.S:1:6: there is no register %eaz$/,
    ' mov $1, %al, %bl': /'mov' takes 2 operands, not 3/,
    ' mov $x, %eax': /'x' is not defined/,
    'a: nop\na: nop': /^k\.S:2:1: 'a' is defined already, in k\.S:1$/,
    '.byte 1 +': /^k\.S:1:10: a number or a symbol is missing: nothing is there$/,
    '.byte 1/0': /a division by zero/,
    ' mov (%eax,%ebx,3), %ecx': /a scale is 1, 2, 4 or 8, not 3/,
    ' mov (,%rsp,2), %ecx': /rsp cannot be an index/,
    '.code16\n mov (%bx,%bx), %ax': /bx and bx form no 16-bit address/,
    '.code32\n mov %rax, %rbx': /64-bit code/,
    ' mov %ah, %sil': /ah cannot be named beside/,
    ' pusha': /'pusha' is no instruction of 64-bit code/,
    '.org 4\n.org 2': /\.org goes back to 0x2, and there are 0x4 bytes already/,
    '.rept 3\nnop': /this \.rept has no \.endr/,
    '.if 1\nnop': /this \.if has no \.endif/,
    '.macro m\n m\n.endm\n m': /more than 200 macros and files within each other/,
    '.set a, b\n.set b, a\n.long a': /'a' is defined by itself|'b' is defined by itself/,
    '.skip 1 << 40': /more than a program has/,
    '.fill 10000000, 8, 1': /more than a program has/,
    '#include "nowhere.h"': /there is no such file/,
    '#if 1': /this condition has no #endif/,
    '.incbin "nowhere"': /there is no file nowhere/,
    '.ascii "abc': /the " here is not closed/,
    '.bss\n.byte 1': /\.bss takes no contents but zeros/,
    ' jmp a\n.code64\n loop a\n.skip 200\na: nop': /too far for a branch of 8 bits/,
    'x = .\n.align x': /this has to be a number that is known here|a power of two/,
  };
  for (const [source, said] of Object.entries(wrong)) {
    test(`is told why: ${JSON.stringify(source)}`, () => {
      assert.match(complaints(source).join('\n'), said);
    });
  }

  test('is told of all its errors, and of 50 at most', () => {
    assert.equal(complaints(' foo\n bar\n nop\n baz\n').length, 3);
    assert.equal(complaints(' foo\n'.repeat(1000)).length, 51);
  });

  test('never hangs or grows without bound', () => {
    const word = fc.constantFrom(
      ...[
        '.macro a',
        '.endm',
        'a',
        '.rept 9',
        '.endr',
        '.if 1',
        '.endif',
        'x = x + 1',
        'x:',
        'jmp x',
        '.org x',
        '.skip x',
      ],
      ...[
        '.align 8',
        '#define a a a',
        '#if a',
        '#endif',
        'a a a',
        '.irp x,1,2',
        '\\x',
        '.byte x',
        '(((',
        '"',
        "'",
        '%eax',
        '1f',
        '1:',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.constantFrom('\n', ' ', ';'), (words, between) => {
        try {
          assemble(words.join(between), { file: 'k.S', syntax: 'gas-cpp' });
        } catch (error) {
          assert.ok(error instanceof AssemblerError, String((error as Error).stack));
        }
      }),
    );
  });
});
