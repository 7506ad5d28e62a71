import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { boot, parseImage } from '../../boot/index.js';
import { GuestMemory } from '../../memory/index.js';
import type { SystemRegisters } from '../../x86/index.js';
import { formatDescriptorTable, readDescriptorTable } from './descriptors.js';
import { dump, parseDump } from './dump.js';
import { formatInterruptTable, readInterruptTable } from './interrupts.js';
import { formatPageMap, pageMap } from './page-map.js';
import { formatWalk, walkPages } from './page-walk.js';
import { formatTaskState, readTaskState } from './task-state.js';

type Mode = 'real' | 'protected' | 'paged' | 'pae' | 'long';
const MIB = 1024 * 1024;

/** A machine before its first instruction. */
function booted(mode: Mode) {
  const memory = GuestMemory.create([{ address: 0, size: 2 * MIB }]);
  const { state } = boot(memory, parseImage(Uint8Array.of(0xf4), 'hlt'), { mode, load: 0x10000 });
  return { memory, ...state };
}

/** 4-level paging with tables of the test's own, CR3 = 0x1000. */
function long(system: Partial<SystemRegisters> = {}) {
  const { memory, registers, ...rest } = booted('long');
  memory.writeBytes(0, new Uint8Array(0x10000));
  return { memory, registers, system: { ...rest.system, cr3: 0x1000n, ...system } };
}

describe('a page walk', () => {
  test('walks the tables of each mode that Terrarium boots', () => {
    for (const [mode, names] of Object.entries({ paged: 'PDE', pae: 'PDPTE PDE', long: 'PML4E PDPTE PDE' })) {
      // Beyond the large page that is split around the guard page below the stack.
      const walk = walkPages(booted(mode as Mode), 0x401_2345n);
      assert.equal(walk.levels.map(({ name }) => name).join(' '), names);
      assert.deepEqual(walk.rights, { write: true, user: true, execute: true });
      assert.equal(walk.physical, 0x401_2345n);
    }
    assert.equal(walkPages(booted('protected'), 0x1_0000_1234n).physical, 0x1234n, '32 bits without paging');
  });

  test('takes the indices of SDM 3A figure 5-8 from the address, and the rights of all levels together', () => {
    const cpu = long();
    const linear = (3n << 39n) | (5n << 30n) | (7n << 21n) | (9n << 12n) | 0xabcn;
    cpu.memory.write64(0x1000 + 3 * 8, 0x2000n | 7n);
    cpu.memory.write64(0x2000 + 5 * 8, 0x3000n | 5n);
    cpu.memory.write64(0x3000 + 7 * 8, 0x4000n | 3n);
    cpu.memory.write64(0x4000 + 9 * 8, 0x77000n | 0x67n);
    const walk = walkPages(cpu, linear);
    assert.equal(walk.physical, 0x77abcn);
    assert.deepEqual(walk.rights, { write: false, user: false, execute: true });
    assert.equal(
      formatWalk(walk, cpu.memory),
      [
        'page walk of 0x18140e09abc: 4-level paging',
        '  PML4E    3 at 0x00001018  0000000000002007  P RW US → 0x2000',
        '  PDPTE    5 at 0x00002028  0000000000003005  P US → 0x3000',
        '  PDE      7 at 0x00003038  0000000000004003  P RW → 0x4000',
        '  PTE      9 at 0x00004048  0000000000077067  P RW US A D → 0x77000',
        '  physical address 0x77abc, in a page of 4 KiB: read-only, ring 0 only, executable',
      ].join('\n'),
    );
  });

  test('has five levels with CR4.LA57', () => {
    const cpu = long();
    cpu.system.cr4 |= 1n << 12n;
    for (const [table, next] of [0x1000n, 0x2000n, 0x3000n, 0x4000n, 0x5000n].entries())
      cpu.memory.write64(Number(next), BigInt(0x1000 * (table + 2)) | 3n);
    const walk = walkPages(cpu, 0x10n);
    assert.deepEqual([walk.levels.length, walk.physical], [5, 0x6010n]);
  });

  test('stops with the reason: not present, reserved bits, outside RAM, not canonical', () => {
    const cpu = long();
    assert.match(walkPages(cpu, 0n).problem!, /PML4E is not present/);
    cpu.memory.write64(0x1000, 0x83n);
    assert.match(walkPages(cpu, 0n).problem!, /bit 7 of a PML4E/);
    cpu.memory.write64(0x1000, (1n << 63n) | 0x2003n);
    assert.match(walkPages(cpu, 0n).problem!, /NXE is 0/);
    cpu.memory.write64(0x1000, 0xfee0_0003n);
    assert.match(walkPages(cpu, 0n).problem!, /0xfee00000, which is not RAM/);
    assert.match(walkPages(cpu, 1n << 47n).problem!, /not canonical/);
    cpu.memory.write64(0x1000, 0x2003n);
    cpu.memory.write64(0x2000, 0x3003n);
    cpu.memory.write64(0x3000, 0x10_2083n);
    assert.match(
      walkPages(cpu, 0n).problem!,
      /must begin at a multiple of 2 MiB, this one begins 0x102000 after one/,
    );
    assert.match(
      walkPages({ ...cpu, system: { ...cpu.system, cr3: 0xffff_ffff_f000n } }, 0n).problem!,
      /not RAM/,
    );
  });
});

