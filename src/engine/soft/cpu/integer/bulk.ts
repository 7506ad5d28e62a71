// Many iterations of REP MOVS and REP STOS at once, where the result is the same: upwards, within one page, on RAM that the
// fast path may access. In other cases the iterations run one by one.
import { BUDGET, EVENTS, OP_ADDRESS, RAX, RCX, RDI, RSI, SEG_ES } from '../../layout';
import { DF, systemFlag } from '../core/flags';
import { readable, writable } from '../core/memory';
import { cutAddress, segment, setByAddressSize } from '../core/operands';

const PAGE: u64 = 4096;

/** How many iterations of `size` bytes fit from an offset on, before the end of the address size's range; at most a page. */
function roundsFrom(pc: usize, offset: u64, size: u64): u64 {
  const last = ~(<u64>0) >> <u64>load<u8>(pc, OP_ADDRESS);
  return (min<u64>(last - offset, PAGE - 1) + 1) / size;
}

/** The iterations that both the counter and the budget allow. */
function wanted(pc: usize): u64 {
  const budget = load<i64>(BUDGET);
  if (budget <= 1 || load<u32>(EVENTS) != 0 || systemFlag(DF)) return 0;
  return min<u64>(cutAddress(pc, load<u64>(RCX)), <u64>budget);
}

/** Bytes from a linear address to the end of its page; the address in memory has the same low bits. */
function room(place: usize): u64 {
  return PAGE - (<u64>place & (PAGE - 1));
}

/** As in `roundDone`: the last iteration has been counted with the instruction. */
function count(pc: usize, rounds: u64): void {
  const left = cutAddress(pc, load<u64>(RCX) - rounds);
  setByAddressSize(pc, RCX, left);
  store<i64>(BUDGET, load<i64>(BUDGET) - <i64>rounds + (left == 0 ? 1 : 0));
}

/** Runs as many iterations of MOVS as possible at once, and returns their number: 0 where the next one must run alone. */
export function moveMany<T>(pc: usize): u64 {
  const size: u64 = sizeof<T>();
  let rounds = wanted(pc);
  if (rounds < 2) return 0;
  const source = cutAddress(pc, load<u64>(RSI));
  const target = cutAddress(pc, load<u64>(RDI));
  let from = readable(segment(pc), source, size);
  let to = writable(SEG_ES, target, size);
  if (!from || !to) return 0;
  rounds = min<u64>(rounds, min<u64>(room(from), room(to)) / size);
  rounds = min<u64>(rounds, min<u64>(roundsFrom(pc, source, size), roundsFrom(pc, target, size)));
  if (rounds < 2) return 0;
  const bytes = rounds * size;
  // Check the segments' limits for all bytes.
  if (!readable(segment(pc), source, bytes) || !writable(SEG_ES, target, bytes)) return 0;
  if (<u64>(to - from) >= bytes) memory.copy(to, from, <usize>bytes);
  else {
    // The ranges overlap: each iteration reads what the ones before it have written.
    for (let left = rounds; left; left--, from += sizeof<T>(), to += sizeof<T>()) store<T>(to, load<T>(from));
  }
  setByAddressSize(pc, RSI, cutAddress(pc, source + bytes));
  setByAddressSize(pc, RDI, cutAddress(pc, target + bytes));
  count(pc, rounds);
  return rounds;
}

/** As `moveMany`, for STOS. */
export function storeMany<T>(pc: usize): u64 {
  const size: u64 = sizeof<T>();
  let rounds = wanted(pc);
  if (rounds < 2) return 0;
  const target = cutAddress(pc, load<u64>(RDI));
  let to = writable(SEG_ES, target, size);
  if (!to) return 0;
  rounds = min<u64>(min<u64>(rounds, room(to) / size), roundsFrom(pc, target, size));
  if (rounds < 2) return 0;
  const bytes = rounds * size;
  if (!writable(SEG_ES, target, bytes)) return 0;
  const value = load<T>(RAX);
  if (sizeof<T>() == 1) memory.fill(to, <u8>value, <usize>bytes);
  else {
    // Count iterations, not addresses: the end may be the end of memory, where the address wraps to 0.
    for (let left = rounds; left; left--, to += sizeof<T>()) store<T>(to, value);
  }
  setByAddressSize(pc, RDI, cutAddress(pc, target + bytes));
  count(pc, rounds);
  return rounds;
}
