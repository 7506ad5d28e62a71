/**
 * A network without privileges: the guest's Ethernet ends here, and its data to the outside passes through the host's sockets.
 *
 * To the guest it is a router at 10.0.2.2, with DHCP and a resolver at 10.0.2.3; it uses no Node and no clock of its own. All its state is
 * bounded.
 *
 * @module
 */
import type { Destination, Outside, OutsideStream, StreamEvents } from '../outside.js';
import { BROADCAST_IP, BROADCAST_MAC, type Ipv4, isMulticast } from '../packets/addresses.js';
import { ARP, ArpOperation, readArp, writeArp } from '../packets/arp.js';
import { DhcpPort } from '../packets/dhcp.js';
import { ETHERNET, EtherType, isBroadcast, newFrame, readEthernet } from '../packets/ethernet.js';
import { IcmpType, readIcmp, Unreachable, writeIcmp } from '../packets/icmp.js';
import { IPV4, type Packet, Protocol, readIpv4, writeIpv4 } from '../packets/ipv4.js';
import { readTcp, type Segment, tcpHeader, writeTcp } from '../packets/tcp.js';
import { readUdp, type Udp, writeUdp } from '../packets/udp.js';
import { Connections, type Ends, type OpenStream } from '../tcp/index.js';
import { answerDhcp } from './dhcp-server.js';
import { Fragments } from './fragments.js';
import {
  DNS_PORT,
  GATEWAY_MAC,
  GUEST,
  HOST,
  isGateways,
  isInNetwork,
  LOOPBACK,
  MTU,
  NETMASK,
  RESOLVER,
} from './layout.js';
import { Neighbours } from './neighbours.js';
import { UdpFlows } from './udp-flows.js';
import { UdpForwards } from './udp-forwards.js';

/** Echo requests that are answered at a time from outside. */
const MOST_ECHOES = 16;
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;
/** How much of a packet an ICMP error quotes after its header (RFC 792). */
const QUOTED = 8;

export interface GatewayOptions {
  outside: Outside;
  /** Hands a frame to the guest's network card; false where it has no room for it. */
  toGuest(frame: Uint8Array): boolean;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** 32 random bits. */
  random(): number;
  /** The guest may reach addresses outside, and the host's own services; else only those that were forwarded to it. */
  isOpen: boolean;
}

