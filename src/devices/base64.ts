/** Bytes as text and back (RFC 4648), for fonts in sources and memory in saved states. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const digitCodes = Uint8Array.from(ALPHABET, (digit) => digit.charCodeAt(0));
/** The value of each character that is a digit; else NONE. */
const NONE = 0xff;
const values = new Uint8Array(256).fill(NONE);
for (const [value, code] of digitCodes.entries()) values[code] = value;

export function encodeBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill('='.charCodeAt(0));
  for (let at = 0, out = 0; at < bytes.length; at += 3, out += 4) {
    // Past the end the bits are 0.
    const bits = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const digits = Math.min(4, bytes.length - at + 1);
    for (let i = 0; i < digits; i++) text[out + i] = digitCodes[(bits >> (18 - 6 * i)) & 63]!;
  }
  return new TextDecoder('latin1').decode(text);
}

/** The `length` bytes that `text` encodes; undefined for any other text. */
export function decodeBase64(text: string, length: number): Uint8Array | undefined {
  if (text.length !== Math.ceil(length / 3) * 4) return undefined;
  const padding = (3 - (length % 3)) % 3;
  if (text.slice(text.length - padding) !== '='.repeat(padding)) return undefined;
  const bytes = new Uint8Array(length);
  const digits = text.length - padding;
  for (let at = 0, out = 0; at < digits; at += 4) {
    let bits = 0;
    for (let i = 0; i < 4; i++) {
      const code = at + i < digits ? text.charCodeAt(at + i) : digitCodes[0]!;
      const value = code < 256 ? values[code]! : NONE;
      if (value === NONE) return undefined;
      bits = (bits << 6) | value;
    }
    for (let shift = 16; shift >= 0 && out < length; shift -= 8) bytes[out++] = (bits >> shift) & 0xff;
  }
  return bytes;
}
