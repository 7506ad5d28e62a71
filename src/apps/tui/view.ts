/**
 * Draws the model: the head, the panes, the message, the keys.
 *
 * @module
 */
import { barOrder, bindings, paneKeys } from './bindings.js';
import { LEAST, layout, type Place } from './layout.js';
import type { Model, Overlay, PaneName, Tone } from './model.js';
import { codePane } from './panes/code.js';
import { consolePane, exitsPane, localsPane, pointsPane, stackPane } from './panes/lists.js';
import { memoryPane } from './panes/memory.js';
import { hex, registersPane } from './panes/registers.js';
import { drawScreen } from './panes/screen.js';
import { LOW_ROWS, TIMELINE_ROWS, timelineNote, timelinePane } from './panes/timeline.js';
import { Canvas, type Line, look, type Span, type Style, widthOf, wrap } from './text.js';

export interface ViewOptions {
  columns: number;
  rows: number;
  coloured: boolean;
}

/** The places of this model's panes; undefined where the terminal is too small. */
export function placesOf(model: Model, columns: number, rows: number): Place[] | undefined {
  const { focus, zoomed, bits, hasScreen } = model;
  const hasLocals = model.locals !== undefined;
  const below = timelineRows(model, rows);
  return layout({ columns, rows, focus, zoomed, bits, hasScreen, hasLocals, below });
}

/** A terminal with fewer rows has a low timeline. */
const ROOMY = 20;

function timelineRows({ timeline }: Model, rows: number): number {
  if (timeline === undefined) return 0;
  return rows < ROOMY ? LOW_ROWS : TIMELINE_ROWS;
}

export function draw(model: Model, { columns, rows, coloured }: ViewOptions): Canvas {
  const canvas = new Canvas(columns, rows, coloured);
  const places = placesOf(model, columns, rows);
  if (places === undefined) {
    drawTooSmall(canvas);
    return canvas;
  }
  drawHead(canvas, model);
  for (const place of places) drawPane(canvas, model, place, coloured);
  drawTimeline(canvas, model);
  if (model.overlay !== undefined) drawOverlay(canvas, model.overlay);
  drawMessage(canvas, model);
  drawKeys(canvas, model);
  return canvas;
}

function drawTooSmall(canvas: Canvas): void {
  const { columns, rows } = canvas;
  const lines = wrap(
    `This terminal is ${columns}×${rows}. The debugger needs ${LEAST.columns}×${LEAST.rows}.`,
    columns,
  );
  lines.slice(0, rows).forEach((line, y) => {
    canvas.line(0, y, [line]);
  });
}

function drawHead(canvas: Canvas, model: Model): void {
  const { phase, exits, history } = model;
  const states: Record<Model['phase'], Span> = {
    stopped: ['stopped', look.strong],
    running: ['running', look.running],
    ended: ['ended', model.outcome?.kind === 'shutdown' ? look.bad : look.good],
  };
  const past = history !== undefined && history.now < history.last;
  const place = past
    ? `instruction ${history.now.toLocaleString('en')} of ${history.last.toLocaleString('en')}  `
    : '';
  const counts = `${place}${plural(exits, 'exit')} `;
  const right: Line = [states[phase], `  ${counts}`];
  const at = canvas.columns - widthOf(right);
  const parts: Span[] = [
    [' terrarium', look.title],
    [`  ${model.image}`, look.strong],
    [`  ${model.engine}`, look.quiet],
    [`  ${model.mode}`, look.quiet],
  ];
  let x = 0;
  for (const part of parts) if (x + widthOf([part]) < at) x = canvas.line(x, 0, [part]);
  canvas.line(at, 0, right);
}

function plural(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
}

const titles: Readonly<Record<PaneName, string>> = {
  registers: 'Registers',
  code: 'Code',
  stack: 'Stack',
  memory: 'Memory',
  console: 'Console',
  screen: 'Screen',
  exits: 'Exits',
  points: 'Breakpoints',
  locals: 'Locals',
};

function drawPane(canvas: Canvas, model: Model, place: Place, coloured: boolean): void {
  const { pane, y, height } = place;
  const focused = model.focus === pane;
  drawTitle(canvas, place, { key: paneKeys[pane], title: titles[pane], note: noteOf(model, pane), focused });
  drawBody(canvas, model, { ...place, y: y + 1, height: height - 1 }, coloured);
}

interface Title {
  key: string;
  title: string;
  note: string;
  focused: boolean;
}

function drawTitle(
  canvas: Canvas,
  { x, y, width }: Pick<Place, 'x' | 'y' | 'width'>,
  { key, title, note, focused }: Title,
): void {
  const rule = focused ? '━' : '─';
  canvas.line(x, y, [[rule.repeat(width), focused ? look.title : look.quiet]], width);
  const line: Line = [
    [`${rule} `, focused ? look.title : look.quiet],
    [key, look.quiet],
    [` ${title} `, focused ? look.title : look.strong],
  ];
  const behind = canvas.line(x, y, line, width);
  const room = x + width - behind - 2;
  if (note === '' || room <= 3) return;
  const text = note.length > room - 2 ? `${note.slice(0, room - 3)}…` : note;
  canvas.line(x + width - text.length - 3, y, [[` ${text} `, look.quiet]], text.length + 2);
}

/** Below the panes. */
function drawTimeline(canvas: Canvas, model: Model): void {
  const { columns: width, rows } = canvas;
  const height = timelineRows(model, rows);
  if (height === 0) return;
  const y = rows - 2 - height;
  drawTitle(
    canvas,
    { x: 0, y, width },
    { key: 'T', title: 'Timeline', note: timelineNote(model), focused: true },
  );
  timelinePane(model, height).forEach((line, i) => {
    canvas.line(0, y + 1 + i, line, width);
  });
}

