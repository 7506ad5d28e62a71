/** The lines of sources, as the debugger shows them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { SourceText } from './source-text.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-source-'));
after(() => rmSync(folder, { recursive: true }));

test('a line is shown without the blanks around it; a line or a file that is not there is not', () => {
  writeFileSync(path.join(folder, 'main.c'), 'int a;\n  int b; \n');
  const text = new SourceText(folder);
  const line = (name: string, number: number) =>
    text.line({ file: { directory: '.', path: name, name }, line: number });
  assert.equal(line('main.c', 1), 'int a;');
  assert.equal(line('main.c', 2), 'int b;');
  assert.equal(line('main.c', 99), undefined);
  assert.equal(line('other.c', 1), undefined);
});

test('a file that is too long for a source is not read', () => {
  writeFileSync(path.join(folder, 'long.c'), 'x'.repeat(4 * 1024 * 1024 + 1));
  const file = { directory: folder, path: 'long.c', name: 'long.c' };
  assert.equal(new SourceText(folder).line({ file, line: 1 }), undefined);
});
