/**
 * What somebody may have meant.
 *
 * @module
 */

/** How many letters have to be put in, taken out, changed, or swapped with the next. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, previous[j - 2]! + 1);
      next.push(best);
    }
    previous = row;
    row = next;
  }
  return row[b.length]!;
}

/** The word that is nearest to a wrong one; undefined if none is near. */
export function nearest(word: string, among: Iterable<string>): string | undefined {
  const most = word.length < 4 ? 1 : 2;
  let best: string | undefined;
  let least = most + 1;
  for (const one of among) {
    const away = distance(word, one, most);
    if (away < least) {
      least = away;
      best = one;
    }
  }
  return best;
}