function drawBody(canvas: Canvas, model: Model, place: Place, coloured: boolean): void {
  const { pane, x, y, width, height } = place;
  if (pane === 'screen' && model.picture !== undefined) {
    const scrolled = { down: model.scroll.screen, right: model.screenRight };
    drawScreen(canvas, model.picture, place, coloured, scrolled);
    return;
  }
  const lines = linesOf(model, pane, width, height);
  lines.slice(0, height).forEach((line, i) => {
    canvas.line(x, y + i, line, width);
  });
}

function linesOf(model: Model, pane: PaneName, width: number, height: number): readonly Line[] {
  switch (pane) {
    case 'registers':
      return registersPane(model, width).slice(model.scroll.registers);
    case 'code':
      return codePane(model, width, height);
    case 'stack':
      return stackPane(model);
    case 'memory':
      return memoryPane(model, width, height);
    case 'console':
      return consolePane(model, width, height);
    case 'exits':
      return exitsPane(model, height);
    case 'points':
      return pointsPane(model, height);
    case 'locals':
      return localsPane(model);
    case 'screen':
      return [[[model.hasScreen ? ' nothing shown yet' : ' --vga shows its screen here', look.quiet]]];
  }
}

/** The text at the right end of a pane's title. */
function noteOf(model: Model, pane: PaneName): string {
  const { code, view, picture } = model;
  switch (pane) {
    case 'code': {
      const source = code.find(({ address }) => address === model.pc)?.source;
      return source === undefined ? '' : `${source.place}  ${source.text ?? ''}`.trim();
    }
    case 'stack':
      return view === undefined ? '' : `${model.bits === 64 ? 'rsp' : model.bits === 32 ? 'esp' : 'sp'}`;
    case 'screen':
      return picture === undefined
        ? ''
        : picture.text === undefined
          ? `${picture.width}×${picture.height}`
          : `${picture.text.columns}×${picture.text.rows}`;
    case 'memory':
      return `0x${hex(model.memory.address, 1)}`;
    case 'console':
    case 'exits':
      return model.scroll[pane] > 0 ? 'further back' : '';
    default:
      return '';
  }
}

function drawOverlay(canvas: Canvas, { title, lines, top }: Overlay): void {
  const most = Math.min(canvas.columns - 2, 100);
  const wrapped = lines.flatMap((line) => wrap(line, most - 4));
  const width = Math.min(most, Math.max(title.length + 6, 40, ...wrapped.map((line) => line.length)) + 4);
  const height = Math.min(canvas.rows - 3, wrapped.length + 2);
  const [x, y] = [Math.floor((canvas.columns - width) / 2), 1];
  const first = Math.min(top, Math.max(0, wrapped.length - (height - 2)));
  const inner = wrapped.slice(first, first + height - 2);
  canvas.line(
    x,
    y,
    [[`╭─ ${title} ${'─'.repeat(Math.max(0, width - title.length - 5))}╮`, look.title]],
    width,
  );
  inner.forEach((line, i) => {
    canvas.line(x, y + 1 + i, [['│', look.title], ' '.repeat(width - 2), ['│', look.title]], width);
    canvas.line(x + 2, y + 1 + i, [line], width - 4);
  });
  const more = first + inner.length < wrapped.length;
  const foot = more ? ' ↓ more · Esc closes ' : ' Esc closes ';
  const bar = '─'.repeat(Math.max(0, width - foot.length - 3));
  canvas.line(x, y + 1 + inner.length, [[`╰${bar}${foot}─╯`, look.title]], width);
}

const tones: Readonly<Record<Tone, Style>> = {
  plain: look.plain,
  good: look.good,
  bad: look.bad,
  running: look.running,
};

/** The message, or the line that is being typed. */
function drawMessage(canvas: Canvas, model: Model): void {
  const y = canvas.rows - 2;
  const { prompt, message } = model;
  if (prompt === undefined) {
    const room = canvas.columns - 2;
    const text = message.text.length > room ? `${message.text.slice(0, room - 1)}…` : message.text;
    canvas.line(0, y, [' ', [text, tones[message.tone]]]);
    return;
  }
  const hint: Span[] = prompt.text === '' ? [[prompt.hint, look.quiet]] : [];
  canvas.line(0, y, [' ', [`${prompt.label} `, look.title], prompt.text, [' ', look.cursor], ...hint]);
}

function drawKeys(canvas: Canvas, model: Model): void {
  const y = canvas.rows - 1;
  const instead = insteadOfKeys(model);
  if (instead !== undefined) {
    canvas.line(0, y, [[` ${instead}`, look.quiet]]);
    return;
  }
  let x = 1;
  for (const action of barOrder) {
    const { letter, short } = bindings.find((one) => one.action === action)!;
    const line: Line = [
      [letter, look.key],
      [` ${short}`, look.quiet],
    ];
    if (x + widthOf(line) > canvas.columns) break;
    x = canvas.line(x, y, line) + 2;
  }
}

function insteadOfKeys({ typing, prompt, overlay, phase }: Model): string | undefined {
  if (typing !== undefined) return 'keys go to the guest; Ctrl-] ends that';
  if (prompt !== undefined) return 'Enter accepts, Esc cancels';
  if (overlay !== undefined) return '↑ ↓ scroll, any other key closes';
  return phase === 'running' ? 'any key stops the guest; i types to it' : undefined;
}