/** See the module's comment. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #neighbours = new Neighbours();
  readonly #fragments = new Fragments();
  readonly #tcp: Connections;
  readonly #flows: UdpFlows;
  readonly #forwards: UdpForwards;
  #identification = 0;
  #echoes = 0;
  #nextPort = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const toGuest = (from: Ipv4, to: Ipv4, datagram: Udp) =>
      this.#sendPacket(from, to, Protocol.udp, writeUdp(from, to, datagram));
    this.#flows = new UdpFlows(options.outside, toGuest);
    this.#forwards = new UdpForwards(toGuest);
    const { now, random } = options;
    const send = (ends: Ends, segment: Segment) => this.#sendSegment(ends, segment);
    this.#tcp = new Connections({ now, random, send, mss: MTU - IPV4 - 20 });
  }

  /** True while something from outside may come for the guest. */
  get expects(): boolean {
    return this.#tcp.live > 0 || this.#echoes > 0 || this.#flows.expects(this.#options.now());
  }

  /** True while `tick` has something to do. */
  get isBusy(): boolean {
    return this.#tcp.size > 0 || this.#flows.size > 0;
  }

  /** True where something waits for room: call `resume` when there is some. */
  get isBlocked(): boolean {
    return this.#tcp.isBlocked;
  }

  /** What is held now: connections, flows, and bytes. For tests and statistics. */
  get holds(): { connections: number; flows: number; fragments: number; bytes: number } {
    const { size: connections, held: bytes } = this.#tcp;
    return { connections, flows: this.#flows.size, fragments: this.#fragments.size, bytes };
  }

  /** A frame of the guest, which belongs to the gateway from now on. Call `flush` after the last of several. */
  receive(frame: Uint8Array): void {
    const ethernet = readEthernet(frame);
    if (ethernet === undefined || isBroadcast(ethernet.from)) return;
    const { to, from, type, payload } = ethernet;
    if (!isBroadcast(to) && !GATEWAY_MAC.every((byte, at) => byte === to[at])) return;
    if (type === EtherType.arp) this.#receiveArp(payload);
    else if (type === EtherType.ipv4) this.#receivePacket(payload, from);
  }

  /** Acknowledges what was received. */
  flush(): void {
    this.#tcp.flush();
  }

  /** There is room for frames again. */
  resume(): void {
    this.#tcp.resume();
  }

  /** Call it every 100 ms or so while the gateway is busy. */
  tick(): void {
    const now = this.#options.now();
    this.#tcp.tick(now);
    this.#flows.tick(now);
  }

  /** Ends all connections. */
  close(): void {
    this.#tcp.abort();
    this.#flows.close();
  }

  /** A connection from outside for a port of the guest. False where there are too many. */
  accept(guestPort: number, open: OpenStream): boolean {
    for (let tries = 0; tries < PORTS; tries++) {
      this.#nextPort = (this.#nextPort + 1) % PORTS;
      const ends = { guest: GUEST, guestPort, peer: HOST, peerPort: FIRST_PORT + this.#nextPort };
      if (!this.#tcp.has(ends)) return this.#tcp.accept(ends, open);
    }
    return false;
  }

  /** A datagram from outside for a port of the guest; see `UdpForwards`. */
  forward(guestPort: number, sender: string, data: Uint8Array, answer: (data: Uint8Array) => void): void {
    this.#forwards.receive(guestPort, sender, data, answer);
  }

  #receiveArp(bytes: Uint8Array): void {
    const arp = readArp(bytes);
    if (arp === undefined) return;
    this.#learn(arp.sender, arp.senderMac);
    if (arp.operation !== ArpOperation.request || !isGateways(arp.target)) return;
    this.#sendArp(ArpOperation.reply, arp.target, arp.sender, arp.senderMac);
  }

  #sendArp(operation: number, sender: Ipv4, target: Ipv4, mac: Uint8Array): void {
    const frame = newFrame(mac, GATEWAY_MAC, EtherType.arp, ARP);
    const targetMac = operation === ArpOperation.reply ? mac : new Uint8Array(6);
    writeArp(frame.subarray(ETHERNET), { operation, senderMac: GATEWAY_MAC, sender, targetMac, target });
    this.#options.toGuest(frame);
  }

  #learn(address: Ipv4, mac: Uint8Array): void {
    for (const frame of this.#neighbours.learn(address, mac)) this.#options.toGuest(frame);
  }

  #receivePacket(bytes: Uint8Array, mac: Uint8Array): void {
    let packet: Packet | undefined | string = readIpv4(bytes);
    if (typeof packet === 'string') return;
    if (packet.more || packet.offset > 0) packet = this.#fragments.add(packet, this.#options.now());
    if (packet === undefined) return;
    const { from, to, protocol, payload } = packet;
    if (protocol === Protocol.udp && this.#isDhcp(packet)) return;
    // No other address: a packet that cannot be answered is not accepted.
    if (!isInNetwork(from) || isGateways(from)) return;
    this.#learn(from, mac);
    if (to === BROADCAST_IP || to === (HOST | ~NETMASK) >>> 0 || isMulticast(to) || to === 0) return;
    if (protocol === Protocol.tcp) this.#receiveSegment(packet);
    else if (protocol === Protocol.udp) this.#receiveDatagram(packet);
    else if (protocol === Protocol.icmp) this.#receiveIcmp(from, to, payload);
    else this.#unreachable(packet, Unreachable.protocol);
  }

  #isDhcp({ from, to, payload }: Packet): boolean {
    const datagram = readUdp(payload, from, to);
    if (datagram?.toPort !== DhcpPort.server || (to !== HOST && to !== BROADCAST_IP)) return false;
    const answer = answerDhcp(datagram.data);
    if (answer === undefined) return true;
    const ports = { fromPort: DhcpPort.server, toPort: DhcpPort.client };
    const data = writeUdp(HOST, answer.to, { ...ports, data: answer.message });
    const mac = answer.to === BROADCAST_IP ? BROADCAST_MAC : answer.mac;
    this.#sendPacket(HOST, answer.to, Protocol.udp, data, mac);
    return true;
  }

  /** The outside address for an address of the guest; undefined where it may not be reached, or does not exist. */
  #destination(to: Ipv4, port: number): Destination | undefined {
    if (!this.#options.isOpen) return undefined;
    if (to === RESOLVER) return port === DNS_PORT ? 'resolver' : undefined;
    if (to === HOST) return LOOPBACK;
    // The host's loopback has its own address here, and no other reaches it.
    return isInNetwork(to) || to >>> 24 === 127 ? undefined : to;
  }

  #receiveSegment({ from, to, payload }: Packet): void {
    const segment = readTcp(payload, from, to);
    if (segment === undefined) return;
    const ends = { guest: from, guestPort: segment.fromPort, peer: to, peerPort: segment.toPort };
    this.#tcp.receive(ends, segment, () => {
      const destination = this.#destination(to, segment.toPort);
      if (destination === undefined) return undefined;
      return (events: StreamEvents): OutsideStream =>
        this.#options.outside.connect(destination, segment.toPort, events);
    });
  }

  #receiveDatagram(packet: Packet): void {
    const { from, to, payload } = packet;
    const datagram = readUdp(payload, from, to);
    if (datagram === undefined || this.#forwards.answers(to, datagram)) return;
    const destination = this.#destination(to, datagram.toPort);
    if (destination === undefined || datagram.toPort === 0)
      this.#unreachable(packet, isGateways(to) ? Unreachable.port : Unreachable.prohibited);
    else this.#flows.send(from, to, destination, datagram, this.#options.now());
  }

  #receiveIcmp(from: Ipv4, to: Ipv4, payload: Uint8Array): void {
    const icmp = readIcmp(payload);
    if (icmp?.type !== IcmpType.echo) return;
    const answer = () => {
      const message = writeIcmp({ ...icmp, type: IcmpType.echoReply, code: 0 });
      this.#sendPacket(to, from, Protocol.icmp, message);
    };
    if (isGateways(to)) {
      answer();
      return;
    }
    const destination = this.#destination(to, 0);
    if (typeof destination !== 'number' || this.#echoes >= MOST_ECHOES) return;
    const asked = this.#options.outside.echo(destination);
    if (asked === undefined) return;
    this.#echoes++;
    void asked
      .catch(() => false)
      .then((answers) => {
        this.#echoes--;
        if (answers) answer();
      });
  }

  /** Tells the sender of a packet why it went nowhere. */
  #unreachable({ from, to, whole }: Packet, code: number): void {
    const header = (whole[0]! & 15) * 4;
    const data = whole.slice(0, header + QUOTED);
    const message = writeIcmp({ type: IcmpType.unreachable, code, identifier: 0, sequence: 0, data });
    this.#sendPacket(isGateways(to) ? to : HOST, from, Protocol.icmp, message);
  }

  #sendSegment({ guest, peer }: Ends, segment: Segment): boolean {
    const length = tcpHeader(segment) + segment.data.length;
    const mac = this.#neighbours.macOf(guest);
    const frame = newFrame(mac ?? BROADCAST_MAC, GATEWAY_MAC, EtherType.ipv4, IPV4 + length);
    const header = { from: peer, to: guest, protocol: Protocol.tcp, length };
    writeIpv4(frame, ETHERNET, { ...header, identification: this.#identification++ });
    writeTcp(frame, ETHERNET + IPV4, peer, guest, segment);
    return this.#send(guest, frame, mac);
  }

  /** A packet for the guest, in pieces where it is larger than the network takes. */
  #sendPacket(from: Ipv4, to: Ipv4, protocol: number, payload: Uint8Array, mac?: Uint8Array): void {
    const receiver = mac ?? this.#neighbours.macOf(to);
    const most = (MTU - IPV4) & ~7;
    const isWhole = payload.length <= MTU - IPV4;
    const identification = this.#identification++;
    for (let offset = 0; offset < payload.length; offset += most) {
      const part = isWhole ? payload : payload.subarray(offset, offset + most);
      const frame = newFrame(receiver ?? BROADCAST_MAC, GATEWAY_MAC, EtherType.ipv4, IPV4 + part.length);
      const more = offset + part.length < payload.length;
      const header = { from, to, protocol, length: part.length, identification };
      writeIpv4(frame, ETHERNET, isWhole ? header : { ...header, offset, more });
      frame.set(part, ETHERNET + IPV4);
      this.#send(to, frame, receiver);
      if (isWhole) break;
    }
  }

  /** Asks for the receiver's address first where it is not known. */
  #send(to: Ipv4, frame: Uint8Array, mac: Uint8Array | undefined): boolean {
    if (mac !== undefined) return this.#options.toGuest(frame);
    this.#neighbours.wait(to, frame);
    this.#sendArp(ArpOperation.request, HOST, to, BROADCAST_MAC);
    return true;
  }
}
