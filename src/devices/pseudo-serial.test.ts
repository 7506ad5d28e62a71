import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PseudoSerial } from './index.js';

describe('the pseudo-serial port', () => {
  test('shows characters that C calls printable, and newlines; the rest as dots', () => {
    const bytes: number[] = [];
    const port = new PseudoSerial((chunk) => bytes.push(...chunk));
    for (let byte = 0; byte < 256; byte++) port.writePort(0xf1, 1, byte);
    // isprint in the C locale: the 95 characters from space to tilde (C11 7.4.1.8, footnote on ASCII).
    const ascii =
      ' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~';
    assert.equal(
      String.fromCharCode(...bytes),
      `${'.'.repeat(10)}\n${'.'.repeat(21)}${ascii}${'.'.repeat(129)}`,
    );
  });

  test('prints the output of the article’s second kernel', () => {
    let text = '';
    const port = new PseudoSerial((chunk) => {
      text += String.fromCharCode(...chunk);
    });
    for (const byte of [0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x0a]) port.writePort(0xf1, 1, byte);
    assert.equal(text, 'Hello\n');
  });

  test('has nothing to read: the bus floats', () => {
    assert.equal('readPort' in new PseudoSerial(() => {}), false);
  });
});
