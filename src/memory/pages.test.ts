import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { capturePages, dirtyPages, GuestMemory, GuestMemoryError, PAGE_SIZE, restorePages } from './index.js';

const PAGES = 12;

/** Two regions, the second one hidden. */
function memory(): GuestMemory {
  return GuestMemory.create([
    { address: 0, size: 8 * PAGE_SIZE },
    { address: 0x100000, size: 4 * PAGE_SIZE, hidden: true },
  ]);
}

const contents = (of: GuestMemory) =>
  Buffer.concat(of.regions.map((region) => of.bytesOf(region))).toString('latin1');

describe('the pages of a memory', () => {
  test('come back as they were copied, after any later writes', () => {
    const writes = fc.array(fc.tuple(fc.nat(7), fc.nat(PAGE_SIZE - 1), fc.integer({ min: 0, max: 255 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(writes, writes, fc.boolean(), (before, after, clones) => {
        using one = memory();
        for (const [page, at, byte] of before) one.write8(page * PAGE_SIZE + at, byte);
        const wanted = contents(one);
        const copy = clones ? structuredClone(capturePages(one)) : capturePages(one);
        for (const [page, at, byte] of after) one.write8(page * PAGE_SIZE + at, byte);
        const dirty = dirtyPages(one, copy);
        const touched = new Set(after.map(([page]) => page));
        assert.ok(dirty.every((page) => touched.has(page)));
        restorePages(one, copy, dirty);
        assert.equal(contents(one), wanted);
        using other = memory();
        other.bytesOf(other.regions[1]!).fill(7);
        restorePages(other, copy);
        assert.equal(contents(other), wanted);
      }),
    );
  });

  test('are shared with an older copy where they are the same, and left out where they are zero', () => {
    using one = memory();
    one.write8(0, 1);
    one.write8(PAGE_SIZE, 1);
    const first = capturePages(one);
    one.write8(PAGE_SIZE, 2);
    one.write8(0, 0);
    one.bytesOf(one.regions[1]!)[0] = 3;
    const second = capturePages(one, first);
    assert.deepEqual([...first.pages.keys()], [0, 1]);
    assert.deepEqual([...second.pages.keys()], [1, 8]);
    const third = capturePages(one, second);
    for (const [number, page] of third.pages) assert.equal(page, second.pages.get(number));
    assert.notEqual(second.pages.get(1), first.pages.get(1));
    assert.deepEqual(dirtyPages(one, first), [0, 1, 8]);
  });

  test('are refused where they are another memory’s, or none', () => {
    using one = memory();
    const { size } = capturePages(one);
    assert.equal(size, PAGES * PAGE_SIZE);
    for (const copy of [
      { size: size + PAGE_SIZE, pages: new Map() },
      { size, pages: new Map([[PAGES, new Uint8Array(PAGE_SIZE)]]) },
      { size, pages: new Map([[0, new Uint8Array(1)]]) },
      { size, pages: new Map([[0.5, new Uint8Array(PAGE_SIZE)]]) },
    ])
      assert.throws(() => restorePages(one, copy), GuestMemoryError);
  });
});
