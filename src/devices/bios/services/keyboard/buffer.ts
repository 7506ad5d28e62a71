/** The keyboard buffer in the data area: a ring of words that programs read and write, too. */
import { Data } from '../../data-area.js';
import type { Guest } from '../../guest.js';

const SEGMENT = 0x400;
/** Where the ring is on a PC, for a guest that has nonsense there. */
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

/** The next word, which stays; -1 where there is none. */
export function peekKey(guest: Guest): number {
  const head = guest.read16(Data.keyHead);
  if (head === guest.read16(Data.keyTail)) return -1;
  return guest.read16(SEGMENT + inside(head, bounds(guest)));
}

export function dropKey(guest: Guest): void {
  const ring = bounds(guest);
  guest.write16(Data.keyHead, next(inside(guest.read16(Data.keyHead), ring), ring));
}

/** @returns false where the buffer is full */
export function storeKey(guest: Guest, word: number): boolean {
  const ring = bounds(guest);
  const tail = inside(guest.read16(Data.keyTail), ring);
  const after = next(tail, ring);
  if (after === guest.read16(Data.keyHead)) return false;
  guest.write16(SEGMENT + tail, word);
  guest.write16(Data.keyTail, after);
  return true;
}

export function clearKeys(guest: Guest): void {
  const { start } = bounds(guest);
  guest.write16(Data.keyHead, start);
  guest.write16(Data.keyTail, start);
}
