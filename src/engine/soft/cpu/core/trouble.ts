// Whether the current instruction has failed or must be left: every slow path checks this.
import { TROUBLE, TROUBLE_EXIT, TROUBLE_FAULT } from '../../layout';

/** True if the instruction cannot complete, or its block must not continue. */
export function troubled(): bool {
  return load<u32>(TROUBLE) != 0;
}

/** True if the instruction cannot complete. */
export function failed(): bool {
  return (load<u32>(TROUBLE) & (TROUBLE_FAULT | TROUBLE_EXIT)) != 0;
}
