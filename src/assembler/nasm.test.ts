/** Sources of NASM: what whole programs become, with NASM itself as the judge, and what is said of wrong ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AssemblerError, assemble, flatImage } from './index.js';
import { noNasm } from './testing.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const ours = (source: string) => hex(flatImage(assemble(source, { file: 'k.asm', syntax: 'nasm' })));

function theirs(source: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-nasm-'));
  try {
    const file = (name: string) => path.join(folder, name);
    writeFileSync(file('k.asm'), source);
    execFileSync('nasm', ['-f', 'bin', '-w-all', '-o', file('k.bin'), file('k.asm')], { stdio: 'pipe' });
    return hex(readFileSync(file('k.bin')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const programs: Record<string, string> = {
  'a boot sector as tutorials write it': `[org 0x7c00]
start:  cli
        xor ax, ax
        mov ds, ax
        mov sp, 0x7c00
        mov [drive], dl
        mov si, hello
.next:  lodsb
        or al, al
        jz .end
        mov ah, 0x0e
        int 10h
        jmp .next
.end:   jmp 0x0000:far_away
far_away: hlt
        jmp $
drive   db 0
hello:  db "Hello, it's", 13, 10, 'me', 0
times 510-($-$$) db 0
dw 0xaa55
`,
  'protected mode and its tables': `org 0x1000
CODE equ gdt.code - gdt
bits 16
  lgdt [gdt.pointer]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp CODE:protected
bits 32
protected: mov ax, DATA
  mov ds, ax
  mov dword [0xb8000], 0x07690748
  jmp dword CODE:protected
  ret
gdt: dq 0
.code: dw 0xffff, 0
 db 0, 10011010b, 11001111b, 0
.data: dw 0xffff, 0
 db 0, 92h, 0cfh, 0
.end:
.pointer: dw .end - gdt - 1
 dd gdt
DATA equ gdt.data - gdt
`,
  numbers:
    'db 10, 0ah, 0x0a, $0a, 1010b, 0b1010, 12o, 0q12, 1_0, "a", -1, ~1, !0, 3 // 2, 7 %% 3, 1 << 3, 6 & 3 | 8 ^ 1\n',
  'data of all sizes':
    "db 'abc', `\\n\\x41`, 'its'\ndw 'abc', 1\ndd 'abcde', 1.5, -2\ndq 1.0, 'x', -1\ndb ?\n",
  'room and alignments':
    'db 1\nalign 8\ndb 2\nalign 4, db 0\ndb 3\nresb 3\ndb 4\nsection .data\ndd x\nsection .bss\nx: resd 4\ny: resb 1\nsection .text\ndd y\n',
  addresses: `bits 64
default rel
x: mov eax, [x]
 mov eax, [abs x]
 mov rax, [rel x + 4]
 mov eax, [rbx + rcx * 4 + 8]
 lea eax, [rax * 2]
 lea rax, [rax * 5 + 1]
 lea rax, [rax + rax]
 mov al, [byte rbx + 1]
 mov al, [dword rbx + 1]
 mov al, [fs:0]
 mov rax, x
 mov rax, 1
 mov rax, -1
 mov rax, 0x123456789
 mov [rsp + rbp], rax
 mov [rbp + rsp], rax
`,
  'immediates as short as they can be':
    'bits 32\nadd eax, 127\nadd eax, 128\nadd eax, b - a\na: push 1\npush dword 1\npush byte -1\npush 300\npush word 5\nadd eax, strict dword 1\nimul ecx, 3\nb: cmp word [a], 5\ncmp word [a], word 500\n',
  branches: `bits 16\na: jmp b\ntimes 200 nop\nb: jmp short b\njmp near b\nje a\njmp word b\njmp dword b\ncall a\nloop b\njcxz b\ncall far [bx]\njmp far [a]\n`,
  'single-line macros':
    '%define X 3\n%define ADD(a, b) ((a) + (b))\n%xdefine Y X\n%define X 4\n%assign n 1 + 2\ndb X, Y, n, ADD(n, X)\n%assign n n * 2\ndb n\n%undef X\nX: db X - $$\n%define name la%+bel\nname: dw name\n',
  'multi-line macros': `%macro put 1-3 7, 'x'
 db %1, %2, %3, %0
%%l: dw %%l
%endmacro
 put 1
 put 1, 2
 put 1, 2, 3
%macro rest 1+
 db %1
%endmacro
 rest 1, 2, 3
%macro each 1-*
%rep %0
 db %1
%rotate 1
%endrep
%endmacro
 each 5, 6, 7
%macro over 0
 db 0
%endmacro
%macro over 1
 db %1
%endmacro
 over
 over 9
lab: over
 dw lab
`,
  'conditions and repetitions': `%assign i 0
%rep 5
%if i = 3
 db 'three'
%elif i > 3
%exitrep
%else
 db i
%endif
%assign i i + 1
%endrep
%ifdef NOTHING
 db 1
%elifndef NOTHING
 db 2
%endif
%ifidn abc, abc
 db 3
%endif
%if 0
%if 1
 db 4
%endif
%else
 db 5
%endif
`,
  structures:
    'struc point\n.x: resw 1\n.y: resd 1\n.end:\nendstruc\nmov ax, [bx + point.y]\ndb point_size, point.end\nabsolute 100h\nv: resb 4\nw:\nsection .text\ndw v, w\n',
  'repeated statements':
    'times 3 db 1, 2\ntimes 2 mov ax, bx\na: times 10 - ($ - a) db 0xee\ntimes 4 jmp a\ntimes 0 nop\n',
  'labels with and without a colon': 'a nop\nb: nop\nc db 1\nd:\n.e: dw .e\nf: dw d.e\ng equ 5\ndb g\n',
  'x87 and SSE':
    'bits 32\nfld dword [eax]\nfadd st1\nfadd st0, st2\nfadd to st3\nfaddp\nfsub st0, st1\nfsubp st1\nfstsw ax\nfinit\nmovsd xmm0, [eax]\nmovsd\ncmpltps xmm1, xmm2\nmovq xmm1, [ecx]\n',
  'SSE in 64 bits':
    'bits 64\nmovq xmm0, [rbx]\nmovq [rbx], xmm9\nmovq mm0, [rbx]\nmovq [rbx], mm0\nmovq rax, xmm0\nmovq xmm0, rax\nmovd xmm0, [rbx]\nmovd [rbx], mm1\n',
  prefixes:
    'bits 32\nrep movsb\nlock inc dword [eax]\no16 nop\na16 lodsb\nrepne scasd\nes lodsb\nmov [es:di], al\n',
};

describe('a source of NASM', { skip: noNasm }, () => {
  for (const [name, source] of Object.entries(programs)) {
    test(`has ${name}`, () => {
      assert.equal(ours(source), theirs(source));
    });
  }
});

test('MOVQ needs no size for memory, which is 8 bytes in each of its forms', () => {
  // SDM 2B, MOVQ: F3 0F 7E /r and 66 0F D6 /r, and with MMX registers NP 0F 6F /r and 7F /r.
  const forms = [
    ['movq xmm0, [rbx]', 'f30f7e03'],
    ['movq [rbx], xmm0', '660fd603'],
    ['movq mm0, [rbx]', '0f6f03'],
    ['movq [rbx], mm0', '0f7f03'],
  ];
  assert.equal(
    ours(`bits 64\n${forms.map(([text]) => text).join('\n')}\n`),
    forms.map(([, bytes]) => bytes).join(''),
  );
});

describe('a wrong source of NASM', () => {
  const wrong: Record<string, RegExp> = {
    ' mvo eax, ebx': /^k\.asm:1:2: unknown instruction 'mvo' \(did you mean mov\?\)$/,
    ' mov [x], 1\nx:':
      /how many bytes of memory mov takes is not said \(write byte, word, dword or qword before the operand\)/,
    ' mov ax, [ax]': /form no 16-bit address/,
    ' mov eax, [eax*3+ebx]': /a scale is 1, 2, 4 or 8, not 3/,
    ' mov eax, [eax*ebx]': /registers in an address/,
    ' mov eax, [eax+ebx+ecx]': /two registers at most/,
    ' mov ax, x': /'x' is not defined/,
    'times -1 db 0': /times -1: a negative number/,
    'times 510-($-$$) db 0\ntimes 510-($-$$) db 0\n resb 1 << 30': /no such room/,
    '%macro m 1\n%endmacro\n m': /m takes 1 arguments, not 0/,
    '%macro m 0\n m\n%endmacro\n m': /more than 200 macros/,
    '%if 1': /no %endif/,
    '%include "nowhere"': /there is no file nowhere/,
    '%error stop here': /stop here/,
    '%rep 100000000\n nop\n%endrep': /too many lines/,
    'x equ y\ny equ x\n dw x': /defined by itself/,
    ' db "abc': /is not closed/,
    'a:\na:': /'a' is defined already, in k\.asm:1/,
    'bits 17': /16, 32 or 64 bits, not 17/,
  };
  for (const [source, said] of Object.entries(wrong)) {
    test(`is told why: ${JSON.stringify(source)}`, () => {
      assert.throws(
        () => ours(source),
        (error) => error instanceof AssemblerError && said.test(error.message),
      );
    });
  }

  test('never hangs or grows without bound', () => {
    const word = fc.constantFrom(
      ...[
        '%macro a 0',
        '%endmacro',
        'a',
        '%rep 9',
        '%endrep',
        '%if 1',
        '%endif',
        'x equ x',
        'x:',
        'jmp x',
        'times x db 1',
      ],
      ...[
        'align 8',
        '%define a a a',
        '%assign x x+1',
        'resb x',
        'db x',
        'dw $-x',
        '(((',
        '"',
        '[x]',
        'mov ax, x',
        '$$',
        '%1',
        '%%l:',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.constantFrom('\n', ' '), (words, between) => {
        try {
          assemble(words.join(between), { file: 'k.asm', syntax: 'nasm' });
        } catch (error) {
          assert.ok(error instanceof AssemblerError, String((error as Error).stack));
        }
      }),
    );
  });
});
