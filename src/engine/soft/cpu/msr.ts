// Model-specific registers and the time stamp counter (SDM 4, 3B 17.17).
import { BUDGET, CLOCK, RAX, RDX } from '../layout';
import { notImplemented } from './faults';

/** The time stamp counter counts instructions. */
export function rdtsc(_pc: usize): void {
  const now = load<i64>(CLOCK) - load<i64>(BUDGET);
  store<u64>(RAX, <u64>now & 0xffffffff);
  store<u64>(RDX, <u64>now >> 32);
}

export function rdmsr(_pc: usize): void {
  notImplemented();
}
export function wrmsr(_pc: usize): void {
  notImplemented();
}
