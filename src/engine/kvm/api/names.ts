/** The names of KVM's numbers, for messages. */
import * as constants from './constants.js';

/** The name of a KVM_RUN exit reason, such as `KVM_EXIT_IO` for 2. */
export function exitReasonName(reason: number): string {
  return nameOf(exitReasons, reason, 'exit reason');
}

/** The name of an internal error's suberror, such as `KVM_INTERNAL_ERROR_EMULATION` for 1. */
export function suberrorName(suberror: number): string {
  return nameOf(suberrors, suberror, 'internal error');
}

/** Numbers to names, for the constants that start with `prefix` but not with `but`. */
function namesOf(prefix: string, but: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, value] of Object.entries(constants)) {
    if (name.startsWith(prefix) && !name.startsWith(but)) names.set(value, name);
  }
  return names;
}

const exitReasons = namesOf('KVM_EXIT_', 'KVM_EXIT_IO_');
const suberrors = namesOf('KVM_INTERNAL_ERROR_', 'KVM_INTERNAL_ERROR_EMULATION_FLAG');

function nameOf(names: ReadonlyMap<number, string>, value: number, what: string): string {
  return names.get(value) ?? `${what} ${value}`;
}
