/**
 * Hostile frames for a gateway: random ones, and right ones of each protocol with bytes changed, cut or added. For tests; not part of
 * the package.
 *
 * @module
 */
import { GUEST, HOST, RESOLVER } from './gateway/layout.js';
import { BROADCAST_IP, BROADCAST_MAC } from './packets/addresses.js';
import { ARP, writeArp } from './packets/arp.js';
import { addWords, checksumOf, write16 } from './packets/bytes.js';
import { addressBytes, writeDhcp } from './packets/dhcp.js';
import { ETHERNET, EtherType, newFrame } from './packets/ethernet.js';
import { writeIcmp } from './packets/icmp.js';
import { IPV4, Protocol } from './packets/ipv4.js';
import { datagramFrame, GUEST_MAC, packetFrame, segmentFrame, TestNetwork } from './testing.js';
import { frameWords } from './words/frame.js';

type Random = () => number;

/** Addresses that a guest would name. */
const targets = [HOST, RESOLVER, GUEST, BROADCAST_IP, 0x5db8d822, 0x7f000001, 0, 0xe0000001];
const MOST_HELD = 96 * 1024 * 1024;
/** How many frames pass between two checks of the held state. */
const LOOK = 5000;

function bytesOf(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = random();
  return bytes;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random() % from.length]!;

const protocols: ((random: Random) => Uint8Array)[] = [
  (random) => {
    const frame = newFrame(BROADCAST_MAC, GUEST_MAC, EtherType.arp, ARP);
    const sender = random() % 4 ? GUEST : random();
    const target = pick(random, targets);
    writeArp(frame.subarray(ETHERNET), {
      ...{ operation: random() % 4, senderMac: GUEST_MAC, sender, targetMac: BROADCAST_MAC, target },
    });
    return frame;
  },
  (random) => {
    const options = new Map([
      [53, Uint8Array.of(random() % 10)],
      [50, addressBytes(random() % 2 ? GUEST : random())],
      [random() & 0xff, bytesOf(random, random() % 40)],
    ]);
    const message = { isReply: random() % 8 === 0, transaction: random(), flags: random() & 0xffff };
    const rest = { client: 0, yours: 0, clientMac: GUEST_MAC, options, server: 0 };
    return datagramFrame(0, BROADCAST_IP, 68, 67, writeDhcp({ ...message, ...rest }));
  },
  (random) => {
    const name = bytesOf(random, 12 + (random() % 60));
    name[4] = 0;
    name[5] = 1;
    return datagramFrame(GUEST, RESOLVER, random() & 0xffff, 53, name);
  },
  (random) =>
    datagramFrame(
      GUEST,
      pick(random, targets),
      random() & 0xffff,
      random() & 0xffff,
      bytesOf(random, random() % 64),
    ),
  (random) => {
    const data = bytesOf(random, random() % 64);
    const message = { type: random() % 4 ? 8 : random() & 0xff, code: 0, identifier: 1, sequence: 2, data };
    return packetFrame(GUEST, pick(random, targets), Protocol.icmp, writeIcmp(message));
  },
  (random) =>
    segmentFrame(GUEST, pick(random, targets), {
      // Few ports and near numbers, so that segments meet connections.
      ...{ fromPort: 1000 + (random() % 2000), toPort: random() % 4, flags: random() & 0x3f },
      ...{
        sequence: (random() % 4096) >>> 0,
        acknowledgment: 1000 + (random() % 64),
        window: random() & 0xffff,
      },
      ...(random() % 2 && { mss: random() & 0xffff, windowShift: random() & 0xff }),
      data: bytesOf(random, random() % 4 ? 0 : random() % 64),
    }),
];

/** Changes some bytes. Most checksums are corrected afterwards, so that the change is parsed. */
function mutate(frame: Uint8Array, random: Random): Uint8Array {
  const result = random() % 8 ? frame : frame.slice(0, random() % (frame.length + 1));
  for (let left = random() % 4; left > 0 && result.length > 0; left--)
    result[random() % result.length] = random() & 0xff;
  if (random() % 4 && result.length >= ETHERNET + IPV4) {
    write16(result, ETHERNET + 10, 0);
    const header = Math.min((result[ETHERNET]! & 15) * 4, result.length - ETHERNET);
    write16(result, ETHERNET + 10, checksumOf(addWords(result, ETHERNET, ETHERNET + header)));
  }
  return result;
}

/** Sends so many hostile frames. Throws where the gateway does, or holds more and more. */
export function attack(random: Random, count: number): void {
  const network = new TestNetwork();
  const { gateway, streams } = network;
  for (let n = 1; n <= count; n++) {
    const frame =
      random() % 16 ? mutate(pick(random, protocols)(random), random) : bytesOf(random, random() % 90);
    const words = frameWords(frame);
    if (words.length > 400 || /\n|undefined|NaN/.test(words)) throw new Error(`a frame says '${words}'`);
    gateway.receive(frame);
    if (random() % 8 === 0) gateway.flush();
    // Outside does something as well.
    const stream = streams.length > 0 ? pick(random, streams) : undefined;
    if (stream && !stream.log.includes('destroy')) outsideDoes(stream, random);
    network.now += random() % 20;
    if (n % 64 === 0) gateway.tick();
    if (n % LOOK !== 0) continue;
    const { connections, flows, fragments, bytes } = gateway.holds;
    if (connections > 1024 || flows > 256 || fragments > 16 || bytes > MOST_HELD)
      throw new Error(`after ${n} frames it holds ${JSON.stringify(gateway.holds)}`);
    if (network.sockets !== flows) throw new Error(`${network.sockets} sockets are open for ${flows} flows`);
    network.frames.length = 0;
    streams.splice(0, Math.max(0, streams.length - 1024));
  }
  gateway.close();
  if (gateway.holds.connections > 0 || network.sockets > 0)
    throw new Error('what was closed holds something');
}

function outsideDoes({ events, written, log }: TestNetwork['streams'][number], random: Random): void {
  switch (random() % 12) {
    case 0:
      events.opened();
      break;
    case 1:
      if (!log.includes('pause')) events.data(bytesOf(random, random() % 3000));
      break;
    case 2:
      events.written(written.splice(0).reduce((sum, { length }) => sum + length, 0));
      break;
    case 3:
      if (random() % 4 === 0) events.ended();
      break;
    case 4:
      if (random() % 8 === 0) {
        log.push('destroy');
        events.closed(random() % 2 ? 'reset' : undefined);
      }
  }
}
