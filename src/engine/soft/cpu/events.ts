// What has to be looked at between two instructions.
import { EVENT_SHADOW, EVENT_TRAP, EVENT_WINDOW, EVENTS, WINDOW_WANTED } from '../layout';
import { IF, systemFlag, TF } from './flags';

/** No interrupt before the instruction after the next one begins: STI, MOV SS, POP SS (SDM 3A 6.8.1, 6.8.3). */
export function shadow(): void {
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SHADOW);
}

/** Call it where RFLAGS.IF or TF may have changed, or what the monitor waits for. */
export function updateEvents(): void {
  let events = load<u32>(EVENTS) & ~(EVENT_TRAP | EVENT_WINDOW);
  if (systemFlag(TF)) events |= EVENT_TRAP;
  if (load<u32>(WINDOW_WANTED) && systemFlag(IF)) events |= EVENT_WINDOW;
  store<u32>(EVENTS, events);
}
