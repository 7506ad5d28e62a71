// Blocks of decoded operations: looked up by the address of their first byte in RAM, decoded where there is none yet.
import {
  BLOCK,
  BLOCK_COUNT,
  BLOCK_FIRST,
  BLOCK_HEAT,
  BLOCK_KEY,
  BLOCK_LENGTH,
  BLOCK_LINKS,
  BLOCK_MODE,
  BLOCK_NEXT,
  BLOCK_OPS,
  BLOCK_RIP,
  BLOCK_START,
  BUDGET,
  CLOCK,
  CODE_PAGE,
  CODE_PLACE,
  CR0,
  CURRENT,
  EPOCH,
  EVENTS,
  FETCHED,
  FIRST_HANDLER,
  HOT_BLOCKS,
  HOT_COUNT,
  HOT_HEAT,
  JUMP_CACHE,
  JUMP_ENTRIES,
  LINEAR_MASK,
  LINK_BASE,
  LINK_KEY,
  LINK_LIMIT,
  LINKS,
  MAX_HOT,
  MODE,
  OP_HANDLER,
  OP_LENGTH,
  OP_SIZE,
  OP_TAKEN,
  PAGE_BLOCKS,
  POOL_LIMIT,
  POOL_NEXT,
  RIP,
  SCRATCH,
  SEG_CS,
  SEG_LIMIT,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  STRAY,
  STRAYS_LEFT,
  TRANSLATION_BLOCKS,
  TRANSLATION_LIST,
  TROUBLE,
} from '../../layout';
import { END_OF_BLOCK } from '../decode-table';
import { chunks, cutLinks, dropAllCode, forgetGap, pageRecord } from './code-pages';
import { code64 } from './cpu-mode';
import { decode, endsBlock, MAX_LENGTH, SHORT } from './decode';
import { cannotFetch, fault, GP } from './faults';
import { locateCode } from './memory';
import { guardsPage } from './monitor';
import { ripAfter, ripOf } from './operands';
import { guardPage } from './tlb';
import { failed } from './trouble';

/** The most operations in a block; a jump into the middle of a block decodes its rest again. */
export const MAX_OPERATIONS: u32 = 32;
const CODE = SEGMENTS + SEG_CS * SEGMENT_SIZE;

/** `execute` ends between two blocks. */
function stop(rip: u64): usize {
  store<u64>(RIP, rip);
  store<u32>(CURRENT, 0);
  return 0;
}

/** The current mode and epoch, as in the key of valid blocks. */
function keyOfNow(): u32 {
  return (load<u32>(EPOCH) << 4) | load<u32>(MODE);
}

/** Enters the block at `rip`. The word at `slot` may cache it (0: no cache). Returns its first operation, or 0. */
export function enter(rip: u64, slot: usize): usize {
  if (load<u32>(EVENTS) != 0) return stop(rip);
  store<u32>(TROUBLE, 0);
  const linear = (load<u64>(CODE, SEG_LINEAR) + rip) & load<u64>(LINEAR_MASK);
  if ((linear & ~4095) != load<u64>(CODE_PAGE) && !fetchPage(linear)) return stop(rip);
  const place = <usize>load<u32>(CODE_PLACE) | (<usize>linear & 4095);
  const right = <u64>place | ((<u64>keyOfNow()) << 32);
  const links = linksOfNow();
  let block = slot ? <usize>load<u32>(slot) & ~1 : 0;
  if (!block || load<u64>(block, BLOCK_START) != right) {
    const cached = JUMP_CACHE + ((place & (JUMP_ENTRIES - 1)) << 2);
    block = <usize>load<u32>(cached);
    if (load<u64>(block, BLOCK_START) != right && !renew(block, place)) {
      block = find(place, slot != 0);
      if (!block) return lone(rip);
      store<u32>(cached, block);
    }
  }
  // The segment's limit has changed since the block was made.
  if (rip + <u64>load<u32>(block, BLOCK_LENGTH) > <u64>load<u32>(CODE, SEG_LIMIT) + 1 && !code64())
    return lone(rip);
  // Not entered where it might exceed the budget: the remaining instructions run one by one.
  const rest = load<i64>(BUDGET) - <i64>load<u32>(block, BLOCK_COUNT);
  if (rest < 0) return stop(rip);
  store<i64>(BUDGET, rest);
  store<u32>(block, links, BLOCK_LINKS);
  // If the pool was restarted, `slot` now belongs to another block.
  if (slot && links == load<u32>(LINKS)) store<u32>(slot, block | <usize>samePage(linear));
  store<u64>(BLOCK_RIP, rip);
  store<u32>(BLOCK, block);
  warm(block);
  return <usize>load<u32>(block, BLOCK_FIRST);
}

