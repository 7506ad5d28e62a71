import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../memory/index.js';
import { type BootPlan, boot } from './boot.js';
import { ImageError } from './image.js';

const MIB = 1024 * 1024;
const HLT = Uint8Array.of(0xf4);
const machine = (size = 16 * MIB) => GuestMemory.create([{ address: 0, size }]);

/**
 * Walks page tables as the SDM's figures draw it (3A 5.3, 5.4.2, 5.5.4), written for this test: returns the physical
 * address and the AND of the access bits on the way.
 */
function walk(
  memory: GuestMemory,
  { mode, state }: BootPlan,
  linear: number,
): { physical: number; bits: number } {
  const { cr3 } = state.system;
  if (mode === 'paged') {
    const pde = memory.read32(Number(cr3) + 4 * (linear >>> 22));
    if (!(pde & 0x80)) {
      const pte = memory.read32((pde & ~0xfff) + 4 * ((linear >>> 12) & 1023));
      return { physical: ((pte & ~0xfff) >>> 0) + (linear & 0xfff), bits: pde & pte & 7 };
    }
    assert.equal(pde & 0x3f_f000 & ~0x1000, 0, 'reserved and upper address bits');
    return { physical: ((pde & 0xffc0_0000) >>> 0) + (linear & 0x3f_ffff), bits: pde & 7 };
  }
  const linear64 = BigInt(linear);
  let bits = 7;
  let table = cr3 & ~0xfffn;
  if (mode === 'long') {
    const pml4e = memory.read64(Number(table + 8n * ((linear64 >> 39n) & 511n)));
    assert.equal(pml4e & 0x80n, 0n, 'PS is reserved in a PML4 entry');
    bits &= Number(pml4e & 7n);
    table = pml4e & 0xf_ffff_ffff_f000n;
  } else {
    assert.equal(cr3 & 31n, 0n);
  }
  const pdpte = memory.read64(Number(table + 8n * ((linear64 >> 30n) & (mode === 'pae' ? 3n : 511n))));
  // SDM 3A 5.4.1: bits 2:1, 8:5 and those above the address are reserved in PAE's four entries.
  if (mode === 'pae') assert.equal(pdpte & 0xfff0_0000_0000_01e6n, 0n);
  else bits &= Number(pdpte & 7n);
  assert.equal(pdpte & 1n, 1n);
  const directory = pdpte & 0xf_ffff_ffff_f000n;
  const pde = memory.read64(Number(directory + 8n * ((linear64 >> 21n) & 511n)));
  if (!(pde & 0x80n)) {
    const pte = memory.read64(Number((pde & ~0xfffn) + 8n * ((linear64 >> 12n) & 511n)));
    return { physical: Number(pte & ~0xfffn) + (linear & 0xfff), bits: bits & Number(pde & pte & 7n) };
  }
  assert.equal(pde & 0x1f_e000n, 0n, 'reserved bits 20:13');
  bits &= Number(pde & 7n);
  return { physical: Number(pde & 0xf_ffff_ffe0_0000n) + (linear % (2 * MIB)), bits };
}

