/** More equal characters in a row are counted. */
const REPEATED = 10;

const escapes: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
};

/** A text in quotes as gdb writes it; characters that cannot be printed are C's escapes. */
export function quoted(bytes: Uint8Array, quote: '"' | "'" = '"'): string {
  const parts: string[] = [];
  let open: string[] = [];
  const close = () => {
    if (open.length > 0) parts.push(`${quote}${open.join('')}${quote}`);
    open = [];
  };
  for (let at = 0; at < bytes.length; ) {
    let same = 1;
    while (bytes[at + same] === bytes[at]) same++;
    if (same > REPEATED) {
      close();
      parts.push(`'${letter(bytes[at]!, "'")}' <repeats ${same} times>`);
    } else for (let n = 0; n < same; n++) open.push(letter(bytes[at]!, quote));
    at += same;
  }
  close();
  return parts.length === 0 ? `${quote}${quote}` : parts.join(', ');
}

function letter(byte: number, quote: string): string {
  const sign = String.fromCharCode(byte);
  if (sign === quote) return `\\${sign}`;
  if (escapes[byte] !== undefined) return escapes[byte];
  return byte >= 0x20 && byte < 0x7f ? sign : `\\${byte.toString(8).padStart(3, '0')}`;
}
