// Whether the instruction that runs has come into trouble: every slow path looks here.
import { TROUBLE, TROUBLE_EXIT, TROUBLE_FAULT } from '../../layout';

/** True if the instruction cannot go on, or its block must not. */
export function troubled(): bool {
  return load<u32>(TROUBLE) != 0;
}

/** True if the instruction cannot go on. */
export function failed(): bool {
  return (load<u32>(TROUBLE) & (TROUBLE_FAULT | TROUBLE_EXIT)) != 0;
}
