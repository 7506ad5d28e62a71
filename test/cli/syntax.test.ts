/** `--syntax att`: all shown instructions have the notation of the course and of GNU's assembler. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { Served } from '../debug/gdb-served.js';
import { noGcc, Scratch, terrarium } from '../support.js';

/** mov $0x41, %al; out %al, $0xe9; ud2 */
const DIES = Uint8Array.of(0xb0, 0x41, 0xe6, 0xe9, 0x0f, 0x0b);

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

describe('instructions are shown', () => {
  const image = scratch.file('k.bin');
  const run = (...words: string[]) => {
    writeFileSync(image, DIES);
    return terrarium(['run', image, '--mode', 'protected', '--engine', 'soft', ...words]).stderr;
  };

  test('in the GNU assembler’s syntax with --syntax att: trace, why, dump', () => {
    const said = run('--syntax', 'att', '--trace', '--dump', 'code:0', '--why');
    assert.match(said, /out %al,\$0xe9/, 'in the trace');
    assert.match(said, /mov {2,}?\$0x41,%al|mov \$0x41,%al/, 'in the dump');
    assert.doesNotMatch(said, /out 0xe9,al/);
  });

  test('in Intel’s syntax otherwise', () => {
    const said = run('--trace', '--dump', 'code:0');
    assert.match(said, /out 0xe9,al/);
    assert.match(said, /mov al,0x41/);
    assert.match(terrarium(['run', image, '--syntax', 'nasm']).stderr, /nasm.*intel, att/);
  });

  test('in the syntax of the course’s lessons there, without an option', () => {
    assert.equal(terrarium(['course', 'start', '1', scratch.file('one')]).status, 0);
    assert.equal(JSON.parse(readFileSync(scratch.file('one/guest.json'), 'utf8')).syntax, 'att');
  });

  test('in the same way by gdb’s monitor commands', { skip: noGcc }, async (t) => {
    writeFileSync(image, DIES);
    await using served = await new Served([image, '--mode', 'protected', '--syntax', 'att'], 'soft').ready();
    const said = await served.gdb('set architecture i386', 'monitor why');
    if (said === '') return t.skip('SKIPPED: no gdb here');
    assert.match(said, /mov \$0x41,%al/);
  });
});
