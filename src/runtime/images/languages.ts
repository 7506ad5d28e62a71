/**
 * The language of a source, by the ending of its name.
 *
 * @module
 */
import path from 'node:path';

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

/** The language of a file by its name; undefined where it is not a source. */
export function languageOf(file: string): Language | undefined {
  return endings[path.extname(file)];
}
