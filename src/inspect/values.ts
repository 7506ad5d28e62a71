/** A whole number in the usual notations: 42, -1, 0x2a, 0b101010. Undefined for anything else. */
export function parseNumber(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  if (!/^(0x[0-9a-f]+|0b[01]+|[0-9]+)$/i.test(digits)) return undefined;
  const value = BigInt(digits.toLowerCase());
  return negative ? -value : value;
}

const escapes: Readonly<Record<string, number>> = {
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  '0': 0x00,
  '\\': 0x5c,
  '"': 0x22,
};

/**
 * The bytes of a string in double quotes, in UTF-8, with the escapes \n \r \t \0 \\ \" and \xNN.
 * Undefined where the quotes or an escape are wrong.
 */
export function parseString(text: string): Uint8Array | undefined {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return undefined;
  const inner = text.slice(1, -1);
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < inner.length; ) {
    const character = String.fromCodePoint(inner.codePointAt(i)!);
    i += character.length;
    if (character === '"') return undefined;
    if (character !== '\\') {
      bytes.push(...encoder.encode(character));
      continue;
    }
    const letter = inner[i++] ?? '';
    const digits = inner.slice(i, i + 2);
    if (letter === 'x' && /^[0-9a-f]{2}$/i.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      i += 2;
    } else if (Object.hasOwn(escapes, letter)) bytes.push(escapes[letter]!);
    else return undefined;
  }
  return Uint8Array.from(bytes);
}

const backslashed = new Map(
  Object.entries(escapes)
    .filter(([letter]) => letter !== '0')
    .map(([letter, byte]) => [byte, `\\${letter}`]),
);

/** Bytes as a string in double quotes that `parseString` accepts; everything but printable ASCII is escaped. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    const short = backslashed.get(byte);
    if (short !== undefined) text += short;
    else if (byte >= 0x20 && byte <= 0x7e) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${text}"`;
}
