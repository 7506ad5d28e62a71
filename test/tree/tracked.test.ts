/** What git tracks stays small: no dumps of crashed processes, no large binaries. Every later clone downloads them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../support.js';

const LARGEST = 1024 * 1024;

/** `<elf.h>`: e_type lies at offset 16, in the byte order that e_ident[EI_DATA] names. */
const EI_DATA = 5;
const ELFDATA2MSB = 2;
const E_TYPE = 16;
const ET_CORE = 4;

function isElfCore(header: Buffer): boolean {
  if (header.length < E_TYPE + 2 || header.toString('latin1', 0, 4) !== '\x7fELF') return false;
  const type = header[EI_DATA] === ELFDATA2MSB ? header.readUInt16BE(E_TYPE) : header.readUInt16LE(E_TYPE);
  return type === ET_CORE;
}

function firstBytes(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(E_TYPE + 2);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** The files that git tracks below `root`, or why they cannot be listed: a tarball has no history. */
function tracked(): { files: string[] } | { skip: string } {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const top = git('rev-parse', '--show-toplevel');
  if (top.error !== undefined) return { skip: `git does not start: ${top.error.message}` };
  if (top.status !== 0) return { skip: `this folder is no git checkout: ${top.stderr.trim()}` };
  if (realpathSync(top.stdout.trimEnd()) !== realpathSync(root))
    return { skip: `this folder lies inside another checkout: ${top.stdout.trim()}` };
  const listed = git('ls-files', '-z');
  assert.equal(listed.status, 0, listed.stderr);
  // A file that was deleted and is not yet committed is still listed; a symbolic link or a submodule has no bytes here.
  const files = listed.stdout.split('\0').filter((file) => {
    return file !== '' && lstatSync(path.join(root, file), { throwIfNoEntry: false })?.isFile();
  });
  return { files };
}

describe('the files that git tracks', () => {
  const found = tracked();
  const files = 'files' in found ? found.files : [];
  const skip = 'skip' in found ? found.skip : false;

  test('are at most 1 MiB each', { skip }, () => {
    const large = files.filter((file) => lstatSync(path.join(root, file)).size > LARGEST);
    assert.deepEqual(
      large,
      [],
      'remove them with git rm; a large image is built or downloaded, not committed',
    );
  });

  test('have a README in each room that has more than ten files', { skip }, () => {
    const rooms = new Map<string, number>();
    for (const file of files) {
      const [, room] = /^src\/([^/]+)\/.*\.ts$/.exec(file) ?? [];
      // The engines are rooms of their own.
      if (room !== undefined && room !== 'engine') rooms.set(room, (rooms.get(room) ?? 0) + 1);
      const [, engine] = /^src\/(engine\/[^/]+)\/.*\.ts$/.exec(file) ?? [];
      if (engine !== undefined) rooms.set(engine, (rooms.get(engine) ?? 0) + 1);
    }
    assert.ok(rooms.size > 20, `${rooms.size} rooms`);
    const without = [...rooms].filter(
      ([room, count]) => count > 10 && !files.includes(`src/${room}/README.md`),
    );
    assert.deepEqual(without, [], 'say in a README.md what the room does, and where to begin');
  });

  test('are no ELF cores', { skip }, () => {
    const cores = files.filter((file) => isElfCore(firstBytes(path.join(root, file))));
    assert.deepEqual(cores, [], 'remove them with git rm: a process or gdb dumped its memory there');
  });

  test('are distinguished from cores by their bytes', () => {
    const elf = (data: number, ...type: number[]) =>
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...type]);
    assert.ok(isElfCore(elf(1, 4, 0)));
    assert.ok(isElfCore(elf(2, 0, 4)));
    assert.ok(!isElfCore(elf(1, 2, 0)), 'an executable');
    assert.ok(!isElfCore(Buffer.from('\x7fELF')), 'a file of four bytes');
  });
});
