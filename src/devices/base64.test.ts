/** Base 64, against Node's own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeBase64, encodeBase64 } from './base64.js';

test('bytes of each length become the same text as in Node, and back', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = new Uint8Array(randomBytes(length));
    const text = Buffer.from(bytes).toString('base64');
    assert.equal(encodeBase64(bytes), text);
    assert.deepEqual(decodeBase64(text, length), bytes);
  }
});

test('text that does not encode such bytes is refused', () => {
  const text = Buffer.from('terrarium').toString('base64');
  for (const [bad, length] of [
    [text, 8],
    [text, 10],
    [`${text.slice(0, 4)}=${text.slice(5)}`, 9],
    [`${text.slice(0, 4)}\u0141${text.slice(5)}`, 9],
    [`${text.slice(0, 4)} ${text.slice(5)}`, 9],
    ['QUJD', 2],
    ['QUI=', 3],
    ['QQ=', 1],
    ['Q===', 1],
  ] as const)
    assert.equal(decodeBase64(bad, length), undefined, bad);
});
