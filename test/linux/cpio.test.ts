import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type ArchivedFile, FileKind, readArchive, writeArchive } from '../../src/linux/index.js';
import { debian, noDebian } from '../firmware/systems.js';
import { Scratch } from '../support.js';

const file = (name: string, text: string): ArchivedFile => ({
  name,
  mode: FileKind.file | 0o644,
  content: Buffer.from(text),
});
const folder = (name: string): ArchivedFile => ({
  name,
  mode: FileKind.folder | 0o755,
  content: new Uint8Array(),
});
/** Busybox's, which unpacks and packs in the guest as well. */
const cpio = (cwd: string, words: readonly string[], input: string | Uint8Array) =>
  spawnSync(debian!.busybox, ['cpio', ...words], { cwd, input });

describe('an archive', () => {
  test('is unpacked by busybox', { skip: noDebian }, () => {
    using scratch = new Scratch();
    const input = writeArchive([folder('sub'), file('sub/one', '1'), file('four', '4444'), file('none', '')]);
    const { status, stderr } = cpio(scratch.path, ['-idm'], input);
    assert.equal(status, 0, String(stderr));
    assert.deepEqual(readdirSync(scratch.path).sort(), ['four', 'none', 'sub']);
    assert.equal(readFileSync(scratch.file('sub/one'), 'latin1'), '1');
    assert.equal(readFileSync(scratch.file('four'), 'latin1'), '4444');
  });

  test('of busybox is read', { skip: noDebian }, () => {
    using scratch = new Scratch();
    mkdirSync(scratch.file('sub'));
    writeFileSync(scratch.file('sub/x'), 'hello');
    symlinkSync('x', scratch.file('sub/link'));
    const names = 'sub\nsub/x\nsub/link\n';
    const { stdout } = cpio(scratch.path, ['-o', '-H', 'newc'], names);
    const read = readArchive(stdout).map(({ name, mode, content }) => [
      name,
      mode & FileKind.mask,
      Buffer.from(content).toString(),
    ]);
    assert.deepEqual(read, [
      ['sub', FileKind.folder, ''],
      ['sub/x', FileKind.file, 'hello'],
      ['sub/link', FileKind.link, 'x'],
    ]);
  });

  test('that is truncated at any place or has a false length is refused', () => {
    const bytes = writeArchive([file('a', 'abc'), file('b', 'defgh')]);
    for (let length = 0; length < bytes.length - 4; length++)
      assert.throws(() => readArchive(bytes.subarray(0, length)), /damaged at byte/, `${length}`);
    for (const at of [54, 94]) {
      const lying = bytes.slice();
      lying.set(Buffer.from('ffffffff'), at);
      assert.throws(() => readArchive(lying), /longer than the archive/);
    }
    assert.throws(() => readArchive(Buffer.alloc(4096)), /no entry begins there/);
  });
});