/** Counts how often the interpreter or a translation entered a block from another one. */
export function warm(block: usize): void {
  const heat = load<u32>(block, BLOCK_HEAT) + 1;
  store<u32>(block, heat, BLOCK_HEAT);
  if (heat == load<u32>(HOT_HEAT)) noteHot(block);
}

/** Notifies the translator, if its list has room. */
export function noteHot(block: usize): void {
  const count = load<u32>(HOT_COUNT);
  if (count == MAX_HOT) return;
  store<u32>(HOT_BLOCKS + ((<usize>count) << 2), block);
  store<u32>(HOT_COUNT, count + 1);
}

/**
 * True if the current block was fetched from the linear page of `linear`, so that both are in the same physical page. Where a
 * page has several linear addresses, a segment limit may lie between them.
 */
function samePage(linear: u64): bool {
  if (load<u32>(CR0) >> 31 && load<u32>(CODE, SEG_LIMIT) != 0xffffffff && !code64()) return false;
  const from = (load<u64>(CODE, SEG_LINEAR) + load<u64>(BLOCK_RIP)) & load<u64>(LINEAR_MASK);
  return ((from ^ linear) & ~4095) == 0;
}

/** LINKS, advanced first where mode or code segment have changed since. */
function linksOfNow(): u32 {
  const key = keyOfNow();
  const base = load<u64>(CODE, SEG_LINEAR);
  const limit = load<u32>(CODE, SEG_LIMIT);
  if (key != load<u32>(LINK_KEY) || base != load<u64>(LINK_BASE) || limit != load<u32>(LINK_LIMIT)) {
    store<u32>(LINK_KEY, key);
    store<u64>(LINK_BASE, base);
    store<u32>(LINK_LIMIT, limit);
    cutLinks();
  }
  return load<u32>(LINKS);
}

/**
 * As `enter`, for a branch with a fixed target: if it was taken before, within one page, and nothing has changed since,
 * the checks of `enter` would have the same results. 0 where `enter` must be called.
 */
export function follow(rip: u64, slot: usize): usize {
  const block = <usize>load<u32>(slot) - 1;
  if (block & 1 || load<u32>(block, BLOCK_LINKS) != load<u32>(LINKS)) return 0;
  const rest = load<i64>(BUDGET) - <i64>load<u32>(block, BLOCK_COUNT);
  if (rest < 0 || load<u32>(EVENTS) != 0) return 0;
  store<i64>(BUDGET, rest);
  store<u64>(BLOCK_RIP, rip);
  store<u32>(BLOCK, block);
  return <usize>load<u32>(block, BLOCK_FIRST);
}

/** Looks up the page of the code; false where that faults, where it is not RAM, or for a page with a breakpoint. */
function fetchPage(linear: u64): bool {
  if (guardsPage(linear)) return false;
  // A page fault reports the address itself, not that of its page.
  const place = locateCode(linear);
  if (failed()) return false;
  if (!place) {
    cannotFetch();
    return false;
  }
  // The TLB was flushed, or another table of it is current.
  if (load<u64>(CODE_PAGE) & 1) cutLinks();
  store<u32>(CODE_PLACE, place & ~4095);
  store<u64>(CODE_PAGE, linear & ~4095);
  return true;
}

/**
 * How many blocks of a page are searched. A page may have thousands, and a hostile guest could make each branch search them
 * all; a block that is not among the newest is decoded again.
 */
const LONGEST_WALK: u32 = 64;

/**
 * How many blocks of a run are kept only until the next one. An interrupt comes anywhere, also in the middle of a block, and its
 * handler returns there: a block that stayed for each such place would fill the pages' lists with blocks that run once.
 */
export const MOST_STRAYS: u32 = 64;

/**
 * The block that starts at `place` in the current mode, made if there is none; 0 where its first instruction is incomplete.
 * @param direct true for an arrival by a branch with a fixed target, which comes again
 */
function find(place: usize, direct: bool): usize {
  const mode = load<u32>(MODE);
  const record = pageRecord(place);
  let inside = false;
  let walked: u32 = 0;
  for (
    let block = <usize>load<u32>(record, PAGE_BLOCKS);
    block;
    block = <usize>load<u32>(block, BLOCK_NEXT)
  ) {
    if (walked++ == LONGEST_WALK) break;
    if (renew(block, place)) return block;
    if (contains(block, place) && load<u32>(block, BLOCK_MODE) == mode) inside = true;
  }
  const left = load<u32>(STRAYS_LEFT);
  const isStray = inside && !direct && left > 0;
  if (isStray) {
    store<u32>(STRAYS_LEFT, left - 1);
    removeStray();
  }
  const made = make(place, mode);
  if (isStray) store<u32>(STRAY, made);
  return made;
}

