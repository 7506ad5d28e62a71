/** IPv4 packets (RFC 791). */
import type { Ipv4 } from './addresses.js';
import { addWords, checksumOf, read16, read32, write16, write32 } from './bytes.js';

export const IPV4 = 20;
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;
const MORE_FRAGMENTS = 0x2000;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;

export interface Packet {
  readonly from: Ipv4;
  readonly to: Ipv4;
  readonly protocol: number;
  readonly ttl: number;
  readonly identification: number;
  /** Where the payload begins in the whole, in bytes. */
  readonly offset: number;
  /** More fragments follow. */
  readonly more: boolean;
  readonly payload: Uint8Array;
  /** Header and payload, without the frame's padding. */
  readonly whole: Uint8Array;
}

/** Why a packet is invalid, in a phrase for traces. */
export type BadPacket =
  | 'shorter than its header'
  | 'not version 4'
  | 'a length that is none'
  | 'a wrong checksum';

export function readIpv4(bytes: Uint8Array): Packet | BadPacket {
  if (bytes.length < IPV4) return 'shorter than its header';
  if (bytes[0]! >> 4 !== 4) return 'not version 4';
  const header = (bytes[0]! & 15) * 4;
  const length = read16(bytes, 2);
  if (header < IPV4 || length < header || length > bytes.length) return 'a length that is none';
  if (checksumOf(addWords(bytes, 0, header)) !== 0) return 'a wrong checksum';
  const fragment = read16(bytes, 6);
  return {
    from: read32(bytes, 12),
    to: read32(bytes, 16),
    protocol: bytes[9]!,
    ttl: bytes[8]!,
    identification: read16(bytes, 4),
    offset: (fragment & 0x1fff) * 8,
    more: (fragment & MORE_FRAGMENTS) !== 0,
    payload: bytes.subarray(header, length),
    whole: bytes.subarray(0, length),
  };
}

/** The fields of a header to write. */
export interface Header {
  from: Ipv4;
  to: Ipv4;
  protocol: number;
  /** Of the payload. */
  length: number;
  identification: number;
  /** As in `Packet`; default: an unfragmented packet that must not be fragmented. */
  offset?: number;
  more?: boolean;
}

export function writeIpv4(into: Uint8Array, at: number, header: Header): void {
  const { from, to, protocol, length, identification, offset, more } = header;
  into[at] = 0x45;
  into[at + 1] = 0;
  write16(into, at + 2, IPV4 + length);
  write16(into, at + 4, identification & 0xffff);
  write16(into, at + 6, offset === undefined ? DONT_FRAGMENT : (offset >> 3) | (more ? MORE_FRAGMENTS : 0));
  into[at + 8] = TTL;
  into[at + 9] = protocol;
  write16(into, at + 10, 0);
  write32(into, at + 12, from);
  write32(into, at + 16, to);
  write16(into, at + 10, checksumOf(addWords(into, at, at + IPV4)));
}

/** The sum over the pseudo header of UDP and TCP. */
export const pseudoSum = (from: Ipv4, to: Ipv4, protocol: number, length: number): number =>
  (from >>> 16) + (from & 0xffff) + (to >>> 16) + (to & 0xffff) + protocol + length;
