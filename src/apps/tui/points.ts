/**
 * Breakpoints and watchpoints: set, switched, removed. Each function returns a sentence that says what it did.
 *
 * @module
 */
import type { Debugger } from '../../debug/index.js';
import type { Model, Point } from './model.js';

interface Held {
  model: Model;
  debugger: Debugger;
}

/** Sets or removes a breakpoint at a linear address. */
export async function toggleAt({ model, debugger: held }: Held, address: bigint): Promise<string> {
  const there = [...held.breakpoints.values()].find(({ addresses }) => addresses.includes(address));
  const name = held.symbols.symbolAt(address);
  const where = name !== undefined && !name.includes('+') ? name : `0x${address.toString(16)}`;
  if (there !== undefined) await held.removeBreakpoint(there.id);
  else await held.addBreakpoint(where);
  model.points = pointsOf(held);
  return there === undefined ? `breakpoint set at ${where}` : `breakpoint removed at ${where}`;
}

/** `main if rax == 5`; an existing one is removed. */
export async function breakAt({ model, debugger: held }: Held, text: string): Promise<string> {
  const [, where = '', condition] = /^(.*?)(?:\s+if\s+(.*))?$/.exec(text)!;
  const same = [...held.breakpoints.values()].find((one) => one.location === where);
  const removed = same !== undefined && condition === undefined;
  if (removed) await held.removeBreakpoint(same.id);
  else await held.addBreakpoint(where, condition === undefined ? {} : { condition });
  model.points = pointsOf(held);
  return removed ? `breakpoint removed at ${where}` : `breakpoint set at ${text}`;
}

/** Sets a watchpoint; an existing one is removed. */
export async function watch({ model, debugger: held }: Held, text: string): Promise<string> {
  const same = [...held.watchpoints.values()].find((one) => one.expression === text);
  if (same !== undefined) {
    await held.removeWatchpoint(same.id);
    model.points = pointsOf(held);
    return `watchpoint removed: ${text}`;
  }
  const { length } = await held.addWatchpoint(text);
  model.points = pointsOf(held);
  return `watchpoint set: ${text}, ${length === 1 ? '1 byte' : `${length} bytes`}; c runs until it is written`;
}

/** Enables, disables or removes the point that is selected in its pane. */
export async function changePoint({ model, debugger: held }: Held, key: 'Enter' | 'Delete'): Promise<string> {
  const point = model.points[Math.min(model.scroll.points, model.points.length - 1)];
  if (point === undefined) return 'there are none: b or w sets one';
  const { id, kind, enabled, text } = point;
  if (key === 'Delete') await (kind === 'watch' ? held.removeWatchpoint(id) : held.removeBreakpoint(id));
  else if (kind === 'watch') await held.enableWatchpoint(id, !enabled);
  else await held.enableBreakpoint(id, !enabled);
  model.points = pointsOf(held);
  return key === 'Delete' ? `${text} removed` : `${text} is ${enabled ? 'disabled' : 'enabled'}`;
}

export function pointsOf({ breakpoints, watchpoints, symbols }: Debugger): Point[] {
  const broken = [...breakpoints.values()].map((one): Point => {
    const address = one.addresses[0]!;
    const condition = one.condition === undefined ? '' : ` if ${one.condition}`;
    const place = symbols.lineAt(address) ?? (one.symbol === one.location ? '' : (one.symbol ?? ''));
    return { ...one, kind: 'breakpoint', text: `${one.location}${condition}`, address, note: place };
  });
  const watched = [...watchpoints.values()].map((one): Point => {
    const note = one.length === 1 ? '1 byte' : `${one.length} bytes`;
    return { ...one, kind: 'watch', text: one.expression, note };
  });
  return [...broken, ...watched].sort((a, b) => a.id - b.id);
}
