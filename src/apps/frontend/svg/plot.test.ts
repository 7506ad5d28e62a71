import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plotSvg } from './plot.js';

const plot = {
  title: 'a < b & c',
  xLabel: 'x',
  yLabel: 'y',
  xTicks: [1, 10, 100],
  yTick: (value: number) => `${value}`,
  series: [
    {
      name: 'line',
      colour: '#123456',
      points: [
        [1, 10],
        [10, 100],
        [100, 1000],
      ] as const,
    },
  ],
};

describe('a plot', () => {
  test('makes a straight line of a power law, from one corner of the box to the other', () => {
    const [, points] = /<polyline [^>]*points="([^"]+)"/.exec(plotSvg(plot)) ?? [];
    const places = points!.split(' ').map((pair) => pair.split(',').map(Number));
    assert.deepEqual(places, [
      [90, 380],
      [395, 215],
      [700, 50],
    ]);
  });

  test('has a mark for every tick of x and for every power of ten of y', () => {
    const texts = [...plotSvg(plot).matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text);
    for (const mark of ['1', '10', '100', '1000', 'x', 'y', 'line']) assert.ok(texts.includes(mark), mark);
  });

  test('is XML for all texts', () => {
    assert.ok(plotSvg(plot).includes('>a &lt; b &amp; c<'));
  });

  test('has numbers in it alone, even where all values are the same', () => {
    const flat = { ...plot, xTicks: [1], series: [{ name: 's', colour: '#000', points: [[1, 5]] as const }] };
    assert.doesNotMatch(plotSvg(flat), /NaN|Infinity/);
  });
});
