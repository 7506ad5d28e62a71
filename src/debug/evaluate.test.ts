import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SymbolTable } from '../symbols/index.js';
import { type Registers, registersWith, type SystemRegisters } from '../x86/index.js';
import { DebugError } from './errors.js';
import { evaluate, requirePure, type Scope } from './evaluate.js';
import type { CodeBits } from './mode.js';
import type { DebugTarget } from './target.js';

/** 64 KiB whose bytes are their addresses' low ones, and registers that are set by name. */
function scopeOf(bits: CodeBits = 64, real = false) {
  const memory = Uint8Array.from({ length: 65536 }, (_, i) => i);
  const registers = registersWith({ rflags: 0n });
  const segment = (selector: number) => ({ selector, base: real ? BigInt(selector) << 4n : 0n });
  const system = {
    ...Object.fromEntries(
      ['es', 'cs', 'ss', 'ds', 'fs', 'gs'].map((name, i) => [name, segment(0x100 * (i + 1))]),
    ),
    cr0: real ? 0n : 1n,
    efer: 0n,
  } as unknown as SystemRegisters;
  const target = {
    read: async (address: bigint, length: number) => {
      if (address >= 65536n) throw new DebugError('nothing is mapped');
      return memory.slice(Number(address), Number(address) + length);
    },
    write: async (address: bigint, bytes: Uint8Array) => memory.set(bytes, Number(address)),
    setRegister: async (name: keyof Registers, value: bigint) => {
      registers[name] = value;
    },
    view: async () => ({ registers, system }),
  } as unknown as DebugTarget;
  const scope: Scope = {
    target,
    symbols: new SymbolTable({ format: 'elf64' }),
    view: { registers, system },
    bits,
  };
  return { scope, registers, memory, value: async (text: string) => (await evaluate(text, scope)).value };
}

describe('an expression', () => {
  test('is arithmetic as everybody knows it, in 64 bits', async () => {
    const { value } = scopeOf();
    const operators = ['+', '-', '*', '&', '|', '^', '<<'] as const;
    const tree: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc
          .bigInt({ min: 0n, max: 0xffff_ffffn })
          .map((n) => (n % 2n === 0n ? `${n}` : `0x${n.toString(16)}`)),
        fc
          .tuple(tie('tree'), fc.constantFrom(...operators), tie('tree'))
          .map(([a, sign, b]) => (sign === '<<' ? `((${a}) << 3)` : `${a} ${sign} ${b}`)),
        tie('tree').map((inner) => `(${inner})`),
      ),
    })).tree;
    await fc.assert(
      fc.asyncProperty(tree, async (text) => {
        // JavaScript has the same order of these operators.
        const expected = new Function(
          `return BigInt.asUintN(64, ${text.replace(/(0x[\da-f]+|\b\d+)/g, '$1n')})`,
        )();
        assert.equal(BigInt.asUintN(64, await value(text)), expected, text);
      }),
    );
  });

  test('reads registers and their parts, memory of every size, and places in segments', async () => {
    const { scope, registers, value } = scopeOf();
    registers.rax = 0xffff_ffff_8000_1280n;
    registers.rdi = 0x10n;
    registers.rflags = 0x46n;
    const expected: Record<string, bigint> = {
      rax: 0xffff_ffff_8000_1280n,
      $eax: 0x8000_1280n,
      '%ax': 0x1280n,
      ah: 0x12n,
      AL: 0x80n,
      zf: 1n,
      '!zf': 0n,
      '~al': 0x7fn,
      "'A' + 1": 0x42n,
      '1fh': 0x1fn,
      '0b101': 5n,
      'byte [0x1234]': 0x34n,
      'word ptr [rdi]': 0x1110n,
      'dword [rdi+4]': 0x17161514n,
      '*rdi': 0x1716151413121110n,
      '[rdi]:u8': 0x10n,
      '0xff:s8': -1n,
      'rdi:u16': 0x1110n,
      'al == -128': 1n,
      'rdi > 0xf && rdi <= 16': 1n,
      '0 && [0xffffffff]': 0n,
      '1 || [0xffffffff]': 1n,
      'es:rdi+2': 0x12n,
    };
    for (const [text, wanted] of Object.entries(expected)) assert.equal(await value(text), wanted, text);
    assert.equal((await evaluate('rflags', scope)).text, '0x46 (PF ZF)');
  });

  test('knows what a segment is: a paragraph in real mode, its base elsewhere', async () => {
    const { value, registers } = scopeOf(16, true);
    registers.rdi = 0x34n;
    assert.equal(await value('es:di'), 0x1034n);
    assert.equal(await value('0xb800:2'), 0xb8002n);
    assert.equal(await value('byte [ds:di+1]'), 0x35n);
    await assert.rejects(scopeOf(32).value('0x10:2'), /selector/);
  });

  test('sets registers, parts of them, flags and memory, and refuses what does not fit', async () => {
    const { scope, registers, memory, value } = scopeOf();
    registers.rax = 0x1111_2222_3333_4444n;
    await value('ah = 0xff');
    assert.equal(registers.rax, 0x1111_2222_3333_ff44n);
    await value('eax = -1');
    assert.equal(registers.rax, 0x1111_2222_ffff_ffffn);
    await value('cf = 1');
    assert.equal(registers.rflags, 1n);
    assert.equal((await evaluate("word [0x100] = 'Z'", scope)).assigned, true);
    assert.deepEqual([...memory.slice(0x100, 0x103)], [0x5a, 0, 2]);
    await assert.rejects(value('al = 256'), /does not fit into 8 bits/);
    await assert.rejects(value('zf = 2'), /does not fit into 1 bit/);
    await assert.rejects(value('5 = 6'), /only registers and memory/);
    assert.throws(() => requirePure('rax = 1'), /sets something/);
    requirePure('rax == 1');
  });

  test('that is invalid says what is wrong, for all inputs', async () => {
    const { value } = scopeOf();
    const wrong: Record<string, RegExp> = {
      '': /nothing to evaluate/,
      'rax +': /ends too early/,
      '(rax': /'\)' is missing/,
      'rax rbx': /'rbx' is not expected/,
      rxa: /neither a register nor a symbol.*/,
      $rxa: /no register 'rxa'/,
      '#': /'#' has no meaning here/,
      '1 / 0': /divide by 0/,
      '1 << 65': /shift by 65/,
      '[0x10000]': /no memory at 0x10000/,
      '[0xffff]': /no memory at 0x10000/,
    };
    for (const [text, message] of Object.entries(wrong)) await assert.rejects(value(text), message, text);
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 40 }), async (text) => {
        await value(text).catch((error) => assert.ok(error instanceof DebugError, `${text}: ${error}`));
      }),
    );
  });
});
