// Who may do what.
import { notImplemented } from './faults';
import { realMode } from './segments';

/** True where the instruction may do what only ring 0 may. */
export function privileged(): bool {
  if (realMode()) return true;
  notImplemented();
  return false;
}
