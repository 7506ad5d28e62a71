/**
 * An outside world for tests, whose data the test provides; and frames as a guest would send them. Not part of the package.
 *
 * @module
 */
import { Gateway, type GatewayOptions } from './gateway/gateway.js';
import { GATEWAY_MAC, GUEST } from './gateway/layout.js';
import type { Destination, Outside, OutsideStream, StreamEvents } from './outside.js';
import type { Ipv4 } from './packets/addresses.js';
import { ETHERNET, EtherType, newFrame } from './packets/ethernet.js';
import { IPV4, Protocol, readIpv4, writeIpv4 } from './packets/ipv4.js';
import { readTcp, type Segment, tcpHeader, writeTcp } from './packets/tcp.js';
import { writeUdp } from './packets/udp.js';

export const GUEST_MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);

/** A stream that a test holds the other end of. */
export class TestStream implements OutsideStream {
  readonly to: Destination;
  readonly port: number;
  readonly events: StreamEvents;
  readonly written: Uint8Array[] = [];
  readonly log: string[] = [];

  constructor(to: Destination, port: number, events: StreamEvents) {
    this.to = to;
    this.port = port;
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }
  end = () => void this.log.push('end');
  destroy = () => void this.log.push('destroy');
  leave = () => void this.log.push('leave');
  pause = () => void this.log.push('pause');
  resume = () => void this.log.push('resume');
}

/** See the module's comment. */
export class TestNetwork implements Outside {
  readonly gateway: Gateway;
  readonly streams: TestStream[] = [];
  readonly datagramsSent: { to: Destination; port: number; data: Uint8Array }[] = [];
  sockets = 0;
  /** What the guest got. */
  readonly frames: Uint8Array[] = [];
  now = 0;
  room = Number.POSITIVE_INFINITY;

  constructor(options: Partial<GatewayOptions> = {}) {
    this.gateway = new Gateway({
      outside: this,
      toGuest: (frame) => {
        if (this.frames.length >= this.room) return false;
        this.frames.push(frame);
        return true;
      },
      now: () => this.now,
      random: () => 1000,
      isOpen: true,
      ...options,
    });
  }

  connect(to: Destination, port: number, events: StreamEvents): OutsideStream {
    const stream = new TestStream(to, port, events);
    this.streams.push(stream);
    return stream;
  }

  datagrams() {
    this.sockets++;
    return {
      send: (to: Destination, port: number, data: Uint8Array) =>
        void this.datagramsSent.push({ to, port, data: data.slice() }),
      close: () => void this.sockets--,
    };
  }

  echo(): Promise<boolean> | undefined {
    return undefined;
  }

  /** The guest sends a segment. */
  segment(to: Ipv4, segment: Partial<Segment>): void {
    const whole: Segment = {
      ...{ fromPort: 1234, toPort: 80, sequence: 0, acknowledgment: 0, flags: 0, window: 65_535 },
      data: new Uint8Array(),
      ...segment,
    };
    this.gateway.receive(segmentFrame(GUEST, to, whole));
    this.gateway.flush();
  }

  /** The segments that the guest got since it was last asked. */
  taken(): Segment[] {
    return this.frames.splice(0).flatMap((frame) => {
      const packet = readIpv4(frame.subarray(ETHERNET));
      if (typeof packet === 'string' || packet.protocol !== Protocol.tcp) return [];
      return readTcp(packet.payload, packet.from, packet.to) ?? [];
    });
  }
}

export function packetFrame(from: Ipv4, to: Ipv4, protocol: number, payload: Uint8Array): Uint8Array {
  const frame = newFrame(GATEWAY_MAC, GUEST_MAC, EtherType.ipv4, IPV4 + payload.length);
  writeIpv4(frame, ETHERNET, { from, to, protocol, length: payload.length, identification: 1 });
  frame.set(payload, ETHERNET + IPV4);
  return frame;
}

export function segmentFrame(from: Ipv4, to: Ipv4, segment: Segment): Uint8Array {
  const bytes = new Uint8Array(tcpHeader(segment) + segment.data.length);
  writeTcp(bytes, 0, from, to, segment);
  return packetFrame(from, to, Protocol.tcp, bytes);
}

export const datagramFrame = (
  from: Ipv4,
  to: Ipv4,
  fromPort: number,
  toPort: number,
  data: Uint8Array,
): Uint8Array => packetFrame(from, to, Protocol.udp, writeUdp(from, to, { fromPort, toPort, data }));
