/** Text as UTF-8 has it, without control characters but those of a line. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 0x20 && ![9, 10, 12, 13, 27].includes(byte))) return false;
  try {
    // The last character may be cut off.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return false;
  }
  // A few bytes of code may be letters by chance; a line has an end.
  return bytes.includes(10) || bytes.length >= 64;
}
