/**
 * The keyboard buffer in the data area: a ring of 15 words that programs also read and write. Keys for which it has no
 * room wait here, where a PC would beep and lose them: a text that is typed to a guest may come all at once.
 *
 * @module
 */
import { Data } from '../../data-area.js';
import type { Guest } from '../../guest.js';
import type { Pc } from '../../pc.js';

/** The most keys that wait. */
export const MOST_TYPED_AHEAD = 4096;
const SEGMENT = 0x400;
/** The ring's place on a PC, for a guest whose pointers to it are invalid. */
const USUAL = { start: 0x1e, end: 0x3e };

function bounds(guest: Guest): { start: number; end: number } {
  const start = guest.read16(Data.keyBufferStart);
  const end = guest.read16(Data.keyBufferEnd);
  return end > start + 2 ? { start, end } : USUAL;
}

function inside(at: number, { start, end }: { start: number; end: number }): number {
  return at >= start && at < end ? at : start;
}

const next = (at: number, { start, end }: { start: number; end: number }) => (at + 2 >= end ? start : at + 2);

/** Moves keys that wait into the ring, as far as it has room. */
function refill({ guest, typedAhead }: Pc): void {
  while (typedAhead.length > 0 && storeKey(guest, typedAhead[0]!)) typedAhead.shift();
}

/** The next word, which stays in the buffer; -1 where there is none. */
export function peekKey(pc: Pc): number {
  const { guest } = pc;
  refill(pc);
  const head = guest.read16(Data.keyHead);
  if (head === guest.read16(Data.keyTail)) return -1;
  return guest.read16(SEGMENT + inside(head, bounds(guest)));
}

export function dropKey(pc: Pc): void {
  const { guest } = pc;
  const ring = bounds(guest);
  guest.write16(Data.keyHead, next(inside(guest.read16(Data.keyHead), ring), ring));
  refill(pc);
}

/** Puts a word into the ring. @returns false where the ring is full */
export function storeKey(guest: Guest, word: number): boolean {
  const ring = bounds(guest);
  const tail = inside(guest.read16(Data.keyTail), ring);
  const after = next(tail, ring);
  if (after === guest.read16(Data.keyHead)) return false;
  guest.write16(SEGMENT + tail, word);
  guest.write16(Data.keyTail, after);
  return true;
}

/** A key was pressed. */
export function typeKey(pc: Pc, word: number): void {
  refill(pc);
  const { typedAhead } = pc;
  if (typedAhead.length === 0 && storeKey(pc.guest, word)) return;
  if (typedAhead.length < MOST_TYPED_AHEAD) typedAhead.push(word);
}

export function clearKeys({ guest, typedAhead }: Pc): void {
  const { start } = bounds(guest);
  guest.write16(Data.keyHead, start);
  guest.write16(Data.keyTail, start);
  typedAhead.length = 0;
}
