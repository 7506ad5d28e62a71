/** Addresses of the two kinds that an Ethernet with IPv4 has, as numbers and bytes and text. */

/** An IPv4 address as a number of 32 bits without a sign. */
export type Ipv4 = number;

export const MAC_LENGTH = 6;
export const BROADCAST_MAC: Uint8Array = new Uint8Array(MAC_LENGTH).fill(0xff);
export const BROADCAST_IP: Ipv4 = 0xffff_ffff;

export const ipv4Text = (address: Ipv4): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

/** Four decimal numbers with dots between; undefined for all else. */
export function parseIpv4(text: string): Ipv4 | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((address, part) => address * 256 + part, 0);
}

/** 224.0.0.0/4. */
export const isMulticast = (address: Ipv4): boolean => address >>> 28 === 0xe;

export const macText = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');

/** `52:54:00:12:34:56`; undefined for anything else. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}
