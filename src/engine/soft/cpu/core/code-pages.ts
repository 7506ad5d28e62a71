// Which pages of RAM hold decoded code. A write to the decoded bytes makes the page's blocks invalid.
import {
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
  PAGE_RECORD,
  PAGES,
  POOL,
  POOL_NEXT,
  RAM,
  RETURN_BLOCK,
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

/** True if one of the bytes, within one page, may have been decoded. */
export function holdsCodeIn(place: usize, length: usize): bool {
  return (load<u64>(pageRecord(place)) & chunks(place, length)) != 0;
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
  store<u32>(RETURN_BLOCK, NO_BLOCK);
  store<u32>(GENERATION, load<u32>(GENERATION) + 1);
  cutLinks();
}