describe('the page map', () => {
  test('merges consecutive pages, and splits where rights change', () => {
    const cpu = long();
    cpu.memory.write64(0x1000, 0x2007n);
    cpu.memory.write64(0x2000, 0x3007n);
    cpu.memory.write64(0x3000, 0x4007n);
    for (let n = 0; n < 8; n++) cpu.memory.write64(0x4000 + 8 * n, BigInt(n * 4096) | (n < 5 ? 7n : 5n));
    cpu.memory.write64(0x1000 + 511 * 8, 0x2003n);
    assert.equal(
      formatPageMap(pageMap(cpu)),
      [
        'page map: 4-level paging, 4 ranges',
        '  0000000000000000–0000000000004fff  → 0x0     rwx  user    4 KiB pages',
        '  0000000000005000–0000000000007fff  → 0x5000  r-x  user    4 KiB pages',
        '  ffffff8000000000–ffffff8000004fff  → 0x0     rwx  ring 0  4 KiB pages',
        '  ffffff8000005000–ffffff8000007fff  → 0x5000  r-x  ring 0  4 KiB pages',
      ].join('\n'),
    );
  });

  test('of Terrarium’s long mode boot is 4 GiB without the guard page below the stack', () => {
    for (const mode of ['paged', 'pae', 'long'] as const) {
      const { ranges, truncated } = pageMap(booted(mode));
      const mapped = ranges.reduce((sum, { length }) => sum + length, 0n);
      assert.deepEqual([mapped, truncated], [(1n << 32n) - 4096n, false]);
    }
  });

  test('ends where every entry points back to the first table', () => {
    const cpu = long();
    for (let n = 0; n < 512; n++) cpu.memory.write64(0x1000 + 8 * n, 0x1003n);
    const map = pageMap(cpu);
    assert.equal(map.truncated, true);
    assert.ok(map.ranges.length <= 4096);
    assert.ok(formatPageMap(map).length < 10_000);
  });

  test('ends in bounded time where every table leads to the next one, and the last one is empty', () => {
    const cpu = long();
    // 512^4 entries could be looked at.
    for (const table of [0x1000, 0x2000, 0x3000])
      for (let n = 0; n < 512; n++) cpu.memory.write64(table + 8 * n, BigInt(table + 0x1000) | 3n);
    for (let n = 0; n < 512; n++) cpu.memory.write64(0x4000 + 8 * n, 0n);
    const map = pageMap(cpu);
    assert.deepEqual([map.truncated, map.ranges], [true, []]);
  });
});

