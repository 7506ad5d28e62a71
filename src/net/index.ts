/**
 * Networks without privileges: packets, a gateway that is a router, a DHCP server and the other end of the guest's
 * connections, and packets described as text. It does no input or output: `runtime/` gives it the host's sockets.
 *
 * @module
 */
export { Gateway, type GatewayOptions } from './gateway/gateway.js';
export { GUEST, HOST, LOOPBACK, RESOLVER } from './gateway/layout.js';
export type {
  Destination,
  Outside,
  OutsideDatagrams,
  OutsideProblem,
  OutsideStream,
  StreamEvents,
} from './outside.js';
export { type Ipv4, ipv4Text, macText, parseIpv4, parseMac } from './packets/addresses.js';
export { MOST_FRAME } from './packets/ethernet.js';
export { isPcap, PCAP_HEADER, type PcapFrame, pcapHeader, pcapRecord, readPcap } from './pcap.js';
export { Switch, type SwitchPort } from './switch.js';
export { frameWords } from './words/frame.js';
