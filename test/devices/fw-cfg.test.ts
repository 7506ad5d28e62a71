/** fw_cfg as a guest reads it: the same boot sector gets the same bytes from QEMU’s own. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine } from '../../src/index.js';
import { noCompiler, root } from '../guests/catalogue.js';
import { Scratch, terrarium } from '../support.js';
import { noQemu } from './vga/qemu.js';

function image(scratch: Scratch): string {
  const [object, binary] = [scratch.file('fw-cfg.o'), scratch.file('fw-cfg.bin')];
  execFileSync('as', ['--32', '-o', object, path.join(root, 'test/devices/fw-cfg.S')]);
  execFileSync('ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]);
  return binary;
}

describe('fw_cfg', { skip: noCompiler }, () => {
  test('returns the same as QEMU’s, and a file that the user names', { skip: noQemu }, () => {
    using scratch = new Scratch();
    const [file, said, log] = [image(scratch), scratch.file('said.txt'), scratch.file('log.bin')];
    writeFileSync(said, 'hello');
    const machine = ['-accel', 'tcg', '-m', '16', '-display', 'none', '-no-reboot', '-net', 'none'];
    const more = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1', '-debugcon', `file:${log}`];
    const fwCfg = ['-fw_cfg', `name=opt/test,file=${said}`];
    const drive = ['-drive', `file=${file},format=raw,if=floppy`, '-boot', 'a'];
    spawnSync('qemu-system-x86_64', [...machine, ...more, ...fwCfg, ...drive], { timeout: 60_000 });
    // SeaBIOS writes to its own port.
    const theirs = readFileSync(log, 'latin1');
    assert.match(theirs, /^QEMU.*hello\0\0\0$/s);
    for (const words of [`opt/test=${said}`, 'opt/test=string:hello']) {
      const { stdout, stderr } = terrarium(['run', file, '--engine', 'soft', '--fw-cfg', words, '--quiet']);
      assert.equal(stdout, theirs, stderr);
    }
  });

  test('reports errors in a file', () => {
    using scratch = new Scratch();
    const file = image(scratch);
    const refused = (fwCfg: object[], machine?: 'bare') => {
      assert.throws(() => createMachine({ image: file, engine: 'soft', fwCfg, machine } as never), {
        message: /fw_cfg|fwCfg|fw-cfg/,
      });
    };
    refused([
      { name: 'opt/a', text: 'a' },
      { name: 'opt/a', text: 'b' },
    ]);
    refused([{ name: 'opt/a', file: scratch.file('none') }]);
    refused([{ name: 'opt/a', file: '/dev/zero' }]);
    refused([{ name: 'x'.repeat(56), text: '' }]);
    refused([{ name: 'opt/a' }]);
    refused([{ name: 'opt/a', text: 'a' }], 'bare');
    const { status, stderr } = terrarium(['run', file, '--fw-cfg', 'opt/a']);
    assert.equal(status, 2);
    assert.match(stderr, /'opt\/a' is no file of fw_cfg.*NAME=FILE or NAME=string:TEXT/);
  });
});
