import { after, plus } from './sequence.js';

/** More pieces than this are dropped: their sender repeats them. */
const MOST_PIECES = 64;

/** Data that arrived out of order: pieces by their position, without overlaps, all within the window. */
export class Reassembly {
  #pieces: { sequence: number; data: Uint8Array }[] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Keeps the new part of a piece. The bytes belong to this object. */
  add(sequence: number, data: Uint8Array): void {
    let [from, left] = [sequence, data];
    let index = 0;
    for (; index < this.#pieces.length && left.length > 0; index++) {
      const piece = this.#pieces[index]!;
      const end = plus(piece.sequence, piece.data.length);
      const before = after(piece.sequence, from);
      if (before >= left.length) break;
      if (before > 0) this.#insert(index++, from, left.subarray(0, before));
      // What the piece has already is skipped.
      const skip = Math.max(0, after(end, from));
      left = left.subarray(Math.min(skip, left.length));
      from = plus(from, skip);
    }
    if (left.length > 0) this.#insert(index, from, left);
    this.#pieces.length = Math.min(this.#pieces.length, MOST_PIECES);
  }

  #insert(index: number, sequence: number, data: Uint8Array): void {
    this.#pieces.splice(index, 0, { sequence, data });
  }

  /** The next data after `next`, if it is there; it is given once. */
  take(next: number): Uint8Array | undefined {
    for (let first = this.#pieces[0]; first !== undefined; first = this.#pieces[0]) {
      const late = after(next, first.sequence);
      if (late < 0) return undefined;
      this.#pieces.shift();
      if (late < first.data.length) return first.data.subarray(late);
    }
    return undefined;
  }
}
