// How translated code continues in other code (see translate/).
import {
  BLOCK,
  BLOCK_COUNT,
  BLOCK_FIRST,
  BLOCK_HEAT,
  BLOCK_LINKS,
  BLOCK_OPS,
  BLOCK_RIP,
  BLOCK_START,
  BUDGET,
  CODE_PAGE,
  CODE_PLACE,
  EVENTS,
  FIRST_TRANSLATION,
  GENERATION,
  LEFT_COUNT,
  LEFT_PLACE,
  LEFT_PLACES,
  LINEAR_MASK,
  LINKS,
  MAX_LEFT_PLACES,
  MODE,
  NO_BLOCK,
  OP_HANDLER,
  OP_OFFSET,
  RETURN_BLOCK,
  RETURN_NEEDED,
  SEG_CS,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  TRANSLATED_CALLS,
  TRANSLATION_LEFT,
  TRANSLATION_LIST,
  TRANSLATION_MOST_LEFT,
} from '../../layout';
import { enter, follow, noteHot, warm } from './blocks';

/** The most nested calls, because each takes some of the host's stack. */
const MOST_CALLS: u32 = 100;
/** A result in place of an operation: "returned to the block after the call". */
const CAME_BACK: usize = 1;
const CODE = SEGMENTS + SEG_CS * SEGMENT_SIZE;

/** A function that is left before this many instructions is left early. */
const EARLY: i64 = 1000;

/**
 * Translated code is left before the operation at `pc`, after this many instructions, because of an unusual case. The
 * translator is notified if that happens often and early. Returns the operation.
 */
export function leaveAt(pc: usize, translation: usize, instructions: i64): usize {
  store<i64>(LEFT_COUNT, load<i64>(LEFT_COUNT) + 1);
  notePlace(load<u64>(BLOCK_RIP) + <u64>load<u16>(pc, OP_OFFSET), <u32>load<u16>(pc, OP_HANDLER));
  const most = load<u32>(translation, TRANSLATION_MOST_LEFT);
  if (!most || instructions >= EARLY) return pc;
  const left = load<u32>(translation, TRANSLATION_LEFT) + 1;
  store<u32>(translation, left, TRANSLATION_LEFT);
  if (left == most) noteHot(<usize>load<u32>(translation, TRANSLATION_LIST));
  return pc;
}

/** Counts a place. Another place with the same entry replaces it once it has come as often. */
function notePlace(rip: u64, handler: u32): void {
  const entry =
    LEFT_PLACES + <usize>((<u32>(rip ^ (rip >> 6)) + handler) & (MAX_LEFT_PLACES - 1)) * LEFT_PLACE;
  const count = load<u32>(entry, 12);
  if (load<u64>(entry) == rip && load<u32>(entry, 8) == handler) store<u32>(entry, count + 1, 12);
  else if (count > 1) store<u32>(entry, count - 1, 12);
  else {
    store<u64>(entry, rip);
    store<u32>(entry, handler, 8);
    store<u32>(entry, 1, 12);
  }
}

/** The next code is not translated. */
function comeToOther(block: usize): void {
  notePlace(load<u64>(BLOCK_RIP), 0);
  warm(block);
}

/** As `enter`. CAME_BACK for the block after the innermost call: then that block has been entered. */
export function goOn(rip: u64, slot: usize): usize {
  if (!slot) return isBack(rip) ? CAME_BACK : enter(rip, 0);
  const next = follow(rip, slot);
  if (!next) return enter(rip, slot);
  const block = <usize>load<u32>(BLOCK);
  if (next == block + BLOCK_OPS) comeToOther(block);
  return next;
}

/** As `follow`, for a return to the block after a call. */
function isBack(rip: u64): bool {
  const linear = (load<u64>(CODE, SEG_LINEAR) + rip) & load<u64>(LINEAR_MASK);
  if ((linear & ~4095) != load<u64>(CODE_PAGE) || load<u32>(EVENTS) != 0) return false;
  const block = <usize>load<u32>(RETURN_BLOCK);
  if (load<u32>(block, BLOCK_START) != (load<u32>(CODE_PLACE) | (<u32>linear & 4095))) return false;
  if (load<u32>(block, BLOCK_LINKS) != load<u32>(LINKS)) return false;
  const rest = load<i64>(BUDGET) - <i64>load<u32>(block, BLOCK_COUNT);
  if (rest < <i64>load<i32>(RETURN_NEEDED)) return false;
  store<i64>(BUDGET, rest);
  store<u64>(BLOCK_RIP, rip);
  store<u32>(BLOCK, <u32>block);
  return true;
}

/**
 * Enters the code at `rip`, as `enter` does, and continues from translation to translation, until one reaches the block
 * after the call. CAME_BACK if the caller can continue there: only the guest has changed state, and `needed`
 * instructions are left. Otherwise returns the next operation, as `enter` does.
 */
export function callThrough(rip: u64, slot: usize, block: usize, needed: i32): usize {
  let next = slot ? follow(rip, slot) : 0;
  if (!next) next = enter(rip, slot);
  const calls = load<u32>(TRANSLATED_CALLS);
  if (calls >= MOST_CALLS) return next;
  const generation = load<u32>(GENERATION);
  const mode = load<u32>(MODE);
  const first = load<u32>(FIRST_TRANSLATION);
  const outer = load<u32>(RETURN_BLOCK);
  const outerNeeded = load<i32>(RETURN_NEEDED);
  store<u32>(TRANSLATED_CALLS, calls + 1);
  store<u32>(RETURN_BLOCK, <u32>block);
  store<i32>(RETURN_NEEDED, needed);
  while (next > CAME_BACK) {
    if (load<u32>(BLOCK) == <u32>block && load<u32>(GENERATION) == generation) {
      if (next == <usize>load<u32>(block, BLOCK_FIRST)) {
        // It is already part of a translation.
        store<u32>(block, 0, BLOCK_HEAT);
        if (load<u32>(MODE) == mode && load<i64>(BUDGET) >= <i64>needed) next = CAME_BACK;
        break;
      }
    }
    const handler = <u32>load<u16>(next, OP_HANDLER);
    if (handler < first) {
      if (next == <usize>load<u32>(BLOCK) + BLOCK_OPS) comeToOther(<usize>load<u32>(BLOCK));
      break;
    }
    next = call_indirect<usize>(handler, next);
  }
  store<u32>(TRANSLATED_CALLS, calls);
  // Where all blocks were dropped, the place has other contents now.
  store<u32>(RETURN_BLOCK, load<u32>(GENERATION) == generation ? outer : <u32>NO_BLOCK);
  store<i32>(RETURN_NEEDED, outerNeeded);
  return next;
}
