import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DebugConsole } from '../index.js';

describe('the debug console', () => {
  test('passes every byte on unchanged', () => {
    const bytes: number[] = [];
    const console = new DebugConsole((chunk) => bytes.push(...chunk));
    for (let byte = 0; byte < 256; byte++) console.writePort(0xe9, 1, byte);
    assert.deepEqual(bytes, [...new Uint8Array(256).keys()]);
  });

  test('is found by a guest that reads its port (Bochs: "read 0xE9 from it")', () => {
    assert.equal(new DebugConsole(() => {}).readPort(), 0xe9);
  });

  test('claims only its one port, for writes that may be delayed', () => {
    assert.deepEqual(new DebugConsole(() => {}).ports, [{ first: 0xe9, count: 1, width: 1, coalesce: true }]);
  });
});