/** Removes the last block that began in the middle of another, unless it was entered again. */
function removeStray(): void {
  const stray = <usize>load<u32>(STRAY);
  store<u32>(STRAY, 0);
  if (!stray || !load<u32>(stray, BLOCK_START) || load<u32>(stray, BLOCK_HEAT) > 1) return;
  const record = pageRecord(<usize>load<u32>(stray, BLOCK_START));
  // It is one of the newest of its page.
  let link = record + PAGE_BLOCKS;
  for (let walked: u32 = 0; walked < LONGEST_WALK; walked++) {
    const block = <usize>load<u32>(link);
    if (!block) return;
    if (block == stray) {
      store<u32>(link, load<u32>(stray, BLOCK_NEXT));
      store<u32>(stray, 0, BLOCK_START);
      // A branch to it looks its target up again.
      store<u32>(stray, 0, BLOCK_LINKS);
      return;
    }
    link = block + BLOCK_NEXT;
  }
}

/** True if `place` is one of the block's bytes. */
function contains(block: usize, place: usize): bool {
  const start = <usize>load<u32>(block, BLOCK_START);
  return start != 0 && start <= place && place < start + <usize>load<u32>(block, BLOCK_LENGTH);
}

/** True if the block starts at `place` in the current mode; where the monitor ran since it was used last, its bytes are compared. */
function renew(block: usize, place: usize): bool {
  if (<usize>load<u32>(block, BLOCK_START) != place || load<u32>(block, BLOCK_MODE) != load<u32>(MODE))
    return false;
  if (!unchanged(block)) {
    store<u32>(block, 0, BLOCK_START);
    return false;
  }
  checkTranslation(block);
  store<u32>(block, keyOfNow(), BLOCK_KEY);
  return true;
}

/** True if a block's bytes are those of its copy. */
function unchanged(block: usize): bool {
  let copy = block + BLOCK_OPS + <usize>(load<u32>(block, BLOCK_COUNT) + 1) * OP_SIZE;
  let at = <usize>load<u32>(block, BLOCK_START);
  const end = at + <usize>load<u32>(block, BLOCK_LENGTH);
  for (; at + 8 <= end; at += 8, copy += 8) if (load<u64>(at) != load<u64>(copy)) return false;
  for (; at < end; at++, copy++) if (load<u8>(at) != load<u8>(copy)) return false;
  return true;
}

/** A translation is valid as long as the bytes of all its blocks, which are in one page, are unchanged. */
function checkTranslation(block: usize): void {
  const record = <usize>load<u32>(block, BLOCK_FIRST);
  if (record == block + BLOCK_OPS) return;
  const end = record + TRANSLATION_LIST + ((<usize>load<u32>(record, TRANSLATION_BLOCKS)) << 2);
  for (let at = record + TRANSLATION_LIST; at < end; at += 4) {
    const other = <usize>load<u32>(at);
    if (load<u32>(other, BLOCK_START) && unchanged(other)) continue;
    store<u32>(block, block + BLOCK_OPS, BLOCK_FIRST);
    return;
  }
}

/** The block in which a budget ended, or 0: for the translator, which samples where the CPU often is. */
export function blockAtRip(): usize {
  const linear = (load<u64>(CODE, SEG_LINEAR) + load<u64>(RIP)) & load<u64>(LINEAR_MASK);
  if ((linear & ~4095) != load<u64>(CODE_PAGE)) return 0;
  const place = <usize>load<u32>(CODE_PLACE) | (<usize>linear & 4095);
  let walked: u32 = 0;
  let found: usize = 0;
  let block = <usize>load<u32>(pageRecord(place), PAGE_BLOCKS);
  for (; block && walked < LONGEST_WALK; walked++) {
    // Of several, that which begins last: a loop's beginning is often inside the block before it.
    const isCloser = !found || load<u32>(block, BLOCK_START) > load<u32>(found, BLOCK_START);
    if (contains(block, place) && load<u32>(block, BLOCK_MODE) == load<u32>(MODE) && isCloser) found = block;
    block = <usize>load<u32>(block, BLOCK_NEXT);
  }
  return found;
}

/** Decodes a block and enters it into its page. */
function make(place: usize, mode: u32): usize {
  const most = BLOCK_OPS + (MAX_OPERATIONS + 1) * OP_SIZE + MAX_OPERATIONS * MAX_LENGTH;
  if (<usize>load<u32>(POOL_NEXT) + most > <usize>load<u32>(POOL_LIMIT)) dropAllCode();
  const block = <usize>load<u32>(POOL_NEXT);
  const pageEnd = (place & ~4095) + 4096;
  let at = place;
  let out = block + BLOCK_OPS;
  let count: u32 = 0;
  while (count < MAX_OPERATIONS) {
    const length = decode(at, pageEnd, out, <u32>(at - place), mode);
    if (length == SHORT) break;
    at += length;
    out += OP_SIZE;
    count++;
    if (endsBlock) break;
  }
  if (count == 0) return 0;
  finish(block, out, count, <u32>(at - place));
  store<u32>(block, place, BLOCK_START);
  store<u32>(block, mode, BLOCK_MODE);
  const record = pageRecord(place);
  store<u32>(block, load<u32>(record, PAGE_BLOCKS), BLOCK_NEXT);
  store<u32>(record, block, PAGE_BLOCKS);
  forgetGap(record);
  if (load<u64>(record) == 0) guardPage(place & ~4095);
  store<u64>(record, load<u64>(record) | chunks(place, at - place));
  memory.copy(out + OP_SIZE, place, at - place);
  store<u32>(POOL_NEXT, (out + OP_SIZE + (at - place) + 7) & ~7);
  return block;
}

