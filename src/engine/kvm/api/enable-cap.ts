import { scratch } from './codec.js';
import { errnoNumbers } from './errno.js';
import { callFailed } from './errors.js';
import { kvm_enable_cap } from './layout.js';

/** A `struct kvm_enable_cap`. */
export function encodeEnableCap(capability: number, args: readonly bigint[]): DataView {
  if (args.length > 4) throw callFailed('KVM_ENABLE_CAP', errnoNumbers.EINVAL);
  const f = kvm_enable_cap;
  const cap = scratch(f.sizeof);
  cap.setUint32(f.cap, capability, true);
  for (const [i, arg] of args.entries()) cap.setBigUint64(f.args + 8 * i, arg, true);
  return cap;
}
