// Calls of guest functions from translated code (see translate/).
import {
  BLOCK,
  BLOCK_FIRST,
  BLOCK_HEAT,
  BUDGET,
  FIRST_TRANSLATION,
  GENERATION,
  MODE,
  OP_HANDLER,
  TRANSLATED_CALLS,
} from '../../layout';

/** How many may be under way, because each takes some of the host's stack. */
const MOST_CALLS: u32 = 100;
/** Where an operation would be, for "back behind the call". */
const CAME_BACK: usize = 1;

/**
 * Goes on at the operation at `pc`, from translation to translation, until one comes to the block behind the call. CAME_BACK if
 * the caller can go on there: all is as it was but for what the guest did, and `needed` instructions are left. Else it gives
 * the operation to go on with, as `enter` does.
 */
export function through(pc: usize, block: usize, needed: i32): usize {
  const calls = load<u32>(TRANSLATED_CALLS);
  if (calls >= MOST_CALLS) return pc;
  const generation = load<u32>(GENERATION);
  const mode = load<u32>(MODE);
  const first = load<u32>(FIRST_TRANSLATION);
  store<u32>(TRANSLATED_CALLS, calls + 1);
  let next = pc;
  while (next) {
    if (load<u32>(BLOCK) == <u32>block && load<u32>(GENERATION) == generation) {
      if (next == <usize>load<u32>(block, BLOCK_FIRST)) {
        // It is part of a translation already.
        store<u32>(block, 0, BLOCK_HEAT);
        if (load<u32>(MODE) == mode && load<i64>(BUDGET) >= <i64>needed) next = CAME_BACK;
        break;
      }
    }
    const handler = <u32>load<u16>(next, OP_HANDLER);
    if (handler < first) break;
    next = call_indirect<usize>(handler, next);
  }
  store<u32>(TRANSLATED_CALLS, calls);
  return next;
}
