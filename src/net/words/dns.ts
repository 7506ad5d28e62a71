/** Messages of DNS as text (RFC 1035 4.1): the question, and the first answers. */
import { ipv4Text } from '../packets/addresses.js';
import { read16, read32 } from '../packets/bytes.js';

const HEADER = 12;
const RESPONSE = 0x8000;
/** Labels of a name, and pointers that are followed in it: more are no name (RFC 1035 2.3.4). */
const MOST_LABELS = 128;
const LONGEST_NAME = 255;
/** The most answers that are read, and that are shown. */
const MOST_ANSWERS = 16;
const TOLD = 2;
const TYPE_A = 1;

const types: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  65: 'HTTPS',
};
const failures: Readonly<Record<number, string>> = {
  1: 'format error',
  2: 'server failure',
  3: 'no such name',
  4: 'not implemented',
  5: 'refused',
};

/** `DNS example.org A?`, `DNS example.org A 93.184.216.34`. */
export function dnsWords(bytes: Uint8Array): string {
  if (bytes.length < HEADER) return 'DNS, malformed';
  const flags = read16(bytes, 2);
  const question = read16(bytes, 4) > 0 ? readName(bytes, HEADER) : undefined;
  if (question === undefined || question.end + 4 > bytes.length) return 'DNS, malformed';
  const type = read16(bytes, question.end);
  const asked = `DNS ${question.name} ${types[type] ?? `type ${type}`}`;
  if (!(flags & RESPONSE)) return `${asked}?`;
  const code = flags & 15;
  if (code !== 0) return `${asked}: ${failures[code] ?? `error ${code}`}`;
  const answers = readAddresses(bytes, question.end + 4, read16(bytes, 6));
  const told = answers.slice(0, TOLD).join(', ');
  return `${asked} ${told || `answered, ${read16(bytes, 6)} records`}${answers.length > TOLD ? ', …' : ''}`;
}

function readAddresses(bytes: Uint8Array, from: number, count: number): string[] {
  const found: string[] = [];
  let at = from;
  for (let n = 0; n < Math.min(count, MOST_ANSWERS); n++) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 10 > bytes.length) break;
    const length = read16(bytes, name.end + 8);
    const data = name.end + 10;
    if (data + length > bytes.length) break;
    if (read16(bytes, name.end) === TYPE_A && length === 4) found.push(ipv4Text(read32(bytes, data)));
    at = data + length;
  }
  return found;
}

/** A name, and the offset after it. A pointer may only lead backwards, so that reading ends. */
function readName(bytes: Uint8Array, from: number): { name: string; end: number } | undefined {
  let [at, end, name] = [from, 0, ''];
  for (let labels = 0; labels < MOST_LABELS; labels++) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: name || '.', end: end || at + 1 };
    if (length >= 0xc0) {
      const next = bytes[at + 1];
      const target = ((length & 0x3f) << 8) | (next ?? 0);
      if (next === undefined || target >= at) return undefined;
      end ||= at + 2;
      at = target;
      continue;
    }
    if (length >= 0x40 || at + 1 + length > bytes.length || name.length + length > LONGEST_NAME)
      return undefined;
    name += `${name && '.'}${labelText(bytes.subarray(at + 1, at + 1 + length))}`;
    at += 1 + length;
  }
  return undefined;
}

/** A label may hold any bytes; a trace shows none that a terminal would obey. */
const labelText = (label: Uint8Array): string =>
  Array.from(label, (byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join('');
