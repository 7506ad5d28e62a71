import { BROADCAST_IP, type Ipv4 } from '../packets/addresses.js';
import {
  addressBytes,
  addressOption,
  type Dhcp,
  DhcpOption,
  DhcpType,
  readDhcp,
  writeDhcp,
} from '../packets/dhcp.js';
import { GUEST, HOST, NETMASK, RESOLVER } from './layout.js';

/** A day: longer than machines live, and no client has to ask again. */
const LEASE_SECONDS = 86_400;
const MUST_BROADCAST = 0x8000;

/** The answer to a DHCP message (RFC 2131 4.3), and where it goes; undefined where there is none. */
export function answerDhcp(
  bytes: Uint8Array,
): { message: Uint8Array; to: Ipv4; mac: Uint8Array } | undefined {
  const asked = readDhcp(bytes);
  if (asked === undefined || asked.isReply) return undefined;
  const type = asked.options.get(DhcpOption.messageType)?.[0];
  const server = addressOption(asked, DhcpOption.server);
  if (server !== undefined && server !== HOST) return undefined;
  if (type === DhcpType.discover) return answer(asked, DhcpType.offer, GUEST);
  if (type === DhcpType.inform) return answer(asked, DhcpType.ack, 0);
  if (type !== DhcpType.request) return undefined;
  const wanted = addressOption(asked, DhcpOption.requestedAddress) ?? asked.client;
  return wanted === GUEST ? answer(asked, DhcpType.ack, GUEST) : answer(asked, DhcpType.nak, 0);
}

function answer(asked: Dhcp, type: number, yours: Ipv4) {
  const seconds = new Uint8Array(4);
  new DataView(seconds.buffer).setUint32(0, LEASE_SECONDS);
  const options = new Map<number, Uint8Array>([
    [DhcpOption.messageType, Uint8Array.of(type)],
    [DhcpOption.server, addressBytes(HOST)],
  ]);
  if (type !== DhcpType.nak) {
    options.set(DhcpOption.subnetMask, addressBytes(NETMASK));
    options.set(DhcpOption.router, addressBytes(HOST));
    options.set(DhcpOption.domainServer, addressBytes(RESOLVER));
    // A guest that only asks for parameters keeps its address.
    if (yours !== 0) options.set(DhcpOption.leaseTime, seconds);
  }
  const { transaction, flags, client, clientMac } = asked;
  const message = writeDhcp({
    ...{ isReply: true, transaction, flags, client: type === DhcpType.nak ? 0 : client, yours, clientMac },
    ...{ options, server: HOST },
  });
  // RFC 2131 4.1: to the address it has, else to the one it gets, unless it wants a broadcast.
  const broadcast = type === DhcpType.nak || (client === 0 && (flags & MUST_BROADCAST) !== 0);
  return { message, to: broadcast ? BROADCAST_IP : client || yours, mac: clientMac };
}
