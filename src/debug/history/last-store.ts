/**
 * The last write to memory. Pieces of the past in which its page of RAM was not written are not searched: the checkpoints know the pages
 * that were written between them, and a run at full speed finds the part of a long piece that wrote. A page also counts as written where a
 * write did not change its bytes. The search is for the memory that is at the address now, also where it was mapped elsewhere before.
 *
 * @module
 */
import { type Found, type SearchParts, searchFrom } from './backwards.js';
import type { History } from './history.js';

/** Pieces up to this many instructions are searched; longer ones are divided. */
const SMALL = 65_536;
/** Users mostly look for recent writes. */
const NEAR = 4096;
const PARTS = 8;

/** The last access before a moment; `interrupt` where the search was interrupted. @param pages numbers of pages of RAM */
export function findLastStore(
  history: History,
  end: number,
  pages: readonly number[],
  parts: SearchParts,
): Found | 'interrupt' | undefined {
  const { first } = history.range;
  const near = Math.max(first, end - NEAR);
  let found = searchFrom(history, near, end, parts);
  for (let to = near; found === undefined && to > first; ) {
    const from = history.kept(to);
    if (history.mayWrite(pages, to)) found = within(history, from, to, pages, parts);
    to = from;
  }
  return found;
}

function within(
  history: History,
  from: number,
  to: number,
  pages: readonly number[],
  parts: SearchParts,
): Found | 'interrupt' | undefined {
  if (to - from <= SMALL) return searchFrom(history, from, to, parts);
  parts.disarm();
  if (!history.goTo(from)) return 'interrupt';
  const written: { from: number; to: number }[] = [];
  for (let part = 1; part <= PARTS; part++) {
    const start = history.range.now;
    const until = from + Math.floor(((to - from) * part) / PARTS);
    if (start >= until) continue;
    const writes = history.writesUntil(pages, until);
    if (writes === undefined) return 'interrupt';
    if (writes) written.push({ from: start, to: until });
  }
  for (const piece of written.reverse()) {
    const found = within(history, piece.from, piece.to, pages, parts);
    if (found !== undefined) return found;
  }
  return undefined;
}
