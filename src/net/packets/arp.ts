/** ARP for IPv4 over Ethernet (RFC 826). */
import { type Ipv4, MAC_LENGTH } from './addresses.js';
import { read16, read32, write16, write32 } from './bytes.js';

export const ARP = 28;
export const ArpOperation = { request: 1, reply: 2 } as const;
const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;

export interface Arp {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly sender: Ipv4;
  readonly targetMac: Uint8Array;
  readonly target: Ipv4;
}

/** Undefined for a packet that is too short, or about other kinds of addresses. */
export function readArp(bytes: Uint8Array): Arp | undefined {
  if (bytes.length < ARP) return undefined;
  const kinds = read16(bytes, 0) === HARDWARE_ETHERNET && read16(bytes, 2) === PROTOCOL_IPV4;
  if (!kinds || bytes[4] !== MAC_LENGTH || bytes[5] !== 4) return undefined;
  return {
    operation: read16(bytes, 6),
    senderMac: bytes.subarray(8, 14),
    sender: read32(bytes, 14),
    targetMac: bytes.subarray(18, 24),
    target: read32(bytes, 24),
  };
}

export function writeArp(into: Uint8Array, { operation, senderMac, sender, targetMac, target }: Arp): void {
  write16(into, 0, HARDWARE_ETHERNET);
  write16(into, 2, PROTOCOL_IPV4);
  into[4] = MAC_LENGTH;
  into[5] = 4;
  write16(into, 6, operation);
  into.set(senderMac, 8);
  write32(into, 14, sender);
  into.set(targetMac, 18);
  write32(into, 24, target);
}
