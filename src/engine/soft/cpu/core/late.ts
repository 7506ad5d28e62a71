// The store of the last instruction of a turn may stay in its CPU's store buffer until the CPU's next turn, as the
// memory model allows (SDM 3A 9.2.2): another CPU then reads the old value, even between the read and the write of one
// instruction. This excludes instructions with LOCK, and those that store more than once. The instruction runs alone,
// and each of its accesses is checked.
import {
  ANSWER_COUNT,
  BLOCK_OPS,
  EXIT_KIND,
  FETCHED,
  FLAG_LOCK,
  LATE_COUNT,
  LATE_PLACE,
  LATE_SIZE,
  LATE_VALUE,
  OP_FLAGS,
  OP_LENGTH,
  SCRATCH,
  WATCHES_DATA,
  WATCHES_LATE,
} from '../../layout';
import { selectTlb } from './tlb';

/** From now on, stores are recorded. */
export function armLate(): void {
  store<u32>(LATE_COUNT, 0);
  store<u32>(WATCHES_DATA, load<u32>(WATCHES_DATA) | WATCHES_LATE);
  selectTlb();
}

/** The bytes at `place` are about to be written. */
export function noteLate(place: usize, size: u32): void {
  if (!(load<u32>(WATCHES_DATA) & WATCHES_LATE)) return;
  const count = load<u32>(LATE_COUNT) + 1;
  store<u32>(LATE_COUNT, count);
  if (count > 1) return;
  store<u32>(LATE_PLACE, <u32>place);
  store<u32>(LATE_SIZE, size);
  memory.copy(LATE_VALUE, place, size);
}

/** The instruction has run: undoes its store where the store may be late. */
export function takeLate(): void {
  store<u32>(WATCHES_DATA, load<u32>(WATCHES_DATA) & ~WATCHES_LATE);
  selectTlb();
  const unfinished = load<u32>(EXIT_KIND) != 0 || load<u32>(ANSWER_COUNT) != 0;
  if (unfinished || load<u32>(LATE_COUNT) != 1 || isLocked()) {
    store<u32>(LATE_SIZE, 0);
    return;
  }
  const place = <usize>load<u32>(LATE_PLACE);
  const size = load<u32>(LATE_SIZE);
  const old = load<u64>(LATE_VALUE);
  memory.copy(LATE_VALUE, place, size);
  for (let i: u32 = 0; i < size; i++) store<u8>(place + <usize>i, <u8>(old >> ((<u64>i) << 3)));
}

/** True for LOCK, and for XCHG with memory, which locks without the prefix. */
function isLocked(): bool {
  const operation = SCRATCH + BLOCK_OPS;
  if (load<u8>(operation, OP_FLAGS) & FLAG_LOCK) return true;
  const length = <usize>load<u8>(operation, OP_LENGTH);
  let at: usize = 0;
  while (at < length && isPrefix(load<u8>(FETCHED + at))) at++;
  return (load<u8>(FETCHED + at) & 0xfe) == 0x86;
}

function isPrefix(byte: u8): bool {
  return (
    (byte & 0xe7) == 0x26 || (byte >= 0x64 && byte <= 0x67) || byte >> 4 == 4 || byte == 0xf2 || byte == 0xf3
  );
}
