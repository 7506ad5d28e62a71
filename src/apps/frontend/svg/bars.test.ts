import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { barsSvg } from './bars.js';

const bar = (name: string, value: number) => ({ name, value, label: `${value}`, colour: '#123456' });
const plot = (...values: number[]) =>
  barsSvg({ title: 'a < b', axis: 'x & y', bars: values.map((v, i) => bar(`n${i}`, v)), tick: String });
const widths = (svg: string) => [...svg.matchAll(/width="([\d.]+)" height="18"/g)].map(([, w]) => Number(w));

describe('a plot of bars', () => {
  test('gives each power of ten the same length', () => {
    const [one, ten, hundred, thousand] = widths(plot(10, 100, 1000, 10_000)) as [
      number,
      number,
      number,
      number,
    ];
    assert.equal(one, 0);
    assert.ok(Math.abs(hundred - 2 * ten) <= 0.2 && Math.abs(thousand - 3 * ten) <= 0.3);
    assert.equal(thousand, 350, 'the longest reaches the end of the axis');
  });

  test('draws values of one size, too', () => {
    assert.ok(widths(plot(5, 5)).every((width) => width > 0 && width < 350));
  });

  test('escapes text, and marks every power of ten', () => {
    const svg = plot(1, 999);
    assert.match(svg, /a &lt; b/);
    assert.match(svg, /x &amp; y/);
    for (const mark of ['1', '10', '100', '1000']) assert.match(svg, new RegExp(`>${mark}</text>`));
  });
});
