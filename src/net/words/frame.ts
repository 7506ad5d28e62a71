/**
 * A frame as a line of text, for traces and files of frames. Packets are described only here.
 *
 * @module
 */
import { ipv4Text, macText } from '../packets/addresses.js';
import { ArpOperation, readArp } from '../packets/arp.js';
import { addressOption, DhcpOption, DhcpPort, dhcpTypeNames, readDhcp } from '../packets/dhcp.js';
import { EtherType, readEthernet } from '../packets/ethernet.js';
import { IcmpType, readIcmp } from '../packets/icmp.js';
import { type Packet, Protocol, readIpv4 } from '../packets/ipv4.js';
import { Flag, readTcp, type Segment } from '../packets/tcp.js';
import { readUdp } from '../packets/udp.js';
import { dnsWords } from './dns.js';

const DNS_PORT = 53;
const ARROW = '→';

/** `TCP 10.0.2.15:4242 → 93.184.216.34:80 SYN`. Never throws, and is one line for each frame there is. */
export function frameWords(frame: Uint8Array): string {
  const ethernet = readEthernet(frame);
  if (ethernet === undefined) return `${frame.length} bytes, which are no frame`;
  const { type, payload, from, to } = ethernet;
  if (type === EtherType.arp) return arpWords(payload);
  if (type === EtherType.ipv4) return packetWords(payload);
  const kind = type === EtherType.ipv6 ? 'IPv6' : type < 1536 ? 'IEEE 802.3' : `type 0x${type.toString(16)}`;
  return `${kind} ${macText(from)} ${ARROW} ${macText(to)}, ${frame.length} bytes`;
}

function arpWords(bytes: Uint8Array): string {
  const arp = readArp(bytes);
  if (arp === undefined) return 'ARP, malformed';
  const { operation, sender, senderMac, target } = arp;
  if (operation === ArpOperation.reply) return `ARP ${ipv4Text(sender)} is at ${macText(senderMac)}`;
  if (operation !== ArpOperation.request) return `ARP operation ${operation}`;
  return sender === target
    ? `ARP ${ipv4Text(sender)} says that it is at ${macText(senderMac)}`
    : `ARP who has ${ipv4Text(target)}? Tell ${ipv4Text(sender)}`;
}

function packetWords(bytes: Uint8Array): string {
  const packet = readIpv4(bytes);
  if (typeof packet === 'string') return `IPv4, ${packet}`;
  const { from, to, protocol, payload, offset, more } = packet;
  const ends = `${ipv4Text(from)} ${ARROW} ${ipv4Text(to)}`;
  if (offset > 0 || more)
    return `IPv4 ${ends} protocol ${protocol}, piece of a packet: bytes ${offset} to ${offset + payload.length}`;
  if (protocol === Protocol.tcp) return tcpWords(packet, ends);
  if (protocol === Protocol.udp) return udpWords(packet, ends);
  if (protocol === Protocol.icmp) return icmpWords(payload, ends);
  return `IPv4 ${ends} protocol ${protocol}, ${payload.length} bytes`;
}

const flagNames = ['FIN', 'SYN', 'RST', '', 'ACK', 'URG'] as const;

function tcpWords({ from, to, payload }: Packet, ends: string): string {
  const segment = readTcp(payload, from, to);
  if (segment === undefined) return `TCP ${ends}, malformed or with a wrong checksum`;
  const { fromPort, toPort, data } = segment;
  const says = [flagWords(segment), data.length > 0 ? `${data.length} bytes` : ''];
  const words = says.filter((one) => one !== '').join(', ');
  return `TCP ${ipv4Text(from)}:${fromPort} ${ARROW} ${ipv4Text(to)}:${toPort} ${words}`;
}

/** An acknowledgment is in nearly every segment: it is named where nothing else is. */
function flagWords({ flags, data }: Segment): string {
  const names = flagNames.filter((name, bit) => name !== '' && name !== 'ACK' && (flags >> bit) & 1);
  const showsAck = flags & Flag.ack && (names.length > 0 || data.length === 0);
  return [...names, ...(showsAck ? ['ACK'] : [])].join(', ');
}

function udpWords({ from, to, payload }: Packet, ends: string): string {
  const datagram = readUdp(payload, from, to);
  if (datagram === undefined) return `UDP ${ends}, malformed or with a wrong checksum`;
  const { fromPort, toPort, data } = datagram;
  const ports = [fromPort, toPort];
  if (ports.includes(DhcpPort.server) && ports.includes(DhcpPort.client)) return dhcpWords(data);
  if (ports.includes(DNS_PORT)) return dnsWords(data);
  const lengths = `${data.length} bytes`;
  return `UDP ${ipv4Text(from)}:${fromPort} ${ARROW} ${ipv4Text(to)}:${toPort} ${lengths}`;
}

function dhcpWords(bytes: Uint8Array): string {
  const message = readDhcp(bytes);
  if (message === undefined) return 'DHCP, malformed';
  const type = message.options.get(DhcpOption.messageType)?.[0] ?? 0;
  const name = dhcpTypeNames[type - 1] ?? (message.isReply ? 'BOOTP reply' : 'BOOTP request');
  const wanted = addressOption(message, DhcpOption.requestedAddress);
  const address = message.yours || wanted || message.client;
  return `DHCP ${name}${address ? ` ${ipv4Text(address)}` : ''}`;
}

function icmpWords(bytes: Uint8Array, ends: string): string {
  const icmp = readIcmp(bytes);
  if (icmp === undefined) return `ICMP ${ends}, malformed or with a wrong checksum`;
  const { type, code, sequence } = icmp;
  if (type === IcmpType.echo) return `ICMP echo request ${ends}, number ${sequence}`;
  if (type === IcmpType.echoReply) return `ICMP echo reply ${ends}, number ${sequence}`;
  if (type === IcmpType.unreachable)
    return `ICMP unreachable ${ends}: ${unreachable[code] ?? `code ${code}`}`;
  if (type === IcmpType.timeExceeded) return `ICMP time exceeded ${ends}`;
  return `ICMP type ${type} ${ends}`;
}

const unreachable: Readonly<Record<number, string>> = {
  0: 'the network',
  1: 'the host',
  2: 'the protocol',
  3: 'the port',
  4: 'too large, and not to be divided',
  13: 'not allowed',
};
