/**
 * A line plot with two logarithmic axes as SVG text: enough to compare things that differ by powers of ten.
 *
 * @module
 */

export interface Series {
  name: string;
  /** A CSS colour. */
  colour: string;
  /** All values greater than 0. */
  points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  title: string;
  xLabel: string;
  yLabel: string;
  /** Marks on the x axis. The y axis has one for each power of ten. */
  xTicks: readonly number[];
  /** The text of a mark on the y axis. */
  yTick(value: number): string;
  series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 440;
const BOX = { left: 90, right: 700, top: 50, bottom: 380 } as const;

export function plotSvg({ title, xLabel, yLabel, xTicks, yTick, series }: Plot): string {
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
  const low = Math.floor(Math.log10(Math.min(...ys)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...ys))));
  const x = scale(Math.log10(Math.min(...xTicks)), Math.log10(Math.max(...xTicks)), BOX.left, BOX.right);
  const y = scale(low, high, BOX.bottom, BOX.top);
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const middle = (BOX.top + BOX.bottom) / 2;
  const parts = [
    text(WIDTH / 2, 28, title, 'middle', 'font-size="17"'),
    ...powers.flatMap((value) => [
      line(BOX.left, y(value), BOX.right, y(value), '#ddd'),
      text(BOX.left - 8, y(value) + 4, yTick(value), 'end'),
    ]),
    ...xTicks.flatMap((value) => [
      line(x(value), BOX.top, x(value), BOX.bottom, '#ddd'),
      text(x(value), BOX.bottom + 20, String(value), 'middle'),
    ]),
    text((BOX.left + BOX.right) / 2, HEIGHT - 16, xLabel, 'middle'),
    text(20, middle, yLabel, 'middle', `transform="rotate(-90 20 ${middle})"`),
    ...series.flatMap((one) => drawSeries(one, x, y)),
  ];
  return svg(WIDTH, HEIGHT, parts);
}

/** A whole picture on white. */
export function svg(width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

/** From the logarithm's range to places in the picture. */
function scale(low: number, high: number, from: number, to: number): Scale {
  return (value) => round(from + ((Math.log10(value) - low) / (high - low || 1)) * (to - from));
}

function drawSeries({ name, colour, points }: Series, x: Scale, y: Scale): string[] {
  const last = points[points.length - 1]!;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map(([a, b]) => `${x(a)},${y(b)}`).join(' ')}"/>`,
    ...points.map(([a, b]) => `<circle cx="${x(a)}" cy="${y(b)}" r="3.5" fill="${colour}"/>`),
    text(x(last[0]) - 6, y(last[1]) - 10, name, 'end', `fill="${colour}" font-weight="bold"`),
  ];
}

/** A thin line. */
export function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}"/>`;
}

/** Text with its XML escaped; `anchor` is start, middle or end. */
export function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more && ` ${more}`}>${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
