/** The floppy of guests/fat-shell: mtools read its file system, and QEMU's BIOS also starts it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, truncateSync } from 'node:fs';
import { describe, test } from 'node:test';
import { noQemu } from '../devices/vga/qemu.js';
import { Scratch, terrarium, until } from '../support.js';

const IMAGE = 'guests/fat-shell/fat-shell.bin';
const noMtools =
  spawnSync('mdir', ['-V']).status === 0 ? false : 'SKIPPED: no mtools here: apt-get install mtools';

function floppy(scratch: Scratch): string {
  const file = scratch.file('floppy.img');
  copyFileSync(IMAGE, file);
  truncateSync(file, 1_474_560);
  return file;
}

describe('a floppy in one source file', () => {
  test('is a FAT12 file system to mtools', { skip: noMtools }, () => {
    using scratch = new Scratch();
    const file = floppy(scratch);
    const listed = spawnSync('mdir', ['-i', file, '::'], { encoding: 'latin1' });
    assert.equal(listed.status, 0, listed.stderr);
    assert.match(listed.stdout, /^SHELL +BIN +423 .*\n^HELLO +TXT +46 /m);
    const typed = spawnSync('mtype', ['-i', file, '::HELLO.TXT'], { encoding: 'latin1' });
    assert.equal(typed.stdout, 'This floppy is one source file: fat-shell.S.\r\n');
    // SHELL.BIN's cluster chain contains the shell.
    const shell = spawnSync('mtype', ['-i', file, '::SHELL.BIN']);
    assert.deepEqual(shell.stdout, readFileSync(IMAGE).subarray(33 * 512, 33 * 512 + 423));
  });

  test('prints a file, and reports unknown commands', () => {
    for (const [keys, said] of [
      ['type hello.txt\n', /A> type hello\.txt\r\nThis floppy is one source file: fat-shell\.S\.\r\nA> $/],
      ['type x\n', /A> type x\r\nNo such file\.\r\nA> $/],
      ['cls\b\bd\n', /\r\nWhat is that\?\r\nA> $/],
    ] as const) {
      const words = ['--engine', 'soft', '--quiet', '--max-exits', '3000'];
      const { stdout } = terrarium(['run', IMAGE, ...words, '--type', keys]);
      assert.match(stdout, said);
    }
  });

  test('starts in QEMU, to its prompt', { skip: noQemu }, async () => {
    using scratch = new Scratch();
    const [file, memory] = [floppy(scratch), scratch.file('screen')];
    const machine = ['-accel', 'tcg', '-display', 'none', '-net', 'none', '-monitor', 'stdio'];
    const words = [...machine, '-drive', `file=${file},format=raw,if=floppy`, '-boot', 'a'];
    const child = spawn('qemu-system-i386', words, { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    try {
      const screen = () => {
        const cells = readFileSync(memory);
        return Array.from({ length: 2000 }, (_, i) => String.fromCharCode(cells[2 * i]!)).join('');
      };
      await until('the prompt', () => {
        child.stdin.write(`pmemsave 0xb8000 4000 "${memory}"\n`);
        try {
          return /A shell of two sectors.*A> /s.test(screen());
        } catch {
          return false;
        }
      });
    } finally {
      child.stdin.write('quit\n');
      await ended;
    }
  });
});
