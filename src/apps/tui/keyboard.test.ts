import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionNames, actionOf, bindings, helpLines } from './bindings.js';
import { Keyboard } from './keyboard.js';

/** The keys that pieces of bytes are, without waiting. */
function keysOf(...pieces: (string | number[])[]): string[] {
  const keys: string[] = [];
  const keyboard = new Keyboard((key) => keys.push(key));
  for (const piece of pieces)
    keyboard.take(typeof piece === 'string' ? Buffer.from(piece) : Uint8Array.from(piece));
  keyboard.close();
  return keys;
}

describe('the keyboard', () => {
  test('knows characters, control keys, and what terminals call their function keys', () => {
    assert.deepEqual(keysOf('sé€😀'), ['s', 'é', '€', '😀']);
    assert.deepEqual(keysOf('\x03\x0c\x1d\r\t\x7f'), [
      'Ctrl-C',
      'Ctrl-L',
      'Ctrl-]',
      'Enter',
      'Tab',
      'Backspace',
    ]);
    assert.deepEqual(keysOf('\x1b[A\x1bOB\x1b[5~\x1b[H\x1b[4~\x1b[Z'), [
      'ArrowUp',
      'ArrowDown',
      'PageUp',
      'Home',
      'End',
      'Shift-Tab',
    ]);
    // xterm, the Linux console, rxvt.
    for (const f1 of ['\x1bOP', '\x1b[[A', '\x1b[11~']) assert.deepEqual(keysOf(f1), ['F1']);
    assert.deepEqual(keysOf('\x1b[15~\x1b[15;2~\x1b[1;2Q\x1b[24~'), ['F5', 'Shift-F5', 'Shift-F2', 'F12']);
  });

  test('puts together what comes in pieces, over a slow line', () => {
    assert.deepEqual(keysOf('\x1b', '[', '1', '5', '~s'), ['F5', 's']);
    assert.deepEqual(keysOf([0xc3], [0xa4]), ['ä']);
  });

  test('takes Escape for a key when nothing follows', async () => {
    const keys: string[] = [];
    const keyboard = new Keyboard((key) => keys.push(key));
    keyboard.take(Buffer.from('\x1b'));
    assert.deepEqual(keys, []);
    while (keys.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(keys, ['Escape']);
  });

  test('drops sequences that name no key', () => {
    assert.deepEqual(keysOf('\x1b[99~a'), ['a']);
  });
});

describe('the bindings', () => {
  test('give every action a letter, most a function key, each to one action', () => {
    assert.deepEqual(new Set(bindings.map(({ action }) => action)), new Set(actionNames));
    const keys = bindings
      .flatMap(({ letter, functionKey }) => [letter, functionKey])
      .filter((key) => key !== '');
    assert.equal(new Set(keys).size, keys.length);
    for (const { action, letter, functionKey } of bindings) {
      assert.match(letter, /^.$/);
      assert.equal(actionOf(letter), action);
      if (functionKey === '') continue;
      assert.match(functionKey, /^(Shift-)?F\d+$/);
      assert.equal(actionOf(functionKey), action);
    }
  });

  test('are all in the help, which fits into 80 columns', () => {
    const help = helpLines();
    for (const { long } of bindings) assert.ok(help.some((line) => line.includes(long)));
    for (const line of help) assert.ok(line.length <= 74, line);
  });
});
