/** The guest's time: where exits were, by device, with zoom and filter, and a slider to any moment. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { COLUMNS, goTo, goToExit, report, showSpan } from '../controller.js';
import * as state from '../state.js';
import { shortCount } from '../words.js';
import { useRedrawn } from './redrawn.js';

const HUES = [150, 200, 35, 265, 330, 90, 10, 230, 0];
/** A step of the zoom, and the least number of instructions to show. */
const FACTOR = 2;
const LEAST = 16;

/** Kinds that are not shown. */
const hidden = signal<ReadonlySet<string>>(new Set());
const hovered = signal('');

const hueOf = (row: number) => HUES[row % HUES.length]!;

function shownRows() {
  const rows = state.timeline.value?.rows ?? [];
  return rows.map((row, i) => ({ ...row, hue: hueOf(i) })).filter(({ name }) => !hidden.value.has(name));
}

/** The part that was asked for last: its picture may not have come yet. */
function view(): { from: number; to: number; until: number } {
  const until = state.timeline.value?.until ?? 0;
  return { from: 0, to: until, ...state.span.value, until };
}

/** Shows a part; all of it where the part is as long. */
function show(from: number, to: number): void {
  const { until } = view();
  const length = Math.max(LEAST, Math.round(to - from));
  const start = Math.max(0, Math.min(Math.round(from), until - length));
  const part = length >= until ? undefined : { from: start, to: start + length };
  void showSpan(part).catch(report);
}

/** @param at the moment that keeps its place @param by above 1: shows more */
function zoom(at: number, by: number): void {
  const { from, to, until } = view();
  if (until === 0) return;
  const length = Math.max(LEAST, (to - from) * by);
  const start = at - ((at - from) / Math.max(1, to - from)) * length;
  show(start, start + length);
}

/** Around the current moment, if it is in view. */
function zoomHere(by: number): void {
  const { from, to } = view();
  const now = state.look.value?.history?.now ?? 0;
  zoom(now >= from && now <= to ? now : (from + to) / 2, by);
}

function pan(by: number): void {
  const { from, to } = view();
  const length = to - from;
  show(from + by * length, from + by * length + length);
}

function press(event: KeyboardEvent): void {
  const actions: Readonly<Record<string, () => void>> = {
    '+': () => zoomHere(1 / FACTOR),
    '=': () => zoomHere(1 / FACTOR),
    '-': () => zoomHere(FACTOR),
    ArrowLeft: () => pan(-0.25),
    ArrowRight: () => pan(0.25),
    '0': () => void showSpan(undefined).catch(report),
    Home: () => void showSpan(undefined).catch(report),
  };
  const action = event.ctrlKey || event.metaKey ? undefined : actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

export function Timeline() {
  const timeline = state.timeline.value;
  const range = state.look.value?.history;
  const span = state.span.value;
  const zoomed = span !== undefined;
  const usable = range !== undefined && !state.busy.value && range.last > range.first;
  const [least, most] = [Math.max(range?.first ?? 0, span?.from ?? 0), range?.last ?? 1];
  return (
    <>
      <div class="lanes" style={`--rows: ${timeline?.rows.length ?? 0}`}>
        <Legend />
        <div
          class="lane-picture"
          role="group"
          tabIndex={0}
          aria-label="Exits over time. Plus and minus zoom, arrow keys move, 0 shows all."
          onKeyDown={press}
        >
          <Lanes usable={usable} />
          <output class="hovered">{hovered.value}</output>
        </div>
        <div class="zoom" role="group" aria-label="Zoom">
          <button
            type="button"
            aria-label="Zoom in"
            title="Zoom in (wheel, +)"
            onClick={() => zoomHere(1 / FACTOR)}
          >
            +
          </button>
          <button
            type="button"
            aria-label="Zoom out"
            title="Zoom out (wheel, −)"
            disabled={!zoomed}
            onClick={() => zoomHere(FACTOR)}
          >
            −
          </button>
          <button
            type="button"
            title="Show all of the time (0)"
            disabled={!zoomed}
            onClick={() => void showSpan(undefined).catch(report)}
          >
            All
          </button>
        </div>
      </div>
      <label class="slider">
        <span class="hidden">Moment, in instructions</span>
        <input
          type="range"
          min={least}
          max={Math.max(Math.min(most, span?.to ?? most), least + 1)}
          step={1}
          value={range?.now ?? 0}
          disabled={!usable}
          aria-valuetext={`${range?.now ?? 0} instructions`}
          onChange={(event) => void goTo(Number(event.currentTarget.value))}
        />
        <output>
          {range === undefined
            ? ''
            : `${range.now.toLocaleString('en')} / ${range.last < 1e8 ? range.last.toLocaleString('en') : shortCount(range.last)}`}
        </output>
      </label>
    </>
  );
}

/** The kinds of exits: a click shows or hides one. */
function Legend() {
  const rows = state.timeline.value?.rows ?? [];
  const toggle = (name: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(name)) next.add(name);
    hidden.value = next;
  };
  return (
    <ul aria-label="Exits by device">
      {rows.map(({ name, counts }, i) => (
        <li key={name} style={`--hue: ${hueOf(i)}`}>
          <button
            type="button"
            class="plain"
            aria-pressed={!hidden.value.has(name)}
            title={`${hidden.value.has(name) ? 'Show' : 'Hide'} ${name}`}
            onClick={() => toggle(name)}
          >
            {name} <small>{shortCount(counts.reduce((sum, n) => sum + n, 0))}</small>
          </button>
        </li>
      ))}
      {rows.length === 0 && <li class="none">exits over time</li>}
    </ul>
  );
}

