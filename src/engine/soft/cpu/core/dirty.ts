// Marks of the pages of RAM that were written. While marks are kept, the fast path writes only to pages with a mark:
// the first write to each page takes the slow path, which sets it. When marks are read and cleared, the TLB entries
// lose their write permission.
import { DIRTY, LOGS_WRITES, RAM } from '../../layout';

/** The word with the mark of the page with the address `place`, and the mark's bit in it. */
function wordOf(place: usize): usize {
  return DIRTY + (((place - RAM) >> 17) << 2);
}

function bitOf(place: usize): u32 {
  return (<u32>1) << ((<u32>(place - RAM) >> 12) & 31);
}

/** True if writes to the page at `place` need no mark, or it has one. */
export function mayPass(place: usize): bool {
  return !load<u32>(LOGS_WRITES) || (load<u32>(wordOf(place)) & bitOf(place)) != 0;
}

/** The page at `place` is about to be written. */
export function noteWrite(place: usize): void {
  if (!load<u32>(LOGS_WRITES)) return;
  const word = wordOf(place);
  store<u32>(word, load<u32>(word) | bitOf(place));
}
