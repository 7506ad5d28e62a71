import { ConfigError } from '../errors.js';
import { SegmentType, SystemType } from './bits.js';
import type { Segment } from './state.js';

const plain: Segment = {
  selector: 0,
  base: 0n,
  limit: 0,
  type: 0,
  present: true,
  dpl: 0,
  db: false,
  s: false,
  l: false,
  g: false,
  avl: false,
  unusable: false,
};

/** The limit of a segment that reaches over all 4 GiB. */
const FLAT_LIMIT = 0xffff_ffff;
/** Bytes of a TSS without an I/O permission map; 104 in 32 and in 64 bits (SDM 3A 8.2.1, 8.7). */
export const TSS_SIZE = 104;

/** 32-bit code over all 4 GiB, as the CPU holds it after a load of `selector`. */
export function flatCode32(selector: number, dpl = 0): Segment {
  const type = SegmentType.code;
  return { ...plain, selector, limit: FLAT_LIMIT, type, dpl, s: true, db: true, g: true };
}

/** 64-bit code: L set and D clear (SDM 3A 3.4.5); base and limit mean nothing to the CPU then. */
export function flatCode64(selector: number, dpl = 0): Segment {
  const type = SegmentType.code;
  return { ...plain, selector, limit: FLAT_LIMIT, type, dpl, s: true, l: true, g: true };
}

/** Data or stack over all 4 GiB, for 32 and 64 bits. */
export function flatData(selector: number, dpl = 0): Segment {
  const type = SegmentType.data;
  return { ...plain, selector, limit: FLAT_LIMIT, type, dpl, s: true, db: true, g: true };
}

/** A segment as real mode makes it: base is 16 times the selector, 64 KiB long (SDM 3B 21.1.1). */
export function realSegment(selector: number, type: number = SegmentType.data): Segment {
  return { ...plain, selector, base: BigInt(selector) << 4n, limit: 0xffff, type, s: true };
}

/** TR loaded with a TSS. VM entry wants it present and busy in every mode (SDM 3C 27.3.1.2). */
export function busyTss(selector: number, base: bigint, limit: number = TSS_SIZE - 1): Segment {
  return { ...plain, selector, base, limit, type: SystemType.busyTss };
}

/** LDTR with no table, as after a load of the null selector. */
export function noLdt(): Segment {
  return { ...plain, type: SystemType.ldt, present: false, unusable: true };
}

/**
 * The 8 bytes of a segment's descriptor as a little-endian number (SDM 3A figure 3-8).
 * @throws ConfigError where the limit or base has no encoding.
 */
export function encodeDescriptor(segment: Segment): bigint {
  if (segment.base < 0n || segment.base > 0xffff_ffffn) {
    throw new ConfigError(
      `a descriptor of 8 bytes cannot hold the base 0x${segment.base.toString(16)}`,
      'only system descriptors of long mode have 64-bit bases: encodeSystemDescriptor64',
    );
  }
  return encodeLow(segment);
}

/** A system descriptor (TSS, LDT) of long mode: 16 bytes, as two little-endian numbers (SDM 3A figure 8-4). */
export function encodeSystemDescriptor64(segment: Segment): [low: bigint, high: bigint] {
  return [encodeLow(segment), (segment.base >> 32n) & 0xffff_ffffn];
}

function encodeLow(segment: Segment): bigint {
  const { limit, g } = segment;
  if (g ? (limit & 0xfff) !== 0xfff : limit > 0xf_ffff) {
    throw new ConfigError(
      `a descriptor with G = ${g ? 1 : 0} cannot hold the limit 0x${limit.toString(16)}`,
      g ? 'with G = 1 limits end in fff' : 'limits above 0xfffff need G = 1',
    );
  }
  const pages = g ? limit >>> 12 : limit;
  const base = Number(segment.base & 0xffff_ffffn);
  const low = ((pages & 0xffff) | ((base & 0xffff) << 16)) >>> 0;
  const high =
    ((base >>> 16) & 0xff) |
    (segment.type << 8) |
    (Number(segment.s) << 12) |
    (segment.dpl << 13) |
    (Number(segment.present) << 15) |
    (pages & 0xf_0000) |
    (Number(segment.avl) << 20) |
    (Number(segment.l) << 21) |
    (Number(segment.db) << 22) |
    (Number(g) << 23) |
    (base & 0xff00_0000);
  return BigInt(low) | (BigInt(high >>> 0) << 32n);
}

/**
 * The segment that a load of `selector` makes from a descriptor. `high` is the second half of a system descriptor of
 * long mode.
 */
export function decodeDescriptor(descriptor: bigint, selector = 0, high = 0n): Segment {
  const low = Number(descriptor & 0xffff_ffffn);
  const word = Number((descriptor >> 32n) & 0xffff_ffffn);
  const bit = (n: number) => ((word >>> n) & 1) === 1;
  const pages = (low & 0xffff) | (word & 0xf_0000);
  const base = ((low >>> 16) | ((word & 0xff) << 16) | (word & 0xff00_0000)) >>> 0;
  const g = bit(23);
  return {
    selector,
    base: BigInt(base) | ((high & 0xffff_ffffn) << 32n),
    limit: g ? ((pages << 12) | 0xfff) >>> 0 : pages,
    type: (word >>> 8) & 0xf,
    present: bit(15),
    dpl: (word >>> 13) & 3,
    db: bit(22),
    s: bit(12),
    l: bit(21),
    g,
    avl: bit(20),
    unusable: false,
  };
}
