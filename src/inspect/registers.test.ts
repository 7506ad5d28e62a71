import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Registers, registerNames, type Segment, type SystemRegisters } from '../x86/index.js';
import { describeFlags, formatRegisters } from './registers.js';

const registers = Object.fromEntries(
  registerNames.map((name, i) => [name, BigInt(i) * 0x1111n]),
) as Registers;
registers.rip = 0xfff0n;
registers.rflags = 0x246n;

const code: Segment = {
  selector: 0xf000,
  base: 0xffff0000n,
  limit: 0xffff,
  type: 11,
  present: true,
  dpl: 0,
  db: false,
  s: true,
  l: false,
  g: false,
  avl: false,
  unusable: false,
};
const data: Segment = { ...code, selector: 0, base: 0n, type: 3 };
const system: SystemRegisters = {
  cs: code,
  ds: data,
  es: data,
  fs: { ...data, unusable: true },
  gs: { ...data, db: true, type: 5, dpl: 3 },
  ss: { ...data, present: false },
  tr: { ...code, s: false },
  ldt: { ...data, s: false, type: 2 },
  gdt: { base: 0n, limit: 0xffff },
  idt: { base: 0x1000n, limit: 0x3ff },
  cr0: 0x80000011n,
  cr2: 0n,
  cr3: 0x2000n,
  cr4: 0x20n,
  cr8: 0n,
  efer: 0x500n,
  apicBase: 0xfee00900n,
};

describe('flags', () => {
  test('have the names of SDM 1 3.4.3; bit 1, which is always set, has none', () => {
    assert.equal(describeFlags(0x2n), '');
    assert.equal(describeFlags(0x246n), 'PF ZF IF');
    assert.equal(describeFlags(0xcd5n), 'CF PF AF ZF SF DF OF');
    assert.equal(describeFlags(0x3202n), 'IF IOPL=3');
    assert.equal(describeFlags(0x80000000_00000002n), 'bit 63');
  });
});

describe('registers as text', () => {
  test('show the general registers, rip and flags', () => {
    assert.equal(
      formatRegisters(registers),
      [
        'rax 0000000000000000  rbx 0000000000003333  rcx 0000000000001111  rdx 0000000000002222',
        'rsi 0000000000006666  rdi 0000000000007777  rbp 0000000000005555  rsp 0000000000004444',
        'r8  0000000000008888  r9  0000000000009999  r10 000000000000aaaa  r11 000000000000bbbb',
        'r12 000000000000cccc  r13 000000000000dddd  r14 000000000000eeee  r15 000000000000ffff',
        'rip    000000000000fff0',
        'rflags 0000000000000246  PF ZF IF',
      ].join('\n'),
    );
  });

  test('show segments with what their descriptors mean, and control bits by name', () => {
    const text = formatRegisters(registers, system).split('\n').slice(6);
    assert.deepEqual(text, [
      'es     0000 base 0000000000000000  limit 0000ffff  data writable 16-bit dpl 0',
      'cs     f000 base 00000000ffff0000  limit 0000ffff  code readable 16-bit dpl 0',
      'ss     0000 base 0000000000000000  limit 0000ffff  data writable 16-bit dpl 0 not present',
      'ds     0000 base 0000000000000000  limit 0000ffff  data writable 16-bit dpl 0',
      'fs     0000 base 0000000000000000  limit 0000ffff  unusable',
      'gs     0000 base 0000000000000000  limit 0000ffff  data read-only expand-down 32-bit dpl 3',
      'tr     f000 base 00000000ffff0000  limit 0000ffff  TSS (busy) dpl 0',
      'ldt    0000 base 0000000000000000  limit 0000ffff  LDT dpl 0',
      'gdt         base 0000000000000000  limit 0000ffff',
      'idt         base 0000000000001000  limit 000003ff',
      'cr0    0000000080000011  PE ET PG',
      'cr2    0000000000000000',
      'cr3    0000000000002000',
      'cr4    0000000000000020  PAE',
      'cr8    0000000000000000',
      'efer   0000000000000500  LME LMA',
    ]);
  });
});
