/** Memory as a heat map: a row for each part that was read, written or executed, with 64 cells. A click shows a cell's bytes. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { MemoryHeat } from '../../../browser/index.js';
import { query, refresh, report } from '../controller.js';
import { openPanel } from '../panels.js';
import * as state from '../state.js';
import { hex, shortCount, sizeText, words } from '../words.js';
import { useRedrawn } from './redrawn.js';

const kinds = ['execute', 'read', 'write'] as const;
type Kind = (typeof kinds)[number];
const names: Readonly<Record<Kind, string>> = { execute: 'executed', read: 'read', write: 'written' };
const colours: Readonly<Record<Kind, string>> = { execute: '--heat-x', read: '--heat-r', write: '--heat-w' };

const COLUMNS = 64;
/** Sizes of the picture. */
const [ROW, GAP, LABEL] = [13, 9, 82];

const heat = signal<MemoryHeat | undefined>(undefined);
const shown = signal<Readonly<Record<Kind, boolean>>>({ execute: true, read: true, write: true });
/** The parts that were zoomed into, the last one now. */
const parts = signal<readonly { from: number; length: number }[]>([]);
/** The cell under the mouse or the keyboard's cursor. */
const cursor = signal<{ row: number; column: number } | undefined>(undefined);

/** The top of each row: where a part of memory is missing between two rows there is a gap. */
function tops({ rows, cell }: MemoryHeat): number[] {
  let y = 2;
  return rows.map(({ address }, i) => {
    const before = rows[i - 1];
    if (before !== undefined) y += before.address + cell * COLUMNS === address ? ROW : ROW + GAP;
    return y;
  });
}

export function Heat() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const look = state.look.value;
  const part = parts.value.at(-1);
  useEffect(() => {
    if (look === undefined) return;
    let current = true;
    query('heat', part ?? {}).then((found) => {
      if (current) heat.value = found;
    }, report);
    return () => {
      current = false;
    };
  }, [look, part]);
  const found = look === undefined ? undefined : heat.value;
  const filter = shown.value;
  const here = cursor.value;
  useRedrawn(canvas, found && ((picture) => draw(picture, found, filter, here)), [found, filter, here]);
  if (look === undefined || found === undefined) return <p class="empty">{words.noMachine}</p>;
  return (
    <div class="heat">
      <Bar heat={found} />
      <p class="legend">{legend(found)}</p>
      {found.rows.length === 0 ? (
        <p class="empty">Nothing here has been accessed yet.</p>
      ) : (
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label="Memory, 64 cells in a row. Arrow keys move over the cells, Enter shows the bytes, plus zooms in, minus zooms out."
          aria-describedby="heat-cell"
          style={`height: ${tops(found).at(-1)! + ROW + 3}px`}
          onMouseMove={(event) => {
            cursor.value = cellAt(event, found) ?? cursor.value;
          }}
          onClick={(event) => {
            const at = cellAt(event, found);
            if (at === undefined) return;
            cursor.value = at;
            show(found, at);
          }}
          onKeyDown={(event) => press(event, found)}
        />
      )}
      {found.cut && <p class="rest">There are more rows: zoom into a part.</p>}
      <output id="heat-cell">{here === undefined ? '\u00a0' : cellText(found, here)}</output>
    </div>
  );
}

function Bar({ heat: found }: { heat: MemoryHeat }) {
  const zoomed = parts.value.length > 0;
  return (
    <div class="choices">
      {kinds.map((kind) => (
        <button
          type="button"
          key={kind}
          aria-pressed={shown.value[kind]}
          onClick={() => {
            shown.value = { ...shown.value, [kind]: !shown.value[kind] };
          }}
        >
          <i class="swatch" style={`background: var(${colours[kind]})`} />
          {names[kind]}
        </button>
      ))}
      <span class="fill" />
      <button
        type="button"
        aria-label="Zoom in"
        title="Zoom into the row at the cursor (+)"
        disabled={found.cell <= 64 || cursor.value === undefined}
        onClick={() => zoomIn(found)}
      >
        +
      </button>
      <button type="button" aria-label="Zoom out" title="Zoom out (−)" disabled={!zoomed} onClick={zoomOut}>
        −
      </button>
    </div>
  );
}

function legend({ cell, samples, instructions }: MemoryHeat): string {
  const how =
    samples >= instructions
      ? `Counted: the accesses of all ${shortCount(instructions)} instructions`
      : `Estimated from the accesses of ${shortCount(samples)} of ${shortCount(instructions)} instructions`;
  return `A cell is ${sizeText(BigInt(cell))}. ${how}; not page walks, nor a device’s DMA.`;
}

