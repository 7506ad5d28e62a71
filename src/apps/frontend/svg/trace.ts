import { formatUs, type TraceBucket, type TraceSummaryJson } from '../../../trace/index.js';
import { line, svg, text } from './plot.js';

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 930;
const TOP = 60;
const LANE = 26;
const HISTOGRAM = 160;
const TICKS = 6;

const GUEST = '#1a6b3c';
const HALTED = '#9e9e9e';
const DEVICE = '#b3261e';

/** A trace's timeline, with a lane for each device, above the histogram of its handling times: SVG text. */
export function traceSvg(title: string, summary: TraceSummaryJson): string {
  const { timeline, exits, handling } = summary;
  const lanes = timeline.rows.map((row, i) => lane(row, TOP + i * LANE, timeline.columns, timeline.columnUs));
  const bottom = TOP + timeline.rows.length * LANE;
  const total = timeline.columns * timeline.columnUs;
  const marks = Array.from({ length: TICKS }, (_, i) => {
    const x = LEFT + (i / (TICKS - 1)) * (RIGHT - LEFT);
    const at = timeline.startUs + (i / (TICKS - 1)) * total;
    return [line(x, TOP - 4, x, bottom + 4, '#ddd'), text(x, bottom + 20, formatUs(at), 'middle')];
  });
  return svg(WIDTH, bottom + 60 + HISTOGRAM + 60, [
    text(WIDTH / 2, 28, `${title}: ${exits} exits`, 'middle', 'font-size="17"'),
    ...marks.flat(),
    ...lanes.flat(),
    text(WIDTH / 2, bottom + 52, 'how long an exit was handled', 'middle', 'font-size="15"'),
    ...histogram(handling, bottom + 64),
  ]);
}

/**
 * The height of the lanes of guest and halted is their share of the time; that of a device, its exits relative to its busiest
 * column.
 */
function lane(
  { name, counts, busyUs }: TraceSummaryJson['timeline']['rows'][number],
  top: number,
  columns: number,
  columnUs: number,
): string[] {
  const isTime = name === 'guest' || name === 'halted';
  const most = isTime ? columnUs : Math.max(1, ...counts);
  const colour = name === 'guest' ? GUEST : name === 'halted' ? HALTED : DEVICE;
  const step = (RIGHT - LEFT) / columns;
  const base = top + LANE - 4;
  const path = (isTime ? busyUs : counts)
    .map((value, column) => {
      if (value <= 0) return '';
      const height = Math.max(1, Math.min(1, value / most) * (LANE - 8));
      const x = (LEFT + column * step).toFixed(1);
      return `M${x} ${base}v-${height.toFixed(1)}h${Math.max(step, 0.8).toFixed(2)}v${height.toFixed(1)}z`;
    })
    .join('');
  return [
    text(LEFT - 10, base - 4, name, 'end'),
    line(LEFT, base, RIGHT, base, '#ccc'),
    ...(path === '' ? [] : [`<path d="${path}" fill="${colour}"/>`]),
  ];
}

function histogram(buckets: readonly TraceBucket[], top: number): string[] {
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const step = Math.min(80, (RIGHT - LEFT) / Math.max(1, buckets.length));
  const base = top + HISTOGRAM;
  return [
    line(LEFT, base, RIGHT, base, '#888'),
    ...buckets.flatMap(({ toUs, count }, i) => {
      const height = (count / most) * (HISTOGRAM - 20);
      const x = LEFT + i * step;
      const middle = x + step / 2;
      return [
        `<rect x="${(x + 2).toFixed(1)}" y="${(base - height).toFixed(1)}" width="${(step - 4).toFixed(1)}" height="${height.toFixed(1)}" fill="${DEVICE}"/>`,
        text(middle, base - height - 5, String(count), 'middle', 'font-size="11"'),
        text(middle, base + 18, `< ${formatUs(toUs)}`, 'middle', 'font-size="11"'),
      ];
    }),
  ];
}
