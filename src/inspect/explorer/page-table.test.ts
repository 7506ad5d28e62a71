/** Page tables that are opened one at a time. Expectations: the figures and tables of SDM 3A chapter 5. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { boot, parseImage } from '../../boot/index.js';
import { GuestMemory } from '../../memory/index.js';
import { CR0, CR4, EFER, type SystemRegisters } from '../../x86/index.js';
import { readPageTable } from './page-table.js';
import { walkPages } from './page-walk.js';

const CR3 = 0x1000;
const bits = {
  '32-bit': { cr0: CR0.PE | CR0.PG, cr4: CR4.PSE, efer: 0n },
  PAE: { cr0: CR0.PE | CR0.PG, cr4: CR4.PAE, efer: EFER.NXE },
  '4-level': { cr0: CR0.PE | CR0.PG, cr4: CR4.PAE, efer: EFER.LME | EFER.LMA | EFER.NXE },
} as const;

function paged(mode: keyof typeof bits) {
  const memory = GuestMemory.create([{ address: 0, size: 0x10000 }]);
  const { state } = boot(memory, parseImage(Uint8Array.of(0xf4), 'hlt'), { mode: 'real' });
  const system: SystemRegisters = { ...state.system, ...bits[mode], cr3: BigInt(CR3) };
  memory.writeBytes(0, new Uint8Array(0x10000));
  return { memory, system };
}

describe('a page table that is opened', () => {
  test('is nothing where paging is off', () => {
    const { memory, system } = paged('32-bit');
    const view = readPageTable({ memory, system: { ...system, cr0: CR0.PE } }, []);
    assert.deepEqual([view?.mode, view?.name, view?.rows], ['off', '', []]);
    assert.equal(readPageTable({ memory, system: { ...system, cr0: CR0.PE } }, [0]), undefined);
  });

  test('of 32-bit paging has 1,024 entries: tables, and pages of 4 MiB', () => {
    const cpu = paged('32-bit');
    cpu.memory.write32(CR3, 0x2007);
    cpu.memory.write32(CR3 + 4, 0x40_00e3);
    cpu.memory.write32(CR3 + 4 * 1023, 0x1003);
    const view = readPageTable(cpu, [])!;
    assert.deepEqual([view.name, view.at, view.empty], ['page directory', 0x1000n, 1021]);
    assert.deepEqual(
      view.rows.map(({ first, linear, length, leadsTo, target, bits: names, loops }) => ({
        ...{ first, linear, length, leadsTo, target, loops },
        names: names.join(' '),
      })),
      [
        {
          ...{ first: 0, linear: 0n, length: 0x40_0000n, leadsTo: 'table', target: 0x2000n },
          ...{ loops: undefined, names: 'P RW US' },
        },
        {
          ...{ first: 1, linear: 0x40_0000n, length: 0x40_0000n, leadsTo: 'page', target: 0x40_0000n },
          ...{ loops: undefined, names: 'P RW A D PS' },
        },
        // The last entry points to the directory itself.
        {
          ...{ first: 1023, linear: 0xffc0_0000n, length: 0x40_0000n, leadsTo: 'table', target: 0x1000n },
          ...{ loops: true, names: 'P RW' },
        },
      ],
    );
    const itself = readPageTable(cpu, [1023])!;
    assert.deepEqual([itself.name, itself.at], ['page table', 0x1000n]);
    assert.equal(readPageTable(cpu, [1023, 1023]), undefined, 'there is no third level');
    assert.equal(readPageTable(cpu, [1]), undefined, 'a page is no table');
    assert.equal(readPageTable(cpu, [7]), undefined, 'an entry that is 0');
    for (const index of [-1, 1024, 0.5, Number.NaN]) assert.equal(readPageTable(cpu, [index]), undefined);
  });

  test('joins pages that follow each other, but for the one that is looked for', () => {
    const cpu = paged('4-level');
    cpu.memory.write64(CR3, 0x2003n);
    cpu.memory.write64(0x2000, 0x3003n);
    cpu.memory.write64(0x3000, 0x4003n);
    for (let n = 0; n < 16; n++) cpu.memory.write64(0x4000 + 8 * n, BigInt(n << 12) | (n === 8 ? 1n : 3n));
    const rows = (alone?: number) =>
      readPageTable(cpu, [0, 0, 0], alone)!.rows.map(({ first, last }) => `${first}-${last}`);
    assert.deepEqual(rows(), ['0-7', '8-8', '9-15']);
    assert.deepEqual(rows(12), ['0-7', '8-8', '9-9', '10-10', '11-11', '12-12', '13-13', '14-14', '15-15']);
    assert.equal(readPageTable(cpu, [0, 0, 0])!.rows[0]!.length, 0x8000n);
  });

  test('of PAE has 4 pointers; the upper half of long mode is canonical', () => {
    const pae = paged('PAE');
    pae.memory.write64(CR3 + 8, 0x2001n);
    const pointers = readPageTable(pae, [])!;
    assert.deepEqual(
      [pointers.name, pointers.empty, pointers.rows[0]!.linear],
      ['page directory pointers', 3, 1n << 30n],
    );
    const long = paged('4-level');
    long.memory.write64(CR3 + 8 * 256, 0x2003n);
    assert.equal(readPageTable(long, [])!.rows[0]!.linear, 0xffff_8000_0000_0000n);
  });

  test('names what makes every access a fault, and a table outside RAM', () => {
    const cpu = paged('4-level');
    cpu.memory.write64(CR3, 0x2083n);
    assert.match(readPageTable(cpu, [])!.rows[0]!.problem!, /bit 7 of a PML4E/);
    assert.equal(readPageTable(cpu, [0]), undefined);
    cpu.memory.write64(CR3, 0xfee0_0003n);
    assert.match(readPageTable(cpu, [0])!.problem!, /is at 0xfee00000, which is not RAM/);
  });

  test('agrees with the page walk for any tables', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(bits) as (keyof typeof bits)[])),
        fc.array(fc.tuple(fc.nat(0x7ff), fc.bigInt({ min: 0n, max: 0xffffn }), fc.boolean()), {
          maxLength: 60,
        }),
        fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }),
        (mode, entries, address) => {
          const cpu = paged(mode);
          const bytes = mode === '32-bit' ? 4 : 8;
          for (const [slot, value, high] of entries) {
            const at = CR3 + slot * bytes;
            if (bytes === 4) cpu.memory.write32(at, Number(value));
            else cpu.memory.write64(at, high ? value | (1n << 63n) : value);
          }
          const { levels } = walkPages(cpu, address);
          for (const [n, { index, entry, leadsTo, at }] of levels.entries()) {
            const view = readPageTable(
              cpu,
              levels.slice(0, n).map((level) => level.index),
              index,
            )!;
            const row = view.rows.find(({ first }) => first === index);
            if (entry === undefined) assert.ok(view.problem);
            else if (entry === 0n) assert.equal(row, undefined);
            else assert.deepEqual([row?.at, row?.entry, row?.target], [at, entry, leadsTo]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
