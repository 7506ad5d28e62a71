/** The guest's time: where exits were, by device, and a slider to any moment. */
import { useEffect, useRef } from 'preact/hooks';
import { COLUMNS, goTo } from '../controller.js';
import * as state from '../state.js';
import { shortCount } from '../words.js';

const HUES = [150, 200, 35, 265, 330, 90, 10, 230, 0];

export function Timeline() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const timeline = state.timeline.value;
  const range = state.look.value?.history;
  const rows = timeline?.rows ?? [];
  const total = timeline?.to ?? 0;
  useEffect(() => {
    const picture = canvas.current;
    if (picture === null) return;
    const scale = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = picture;
    picture.width = width * scale;
    picture.height = height * scale;
    const context = picture.getContext('2d')!;
    context.scale(scale, scale);
    context.clearRect(0, 0, width, height);
    const high = rows.length === 0 ? 0 : height / rows.length;
    rows.forEach(({ counts }, row) => {
      const most = Math.max(1, ...counts);
      const light = document.documentElement.dataset.theme === 'light' ? 40 : 62;
      counts.forEach((count, column) => {
        if (count === 0) return;
        const strength = 0.35 + 0.65 * (Math.log1p(count) / Math.log1p(most));
        context.fillStyle = `hsl(${HUES[row % HUES.length]} 60% ${light}% / ${strength})`;
        const x = (column / COLUMNS) * width;
        context.fillRect(x, row * high + 1, Math.max(2, width / COLUMNS), Math.max(2, high - 2));
      });
    });
    if (range && total > 0) {
      const x = Math.min(width - 1, (range.now / total) * width);
      context.fillStyle = getComputedStyle(picture).getPropertyValue('--accent');
      context.fillRect(x - 1, 0, 2, height);
    }
  }, [timeline, range?.now]);
  const at = (event: MouseEvent) => {
    const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.round(Math.max(0, Math.min(1, (event.clientX - left) / width)) * total);
  };
  const usable = range !== undefined && !state.busy.value && range.last > range.first;
  return (
    <>
      <div class="lanes">
        <ul aria-label="Exits by device">
          {rows.map(({ name, counts }, i) => (
            <li key={name} style={`--hue: ${HUES[i % HUES.length]}`}>
              {name} <small>{shortCount(counts.reduce((sum, n) => sum + n, 0))}</small>
            </li>
          ))}
          {rows.length === 0 && <li class="none">exits over time</li>}
        </ul>
        <canvas
          ref={canvas}
          aria-hidden="true"
          onClick={(event) => usable && void goTo(Math.max(range.first, Math.min(range.last, at(event))))}
        />
      </div>
      <label class="slider">
        <span class="hidden">Moment, in instructions</span>
        <input
          type="range"
          min={range?.first ?? 0}
          max={Math.max(range?.last ?? 1, 1)}
          step={1}
          value={range?.now ?? 0}
          disabled={!usable}
          aria-valuetext={`${range?.now ?? 0} instructions`}
          onChange={(event) => void goTo(Number(event.currentTarget.value))}
        />
        <output>
          {range === undefined
            ? ''
            : `${range.now.toLocaleString('en')} / ${range.last.toLocaleString('en')}`}
        </output>
      </label>
    </>
  );
}
