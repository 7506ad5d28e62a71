import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FRAME_ROWS, type LayoutRequest, LEAST, layout } from './layout.js';
import { paneNames } from './model.js';

const request = (columns: number, rows: number, more: Partial<LayoutRequest> = {}): LayoutRequest => ({
  columns,
  rows,
  focus: 'code',
  zoomed: false,
  bits: 64,
  hasScreen: false,
  hasLocals: false,
  ...more,
});

const panesIn = (...args: Parameters<typeof request>) => layout(request(...args))!.map(({ pane }) => pane);

describe('the layout of panes', () => {
  test('never overlaps, never leaves the terminal, and always has the pane with the focus', () => {
    const sizes = fc.record({
      columns: fc.integer({ min: LEAST.columns, max: 300 }),
      rows: fc.integer({ min: LEAST.rows, max: 120 }),
      focus: fc.constantFrom(...paneNames),
      zoomed: fc.boolean(),
      bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
      hasScreen: fc.boolean(),
      hasLocals: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, (asked) => {
        const places = layout(asked)!;
        assert.ok(places.some(({ pane }) => pane === asked.focus));
        assert.equal(new Set(places.map(({ pane }) => pane)).size, places.length);
        const taken = new Set<number>();
        for (const { x, y, width, height } of places) {
          assert.ok(height >= 2 && width >= 24, `${width}×${height}`);
          assert.ok(y >= 1 && y + height <= asked.rows - FRAME_ROWS + 1);
          assert.ok(x >= 0 && x + width <= asked.columns);
          for (let row = y; row < y + height; row++) {
            for (let column = x; column < x + width; column++) {
              const cell = row * 1000 + column;
              assert.ok(!taken.has(cell), 'two panes at one place');
              taken.add(cell);
            }
          }
        }
      }),
    );
  });

  test('has three columns, two or one, as there is room', () => {
    const wide = ['registers', 'points', 'code', 'memory', 'console', 'stack', 'exits'];
    assert.deepEqual(panesIn(120, 40), wide);
    assert.deepEqual(panesIn(80, 24), ['registers', 'code', 'stack', 'memory', 'console']);
    assert.deepEqual(panesIn(60, 20), ['code', 'registers', 'memory', 'console']);
    assert.deepEqual(panesIn(40, 10), ['code', 'console']);
  });

  test('says that a terminal is too small', () => {
    assert.equal(layout(request(39, 24)), undefined);
    assert.equal(layout(request(80, 9)), undefined);
  });

  test('makes room for what the focus is on, or gives it everything', () => {
    assert.deepEqual(panesIn(80, 24, { focus: 'exits' }), ['registers', 'code', 'stack', 'memory', 'exits']);
    assert.deepEqual(layout(request(80, 24, { focus: 'exits', zoomed: true })), [
      { pane: 'exits', x: 0, y: 1, width: 80, height: 21 },
    ]);
  });

  test('shows the screen of a machine that has one', () => {
    assert.ok(panesIn(120, 40, { hasScreen: true }).includes('screen'));
    assert.ok(panesIn(80, 24, { hasScreen: true, bits: 16 }).includes('screen'));
  });
});
