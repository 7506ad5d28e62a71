/** `run --gdb` prints how gdb gets symbols, and the command that it names makes them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { cli, noGcc, Scratch, terrarium } from '../support.js';
import { Served } from './gdb-served.js';

/** The output of `run --gdb` while it waits. */
async function hintOf(...args: string[]): Promise<string> {
  await using served = await new Served(args, 'soft').ready();
  return served.errors;
}

describe('run --gdb', { skip: noGcc }, () => {
  const sources = {
    'boot.S': '.code16\nmarker: cli\n hlt\n .org 510\n .word 0xaa55\n',
    'long.S': '.code64\nmarker: cli\n hlt\n',
    'kernel.c': 'void marker(void) {}\nvoid _start(void) { marker(); for (;;) __asm__("cli; hlt"); }\n',
  };
  for (const [name, text] of Object.entries(sources)) {
    test(`names the command that makes the symbols of ${name}`, async () => {
      using scratch = new Scratch();
      mkdirSync(scratch.file('it'));
      const file = scratch.file(`it/${name}`);
      writeFileSync(file, text);
      const [, words = ''] =
        /for symbols and lines: terrarium (build .+?), then: gdb kernel\.elf/.exec(await hintOf(file)) ?? [];
      assert.notEqual(words, '');
      const folder = scratch.file('it');
      const built = spawnSync(process.execPath, [cli, ...words.split(' ')], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(built.status, 0, built.stderr);
      const { stdout } = spawnSync('nm', ['kernel.elf'], { cwd: folder, encoding: 'utf8' });
      // A boot sector is at the address where firmware loads it.
      assert.match(stdout, name === 'boot.S' ? /^0*7c00 t marker$/m : /^0*1000\d\d? [tT] marker$/m);
    });
  }

  test('names the file itself where it has symbols, and reports where there are none', async () => {
    using scratch = new Scratch();
    const source = scratch.file('k.c');
    writeFileSync(source, sources['kernel.c']);
    assert.equal(terrarium(['build', source, '-o', scratch.file('k.elf')]).status, 0);
    assert.match(await hintOf(scratch.file('k.elf')), /gdb \S+k\.elf -ex 'target remote/);
    writeFileSync(scratch.file('flat.bin'), Uint8Array.of(0xfa, 0xf4));
    assert.match(
      await hintOf(scratch.file('flat.bin')),
      /a flat image has no symbols: give gdb the ELF file/,
    );
    assert.match(
      await hintOf('guests/tick-real'),
      /terrarium build guests\/tick-real -o kernel\.bin --symbols kernel\.elf/,
    );
  });
});
