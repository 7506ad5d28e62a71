/** A shorter file may be code whose bytes are letters by chance. */
const SHORTEST = 4;
/** UTF-16 without a mark at its start is recognised by this many bytes. */
const SHORTEST_WIDE = 16;
/** Of text that is not UTF-8 (Latin-1, Windows-1252 and others), at least this part is ASCII. */
const MOSTLY = 0.8;

/**
 * The characters of a text file: ASCII, UTF-8, UTF-16, or 8 bits a character that are nearly all ASCII. Undefined where it is not text.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < SHORTEST) return undefined;
  const wide = wideText(bytes);
  if (wide !== undefined) return wide;
  // Text has no control characters except those of lines.
  if (bytes.some((byte) => byte < 0x20 && ![9, 10, 12, 13, 27].includes(byte))) return undefined;
  const utf8 = decoded(bytes, 'utf-8');
  if (utf8 !== undefined) return utf8;
  const ascii = bytes.filter((byte) => byte < 0x7f).length;
  return bytes.includes(10) && ascii >= bytes.length * MOSTLY ? decoded(bytes, 'latin1') : undefined;
}

/** UTF-16, by the mark at its start, or by the zero in each character of ASCII. */
function wideText(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return plain(decoded(bytes, 'utf-16le'));
  if (first === 0xfe && second === 0xff) return plain(decoded(swapped(bytes), 'utf-16le'));
  const pairs = bytes.subarray(0, bytes.length & ~1);
  if (pairs.length < SHORTEST_WIDE) return undefined;
  for (const zero of [0, 1]) {
    if (pairs.every((byte, i) => (i % 2 === zero ? byte === 0 : isLetter(byte))))
      return decoded(
        pairs.filter((_, i) => i % 2 !== zero),
        'utf-8',
      );
  }
  return undefined;
}

const isLetter = (byte: number) => (byte >= 0x20 && byte < 0x7f) || [9, 10, 13].includes(byte);

function swapped(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, i) => bytes[i ^ 1] ?? 0);
}

/** The text, unless there are control characters in it. */
function plain(text: string | undefined): string | undefined {
  const controls = [...(text ?? '\0')].some((letter) => letter < ' ' && !'\t\n\r\f'.includes(letter));
  return controls ? undefined : text;
}

/** The last character may be cut off. */
function decoded(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