describe('the boot tables', () => {
  for (const mode of ['paged', 'pae', 'long'] as const) {
    test(`of ${mode} mode map the first 4 GiB to themselves, for ring 3 too`, () => {
      using memory = machine();
      const plan = boot(memory, HLT, { mode });
      const edges = [0, 1, 0x1f_ffff, 0x20_0000, 0x3f_ffff, 0x40_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
      for (const linear of edges) assert.deepEqual(walk(memory, plan, linear), { physical: linear, bits: 7 });
      const guard = Number(plan.state.system.gdt.base) - 4096;
      const anywhere = fc.integer({ min: 0, max: 0xffff_ffff });
      const nearby = fc.integer({ min: guard - 4 * MIB, max: 16 * MIB - 1 });
      fc.assert(
        fc.property(fc.oneof(anywhere, nearby), (linear) => {
          if (linear >= guard && linear < guard + 4096) assert.equal(walk(memory, plan, linear).bits & 1, 0);
          else assert.deepEqual(walk(memory, plan, linear), { physical: linear, bits: 7 });
        }),
      );
    });
  }

  test('keep a page that is not mapped between themselves and the stack, on the side where the stack is', () => {
    for (const mode of ['paged', 'pae', 'long'] as const) {
      using memory = machine();
      for (const stack of [undefined, 16 * MIB]) {
        const plan = boot(memory, HLT, { mode, ...(stack && { stack }) });
        const gdt = Number(plan.state.system.gdt.base);
        const tables = { paged: 3, pae: 7, long: 8 }[mode] * 4096;
        const guard = stack === undefined ? gdt - 4096 : gdt + tables;
        assert.equal(walk(memory, plan, guard).bits & 1, 0, `${mode} at ${stack}`);
        for (const mapped of [guard - 1, guard + 4096]) assert.equal(walk(memory, plan, mapped).bits, 7);
      }
    }
  });

  test('are below a return address that leads to where nothing is, on a stack aligned to 16 bytes', () => {
    for (const mode of ['protected', 'paged', 'pae', 'long'] as const) {
      using memory = machine();
      const { stack, state } = boot(memory, HLT, { mode });
      assert.equal(state.registers.rsp, BigInt(stack));
      assert.equal(stack % 16, 0);
      const top = mode === 'long' ? memory.read64(stack) : BigInt(memory.read32(stack));
      assert.equal(top, mode === 'long' ? 0xffff_ffff_ffff_e000n : 0xffff_e000n);
      // What the caller puts somewhere is left as it is.
      assert.equal(boot(memory, HLT, { mode, stack: 0x8000 }).state.registers.rsp, 0x8000n);
      assert.equal(memory.read64(0x8000), 0n);
    }
  });

  test('of long mode map nothing above 4 GiB', () => {
    using memory = machine();
    const pml4 = Number(boot(memory, HLT, { mode: 'long' }).state.system.cr3);
    for (let i = 1; i < 512; i++) assert.equal(memory.read64(pml4 + 8 * i), 0n);
    const pdpt = Number(memory.read64(pml4) & ~0xfffn);
    for (let i = 4; i < 512; i++) assert.equal(memory.read64(pdpt + 8 * i), 0n);
  });

  test('overwrite the old content of memory', () => {
    using memory = machine(64 * 1024);
    memory.view(0, 64 * 1024).fill(0xff);
    const { state } = boot(memory, HLT, { mode: 'long' });
    assert.equal(memory.read64(Number(state.system.cr3) + 8), 0n);
    assert.equal(memory.read64(Number(state.system.gdt.base)), 0n);
  });

  test('hold the descriptors that the segment registers say', () => {
    const expected = {
      protected: ['0', 'cf9b000000ffff', 'cf93000000ffff', 'cffb000000ffff', 'cff3000000ffff'],
      long: ['0', 'af9b000000ffff', 'cf93000000ffff', 'cff3000000ffff', 'affb000000ffff'],
    };
    for (const mode of ['protected', 'long'] as const) {
      using memory = machine();
      const { system } = boot(memory, HLT, { mode }).state;
      const at = Number(system.gdt.base);
      const found = [0, 1, 2, 3, 4].map((i) => memory.read64(at + 8 * i).toString(16));
      assert.deepEqual(found, expected[mode]);
      assert.equal(system.gdt.limit, mode === 'long' ? 0x37 : 0x2f);
      // TSS: limit 0x67, type busy, base split into 24 and 8 bits (SDM 3A figures 8-3 and 8-4).
      const base = Number(system.tr.base);
      const low = memory.read64(at + system.tr.selector);
      const word = BigInt(base & 0xff00_0000) | 0x8b00n | BigInt((base >>> 16) & 0xff);
      assert.equal(low, (word << 32n) | (BigInt(base & 0xffff) << 16n) | 0x67n);
      if (mode === 'long') assert.equal(memory.read64(at + system.tr.selector + 8), 0n);
      assert.equal(memory.read16(base + 102), 104, 'no I/O permission map');
    }
  });

  test('lie at the top of memory with the stack and the guard page below', () => {
    const pages = { protected: 1, paged: 3, pae: 7, long: 8 };
    for (const mode of ['protected', 'paged', 'pae', 'long'] as const) {
      using memory = machine();
      const { stack, state } = boot(memory, HLT, { mode });
      assert.equal(state.system.gdt.base, BigInt(16 * MIB - pages[mode] * 4096));
      assert.equal(stack, 16 * MIB - pages[mode] * 4096 - 4096 - 16);
    }
  });

  test('make way for a stack that the caller puts at the end of memory', () => {
    using memory = machine(MIB);
    const { stack, state } = boot(memory, HLT, { mode: 'long', stack: MIB });
    assert.equal(stack, MIB);
    assert.equal(state.registers.rsp, BigInt(MIB));
    assert.equal(state.system.gdt.base, BigInt(MIB - 64 * 1024 - 9 * 4096));
    const lower = boot(memory, HLT, { mode: 'long', stack: 0x8000 });
    assert.equal(lower.state.system.gdt.base, BigInt(MIB - 8 * 4096));
    assert.throws(
      () => boot(memory, HLT, { mode: 'protected', stack: 2 ** 32 }),
      /0x100000000 does not fit into the 32 bits of ESP/,
    );
    using small = machine(44 * 1024);
    assert.throws(
      () => boot(small, HLT, { mode: 'long', stack: 0xa000 }),
      /stack that ends at 0xa000 leaves no room for the tables of long mode, 36K/,
    );
  });

  test('need a least size of memory, which the error names', () => {
    const least = { protected: 12, paged: 20, pae: 36, long: 40 };
    for (const mode of ['protected', 'paged', 'pae', 'long'] as const) {
      using enough = machine(least[mode] * 1024 + 4096);
      boot(enough, HLT, { mode });
      using small = machine(least[mode] * 1024 - 4096);
      assert.throws(
        () => boot(small, HLT, { mode }),
        new RegExp(`${mode} mode needs at least ${least[mode]}K of memory.* has ${least[mode] - 4}K`),
      );
    }
  });

  test('never overlap the image', () => {
    using memory = machine(64 * 1024);
    assert.throws(
      () => boot(memory, new Uint8Array(0xa000), { mode: 'long' }),
      (error: unknown) => {
        assert.ok(error instanceof ImageError);
        assert.match(
          error.message,
          /image at 0x0–0x9fff overlaps the boot tables \(GDT, TSS, page tables\) at 0x7000–0xffff/,
        );
        assert.match(error.hint ?? '', /--memory 80K/);
        return true;
      },
    );
    assert.throws(
      () => boot(memory, new Uint8Array(0x6001), { mode: 'long' }),
      /overlaps the stack at 0x6000–0x6fff/,
    );
    assert.ok(
      memory.view(0, 0x1_0000).every((byte) => byte === 0),
      'nothing was written',
    );
    boot(memory, new Uint8Array(0x6000), { mode: 'long' });
    using enough = machine(80 * 1024);
    boot(enough, new Uint8Array(0xa000), { mode: 'long' });
  });

  test('go into the first writable region below 4 GiB', () => {
    using memory = GuestMemory.create([
      { address: 0, size: 4096, readOnly: true },
      { address: 0x10_0000, size: MIB },
    ]);
    const { stack } = boot(memory, HLT, { mode: 'long' });
    assert.equal(stack, 2 * MIB - 9 * 4096 - 16);
    using none = GuestMemory.create([{ address: 0, size: MIB, readOnly: true }]);
    assert.throws(() => boot(none, HLT, { mode: 'long' }), /needs writable memory below 4G/);
  });
});
