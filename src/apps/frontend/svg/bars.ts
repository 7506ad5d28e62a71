import { line, svg, text } from './plot.js';

export interface Bar {
  name: string;
  /** Greater than 0. */
  value: number;
  /** The text after the bar. */
  label: string;
  /** A CSS colour. */
  colour: string;
}

export interface BarPlot {
  title: string;
  /** The quantity on the axis. */
  axis: string;
  bars: readonly Bar[];
  /** The text of a mark on the axis. */
  tick(value: number): string;
}

const WIDTH = 720;
const LEFT = 250;
const RIGHT = 600;
const TOP = 50;
const STEP = 30;

/** Bars on a logarithmic axis as SVG text, for values that differ by powers of ten. */
export function barsSvg({ title, axis, bars, tick }: BarPlot): string {
  const values = bars.map(({ value }) => value);
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const x = (value: number) => LEFT + ((Math.log10(value) - low) / (high - low)) * (RIGHT - LEFT);
  const bottom = TOP + bars.length * STEP;
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return svg(WIDTH, bottom + 60, [
    text(WIDTH / 2, 28, title, 'middle', 'font-size="17"'),
    ...powers.flatMap((value) => [
      line(x(value), TOP, x(value), bottom, '#ddd'),
      text(x(value), bottom + 20, tick(value), 'middle'),
    ]),
    text((LEFT + RIGHT) / 2, bottom + 44, axis, 'middle'),
    ...bars.flatMap(({ name, value, label, colour }, i) => {
      const y = TOP + i * STEP;
      return [
        text(LEFT - 10, y + 20, name, 'end'),
        `<rect x="${LEFT}" y="${y + 6}" width="${(x(value) - LEFT).toFixed(1)}" height="${STEP - 12}" fill="${colour}"/>`,
        text(x(value) + 8, y + 20, label, 'start'),
      ];
    }),
  ]);
}
