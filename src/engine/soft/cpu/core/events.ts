// Events that must be checked between two instructions.
import {
  EVENT_NMI,
  EVENT_QUIET,
  EVENT_RESUME,
  EVENT_SHADOW,
  EVENT_TRAP,
  EVENT_WINDOW,
  EVENTS,
  NMI_BLOCKED,
  NMI_PENDING,
  WINDOW_WANTED,
} from '../../layout';
import { IF, RF, systemFlag, TF } from './flags';

/** After STI no interrupt is taken before the next instruction has completed (SDM 3A 7.8.1). */
export function shadow(): void {
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SHADOW);
}

/** After MOV SS and POP SS no debug exception is taken either (SDM 3A 7.8.3). */
export function shadowOfStack(): void {
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SHADOW | EVENT_QUIET);
}

/**
 * IRET ends the blocking of NMIs, even where it faults; a pending one is taken right after it (SDM 3A 7.7.1, 3C 28.2.3).
 */
export function unblockNmi(): void {
  store<u32>(NMI_BLOCKED, 0);
  if (load<u32>(NMI_PENDING)) store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_NMI);
}

/** Call it where RFLAGS.IF, TF or RF may have changed, or where the monitor's request for an interrupt window has changed. */
export function updateEvents(): void {
  let events = load<u32>(EVENTS) & ~(EVENT_TRAP | EVENT_WINDOW | EVENT_RESUME);
  if (systemFlag(TF)) events |= EVENT_TRAP;
  if (systemFlag(RF)) events |= EVENT_RESUME;
  if (load<u32>(WINDOW_WANTED) && systemFlag(IF)) events |= EVENT_WINDOW;
  store<u32>(EVENTS, events);
}
