import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  busyTss,
  decodeDescriptor,
  encodeDescriptor,
  encodeSystemDescriptor64,
  flatCode32,
  flatCode64,
  flatData,
  realSegment,
} from './descriptors.js';
import type { Segment } from './state.js';

describe('descriptors', () => {
  // Linux, arch/x86/kernel/cpu/common.c and include/asm/desc_defs.h: GDT_ENTRY_INIT of the flags below, limit 0xfffff.
  const linux: [name: string, segment: Segment, descriptor: bigint][] = [
    ['KERNEL32_CS (0xc09b)', flatCode32(0), 0x00cf9b000000ffffn],
    ['KERNEL_CS (0xa09b)', flatCode64(0), 0x00af9b000000ffffn],
    ['KERNEL_DS (0xc093)', flatData(0), 0x00cf93000000ffffn],
    ['DEFAULT_USER32_CS (0xc0fb)', flatCode32(0, 3), 0x00cffb000000ffffn],
    ['DEFAULT_USER_DS (0xc0f3)', flatData(0, 3), 0x00cff3000000ffffn],
    ['DEFAULT_USER_CS (0xa0fb)', flatCode64(0, 3), 0x00affb000000ffffn],
  ];
  for (const [name, segment, descriptor] of linux) {
    test(`agrees with Linux on ${name}`, () => {
      assert.equal(encodeDescriptor(segment).toString(16), descriptor.toString(16));
      assert.deepEqual(decodeDescriptor(descriptor), segment);
    });
  }

  test('encodes the flat code segment that is not accessed yet, as tutorials write it', () => {
    assert.equal(encodeDescriptor({ ...flatCode32(0), type: 0b1010 }), 0x00cf9a000000ffffn);
  });

  test('spreads a 64-bit base over the 16 bytes of a TSS descriptor (SDM 3A figure 8-4)', () => {
    const [low, high] = encodeSystemDescriptor64(busyTss(0, 0x11223344_55667788n));
    assert.equal(low.toString(16), '55008b6677880067');
    assert.equal(high.toString(16), '11223344');
    assert.deepEqual(decodeDescriptor(low, 0x28, high), busyTss(0x28, 0x11223344_55667788n));
  });

  test('makes real mode segments: base is 16 times the selector', () => {
    const { base, limit, present, s, dpl } = realSegment(0xf000);
    assert.deepEqual(
      { base, limit, present, s, dpl },
      { base: 0xf0000n, limit: 0xffff, present: true, s: true, dpl: 0 },
    );
  });

  test('gives back what was encoded, for all fields', () => {
    const bits = fc.record({
      base: fc.bigInt(0n, 0xffff_ffffn),
      pages: fc.integer({ min: 0, max: 0xf_ffff }),
      type: fc.integer({ min: 0, max: 15 }),
      dpl: fc.integer({ min: 0, max: 3 }),
      present: fc.boolean(),
      db: fc.boolean(),
      s: fc.boolean(),
      l: fc.boolean(),
      g: fc.boolean(),
      avl: fc.boolean(),
    });
    fc.assert(
      fc.property(bits, ({ pages, ...rest }) => {
        const limit = rest.g ? pages * 4096 + 4095 : pages;
        const segment: Segment = { ...rest, limit, selector: 0, unusable: false };
        assert.deepEqual(decodeDescriptor(encodeDescriptor(segment)), segment);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (raw) => {
        assert.equal(encodeDescriptor(decodeDescriptor(raw)), raw);
      }),
    );
  });

  test('refuses limits and bases that have no encoding', () => {
    assert.throws(
      () => encodeDescriptor({ ...flatData(0), limit: 0x12345 }),
      /G = 1 cannot hold the limit 0x12345/,
    );
    assert.throws(
      () => encodeDescriptor({ ...flatData(0), g: false, limit: 0x10_0000 }),
      /G = 0 cannot hold the limit 0x100000/,
    );
    assert.throws(() => encodeDescriptor(busyTss(0, 1n << 32n)), /cannot hold the base 0x100000000/);
  });
});
