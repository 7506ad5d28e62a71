/** Hostile links, and links that were damaged on their way: refused with messages. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { deflateSync } from 'fflate';
import { decodeLink, encodeLink, LinkError, type Shared } from '../../src/terra/index.js';
import { anyCharacter } from '../support/any-character.js';

const good: Shared = {
  title: 'mine',
  files: [{ name: 'kernel.S', text: '.code16\nhlt\n' }],
  spec: { mode: 'real', memory: 65536 },
  breakpoints: [2],
  moment: 1,
  inputs: [{ at: 5, kind: 'stream', channel: 'serial: bytes', between: true, value: 65 }],
  view: { below: 'exits' },
};

/** A link with any content, as an attacker could make it. */
const linkOf = (content: unknown) => {
  const packed = deflateSync(new TextEncoder().encode(JSON.stringify(content)));
  return `#k=${Buffer.from(packed).toString('base64url')}`;
};

describe('a link', () => {
  test('opens with its original content', () => {
    assert.deepEqual(decodeLink(`#${encodeLink(good)}`), good);
    assert.equal(decodeLink('#hello'), undefined);
  });

  test('of any sources is complete when it is opened', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 2000 }), (text) => {
        const shared = { ...good, files: [{ name: 'k.S', text }] };
        assert.deepEqual(decodeLink(`#${encodeLink(shared)}`)?.files, shared.files);
      }),
      { numRuns: 200 },
    );
  });

  test('that is truncated anywhere is refused with a message', () => {
    const link = `#${encodeLink(good)}`;
    for (let length = 4; length < link.length; length++)
      assert.throws(() => decodeLink(link.slice(0, length)), LinkError, `${length} characters`);
  });

  test('with any characters is refused, or opens as something checked', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        try {
          decodeLink(`#k=${text}`);
        } catch (error) {
          assert.ok(error instanceof LinkError);
        }
      }),
      { numRuns: 500 },
    );
  });

  const wrong: Record<string, [unknown, RegExp]> = {
    'of a newer version': [{ v: 2, ...good }, /version 2.*newer/],
    'without a version': [{ ...good }, /no version/],
    'without files': [{ v: 1, ...good, files: [] }, /no files/],
    'with a path as a name': [
      { v: 1, ...good, files: [{ name: '../../etc/passwd', text: '' }] },
      /files is invalid/,
    ],
    'with markup as a name': [
      { v: 1, ...good, files: [{ name: '<img src=x>', text: '' }] },
      /files is invalid/,
    ],
    'with a disk of the host': [
      { v: 1, ...good, spec: { disks: [{ file: '/dev/sda' }] } },
      /disks, which a link cannot bring/,
    ],
    'with a module': [
      { v: 1, ...good, spec: { devices: [{ module: 'http://evil/x.js' }] } },
      /devices, which a link cannot bring/,
    ],
    'with an unknown field': [{ v: 1, ...good, spec: { memroy: 1 } }, /memroy/],
    'with an invalid moment': [{ v: 1, ...good, moment: -1 }, /moment/],
    'with invalid breakpoints': [{ v: 1, ...good, breakpoints: ['1; alert()'] }, /breakpoints/],
    'with invalid inputs': [
      {
        v: 1,
        ...good,
        inputs: [
          { at: 1, kind: 'port', channel: 'k', between: true, value: { name: 'A', down: true, x: 1 } },
        ],
      },
      /inputs/,
    ],
    'of null': [null, /holds nothing/],
    'of a number': [5, /holds nothing/],
  };
  for (const [name, [content, words]] of Object.entries(wrong))
    test(`${name} is refused`, () => {
      assert.throws(
        () => decodeLink(linkOf(content)),
        (error) => error instanceof LinkError && words.test(error.message),
      );
    });

  test('that would unpack to a huge size is refused before', () => {
    // A thousandth of it is compressed zeros.
    const packed = deflateSync(new Uint8Array(48 * 2 ** 20), { level: 1 });
    const link = `#k=${Buffer.from(packed).toString('base64url')}`;
    const began = process.memoryUsage().arrayBuffers;
    assert.throws(() => decodeLink(link), /holds too much/);
    assert.ok(process.memoryUsage().arrayBuffers - began < 32 * 2 ** 20);
  });

  test('that is longer than the limit is refused', () => {
    assert.throws(() => decodeLink(`#k=${'A'.repeat(2 << 20)}`), /too long/);
    const text = Array.from({ length: 400_000 }, (_, i) => (i * 2654435761) % 4294967296).join();
    assert.throws(() => encodeLink({ ...good, files: [{ name: 'k.S', text }] }), /save a file instead/);
  });
});
