import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Registers,
  registerNames,
  type Segment,
  type SystemRegisters,
  segmentNames,
} from '../../../x86/index.js';
import { scratch } from './codec.js';
import { type CpuidEntry, decodeCpuid, encodeCpuid, guestCpuid } from './cpuid.js';
import { kvm_regs, kvm_sregs } from './layout.js';
import { decodeRegisters, encodeRegisters } from './regs.js';
import { decodeSystemRegisters, encodeSystemRegisters } from './sregs.js';

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const plain = { noNullPrototype: true } as const;
const segment: fc.Arbitrary<Segment> = fc.record(
  {
    selector: u16,
    base: u64,
    limit: u32,
    type: fc.integer({ min: 0, max: 15 }),
    present: fc.boolean(),
    dpl: fc.integer({ min: 0, max: 3 }),
    db: fc.boolean(),
    s: fc.boolean(),
    l: fc.boolean(),
    g: fc.boolean(),
    avl: fc.boolean(),
    unusable: fc.boolean(),
  },
  plain,
);
const table = fc.record({ base: u64, limit: u16 }, plain);
const record = <T>(names: readonly string[], value: fc.Arbitrary<T>) =>
  fc.record(Object.fromEntries(names.map((name) => [name, value])), plain);
const system = fc
  .tuple(
    record([...segmentNames, 'tr', 'ldt'], segment),
    record(['gdt', 'idt'], table),
    record(['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer', 'apicBase'], u64),
  )
  .map(
    ([segments, tables, controls]) => ({ ...segments, ...tables, ...controls }) as unknown as SystemRegisters,
  );
const cpuidEntry: fc.Arbitrary<CpuidEntry> = fc.record(
  {
    function: u32,
    index: u32,
    flags: u32,
    eax: u32,
    ebx: u32,
    ecx: u32,
    edx: u32,
  },
  plain,
);

describe('structures of the kernel', () => {
  test('registers are equal after encoding and decoding', () => {
    fc.assert(
      fc.property(record(registerNames, u64), (value) => {
        const registers = value as Registers;
        const view = scratch(kvm_regs.sizeof);
        encodeRegisters(view, registers);
        assert.deepEqual(decodeRegisters(view), registers);
      }),
    );
  });

  test('system registers are equal after encoding and decoding, and the interrupt bitmap is not changed', () => {
    fc.assert(
      fc.property(system, (value) => {
        const view = scratch(kvm_sregs.sizeof);
        view.setBigUint64(kvm_sregs.interrupt_bitmap, 0x55n, true);
        encodeSystemRegisters(view, value);
        assert.deepEqual(decodeSystemRegisters(view), value);
        assert.equal(view.getBigUint64(kvm_sregs.interrupt_bitmap, true), 0x55n);
      }),
    );
  });

  test('CPUID leaves are equal after encoding and decoding, and a wrong count does not read past the buffer', () => {
    fc.assert(
      fc.property(fc.array(cpuidEntry, { maxLength: 8 }), (entries) => {
        const view = encodeCpuid(entries);
        assert.deepEqual(decodeCpuid(view), entries);
        view.setUint32(0, 0xffffffff, true);
        assert.equal(decodeCpuid(view).length, entries.length);
      }),
    );
  });
});

const [X2APIC, TSC_DEADLINE] = [1 << 21, 1 << 24];

test('a guest without an APIC sees no x2APIC and no TSC deadline, and its own APIC ID', () => {
  const leaf = { index: 0, flags: 0, eax: 1, ebx: 0x07_00_08_00, ecx: 0xffffffff, edx: 3 };
  const [one, eleven, other] = decodeCpuid(
    guestCpuid(
      [
        { ...leaf, function: 1 },
        { ...leaf, function: 0xb },
        { ...leaf, function: 7 },
      ],
      2,
    ),
  );
  // SDM 2A CPUID, leaf 1 ECX: bit 21 is x2APIC, bit 24 the TSC deadline timer.
  assert.equal(one!.ecx, 0xfedfffff);
  assert.equal(one!.ebx, 0x02_00_08_00);
  assert.equal(eleven!.edx, 2);
  assert.deepEqual(other, { ...leaf, function: 7 });
  // With one in the kernel, KVM reports the former in CPUID, and the latter only as a capability.
  const supported = [{ ...leaf, function: 1, ecx: X2APIC }];
  for (const [apic, ecx] of [
    ['none', 0],
    ['plain', X2APIC],
    ['deadline', X2APIC | TSC_DEADLINE],
  ] as const)
    assert.equal(decodeCpuid(guestCpuid(supported, 0, apic))[0]!.ecx, ecx);
});
