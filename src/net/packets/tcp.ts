/** TCP segments (RFC 9293 3.1), with the options that this stack supports. */
import type { Ipv4 } from './addresses.js';
import { addWords, checksumOf, read16, read32, write16, write32 } from './bytes.js';
import { Protocol, pseudoSum } from './ipv4.js';

export const TCP = 20;
export const Flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;
const Option = { end: 0, nop: 1, mss: 2, windowScale: 3 } as const;
/** Larger shifts count as this (RFC 7323 2.3). */
const MOST_SHIFT = 14;

export interface Segment {
  readonly fromPort: number;
  readonly toPort: number;
  /** 32 bits without a sign. */
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As it is written: the connection knows its scale. */
  readonly window: number;
  /** Of a SYN; undefined where it is missing. */
  readonly mss?: number;
  readonly windowShift?: number;
  readonly data: Uint8Array;
}

/** Undefined where a length or the checksum is wrong. */
export function readTcp(bytes: Uint8Array, from: Ipv4, to: Ipv4): Segment | undefined {
  if (bytes.length < TCP) return undefined;
  const header = (bytes[12]! >> 4) * 4;
  if (header < TCP || header > bytes.length) return undefined;
  const sum = addWords(bytes, 0, bytes.length, pseudoSum(from, to, Protocol.tcp, bytes.length));
  if (checksumOf(sum) !== 0) return undefined;
  const flags = bytes[13]! & 0x3f;
  return {
    fromPort: read16(bytes, 0),
    toPort: read16(bytes, 2),
    sequence: read32(bytes, 4),
    acknowledgment: read32(bytes, 8),
    flags,
    window: read16(bytes, 14),
    data: bytes.subarray(header),
    ...(flags & Flag.syn && header > TCP && readOptions(bytes, header)),
  };
}

function readOptions(bytes: Uint8Array, end: number): Pick<Segment, 'mss' | 'windowShift'> {
  const found: { mss?: number; windowShift?: number } = {};
  for (let at = TCP; at < end; ) {
    const kind = bytes[at]!;
    if (kind === Option.end) break;
    if (kind === Option.nop) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) break;
    if (kind === Option.mss && length === 4) found.mss = read16(bytes, at + 2);
    if (kind === Option.windowScale && length === 3) found.windowShift = Math.min(bytes[at + 2]!, MOST_SHIFT);
    at += length;
  }
  return found;
}

/** How many bytes the segment's header has. */
export const tcpHeader = ({ mss, windowShift }: Pick<Segment, 'mss' | 'windowShift'>): number =>
  TCP + (mss === undefined ? 0 : 4) + (windowShift === undefined ? 0 : 4);

/** Writes header, data and checksum at `at`. */
export function writeTcp(into: Uint8Array, at: number, from: Ipv4, to: Ipv4, segment: Segment): void {
  const { mss, windowShift, data } = segment;
  const header = tcpHeader(segment);
  write16(into, at, segment.fromPort);
  write16(into, at + 2, segment.toPort);
  write32(into, at + 4, segment.sequence);
  write32(into, at + 8, segment.acknowledgment);
  into[at + 12] = (header / 4) << 4;
  into[at + 13] = segment.flags;
  write16(into, at + 14, segment.window);
  write16(into, at + 16, 0);
  write16(into, at + 18, 0);
  let option = at + TCP;
  if (mss !== undefined) {
    write32(into, option, (Option.mss << 24) | (4 << 16) | mss);
    option += 4;
  }
  if (windowShift !== undefined)
    write32(into, option, (Option.nop << 24) | (Option.windowScale << 16) | (3 << 8) | windowShift);
  into.set(data, at + header);
  const length = header + data.length;
  const sum = addWords(into, at, at + length, pseudoSum(from, to, Protocol.tcp, length));
  write16(into, at + 16, checksumOf(sum));
}
