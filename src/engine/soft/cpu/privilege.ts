// Who may do what.
import { CPL } from '../layout';
import { fault, GP } from './faults';

/** True where the instruction may do what only ring 0 may; a fault where not. */
export function privileged(): bool {
  if (load<u32>(CPL) == 0) return true;
  fault(GP);
  return false;
}
