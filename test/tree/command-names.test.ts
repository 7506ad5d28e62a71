/**
 * The command's name: in messages as it was started (`src/command.ts`), on pages `terrarium`, never another package's
 * name.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../support.js';

/** The lines of all text files below some folders or files that satisfy a condition, as `file:line: text`. */
function lines(places: readonly string[], wanted: (file: string) => boolean, has: (line: string) => boolean) {
  const files = places.flatMap((place) =>
    statSync(path.join(root, place)).isFile()
      ? [place]
      : readdirSync(path.join(root, place), { recursive: true, encoding: 'utf8' }).map((file) =>
          path.join(place, file),
        ),
  );
  return files.filter(wanted).flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, n) => (has(line) ? [`${file}:${n + 1}: ${line.trim()}`] : [])),
  );
}

const shipped = ['README.md', 'SPECIFICATION.md', 'docs', 'guests', 'templates', 'editors'];
const text = (file: string) => /\.(md|ts|mjs|js|c|h|S|json|ld|txt)$|Makefile$/.test(file);

describe('the name of the command', () => {
  test('in messages comes from src/command.ts', () => {
    const commands = 'attach|bench|course|dap|debug|doctor|logs|new|ps|rm|run|stat|stop|trace|verify';
    const byHand = new RegExp(`(?<![$|:] )\\bterrarium (${commands})(?!:)\\b`);
    const comment = /^\s*(\*|\/\/|\/\*)/;
    const source = (file: string) => file.endsWith('.ts') && !file.endsWith('.test.ts');
    const found = lines(['src'], source, (line) => byHand.test(line) && !comment.test(line));
    assert.deepEqual(found, [], 'a hint calls command(…), help text is given through asTyped(…)');
  });

  test('on pages is terrarium, except where they explain a clone’s commands', () => {
    const explained = /^(README\.md|guests\/README\.md):/;
    const found = lines(shipped, text, (line) => line.includes('npm start --'));
    assert.deepEqual(
      found.filter((line) => !explained.test(line)),
      [],
      'the package ships these pages, and has no npm start',
    );
  });

  test('is never that of another package', () => {
    const strange = /npx (-\S+ )*terrarium(?!-vm)\b|from 'terrarium['/]|import\('terrarium['/]/;
    const found = lines([...shipped, 'src', 'bench', 'scripts'], text, (line) => strange.test(line));
    assert.deepEqual(found, [], 'our package is terrarium-vm; terrarium on the registry is somebody else’s');
  });
});
