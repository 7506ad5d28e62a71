// What has to be looked at between two instructions.
import {
  EVENT_QUIET,
  EVENT_RESUME,
  EVENT_SHADOW,
  EVENT_TRAP,
  EVENT_WINDOW,
  EVENTS,
  WINDOW_WANTED,
} from '../../layout';
import { IF, RF, systemFlag, TF } from './flags';

/** Behind STI no interrupt is taken before the next instruction is done (SDM 3A 7.8.1). */
export function shadow(): void {
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SHADOW);
}

/** Behind MOV SS and POP SS no debug exception is taken either (SDM 3A 7.8.3). */
export function shadowOfStack(): void {
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SHADOW | EVENT_QUIET);
}

/** Call it where RFLAGS.IF, TF or RF may have changed, or what the monitor waits for. */
export function updateEvents(): void {
  let events = load<u32>(EVENTS) & ~(EVENT_TRAP | EVENT_WINDOW | EVENT_RESUME);
  if (systemFlag(TF)) events |= EVENT_TRAP;
  if (systemFlag(RF)) events |= EVENT_RESUME;
  if (load<u32>(WINDOW_WANTED) && systemFlag(IF)) events |= EVENT_WINDOW;
  store<u32>(EVENTS, events);
}