function cellAt(event: MouseEvent, found: MemoryHeat): { row: number; column: number } | undefined {
  const { left, top, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const y = event.clientY - top;
  const row = tops(found).findIndex((from) => y >= from && y < from + ROW);
  const column = Math.floor(((event.clientX - left - LABEL) / (width - LABEL - 2)) * COLUMNS);
  return row < 0 || column < 0 || column >= COLUMNS ? undefined : { row, column };
}

function cellText(found: MemoryHeat, { row, column }: { row: number; column: number }): string {
  const at = found.rows[row];
  if (at === undefined) return '\u00a0';
  const from = at.address + column * found.cell;
  const counts = kinds.filter((kind) => at[kind][column]! > 0);
  const text = counts.map((kind) => `${names[kind]} ${shortCount(Math.round(at[kind][column]!))}×`);
  return `${hex(from, 8)}–${hex(from + found.cell - 1, 8)}: ${text.join(', ') || 'not accessed'}`;
}

function show(found: MemoryHeat, { row, column }: { row: number; column: number }): void {
  const at = found.rows[row];
  if (at === undefined) return;
  const address = at.hottest[column] || at.address + column * found.cell;
  state.memoryAt.value = `0x${hex(address)}`;
  state.memorySpace.value = 'physical';
  state.memoryBefore.value = undefined;
  openPanel('memory', true);
  void refresh().catch(report);
}

function zoomIn(found: MemoryHeat): void {
  const row = found.rows[cursor.value?.row ?? -1];
  if (row === undefined || found.cell <= 64) return;
  parts.value = [...parts.value, { from: row.address, length: found.cell * COLUMNS }];
  cursor.value = undefined;
}

function zoomOut(): void {
  parts.value = parts.value.slice(0, -1);
  cursor.value = undefined;
}

function press(event: KeyboardEvent, found: MemoryHeat): void {
  const { row, column } = cursor.value ?? { row: 0, column: 0 };
  const moved = {
    ArrowLeft: { row, column: Math.max(0, column - 1) },
    ArrowRight: { row, column: Math.min(COLUMNS - 1, column + 1) },
    ArrowUp: { row: Math.max(0, row - 1), column },
    ArrowDown: { row: Math.min(found.rows.length - 1, row + 1), column },
  }[event.key];
  if (moved !== undefined) cursor.value = moved;
  else if (event.key === 'Enter') show(found, { row, column });
  else if (event.key === '+') zoomIn(found);
  else if (event.key === '-') zoomOut();
  else return;
  event.preventDefault();
}

function draw(
  picture: HTMLCanvasElement,
  found: MemoryHeat,
  filter: Readonly<Record<Kind, boolean>>,
  here: { row: number; column: number } | undefined,
): void {
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = picture;
  picture.width = width * scale;
  picture.height = height * scale;
  const context = picture.getContext('2d')!;
  context.scale(scale, scale);
  const style = getComputedStyle(picture);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const side = (width - LABEL - 2) / COLUMNS;
  const most = Math.max(1, ...found.rows.flatMap((row) => kinds.map((kind) => Math.max(...row[kind]))));
  const from = tops(found);
  const x = (column: number) => LABEL + column * side;
  const fills = kinds.map((kind) => colour(colours[kind]));
  context.font = '10.5px ui-monospace, "DejaVu Sans Mono", monospace';
  context.textBaseline = 'middle';
  for (const [row, { address, ...counts }] of found.rows.entries()) {
    const y = from[row]!;
    context.fillStyle = colour('--dim');
    context.fillText(hex(address, 8), 2, y + ROW / 2);
    context.fillStyle = colour('--raised');
    context.fillRect(LABEL, y, side * COLUMNS, ROW - 1);
    for (let column = 0; column < COLUMNS; column++) {
      const used = kinds.flatMap((kind, i) => {
        const count = counts[kind][column]!;
        return filter[kind] && count > 0 ? [{ count, fill: fills[i]! }] : [];
      });
      // Kinds share a cell's height: a blend of their colours would be a fourth one.
      for (const [i, { count, fill }] of used.entries()) {
        context.globalAlpha = 0.3 + 0.7 * (Math.log1p(count) / Math.log1p(most));
        context.fillStyle = fill;
        const high = (ROW - 1) / used.length;
        context.fillRect(x(column), y + i * high, Math.max(1, side - 0.5), high);
      }
      context.globalAlpha = 1;
    }
  }
  const outline = (place: number | undefined, name: string) => {
    const size = found.cell * COLUMNS;
    const row = found.rows.findIndex(
      ({ address }) => place !== undefined && place >= address && place < address + size,
    );
    if (row < 0) return;
    const column = Math.floor((place! - found.rows[row]!.address) / found.cell);
    context.strokeStyle = colour(name);
    context.lineWidth = 1.5;
    context.strokeRect(x(column) - 0.5, from[row]! - 0.5, side + 0.5, ROW);
  };
  outline(found.code, '--accent');
  outline(found.stack, '--text');
  if (here !== undefined && from[here.row] !== undefined) {
    context.strokeStyle = colour('--bad');
    context.lineWidth = 1.5;
    context.strokeRect(x(here.column) - 0.5, from[here.row]! - 0.5, side + 0.5, ROW);
  }
}