function Lanes({ usable }: { usable: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const timeline = state.timeline.value;
  const range = state.look.value?.history;
  const { from = 0, to = 0 } = timeline ?? {};
  const rows = shownRows();
  const now = range === undefined ? undefined : (range.now - from) / (to - from);
  useRedrawn(canvas, (picture) => draw(picture, rows, now), [timeline, range?.now, hidden.value]);
  useEffect(() => {
    const picture = canvas.current!;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      if (sideways) pan(Math.sign(event.deltaX || event.deltaY) * 0.1);
      else zoom(momentAt(event), event.deltaY < 0 ? 1 / FACTOR : FACTOR);
    };
    // React to it before the page scrolls: a passive listener could not.
    picture.addEventListener('wheel', wheel, { passive: false });
    return () => picture.removeEventListener('wheel', wheel);
  }, []);
  const click = (event: MouseEvent) => {
    if (!usable || range === undefined) return;
    const { row, column } = cellAt(event, rows.length);
    const exit = nearest(rows[row]?.firsts, column);
    if (exit > 0) void goToExit(exit);
    else void goTo(Math.max(range.first, Math.min(range.last, momentAt(event))));
  };
  const hover = (event: MouseEvent) => {
    const { row, column } = cellAt(event, rows.length);
    const found = rows[row];
    const count = found?.counts[column] ?? 0;
    const moment = momentAt(event).toLocaleString('en');
    hovered.value = `${count > 0 ? `${found!.name}: ${count} exit${count === 1 ? '' : 's'}, ` : ''}instruction ${moment}`;
  };
  return (
    <canvas
      ref={canvas}
      aria-hidden="true"
      onClick={click}
      onMouseMove={hover}
      onMouseLeave={() => {
        hovered.value = '';
      }}
    />
  );
}

/** The exit in a column, or right beside it: a column may be narrower than a pointer is exact. */
function nearest(firsts: readonly number[] | undefined, column: number): number {
  for (const by of [0, -1, 1]) {
    const exit = firsts?.[column + by] ?? 0;
    if (exit > 0) return exit;
  }
  return 0;
}

function momentAt(event: MouseEvent): number {
  const { from = 0, to = 0 } = state.timeline.value ?? {};
  const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return Math.round(from + Math.max(0, Math.min(1, (event.clientX - left) / width)) * (to - from));
}

function cellAt(event: MouseEvent, rows: number): { row: number; column: number } {
  const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return {
    row: Math.floor(((event.clientY - top) / height) * rows),
    column: Math.max(0, Math.min(COLUMNS - 1, Math.floor(((event.clientX - left) / width) * COLUMNS))),
  };
}

function draw(picture: HTMLCanvasElement, rows: ReturnType<typeof shownRows>, now: number | undefined): void {
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = picture;
  picture.width = width * scale;
  picture.height = height * scale;
  const context = picture.getContext('2d')!;
  context.scale(scale, scale);
  const high = rows.length === 0 ? 0 : height / rows.length;
  const isLight = getComputedStyle(document.documentElement).colorScheme === 'light';
  for (const [row, { counts, hue }] of rows.entries()) {
    const most = Math.max(1, ...counts);
    for (const [column, count] of counts.entries()) {
      if (count === 0) continue;
      const strength = 0.35 + 0.65 * (Math.log1p(count) / Math.log1p(most));
      context.fillStyle = `hsl(${hue} 60% ${isLight ? 40 : 62}% / ${strength})`;
      const x = (column / COLUMNS) * width;
      context.fillRect(x, row * high + 1, Math.max(2, width / COLUMNS), Math.max(2, high - 2));
    }
  }
  if (now === undefined || now < 0 || now > 1) return;
  context.fillStyle = getComputedStyle(picture).getPropertyValue('--accent');
  context.fillRect(Math.min(width - 1, now * width) - 1, 0, 2, height);
}
