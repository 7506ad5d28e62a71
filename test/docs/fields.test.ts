/** The documentation's table of a machine's fields is the table in config/; its programs are the files that it shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fieldNames, fieldOf } from '../../src/config/index.js';

test('docs/programs.md lists each field of a machine with its option, its default and its sentence', () => {
  const rows = fieldNames.map((name) => {
    const { kind, says, option, off, default: usual, inGuestFile } = fieldOf(name);
    const shown = off === undefined ? option : option?.replace('--', '--no-');
    const cells = [
      `\`${name}\``,
      shown === undefined ? '' : `\`${shown}\``,
      usual === undefined ? '' : `\`${kind.write(usual)}\``,
      inGuestFile ? 'yes' : 'no',
      says,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const text = readFileSync('docs/programs.md', 'utf8');
  assert.ok(text.includes(rows.join('\n')), `write into docs/programs.md:\n${rows.join('\n')}`);
});

test('docs/browser.md shows the current Worker of its example', () => {
  const [, ...lines] = readFileSync('docs/examples/browser/worker.js', 'utf8').split('\n');
  assert.ok(readFileSync('docs/browser.md', 'utf8').includes(`\`\`\`js\n${lines.join('\n')}\`\`\``));
});
