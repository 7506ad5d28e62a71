/** UDP datagrams (RFC 768). */
import type { Ipv4 } from './addresses.js';
import { addWords, checksumOf, read16, write16 } from './bytes.js';
import { Protocol, pseudoSum } from './ipv4.js';

export const UDP = 8;
/** The most that a datagram carries in an IPv4 packet. */
export const MOST_DATAGRAM = 65_535 - 20 - UDP;

export interface Udp {
  readonly fromPort: number;
  readonly toPort: number;
  readonly data: Uint8Array;
}

/** Undefined where a length is wrong, or a checksum that is there. */
export function readUdp(bytes: Uint8Array, from: Ipv4, to: Ipv4): Udp | undefined {
  if (bytes.length < UDP) return undefined;
  const length = read16(bytes, 4);
  if (length < UDP || length > bytes.length) return undefined;
  const sum = () => addWords(bytes, 0, length, pseudoSum(from, to, Protocol.udp, length));
  if (read16(bytes, 6) !== 0 && checksumOf(sum()) !== 0) return undefined;
  return { fromPort: read16(bytes, 0), toPort: read16(bytes, 2), data: bytes.subarray(UDP, length) };
}

export function writeUdp(from: Ipv4, to: Ipv4, { fromPort, toPort, data }: Udp): Uint8Array {
  const bytes = new Uint8Array(UDP + data.length);
  write16(bytes, 0, fromPort);
  write16(bytes, 2, toPort);
  write16(bytes, 4, bytes.length);
  bytes.set(data, UDP);
  const sum = addWords(bytes, 0, bytes.length, pseudoSum(from, to, Protocol.udp, bytes.length));
  // 0 says that there is none; the checksum 0 is written as its other form.
  write16(bytes, 6, checksumOf(sum) || 0xffff);
  return bytes;
}
