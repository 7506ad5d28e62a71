/** A guest's writes to its disk, from the command line. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

/** mov ax, 0301; mov bx, 7c00; mov cx, 2; mov dx, 80; int 13; cli; hlt: writes itself to the disk's second sector. */
const CODE = [0xb8, 1, 3, 0xbb, 0, 0x7c, 0xb9, 2, 0, 0xba, 0x80, 0, 0xcd, 0x13, 0xfa, 0xf4];

describe('a guest’s writes to a disk', () => {
  test('are counted at the end where they are lost, and stored on request', () => {
    using scratch = new Scratch();
    const [boot, disk, copy] = [scratch.file('boot.img'), scratch.file('disk.img'), scratch.file('copy.img')];
    const sector = new Uint8Array(512);
    sector.set(CODE);
    sector.set([0x55, 0xaa], 510);
    writeFileSync(boot, sector);
    writeFileSync(disk, new Uint8Array(1 << 20));
    const run = (words: string) => terrarium(['run', boot, '--engine', 'soft', '--disk', words]);
    const written = (file: string) => readFileSync(file).subarray(512, 1024).equals(sector);

    const lost = run(disk);
    assert.equal(lost.status, 0, lost.stderr);
    assert.match(
      lost.stderr,
      /4K were written to hd0 and are lost: --disk .*disk\.img,write keeps them there/,
    );
    assert.equal(written(disk), false);

    const kept = run(`${disk},keep=${copy}`);
    assert.equal(kept.status, 0, kept.stderr);
    assert.doesNotMatch(kept.stderr, /lost/);
    assert.deepEqual([written(disk), written(copy)], [false, true]);

    const changed = run(`${disk},write`);
    assert.equal(changed.status, 0, changed.stderr);
    assert.doesNotMatch(changed.stderr, /lost/);
    assert.equal(written(disk), true);
    assert.equal(existsSync(`${copy}.part`), false);
  });
});
