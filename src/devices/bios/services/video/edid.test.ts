/** Expected values: VESA E-EDID 1.3, chapter 3; VESA DMT 1.0, 1024 by 768 at 60 Hz. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edid } from './edid.js';

test('a screen’s block adds up to 0, names the screen, and marks its preferred timing', () => {
  const bytes = edid();
  assert.equal(bytes.length, 128);
  assert.equal(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff, 0);
  assert.deepEqual([bytes[18], bytes[19]], [1, 3]);
  assert.equal(bytes[24]! & 2, 2, 'the first timing is preferred');
  const timing = bytes.subarray(54, 72);
  const clock = timing[0]! | (timing[1]! << 8);
  const pair = (low: number, high: number, shift: number) =>
    timing[low]! | (((timing[high]! >> shift) & 15) << 8);
  const [width, blank] = [pair(2, 4, 4), pair(3, 4, 0)];
  const [height, blankDown] = [pair(5, 7, 4), pair(6, 7, 0)];
  assert.deepEqual([clock, width, height, width + blank, height + blankDown], [6500, 1024, 768, 1344, 806]);
  const rate = (clock * 10_000) / ((width + blank) * (height + blankDown));
  assert.ok(Math.abs(rate - 60) < 0.05, `${rate} Hz`);
  const named = bytes.subarray(72, 90);
  assert.deepEqual([...named.subarray(0, 5)], [0, 0, 0, 0xfc, 0]);
  assert.match(Buffer.from(named.subarray(5)).toString('latin1'), /^Terrarium\n {3}$/);
  // Five bits a letter, A is 1 (3.4.1).
  const maker = (bytes[8]! << 8) | bytes[9]!;
  const letters = [10, 5, 0].map((at) => String.fromCharCode(64 + ((maker >> at) & 31)));
  assert.equal(letters.join(''), 'TRM');
});
