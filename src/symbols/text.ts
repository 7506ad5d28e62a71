const LONGEST_NAME = 256;

/** A string that ends in 0, without control characters, for a terminal. */
export function stringAt(bytes: Uint8Array, at: number): string {
  const text = bytes.subarray(at, at + LONGEST_NAME);
  const end = text.indexOf(0);
  if (end < 0) return '';
  const decoded = new TextDecoder().decode(text.slice(0, end));
  return [...decoded].filter((letter) => letter >= ' ' && letter !== '\u007f').join('');
}
