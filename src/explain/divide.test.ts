import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMachine } from '../runtime/index.js';
import { explain } from './explain.js';

/** The explanation of a division in 32-bit code, with registers that are set before it. */
function said(code: readonly number[], registers: Record<string, bigint>): string {
  using machine = createMachine({ engine: 'soft', image: Uint8Array.from(code), mode: 'protected' });
  const { cpu, memory } = machine;
  cpu.setRegisters({ ...cpu.getRegisters(), ...registers });
  const { steps, mistakes } = explain({ ...machine.run(), memory });
  return `${steps[0]!.why}. ${mistakes[0]!}`;
}

describe('a quotient that does not fit', () => {
  test('is shown with its dividend, in each width, with and without sign', () => {
    // div %ecx
    assert.match(
      said([0xf7, 0xf1], { rax: 100n, rdx: 7n, rcx: 7n }),
      /edx:eax is 0x700000064.*by ecx \(0x7\) gives 0x10000000e.*Clear it first \(xor %edx, %edx\)/,
    );
    // div %cx
    assert.match(
      said([0x66, 0xf7, 0xf1], { rax: 0n, rdx: 3n, rcx: 2n }),
      /dx:ax is 0x30000.*0x18000.*16 bits/,
    );
    // div %cl
    assert.match(said([0xf6, 0xf1], { rax: 0x500n, rcx: 2n }), /ah:al is 0x500.*0x280.*8 bits/);
    // idiv %ecx: the smallest number by -1
    assert.match(
      said([0xf7, 0xf9], { rax: 0x8000_0000n, rdx: 0xffff_ffffn, rcx: 0xffff_ffffn }),
      /edx:eax is -2147483648, and divided by ecx \(-1\) gives 2147483648.*CDQ/,
    );
  });

  test('is distinguished from a division by zero, in a register and in memory', () => {
    assert.match(said([0xf7, 0xf1], { rcx: 0n }), /ecx is 0/);
    // divl 0x5000
    assert.match(said([0xf7, 0x35, 0x00, 0x50, 0x00, 0x00], {}), /the divisor is 0/);
    // aam $0
    assert.match(said([0xd4, 0x00], {}), /aam 0x0 divides AL by 0/);
  });
});