/** The block's header, and the operation that ends it. */
function finish(block: usize, out: usize, count: u32, length: u32): void {
  memory.fill(out, 0, OP_SIZE);
  store<u16>(out, <u16>FIRST_HANDLER + END_OF_BLOCK, OP_HANDLER);
  store<u32>(block, keyOfNow(), BLOCK_KEY);
  store<u32>(block, length, BLOCK_LENGTH);
  store<u32>(block, count, BLOCK_COUNT);
  store<u32>(block, block + BLOCK_OPS, BLOCK_FIRST);
  store<u32>(block, 0, BLOCK_HEAT);
}

/** Copies code to FETCHED, from byte `got` on, up to the end of its page. Returns the new number of bytes. */
function fetch(rip: u64, got: usize, limit: u64): usize {
  if (rip + <u64>got > limit) return got;
  const linear = (load<u64>(CODE, SEG_LINEAR) + rip + <u64>got) & load<u64>(LINEAR_MASK);
  const place = locateCode(linear);
  if (!place) return got;
  let count = min<usize>(MAX_LENGTH - got, 4096 - (<usize>linear & 4095));
  if (<u64>count > limit - rip - <u64>got) count = <usize>(limit - rip - <u64>got) + 1;
  memory.copy(FETCHED + got, place, count);
  return got + count;
}

/**
 * A block of one instruction for a single use: across the end of a page, at the end of the code segment, or for single
 * execution. Only an instruction that reaches the second page fetches from it.
 */
export function lone(rip: u64): usize {
  const limit = code64() ? ~(<u64>0) : <u64>load<u32>(CODE, SEG_LIMIT);
  const first = fetch(rip, 0, limit);
  let got = first;
  const out = SCRATCH + BLOCK_OPS;
  let length = decode(FETCHED, FETCHED + got, out, 0, load<u32>(MODE));
  if (length == SHORT && first && !failed()) {
    got = fetch(rip, first, limit);
    length = decode(FETCHED, FETCHED + got, out, 0, load<u32>(MODE));
  }
  if (length == SHORT) {
    // Too long, or beyond the segment's limit: #GP. Memory that is not RAM cannot be executed.
    if (!failed()) {
      if (got == MAX_LENGTH || rip + <u64>got > limit) fault(GP);
      else cannotFetch();
    }
    return stop(rip);
  }
  store<u32>(TROUBLE, 0);
  finish(SCRATCH, SCRATCH + BLOCK_OPS + OP_SIZE, 1, <u32>load<u8>(SCRATCH + BLOCK_OPS, OP_LENGTH));
  store<u64>(BLOCK_RIP, rip);
  store<u32>(BLOCK, SCRATCH);
  store<i64>(BUDGET, load<i64>(BUDGET) - 1);
  return SCRATCH + BLOCK_OPS;
}

/** The operations of the block that were charged but did not run: `pc` and those after it. */
function ahead(pc: usize): i64 {
  const block = <usize>load<u32>(BLOCK);
  return <i64>load<u32>(block, BLOCK_COUNT) - <i64>((pc - block - BLOCK_OPS) / OP_SIZE);
}

export function refund(pc: usize): void {
  store<i64>(BUDGET, load<i64>(BUDGET) + ahead(pc));
}

/** The number of instructions that have completed before the one at `pc`. */
export function clockAt(pc: usize): i64 {
  return load<i64>(CLOCK) - load<i64>(BUDGET) - ahead(pc);
}

/** Continues with the next instruction, after one that ends its block. */
export function proceed(pc: usize): usize {
  return enter(ripAfter(pc), 0);
}

/** Continues with the next block, from the operation that only marks the end. */
export function fall(pc: usize): usize {
  const rip = ripAfter(pc - OP_SIZE);
  const next = follow(rip, pc + OP_TAKEN);
  return next ? next : enter(rip, pc + OP_TAKEN);
}

/** Continues at RIP. */
export function arrive(_pc: usize): usize {
  return enter(load<u64>(RIP), 0);
}

/** Runs the same instruction again, after pending events were checked. */
export function again(pc: usize): usize {
  refund(pc);
  return enter(ripOf(pc), 0);
}
