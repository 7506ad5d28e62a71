/** ICMP messages (RFC 792). */
import { addWords, checksumOf, read16, write16 } from './bytes.js';

export const ICMP = 8;
export const IcmpType = { echoReply: 0, unreachable: 3, echo: 8, timeExceeded: 11 } as const;
export const Unreachable = { network: 0, host: 1, protocol: 2, port: 3, prohibited: 13 } as const;

export interface Icmp {
  readonly type: number;
  readonly code: number;
  /** Of an echo. */
  readonly identifier: number;
  readonly sequence: number;
  /** After the 8 bytes of the header. */
  readonly data: Uint8Array;
}

/** Undefined where it is too short, or its checksum is wrong. */
export function readIcmp(bytes: Uint8Array): Icmp | undefined {
  if (bytes.length < ICMP || checksumOf(addWords(bytes, 0, bytes.length)) !== 0) return undefined;
  return {
    type: bytes[0]!,
    code: bytes[1]!,
    identifier: read16(bytes, 4),
    sequence: read16(bytes, 6),
    data: bytes.subarray(ICMP),
  };
}

export function writeIcmp({ type, code, identifier, sequence, data }: Icmp): Uint8Array {
  const bytes = new Uint8Array(ICMP + data.length);
  bytes[0] = type;
  bytes[1] = code;
  write16(bytes, 4, identifier);
  write16(bytes, 6, sequence);
  bytes.set(data, ICMP);
  write16(bytes, 2, checksumOf(addWords(bytes, 0, bytes.length)));
  return bytes;
}
