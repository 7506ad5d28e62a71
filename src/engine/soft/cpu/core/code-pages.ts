// Which pages of RAM hold decoded code. A write to the decoded bytes makes the page's blocks invalid.
import {
  BLOCK_LENGTH,
  BLOCK_NEXT,
  BLOCK_START,
  GENERATION,
  HOT_COUNT,
  JUMP_CACHE,
  JUMP_ENTRIES,
  LINKS,
  MEMORY_PAGES,
  NO_BLOCK,
  PAGE_BLOCKS,
  PAGE_GAP_END,
  PAGE_GAP_START,
  PAGE_RECORD,
  PAGES,
  POOL,
  POOL_NEXT,
  RAM,
  RETURN_BLOCK,
  STRAY,
  TROUBLE,
  TROUBLE_STOP,
} from '../../layout';

/** The record of the page with the address `place`. */
export function pageRecord(place: usize): usize {
  return PAGES + ((place - RAM) >> 12) * PAGE_RECORD;
}

/** True if code of the page with the address `place` was decoded. */
export function holdsCode(place: usize): bool {
  return load<u64>(pageRecord(place)) != 0;
}

/**
 * How many blocks are compared with a write before it counts as one to code. A page may have thousands, and a hostile guest
 * could make each write compare them all.
 */
const MOST_COMPARED: u32 = 128;

/**
 * True if one of the bytes, within one page, may have been decoded. Small programs keep variables and stack right beside
 * their code: a write in the same 64 bytes is not yet one to code, and the page's blocks stay valid.
 */
export function holdsCodeIn(place: usize, length: usize): bool {
  const record = pageRecord(place);
  if (!(load<u64>(record) & chunks(place, length))) return false;
  const from = <u32>place & 4095;
  const to = from + <u32>length;
  if (load<u16>(record, PAGE_GAP_START) <= from && to <= load<u16>(record, PAGE_GAP_END)) return false;
  // The bytes around the write that no block has: the next write is probably there too.
  let gapStart: u32 = 0;
  let gapEnd: u32 = 4096;
  let compared: u32 = 0;
  for (
    let block = <usize>load<u32>(record, PAGE_BLOCKS);
    block;
    block = <usize>load<u32>(block, BLOCK_NEXT)
  ) {
    if (compared++ == MOST_COMPARED) return true;
    if (!load<u32>(block, BLOCK_START)) continue;
    const start = load<u32>(block, BLOCK_START) & 4095;
    const end = start + load<u32>(block, BLOCK_LENGTH);
    if (end <= from) gapStart = max(gapStart, end);
    else if (to <= start) gapEnd = min(gapEnd, start);
    else return true;
  }
  store<u16>(record, <u16>gapStart, PAGE_GAP_START);
  store<u16>(record, <u16>gapEnd, PAGE_GAP_END);
  return false;
}

/** A page has a new block, or none any more. */
export function forgetGap(record: usize): void {
  store<u16>(record, 0, PAGE_GAP_END);
}

/** One bit for each 64 bytes of a page that the range overlaps. */
export function chunks(place: usize, length: usize): u64 {
  const first = (place & 4095) >> 6;
  const last = min<usize>((place & 4095) + length - 1, 4095) >> 6;
  return (~(<u64>0) >> <u64>(63 - (last - first))) << (<u64>first);
}

/** RAM was written, within one page: where that was code, the current block must not continue. */
export function dropCode(place: usize, length: usize): void {
  const record = pageRecord(place);
  if (!holdsCodeIn(place, length)) return;
  for (
    let block = <usize>load<u32>(record, PAGE_BLOCKS);
    block;
    block = <usize>load<u32>(block, BLOCK_NEXT)
  ) {
    store<u32>(block, 0, BLOCK_START);
  }
  store<u64>(record, 0);
  store<u32>(record, 0, PAGE_BLOCKS);
  forgetGap(record);
  cutLinks();
  store<u32>(TROUBLE, load<u32>(TROUBLE) | TROUBLE_STOP);
}

/** From now on every branch looks its target up again. */
export function cutLinks(): void {
  store<u32>(LINKS, load<u32>(LINKS) + 1);
}

/** Forgets every block. */
export function dropAllCode(): void {
  memory.fill(PAGES, 0, <usize>load<u32>(MEMORY_PAGES) * PAGE_RECORD);
  store<u32>(NO_BLOCK, 0, BLOCK_START);
  for (let i: usize = 0; i < JUMP_ENTRIES; i++) store<u32>(JUMP_CACHE + (i << 2), NO_BLOCK);
  store<u32>(POOL_NEXT, POOL);
  store<u32>(HOT_COUNT, 0);
  store<u32>(STRAY, 0);
  store<u32>(RETURN_BLOCK, NO_BLOCK);
  store<u32>(GENERATION, load<u32>(GENERATION) + 1);
  cutLinks();
}