describe('descriptor tables as text', () => {
  test('are what Terrarium boots with', () => {
    assert.equal(
      formatDescriptorTable(readDescriptorTable(booted('protected'), 'GDT'))
        .split('\n')
        .slice(1, 4)
        .join('\n'),
      [
        '  0x0000  0000000000000000                             null',
        '  0x0008  00cf9b000000ffff  0x0 4 GiB           dpl 0  code, execute and read, 32-bit',
        '  0x0010  00cf93000000ffff  0x0 4 GiB           dpl 0  data, read and write, 32-bit',
      ].join('\n'),
    );
    assert.match(formatTaskState(readTaskState(booted('long'))), /RSP0 is 0/);
    assert.match(
      formatTaskState(readTaskState(booted('real'))),
      /limit 0xffff\n {2}! TR still has its value from reset[^\n]*$/,
    );
    assert.match(formatInterruptTable(readInterruptTable(booted('long'))), /too small for a single entry/);
    assert.match(formatDescriptorTable(readDescriptorTable(booted('long'), 'LDT')), /there is no LDT/);
  });

  test('say what is wrong: a table that ends outside RAM, S forgotten, a null code segment in a gate', () => {
    const cpu = booted('protected');
    const at = 2 * MIB - 24;
    cpu.system = { ...cpu.system, gdt: { base: BigInt(at), limit: 0x2f }, idt: { base: 0x2000n, limit: 7 } };
    cpu.memory.write64(at + 8, 0x00cf8a000000ffffn);
    cpu.memory.write64(at + 16, 0x00cf12000000ffffn);
    cpu.memory.write64(0x2000, 0x00108e0000001234n);
    const gdt = formatDescriptorTable(readDescriptorTable(cpu, 'GDT'));
    assert.match(gdt, /only 24 of its 48 bytes are in RAM/);
    assert.match(gdt, /S = 0 makes it a system descriptor, and type 10 is reserved/);
    assert.match(gdt, /not present \(P = 0\)/);
    assert.match(
      formatInterruptTable(readInterruptTable(cpu)),
      /32-bit interrupt gate → 0000:00101234[\s\S]*null selector/,
    );
  });

  test('of random registers and memory are shown in bounded time', () => {
    const items = parseDump('regs,gdt,ldt,idt,tss,pages,walk:0x401000');
    fc.assert(
      fc.property(
        fc.constantFrom<Mode>('real', 'protected', 'paged', 'pae', 'long'),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.bigInt(0n, (1n << 64n) - 1n),
        fc.nat(0xffff_ffff),
        (mode, bytes, base, limit) => {
          const cpu = booted(mode);
          for (let at = 0; at < 0x8000; at += 64) cpu.memory.writeBytes(at, bytes);
          const table = { base, limit };
          const segment = { ...cpu.system.tr, base, limit, type: 9 };
          const system = {
            ...cpu.system,
            gdt: table,
            idt: table,
            tr: segment,
            ldt: segment,
            cr3: base & 0x7fffn,
          };
          for (const { text } of dump({ ...cpu, system }, items)) assert.ok(text.length < 100_000);
        },
      ),
      { numRuns: 15 },
    );
  });
});

test('an unknown name is refused with the known ones', () => {
  assert.deepEqual(parseDump('GDT, walk:4096'), [{ what: 'gdt' }, { what: 'walk', address: 4096n }]);
  for (const wrong of ['', 'walk', 'walk:', 'walk:-1', 'walk:0x10000000000000000', 'gdt;idt'])
    assert.throws(() => parseDump(wrong), { code: 'ECONFIG', hint: /walk:ADDRESS/ });
});

describe('code', () => {
  const names = {
    symbols: [{ address: 0x7c00n, size: 0n, name: 'start', kind: 'label' as const }],
    symbol: () => undefined,
    symbolAt: (address: bigint) =>
      `start${address === 0x7c00n ? '' : `+0x${(address - 0x7c00n).toString(16)}`}`,
    lineAt: (address: bigint) => `boot.S:${Number(address - 0x7c00n) < 2 ? 7 : 8}`,
  };

  test('is shown from RIP or a linear address on, with a name and a line where they change', () => {
    const cpu = booted('real');
    cpu.memory.writeBytes(0x7c00, Uint8Array.of(0xfa, 0x90, 0x31, 0xc0, 0xf4));
    cpu.system.cs = { ...cpu.system.cs, selector: 0x7c0, base: 0x7c00n };
    const subject = { ...cpu, registers: { ...cpu.registers, rip: 0n }, symbols: names };
    const [part] = dump(subject, parseDump('code'));
    assert.deepEqual(
      part!.text
        .split('\n')
        .slice(0, 5)
        .map((line) => line.trim().split(/ {2,}/)),
      [
        ['code at 0x00007c00, 16-bit'],
        ['0x00007c00', 'fa', 'cli', '<start>', 'boot.S:7'],
        ['0x00007c01', '90', 'nop'],
        ['0x00007c02', '31 c0', 'xor ax,ax', 'boot.S:8'],
        ['0x00007c04', 'f4', 'hlt'],
      ],
    );
    assert.match(dump(subject, parseDump('code:0xfe000000'))[0]!.text, /no RAM is mapped there/);
    assert.equal(
      dump(subject, parseDump('symbols'))[0]!.text,
      'symbols: 1\n  0x00007c00  label  start  boot.S:7',
    );
    assert.match(dump(cpu, parseDump('symbols'))[0]!.text, /symbols: 0[\s\S]*has none/);
  });
});
