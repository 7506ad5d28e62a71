import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LineReader } from './lines.js';

describe('lines out of a byte stream', () => {
  test('are the same however the stream is cut', () => {
    const texts = fc.array(fc.string({ maxLength: 50 }).map((text) => text.replaceAll('\n', ' ')));
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (lines, cuts) => {
        const reader = new LineReader(1024);
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const found: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length]!;
          found.push(...reader.push(bytes.subarray(at, at + length))!);
          at += length;
        }
        assert.deepEqual(found, lines);
      }),
    );
  });

  test('are refused from one byte over the limit on, newline included', () => {
    const line = (length: number) => Buffer.from(`${'x'.repeat(length - 1)}\n`);
    assert.equal(new LineReader(16).push(line(16))?.length, 1);
    assert.equal(new LineReader(16).push(line(17)), undefined);
    const reader = new LineReader(16);
    assert.deepEqual(reader.push(Buffer.alloc(15, 'x')), []);
    assert.equal(reader.push(Buffer.alloc(1, 'x')), undefined);
  });
});
