/** Ethernet II frames, without the check sequence that the wire adds (IEEE 802.3 3.1). */
import { MAC_LENGTH } from './addresses.js';
import { read16, write16 } from './bytes.js';

export const ETHERNET = 14;
/** The largest frame that is passed on: an IPv4 packet and the header. */
export const MOST_FRAME = ETHERNET + 65_535;

export const EtherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;

export interface Ethernet {
  readonly to: Uint8Array;
  readonly from: Uint8Array;
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Undefined where the frame is shorter than its header. */
export function readEthernet(frame: Uint8Array): Ethernet | undefined {
  if (frame.length < ETHERNET) return undefined;
  return {
    to: frame.subarray(0, MAC_LENGTH),
    from: frame.subarray(MAC_LENGTH, 2 * MAC_LENGTH),
    type: read16(frame, 12),
    payload: frame.subarray(ETHERNET),
  };
}

/** A frame with room for `length` bytes after its header. */
export function newFrame(to: Uint8Array, from: Uint8Array, type: number, length: number): Uint8Array {
  const frame = new Uint8Array(ETHERNET + length);
  frame.set(to, 0);
  frame.set(from, MAC_LENGTH);
  write16(frame, 12, type);
  return frame;
}

export const isBroadcast = (mac: Uint8Array): boolean => (mac[0]! & 1) === 1;
