/** The gateway's little network, as QEMU's user-mode network has it. */
import { type Ipv4, parseIpv4 } from '../packets/addresses.js';

const address = (text: string): Ipv4 => parseIpv4(text)!;

export const NETWORK: Ipv4 = address('10.0.2.0');
export const NETMASK: Ipv4 = address('255.255.255.0');
/** The gateway, and the address by which the guest reaches the host's own services. */
export const HOST: Ipv4 = address('10.0.2.2');
export const RESOLVER: Ipv4 = address('10.0.2.3');
/** What DHCP gives the guest. */
export const GUEST: Ipv4 = address('10.0.2.15');
export const LOOPBACK: Ipv4 = address('127.0.0.1');
export const DNS_PORT = 53;
/** An Ethernet's. */
export const MTU = 1500;
/** Of no manufacturer; bit 1: given by ourselves. */
export const GATEWAY_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);

export const isInNetwork = (ip: Ipv4): boolean => (ip & NETMASK) >>> 0 === NETWORK;
/** An address that the gateway answers for. */
export const isGateways = (ip: Ipv4): boolean => ip === HOST || ip === RESOLVER;
