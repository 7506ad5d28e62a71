// Delivery of interrupts and exceptions. In real-address mode: FLAGS, CS and IP go onto the stack, and the vector's entry
// in the table at IDTR says where to go on (SDM 3A 20.1.4).
import { FLAGS_SYSTEM, IDT_BASE, IDT_LIMIT, RIP, SEG_CS, SEG_SS, TROUBLE, TROUBLE_FAULT } from '../layout';
import { updateEvents } from './events';
import { EXIT_SHUTDOWN, exitFor } from './external';
import { DOUBLE_FAULT, fault, GP, notImplemented } from './faults';
import { AC, IF, RF, rflags, TF } from './flags';
import { failed, readLinear, write } from './memory';
import { loadSegment, realMode, selectorOf } from './segments';
import { setStack, stackAt } from './stack';

/** Goes to the handler of `vector`, to come back to `rip`. Changes nothing where it fails. */
export function interrupt(vector: u32, rip: u64): void {
  if (!realMode()) {
    notImplemented();
    return;
  }
  if (vector * 4 + 3 > load<u32>(IDT_LIMIT)) {
    fault(GP);
    return;
  }
  const entry = load<u64>(IDT_BASE) + <u64>(vector * 4);
  write<u16>(SEG_SS, stackAt(-2), <u16>rflags());
  if (failed()) return;
  write<u16>(SEG_SS, stackAt(-4), <u16>selectorOf(SEG_CS));
  if (failed()) return;
  write<u16>(SEG_SS, stackAt(-6), <u16>rip);
  if (failed()) return;
  const offset = readLinear<u16>(entry);
  if (failed()) return;
  const selector = readLinear<u16>(entry + 2);
  if (failed()) return;
  setStack(stackAt(-6));
  store<u32>(FLAGS_SYSTEM, load<u32>(FLAGS_SYSTEM) & ~(IF | TF | RF | AC));
  loadSegment(SEG_CS, <u32>selector);
  store<u64>(RIP, <u64>offset);
  updateEvents();
}

/** An exception at `rip`. One that cannot be delivered is a double fault; where that cannot be either, it is the end. */
export function exception(vector: u32, rip: u64): void {
  interrupt(vector, rip);
  if (!(load<u32>(TROUBLE) & TROUBLE_FAULT)) return;
  store<u32>(TROUBLE, load<u32>(TROUBLE) & ~TROUBLE_FAULT);
  if (vector != DOUBLE_FAULT) {
    interrupt(DOUBLE_FAULT, rip);
    if (!(load<u32>(TROUBLE) & TROUBLE_FAULT)) return;
  }
  store<u64>(RIP, rip);
  exitFor(EXIT_SHUTDOWN);
}
