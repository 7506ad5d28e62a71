/**
 * What a source is written in, by the ending of its name.
 *
 * @module
 */
import path from 'node:path';
import { ImageError } from '../../boot/index.js';

export type Language = 'assembler' | 'c' | 'c++' | 'nasm' | 'rust' | 'zig';

const endings: Readonly<Record<string, Language>> = {
  '.S': 'assembler',
  '.s': 'assembler',
  '.c': 'c',
  '.cpp': 'c++',
  '.cc': 'c++',
  '.cxx': 'c++',
  '.asm': 'nasm',
  '.nasm': 'nasm',
  '.rs': 'rust',
  '.zig': 'zig',
};

/** The endings, for people. */
export const SOURCE_ENDINGS = '.S, .s, .c, .cpp, .asm, .rs, .zig';

/** The language of a file by its name; undefined where it is no source. */
export function languageOf(file: string): Language | undefined {
  return endings[path.extname(file)];
}

/** What is looked at of a file to see whether it is text: bytes. */
const LOOKED_AT = 4096;

/**
 * Refuses a file that is text: as machine code it would be nonsense. A boot sector, or a file with a byte that no text has, is
 * none.
 * @throws ImageError that says what the file seems to be
 */
export function refuseText(bytes: Uint8Array, file: string): void {
  const start = bytes.subarray(0, LOOKED_AT);
  if (start.length < 8 || !isText(start)) return;
  const [, shebang] = /^#!\s*(\S+)/.exec(Buffer.from(start).toString('latin1')) ?? [];
  const what = shebang === undefined ? 'a text' : `a script for ${shebang}`;
  throw new ImageError(
    `${file}: this is ${what}, and no image: its letters would be executed as machine code`,
    `give a source by its ending (${SOURCE_ENDINGS}), or what a compiler made of it`,
  );
}

/** Text as UTF-8 has it, without control characters but those of a line. */
function isText(bytes: Uint8Array): boolean {
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
