/** Bytes as text and back (RFC 4648), for fonts in sources and memory in saved states. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Characters that one call of `String.fromCharCode` takes. */
const CHUNK = 8192;

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

/** The `length` bytes that `text` stands for; undefined where it stands for anything else. */
export function decodeBase64(text: string, length: number): Uint8Array | undefined {
  if (text.length !== Math.ceil(length / 3) * 4) return undefined;
  const padding = (3 - (length % 3)) % 3;
  const digits = text.length - padding;
  for (let i = 0; i < text.length; i++) {
    if (i < digits ? !ALPHABET.includes(text[i]!) : text[i] !== '=') return undefined;
  }
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
