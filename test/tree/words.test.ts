/**
 * The English of sources and pages: the words of the field, so that a reader who knows the SDM, KVM and gdb does not stumble.
 * Each phrase below was in here once. Left of it is what is refused, right of it what to write instead.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../support.js';

const refused: [phrase: RegExp, instead: string][] = [
  [/\bwhatever\b/gi, 'any, every, or the list of cases'],
  [/\bwatched places?\b/gi, 'watchpoint'],
  [/\bwatched no more\b/gi, 'no longer watched'],
  [/\bas (?:it|they) should be\b/gi, 'the condition that is met'],
  [/\bwhat is there\b/gi, 'the name of what it is: the file, the content'],
  [/\bmend(?:s|ed|ing)?\b/gi, 'fix, repair'],
  [
    /\bbehind (?:the|its|an) (?:instruction|code|jump|end|opcode|call|comma|bracket|quote|address|exit)\b/gi,
    'after, past',
  ],
  [/\b(?:one behind the other|right behind)\b/gi, 'one after the other, right after'],
  [/\bfor ever\b/gi, 'forever, endless'],
  [/\bnobody as a rule\b/gi, 'usually none'],
  [/\bat its feet\b/gi, 'current, at RIP'],
  [/\bthe guest has come to\b/gi, 'the current state of the guest'],
  [/\banew\b/gi, 'again, re-'],
  [/\bstands? still\b/gi, 'stops, is stopped'],
  [/\bdearer\b|\bis dear\b/gi, 'expensive'],
  [/\bis at ease\b/gi, 'idle, ready'],
];

const folders = ['src', 'docs', 'guests', 'templates', 'scripts', 'bench', 'test', 'editors'];
const text = /\.(?:ts|mjs|js|json|md|txt|c|cpp|h|rs|zig|S|s|asm|ld|html|css)$/;
const generated = /(?:^|\/)(?:node_modules|build|dist)\//;

function files(): string[] {
  const below = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  const pages = readdirSync(root).filter((file) => file.endsWith('.md'));
  return [...below, ...pages].filter(
    (file) => text.test(file) && !generated.test(file) && file !== 'test/tree/words.test.ts',
  );
}

/** The phrases in a text, also across the lines of a comment or paragraph: `3: "what is there": …`. */
function phrasesIn(content: string): string[] {
  // Each line break becomes blanks of the same length, with the indent and the comment's mark, so that indexes stay.
  const flat = content.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|#)?[ \t]*/g, (found) => ' '.repeat(found.length));
  return refused.flatMap(([phrase, instead]) => {
    const spaced = new RegExp(phrase.source.replaceAll(' ', ' +'), phrase.flags);
    return Array.from(flat.matchAll(spaced), ({ 0: found, index }) => {
      const line = content.slice(0, index).split('\n').length;
      return `${line}: "${found.replace(/ +/g, ' ')}": write ${instead}`;
    });
  });
}

describe('the words of sources and pages', () => {
  test('are those of the field', () => {
    const found = files().flatMap((file) =>
      phrasesIn(readFileSync(path.join(root, file), 'utf8')).map((phrase) => `${file}:${phrase}`),
    );
    assert.deepEqual(found, []);
  });

  test('are found across the lines of a comment', () => {
    assert.deepEqual(phrasesIn('/**\n * One. What\n * is there, and\n   // for\n   // ever.\n */'), [
      '2: "What is there": write the name of what it is: the file, the content',
      '4: "for ever": write forever, endless',
    ]);
    assert.deepEqual(phrasesIn('recommended, amends; what is therefore allowed; forever'), []);
  });
});
