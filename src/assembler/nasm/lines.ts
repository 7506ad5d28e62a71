/** The text of NASM's lines: where a comment begins, where an argument ends. */
import type { SourceLine } from '../cpp.js';

/** The arguments in brackets at the start of a text, and how many characters they take. */
export function callArguments(text: string): { values: string[]; length: number } | undefined {
  const open = /^\s*\(/.exec(text);
  if (open === null) return undefined;
  let depth = 0;
  for (let at = open[0].length - 1; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) {
      return { values: splitCommas(text.slice(open[0].length, at)), length: at + 1 };
    }
  }
  return undefined;
}

/** Parts between commas; brackets, braces and quotes group. */
export function splitCommas(text: string): string[] {
  const found: string[] = [];
  let current = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'" || character === '`') {
      const end = text.indexOf(character, at + 1);
      const until = end < 0 ? text.length : end + 1;
      current += text.slice(at, until);
      at = until - 1;
      continue;
    }
    if (/[([{]/.test(character)) depth++;
    if (/[)\]}]/.test(character)) depth--;
    if (character === ',' && depth <= 0) {
      found.push(current.trim());
      current = '';
    } else current += character;
  }
  found.push(current.trim());
  return found;
}

/** Removes a comment: from a `;` that is in no string. */
export function stripComment(line: string): string {
  if (!line.includes(';')) return line;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === ';') return line.slice(0, at);
    if (character === '"' || character === "'" || character === '`') {
      const end = line.indexOf(character, at + 1);
      if (end < 0) return line;
      at = end;
    }
  }
  return line;
}

/** The lines of a source, continued ones joined. */
export function nasmLines(text: string, file: string): SourceLine[] {
  const lines: SourceLine[] = [];
  const all = text.split('\n');
  for (let n = 0; n < all.length; n++) {
    const origin = { file, line: n + 1 };
    let line = all[n]!.replace(/\r$/, '');
    while (line.endsWith('\\') && n + 1 < all.length) line = line.slice(0, -1) + all[++n]!.replace(/\r$/, '');
    lines.push({ text: line, origin });
  }
  return lines;
}
