/**
 * Makes text safe for a terminal: names that an image, a file or a peer chose.
 *
 * @module
 */

/**
 * Characters that a terminal interprets, or that change the order of its text: C0 and C1 controls (ECMA-48; U+009B begins a sequence,
 * U+009D an operating system command), and Unicode's marks of direction and width (UAX 9; U+202E, zero-width characters).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A name with `?` for each character that cannot be printed. */
export function printable(name: string): string {
  return name.replace(unsafe, '?');
}

/** Text of several lines, likewise: line feeds and tabs stay. */
export function printableText(text: string): string {
  return text.replace(unsafe, (character) => (character === '\n' || character === '\t' ? character : '?'));
}
