import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { demangle } from './demangle.js';
import { printable, printableText } from './printable.js';

const noFilt: string | false =
  spawnSync('c++filt', ['--version']).status === 0
    ? false
    : 'SKIPPED: no c++filt here: apt-get install binutils';

describe('a name', () => {
  test('of C++ is what c++filt says, without parameters', { skip: noFilt }, () => {
    const names = [
      '_ZN7console7Console3putEc',
      '_ZN7console7Console5printEPKc',
      '_ZNK7console7Console5widthEv',
      '_ZN7ConsoleC1Ev',
      '_ZN7ConsoleD2Ev',
      '_Z5printPKc',
      '_ZN12_GLOBAL__N_16hiddenEv',
      '_start',
      'memcpy',
    ];
    const { stdout } = spawnSync('c++filt', ['-p', ...names], { encoding: 'utf8' });
    assert.deepEqual(
      names.map(demangle),
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ const$/, '')),
    );
  });

  test('of Rust is a path, without the hash', () => {
    // From the RFC, and from rustc.
    assert.equal(demangle('_RNvNtCs1234_7mycrate3foo3bar'), 'mycrate::foo::bar');
    assert.equal(demangle('_ZN6kernel5print17h0123456789abcdefE'), 'kernel::print');
    assert.equal(
      demangle('_ZN4core3ptr$LT$impl$GT$3add17h0123456789abcdefE'),
      '_ZN4core3ptr$LT$impl$GT$3add17h0123456789abcdefE',
    );
  });

  test('that is none of these stays what it is, however long or wrong', () => {
    for (const name of [
      '_Z',
      '_ZN',
      '_ZN9',
      '_ZN99999999999999999999aE',
      '_R',
      '_RNv',
      '',
      `_ZN${'1a'.repeat(5000)}E`,
    ])
      assert.equal(demangle(name), name);
  });

  test('never reaches a terminal with what it obeys', () => {
    // CSI and OSC as C1 controls, right-to-left override, ESC, zero width, line separator.
    for (const bad of ['\x9b', '\x9d', '\u202e', '\x1b', '\u200b', '\u2028', '\x07', '\x7f', '\ufeff'])
      assert.equal(printable(`a${bad}b`), 'a?b');
    assert.equal(printable('grüße/Ж→║\u{1f600}'), 'grüße/Ж→║\u{1f600}');
    assert.equal(printableText('a\nb\tc\x1b[m'), 'a\nb\tc?[m');
  });
});
