import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Exit, ExitKind } from '../engine/contract/index.js';
import { formatInstruction, physicalAddress } from '../inspect/index.js';
import { GuestMemory } from '../memory/index.js';
import type { SystemRegisters } from '../x86/index.js';
import { ExitCode } from './exit-code.js';
import { exitRecord } from './testing.js';

const real = {
  cs: { base: 0x100n, db: false, l: false },
  cr0: 0n,
  cr3: 0n,
  cr4: 0n,
  efer: 0n,
} as unknown as SystemRegisters;

/** The text for an exit of 16-bit code whose bytes lie at offset 0x10. */
function textOf(code: readonly number[], rip: number, exit: Partial<Exit>, exact = false): string {
  using memory = GuestMemory.create([{ address: 0, size: 0x1000 }]);
  memory.writeBytes(0x110, Uint8Array.from(code));
  const reader = new ExitCode(memory, { getSystemRegisters: () => real }, exact);
  return reader.textOf(exitRecord({ ripLow: rip, ...exit }));
}

const out = { kind: ExitKind.io, write: true, address: 0xf1 };

describe('the instruction that caused an exit', () => {
  test('starts at rip, or ends there', () => {
    assert.equal(textOf([0xe6, 0xf1], 0x10, out), 'out 0xf1,al');
    assert.equal(textOf([0xe6, 0xf1], 0x12, out), 'out 0xf1,al');
    assert.equal(textOf([0xf4], 0x11, { kind: ExitKind.halt }), 'hlt');
    assert.equal(textOf([0x66, 0xef], 0x12, { ...out, size: 4 }), 'out dx,eax');
  });

  test('is not guessed: not by its port, not by its size, not where two are possible', () => {
    assert.equal(textOf([0xe6, 0xf2], 0x10, out), '');
    assert.equal(textOf([0xef], 0x10, out), '');
    assert.equal(textOf([0xee, 0x6e], 0x11, out), '');
    assert.equal(textOf([0xee, 0x6e], 0x11, out, true), 'outs dx,BYTE PTR ds:[si]');
  });

  test('is read again when the guest has written over it', () => {
    using memory = GuestMemory.create([{ address: 0, size: 0x1000 }]);
    const reader = new ExitCode(memory, { getSystemRegisters: () => real }, true);
    const exit = exitRecord({ ripLow: 0x10, ...out });
    memory.writeBytes(0x110, Uint8Array.of(0xe6, 0xf1));
    assert.equal(reader.textOf(exit), 'out 0xf1,al');
    memory.writeBytes(0x110, Uint8Array.of(0xee, 0x90));
    assert.equal(reader.textOf(exit), 'out dx,al');
  });

  test('is unknown where there is no memory, and at the end of it', () => {
    assert.equal(textOf([], 0xfff0, out), '');
    assert.equal(textOf([], 0xeff, out), '');
  });

  test('is shown with its own bytes and no more', () => {
    assert.equal(formatInstruction(Uint8Array.of(0xe6, 0xf1, 0x90), 0n, real), 'out 0xf1,al [e6 f1]');
    assert.equal(formatInstruction(Uint8Array.of(0xff, 0xff), 0n, real), '(bad) [ff ff]');
  });
});

describe('a linear address', () => {
  const paging = { cr0: 1n << 31n, cr3: 0x1000n, cr4: 0n, efer: 0n };

  test('is found through two, three and four levels, in small and large pages', () => {
    using memory = GuestMemory.create([{ address: 0, size: 0x10000 }]);
    memory.write32(0x1000 + 4, 0x2001);
    memory.write32(0x2000 + 4, 0x7001);
    assert.equal(physicalAddress(memory, paging, 0x401234n), 0x7234);
    memory.write32(0x1000 + 8, 0x00c0_0081);
    assert.equal(physicalAddress(memory, { ...paging, cr4: 0x10n }, 0x801234n), 0xc01234);
    const pae = { ...paging, cr3: 0x3000n, cr4: 0x20n };
    memory.write32(0x3000, 0x4001);
    memory.write32(0x4000, 0x0020_0081);
    assert.equal(physicalAddress(memory, pae, 0x1234n), 0x201234);
    memory.write32(0x3ff8, 0);
    assert.equal(physicalAddress(memory, { ...pae, efer: 0x500n }, 0xffff_8000_0000_0000n), undefined);
  });

  test('that is not mapped, or whose tables are not in RAM or point at themselves, is none or an end', () => {
    using memory = GuestMemory.create([{ address: 0, size: 0x10000 }]);
    assert.equal(physicalAddress(memory, paging, 0n), undefined);
    assert.equal(physicalAddress(memory, { ...paging, cr3: 0xfff_0000n }, 0n), undefined);
    memory.write32(0x1000, 0x1001);
    assert.equal(physicalAddress(memory, paging, 0x123n), 0x1123);
  });
});
