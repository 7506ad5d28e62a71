/**
 * The focus, the cursor, scrolling.
 *
 * @module
 */
import { paneOf } from './bindings.js';
import { type Model, type PaneName, paneNames } from './model.js';
import { seenRows } from './panes/code.js';
import { bytesPerRow } from './panes/memory.js';
import { insideOf, listFrom, type PaneContext, readMemory, readStack, showCode } from './refresh.js';

/** How far a key moves: lines, pages, or to an end. */
type Move = { lines: number } | { pages: number } | 'first' | 'last';

const moves: Readonly<Record<string, Move>> = {
  ArrowUp: { lines: -1 },
  ArrowDown: { lines: 1 },
  k: { lines: -1 },
  j: { lines: 1 },
  PageUp: { pages: -1 },
  PageDown: { pages: 1 },
  Home: 'first',
  End: 'last',
};

/** How many words of a stack can be shown. */
const DEEPEST = 4096;

/** How many columns the screen moves by. */
const SIDEWAYS = 8;

/** The keys that move something in every pane. */
export function isMove(key: string): boolean {
  return Object.hasOwn(moves, key);
}

export class Navigation {
  readonly #context: PaneContext;

  constructor(context: PaneContext) {
    this.#context = context;
  }

  /** @returns false for other keys */
  async key(key: string): Promise<boolean> {
    if (this.withoutGuest(key)) return true;
    const move = moves[key];
    if (move === undefined) return false;
    const { focus } = this.#context.model;
    if (focus === 'code') await this.#moveCursor(move);
    else if (focus === 'memory') await this.#scrollMemory(move);
    else await this.#scrollStack(move);
    return true;
  }

  /** The keys that work while the guest runs: the focus, and scrolling of content that is in the model. */
  withoutGuest(key: string): boolean {
    const { model } = this.#context;
    const pane = paneOf(key);
    if (pane !== undefined) model.focus = pane;
    else if (key === 'Tab') model.focus = this.#beside(1);
    else if (key === 'Shift-Tab') model.focus = this.#beside(-1);
    else if (model.focus === 'screen' && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      const most = Math.max(0, (model.picture?.text?.columns ?? 0) - 1);
      const by = key === 'ArrowLeft' ? -SIDEWAYS : SIDEWAYS;
      model.screenRight = Math.min(most, Math.max(0, model.screenRight + by));
    } else {
      const move = moves[key];
      return move !== undefined && this.#scroll(move);
    }
    return true;
  }

  /** @returns false where the key closes it */
  overlay(key: string): boolean {
    const { overlay } = this.#context.model;
    const move = moves[key];
    if (overlay === undefined || move === undefined) return false;
    const most = Math.max(0, overlay.lines.length - 1);
    overlay.top = limited(overlay.top, move, 10, most);
    return true;
  }

  /** The visible panes, in their order; all panes where only one is shown. */
  #beside(by: 1 | -1): PaneName {
    const { model } = this.#context;
    const seen = this.#context.places().map(({ pane }) => pane);
    const order = model.zoomed ? paneNames.filter((name) => name !== 'screen' || model.hasScreen) : seen;
    const at = order.indexOf(model.focus);
    return order[(at + by + order.length) % order.length] ?? model.focus;
  }

  /** Panes whose whole content is in the model. */
  #scroll(move: Move): boolean {
    const { model } = this.#context;
    const { focus, scroll } = model;
    const page = Math.max(1, insideOf(this.#context.places(), focus).height - 1);
    const most = lengthOf(model, focus);
    if (most === undefined) return false;
    // These end at the newest: up is further back.
    if (focus === 'console' || focus === 'exits') {
      scroll[focus] = limited(scroll[focus], reversed(move), page, Math.max(0, most - page - 1));
    } else scroll[focus] = limited(scroll[focus], move, page, Math.max(0, most - 1));
    return true;
  }

  async #moveCursor(move: Move): Promise<void> {
    const { model } = this.#context;
    if (move === 'first' || move === 'last') {
      model.cursor = model.pc;
      return showCode(this.#context, model.pc);
    }
    const { width, height } = insideOf(this.#context.places(), 'code');
    const steps = 'lines' in move ? move.lines : move.pages * Math.max(1, height - 2);
    for (let i = 0; i < Math.abs(steps); i++) await this.#moveOne(Math.sign(steps), width, height);
  }

  async #moveOne(by: number, width: number, height: number): Promise<void> {
    const { model } = this.#context;
    const at = model.code.findIndex(({ address }) => address === model.cursor);
    if (at < 0) return showCode(this.#context, model.cursor);
    if (by < 0 && at === 0) await listFrom(this.#context, model.cursor, 1);
    const index = model.code.findIndex(({ address }) => address === model.cursor) + by;
    const next = model.code[index];
    if (next === undefined) return;
    model.cursor = next.address;
    while (model.code.length > 1 && model.code.indexOf(next) >= seenRows(model, width, height)) {
      model.code = model.code.slice(1);
    }
    if (by > 0) await listFrom(this.#context, model.code[0]!.address, 0);
  }

  /** Up to the stack pointer: memory below it is unused. */
  async #scrollStack(move: Move): Promise<void> {
    const { model } = this.#context;
    const { height } = insideOf(this.#context.places(), 'stack');
    model.scroll.stack = limited(model.scroll.stack, move === 'last' ? { lines: 0 } : move, height, DEEPEST);
    await readStack(this.#context, {});
  }

  async #scrollMemory(move: Move): Promise<void> {
    const { model } = this.#context;
    if (move === 'first' || move === 'last') return;
    const { width, height } = insideOf(this.#context.places(), 'memory');
    const row = BigInt(bytesPerRow(width, model.memory.address));
    const rows = 'lines' in move ? BigInt(move.lines) : BigInt(move.pages * height);
    const address = model.memory.address + rows * row;
    model.memory = { address: address < 0n ? 0n : BigInt.asUintN(64, address), bytes: new Uint8Array(0) };
    await readMemory(this.#context);
  }
}

/** How many lines a pane has that scrolls without asking the guest; undefined for the others. */
function lengthOf(model: Model, pane: PaneName): number | undefined {
  switch (pane) {
    case 'registers':
      return 26;
    case 'console':
      return model.console.length;
    case 'exits':
      return model.exitRows.length;
    case 'points':
      return model.points.length;
    case 'screen':
      return model.picture?.text?.rows ?? 1;
    default:
      return undefined;
  }
}

function reversed(move: Move): Move {
  if (move === 'first') return 'last';
  if (move === 'last') return 'first';
  return 'lines' in move ? { lines: -move.lines } : { pages: -move.pages };
}

function limited(value: number, move: Move, page: number, most: number): number {
  if (move === 'first') return 0;
  if (move === 'last') return most;
  const by = 'lines' in move ? move.lines : move.pages * page;
  return Math.min(most, Math.max(0, value + by));
}
