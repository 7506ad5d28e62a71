import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitFeed } from './exit-feed.js';
import { GuestConsole } from './guest-console.js';
import { Canvas, look, printable } from './text.js';

const bytes = (text: string) => Buffer.from(text);

describe("the guest's console", () => {
  test('knows lines, tabs, returns and backspaces', () => {
    const console = new GuestConsole();
    console.print(bytes('one\ntwo\r\nab\tc\rX\nabc\b\bZ'));
    assert.deepEqual(console.last(9), ['one', 'two', 'Xb      c', 'aZc']);
  });

  test('puts characters together that come in pieces, and keeps what is wrong as a mark', () => {
    const console = new GuestConsole();
    for (const byte of bytes('ä€')) console.print(Uint8Array.of(byte));
    console.print(Uint8Array.of(0xff));
    assert.deepEqual(console.last(9), ['ä€\ufffd']);
  });

  test('does not grow without end', () => {
    const console = new GuestConsole();
    console.print(bytes('x'.repeat(100_000)));
    assert.ok(console.last(1)[0]!.length <= 1000);
    console.print(bytes('\n'.repeat(100_000)));
    assert.ok(console.length <= 501);
  });
});

describe('what is drawn', () => {
  test('never holds what would drive the terminal, or take another width than one cell', () => {
    for (let code = 0; code < 0x11000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const shown = printable(String.fromCodePoint(code));
      assert.equal([...shown].length, 1);
      assert.ok(shown.codePointAt(0)! >= 0x20 && !(shown >= '\x7f' && shown < '\xa0'));
    }
    // Control characters, a combining one, a wide one, a direction mark.
    for (const bad of ['\x1b', '\x9b', '\u0301', '漢', '\u202e', '😀', '\u200b'])
      assert.match(printable(bad), /[·\ufffd]/);
    for (const good of ['a', 'é', 'Ж', '║', '▀', '☺', '→', '€']) assert.equal(printable(good), good);
  });

  test('has no colours where none are wanted', () => {
    const canvas = new Canvas(4, 1, false);
    canvas.line(0, 0, [['ab', look.changed]]);
    assert.deepEqual([...canvas.ink], [0xff000000, 0xff000000, 0xff000000, 0xff000000]);
    assert.equal(canvas.attributes[0], 1);
  });
});

describe('the exits', () => {
  const out =
    '{"exit":7,"kind":"io","rip":"0x26","direction":"out","port":"0x3f8","size":1,"data":"0x48","device":"serial","register":"data","means":"\'H\'"}';

  test('are counted without the stops of the debugger, and said in the words of the device', () => {
    const feed = new ExitFeed();
    feed.take(bytes(`{"exit":1,"kind":"debug"}\n${out}\n{"exit":8,"kind":"halt"}\n`));
    assert.equal(feed.count, 2);
    assert.deepEqual(feed.rows, [
      { number: 1, what: "out   0x3f8 ← 0x48 'H'", words: 'serial data' },
      { number: 2, what: 'halt', words: '' },
    ]);
  });

  test('may come in pieces, and the last are kept', () => {
    const feed = new ExitFeed();
    for (let i = 0; i < out.length; i += 7) feed.take(bytes(out.slice(i, i + 7)));
    assert.equal(feed.count, 0);
    feed.take(bytes('\n'));
    assert.equal(feed.count, 1);
    feed.take(bytes(`${out}\n`.repeat(1000)));
    assert.equal(feed.count, 1001);
    assert.equal(feed.rows.length, 200);
    assert.equal(feed.rows.at(-1)!.number, 1001);
    feed.clear();
    assert.deepEqual([feed.count, feed.rows], [0, []]);
  });

  test('come in great numbers, and each is counted', () => {
    const feed = new ExitFeed();
    const many = bytes(`${out}\n`.repeat(2500));
    const cut = 200_000;
    feed.take(many.subarray(0, cut));
    feed.take(many.subarray(cut));
    feed.take(many);
    feed.take(bytes(`${out}\n`));
    assert.equal(feed.count, 5001);
    assert.deepEqual([feed.rows.length, feed.rows.at(-1)!.number], [200, 5001]);
  });
});
