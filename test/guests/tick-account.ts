/** An account of a timer's ticks: counted by the guest, still to follow, or lost. */
import type { Pic8259, Pit8254 } from '../../src/devices/index.js';
import type { Machine } from '../../src/machine/index.js';

/** The address of the count of the guests `ticks-*.S`. */
const COUNTER = 0x500;
/** Milliseconds for a guest to finish its current tick. */
const TIMEOUT_MS = 1000;

export interface TickAccount {
  /** Periods since the guest loaded the counter. */
  readonly due: number;
  readonly counted: number;
  /** Due, and not yet delivered to the guest: it was late, and they follow one by one. */
  readonly owed: number;
  readonly lost: number;
}

/**
 * Continues a guest, a millisecond at a time, until no tick is between the CPU and the counter, and makes the account.
 * The clock stops between runs, so the sums must be equal. On a busy host the next tick may be at the controller by
 * then.
 */
export function tickAccount(machine: Machine, pic: Pic8259, pit: Pit8254): TickAccount {
  for (let patience = TIMEOUT_MS; patience > 0; patience--) {
    if ((pic.save().master.isr & 1) === 0) break;
    machine.run({ timeoutMs: 1 });
  }
  const { counters, untilTick } = pit.save();
  const { count, elapsed } = counters[0]!;
  const due = Math.floor(elapsed / count);
  const counted = machine.memory.read32(COUNTER);
  const owed = untilTick !== null && untilTick <= 0 ? Math.floor(-untilTick / count) + 1 : 0;
  const requested = pic.save().master.edges & 1;
  return { due, counted, owed, lost: due - counted - owed - requested };
}
