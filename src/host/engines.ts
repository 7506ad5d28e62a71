import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../engine/contract.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { type SoftEngine, softEngine } from '../engine/soft/index.js';
import { ConfigError } from '../errors.js';

export const engineNames = ['auto', 'kvm', 'soft'] as const;
export type EngineName = (typeof engineNames)[number];

let soft: SoftEngine | undefined;

/** The software engine, loaded from the package's dist/ when it is first asked for. */
function loadSoftEngine(): SoftEngine {
  if (soft !== undefined) return soft;
  const file = fileURLToPath(new URL('dist/soft.wasm', import.meta.resolve('#package')));
  if (!existsSync(file)) throw new ConfigError('the software CPU is not built', 'build it: npm run build');
  soft = softEngine(new WebAssembly.Module(readFileSync(file)));
  return soft;
}

/** The engine of that name. `auto` takes KVM: the software engine runs 16-bit guests only, so it has to be asked for. */
export function engineByName(name: EngineName = 'auto'): Engine {
  if (name === 'auto' || name === 'kvm') return kvmEngine({ watchable: true });
  if (name === 'soft') return loadSoftEngine();
  throw new ConfigError(`there is no engine '${name}'`, `engines are ${engineNames.join(', ')}`);
}
