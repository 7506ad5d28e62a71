import type { Engine } from '../engine/contract.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { ConfigError } from '../errors.js';

export const engineNames = ['auto', 'kvm'] as const;
export type EngineName = (typeof engineNames)[number];

/** The engine of that name. `auto` takes KVM, the only engine of this version. */
export function engineByName(name: EngineName = 'auto'): Engine {
  if (name === 'auto' || name === 'kvm') return kvmEngine({ watchable: true });
  throw new ConfigError(`there is no engine '${name}'`, `engines are ${engineNames.join(', ')}`);
}
