/**
 * Packets of gdb's remote protocol: `$data#checksum` (GDB manual, appendix E). Bytes are handled as latin1 text.
 *
 * @module
 */
import { LONGEST_ACCESS } from '../memory.js';

/** The longest packet that is accepted, as reported to gdb. */
export const PACKET_SIZE = 0x4000;

export type Received =
  | { kind: 'packet'; data: string; intact: boolean }
  | { kind: 'overlong' }
  | { kind: 'interrupt' }
  /** gdb did not receive the last packet completely. */
  | { kind: 'again' }
  /** A byte that gdb never sends between packets: the peer speaks another protocol. */
  | { kind: 'foreign' };

const END = /#[\s\S]{2}/;

/** Takes bytes as they arrive and finds the packets. It never buffers more than one packet. */
export class PacketReader {
  #text = '';
  #skipping = false;

  /** The packets that these bytes complete. Bytes after one that gdb never sends there are not read. */
  push(bytes: string): Received[] {
    const found: Received[] = [];
    let rest = this.#text + bytes;
    while (rest !== '') {
      if (rest[0] !== '$') {
        if (!speaksGdb(rest)) {
          found.push({ kind: 'foreign' });
          rest = '';
          break;
        }
        if (rest[0] === '\x03') found.push({ kind: 'interrupt' });
        if (rest[0] === '-') found.push({ kind: 'again' });
        rest = rest.slice(1);
        continue;
      }
      const end = rest.search(END);
      if (end < 0) {
        if (rest.length <= PACKET_SIZE + 1) break;
        // The rest of it is dropped as it arrives, except bytes that may belong to its end.
        this.#skipping = true;
        rest = `$${rest.slice(-2).replace(/^[^#]*/, '')}`;
        break;
      }
      const data = rest.slice(1, end);
      if (this.#skipping || data.length > PACKET_SIZE) found.push({ kind: 'overlong' });
      else {
        const told = Number.parseInt(rest.slice(end + 1, end + 3), 16);
        found.push({ kind: 'packet', data: unescaped(data), intact: told === checksum(data) });
      }
      this.#skipping = false;
      rest = rest.slice(end + 3);
    }
    this.#text = rest;
    return found;
  }
}

/**
 * Whether these bytes begin as gdb's do outside of packets: with a packet, an acknowledgement or an interrupt (byte 3). A web
 * page can make a browser send to any port of this computer; its first bytes are HTTP's or TLS's.
 */
export function speaksGdb(bytes: string): boolean {
  return bytes !== '' && '$+-\x03'.includes(bytes[0]!);
}

function checksum(data: string): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data.charCodeAt(i);
  return sum & 0xff;
}

function unescaped(data: string): string {
  return data.includes('}')
    ? data.replace(/\}([\s\S])/g, (_, next: string) => String.fromCharCode(next.charCodeAt(0) ^ 0x20))
    : data;
}

/** A packet around `data`, in which `#`, `$`, `}` and `*` are escaped. */
export function packet(data: string): string {
  const escaped = data.replace(/[#$}*]/g, (one) => `}${String.fromCharCode(one.charCodeAt(0) ^ 0x20)}`);
  return `$${escaped}#${checksum(escaped).toString(16).padStart(2, '0')}`;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Iterable<number>): string {
  let text = '';
  for (const byte of bytes) text += digits[byte];
  return text;
}

/** Undefined for text that is not whole bytes in hex. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[\da-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, n) =>
    Number.parseInt(text.slice(2 * n, 2 * n + 2), 16),
  );
}

/** A register's bytes, lowest first. */
export function littleEndian(value: bigint, bits: number): string {
  let text = '';
  let rest = BigInt.asUintN(bits, value);
  for (let n = 0; n < bits; n += 8) {
    text += digits[Number(rest & 0xffn)];
    rest >>= 8n;
  }
  return text;
}

export function fromLittleEndian(text: string): bigint | undefined {
  const bytes = fromHex(text);
  if (bytes === undefined || bytes.length === 0) return undefined;
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Text as gdb prints it. */
export function hexText(text: string): string {
  return toHex(new TextEncoder().encode(text));
}

/** `address,length`, both in hex. */
export function rangeOf(text: string): { address: bigint; length: number } {
  const found = /^([\da-f]{1,16}),([\da-f]{1,8})$/i.exec(text);
  if (found === null) throw new Error(`'${text.slice(0, 40)}' is not an address and a length`);
  const length = Number.parseInt(found[2]!, 16);
  if (length > LONGEST_ACCESS) throw new Error(`${length} bytes are too many at once`);
  return { address: BigInt(`0x${found[1]}`), length };
}
