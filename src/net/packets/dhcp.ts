/** DHCP messages (RFC 2131) and their options (RFC 2132). */
import type { Ipv4 } from './addresses.js';
import { read32, write32 } from './bytes.js';

export const DhcpPort = { server: 67, client: 68 } as const;
export const DhcpType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;
export const dhcpTypeNames = Object.keys(DhcpType) as (keyof typeof DhcpType)[];
export const DhcpOption = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  domainServer: 6,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  server: 54,
  end: 255,
} as const;

const FIXED = 236;
const COOKIE = 0x63825363;
const REQUEST = 1;
const REPLY = 2;
/** BOOTP's clients take no shorter message. */
const SHORTEST = 300;

export interface Dhcp {
  readonly isReply: boolean;
  /** The client's number for this exchange. */
  readonly transaction: number;
  /** Bit 15: answer by broadcast. */
  readonly flags: number;
  /** The address that the client has already. */
  readonly client: Ipv4;
  /** The address that the server gives. */
  readonly yours: Ipv4;
  readonly clientMac: Uint8Array;
  /** By their numbers; a repeated one continues the first (RFC 3396). */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** Undefined for a message that is too short, not for Ethernet, or without options. */
export function readDhcp(bytes: Uint8Array): Dhcp | undefined {
  if (bytes.length < FIXED + 4 || bytes[1] !== 1 || bytes[2] !== 6) return undefined;
  if ((bytes[0] !== REQUEST && bytes[0] !== REPLY) || read32(bytes, FIXED) !== COOKIE) return undefined;
  return {
    isReply: bytes[0] === REPLY,
    transaction: read32(bytes, 4),
    flags: (bytes[10]! << 8) | bytes[11]!,
    client: read32(bytes, 12),
    yours: read32(bytes, 16),
    clientMac: bytes.subarray(28, 34),
    options: readOptions(bytes),
  };
}

function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = FIXED + 4; at < bytes.length; ) {
    const kind = bytes[at]!;
    if (kind === DhcpOption.end) break;
    if (kind === DhcpOption.pad) {
      at++;
      continue;
    }
    const length = at + 1 < bytes.length ? bytes[at + 1]! : 0;
    if (at + 2 + length > bytes.length) break;
    if (!options.has(kind)) options.set(kind, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

/** An option that is an address. */
export function addressOption({ options }: Dhcp, kind: number): Ipv4 | undefined {
  const bytes = options.get(kind);
  return bytes?.length === 4 ? read32(bytes, 0) : undefined;
}

export const addressBytes = (address: Ipv4): Uint8Array => {
  const bytes = new Uint8Array(4);
  write32(bytes, 0, address);
  return bytes;
};

export function writeDhcp(message: Dhcp & { server: Ipv4 }): Uint8Array {
  const size = [...message.options.values()].reduce((sum, { length }) => sum + 2 + length, 0);
  const bytes = new Uint8Array(Math.max(SHORTEST, FIXED + 4 + size + 1));
  bytes[0] = message.isReply ? REPLY : REQUEST;
  bytes[1] = 1;
  bytes[2] = 6;
  write32(bytes, 4, message.transaction);
  bytes[10] = message.flags >> 8;
  bytes[11] = message.flags;
  write32(bytes, 12, message.client);
  write32(bytes, 16, message.yours);
  write32(bytes, 20, message.server);
  bytes.set(message.clientMac, 28);
  write32(bytes, FIXED, COOKIE);
  let at = FIXED + 4;
  for (const [kind, value] of message.options) {
    bytes[at] = kind;
    bytes[at + 1] = value.length;
    bytes.set(value, at + 2);
    at += 2 + value.length;
  }
  bytes[at] = DhcpOption.end;
  return bytes;
}
