import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { SharedTerminal } from './shared-terminal.js';

describe('a terminal that shows a trace and the console', () => {
  test('holds little of a line that has no end', (t) => {
    let shown = 0;
    t.mock.method(process.stdout, 'write', (text: string, done?: () => void) => {
      shown += text.length;
      done?.();
      return true;
    });
    const terminal = new SharedTerminal();
    const chunk = new Uint8Array(1024).fill(0x61);
    for (let n = 1; n <= 1000; n++) {
      void terminal.print(chunk);
      assert.ok(n * chunk.length - shown < 16 * 1024, `${n * chunk.length - shown} are held back`);
    }
  });

  test('marks each line of the console when it is whole', (t) => {
    const texts: string[] = [];
    t.mock.method(process.stdout, 'write', (text: string) => texts.push(text) > 0);
    const terminal = new SharedTerminal();
    for (const text of ['He', 'llo\nyou', '\n', 'there']) void terminal.print(Buffer.from(text));
    terminal.end();
    t.mock.restoreAll();
    assert.deepEqual(
      texts.filter((text) => /console/.test(text)).map((text) => stripVTControlCharacters(text)),
      ['console: Hello\n', 'console: you\n', 'console: there\n'],
    );
  });
});
