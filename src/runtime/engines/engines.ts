import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Mode } from '../../boot/index.js';
import { assisted, dryRun } from '../../engine/assist/index.js';
import type { DryRun, Engine, EngineCpu } from '../../engine/contract/index.js';
import { has32BitPaging, KvmEngine, KvmError } from '../../engine/kvm/index.js';
import { type SoftEngine, softEngine } from '../../engine/soft/index.js';
import { ConfigError, TerrariumError } from '../../errors.js';
import type { ClockName } from '../../machine/index.js';
import type { GuestMemory } from '../../memory/index.js';

export const engineNames = ['auto', 'kvm', 'soft'] as const;
export type EngineName = (typeof engineNames)[number];

/** Calls a CPU out of the host's kernel, from any thread, as `Engine.kick` does. */
export function kickKernel(control: Int32Array): void {
  new KvmEngine().kick(control);
}

/** What an engine is to be able to do, as far as the choice depends on it. */
export interface EngineWishes {
  /** The guest's first state: not every host's KVM can do all of them. */
  mode?: Mode;
  /** The machine's clock: `instructions` is the software CPU's. */
  clock?: ClockName;
  /** Let the software CPU finish instructions that KVM gives up on. Default true. */
  assist?: boolean;
  /** KVM's device file. Default `/dev/kvm`. */
  device?: string;
}

/** An engine, and why it was taken where that needs saying. */
export interface EngineChoice {
  readonly engine: Engine;
  /** Why `auto` did not take KVM: a phrase for people. */
  readonly because?: string;
}

const wasm = () => fileURLToPath(new URL('dist/soft.wasm', import.meta.resolve('#package')));
let soft: SoftEngine | undefined;

/** The software engine, loaded from the package's dist/ when it is first asked for. */
function loadSoftEngine(): SoftEngine {
  if (soft !== undefined) return soft;
  if (!existsSync(wasm())) throw new ConfigError('the software CPU is not built', 'build it: npm run build');
  soft = softEngine(new WebAssembly.Module(readFileSync(wasm())));
  return soft;
}

/** Runs a CPU's next instruction on a copy of the memory, for any engine; undefined where that cannot be done. Changes nothing. */
export function dryRunNext(cpu: EngineCpu, memory: GuestMemory): DryRun | undefined {
  if (soft === undefined && !existsSync(wasm())) return undefined;
  return dryRun(cpu, memory, loadSoftEngine());
}

/** The engine of that name; see `chooseEngine`. */
export function engineByName(name: EngineName = 'auto', wishes: EngineWishes = {}): Engine {
  return chooseEngine(name, wishes).engine;
}

/**
 * The engine of that name. `auto` takes KVM where this host can run the guest on it, else the software CPU.
 * @throws where `auto` finds neither, what KVM said
 */
export function chooseEngine(name: EngineName = 'auto', wishes: EngineWishes = {}): EngineChoice {
  const { device, assist = true } = wishes;
  if (name === 'soft') return { engine: loadSoftEngine() };
  if (name !== 'auto' && name !== 'kvm') {
    throw new ConfigError(`there is no engine '${name}'`, `engines are ${engineNames.join(', ')}`);
  }
  const options = { watchable: true, failuresLeave: assist, ...(device !== undefined && { path: device }) };
  const kvm = new KvmEngine(options);
  const engine = assist ? assisted(kvm, loadSoftEngine) : kvm;
  if (name === 'kvm') return { engine };
  const because = whyNotKvm(kvm, wishes);
  if (because === undefined) return { engine };
  if (soft === undefined && !existsSync(wasm())) {
    throw new TerrariumError('ENOENGINE', `${because}, and the software CPU is not built`, {
      hint: 'build it: npm run build; what this host’s KVM lacks: terrarium doctor',
    });
  }
  return { engine: loadSoftEngine(), because };
}

/** Devices that have made a virtual machine in this thread. */
const proven = new Set<string>();

/** Undefined where KVM can run the guest here. */
function whyNotKvm(kvm: KvmEngine, { mode, clock, device = '/dev/kvm' }: EngineWishes): string | undefined {
  if (clock === 'instructions') return 'KVM does not count instructions (--clock instructions)';
  try {
    if ((mode === 'paged' || mode === 'pae') && !has32BitPaging(kvm.device)) {
      return `this host’s KVM cannot do 32-bit paging (--mode ${mode})`;
    }
    // A device that opens may still refuse to make a virtual machine.
    if (!proven.has(device)) kvm.device.createVm()[Symbol.dispose]();
    proven.add(device);
    return undefined;
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return unusable(error, device);
  }
}

/** Short: `terrarium doctor` tells the rest. */
function unusable(error: KvmError, device: string): string {
  switch (error.code) {
    case 'ENOENT':
      return `no ${device} here`;
    case 'EACCES':
    case 'EPERM':
      return `${device} may not be opened here (${error.code}; terrarium doctor says what to do)`;
    case 'ENOKVM':
      return error.message;
    default:
      return `${device} does not work here (${error.message})`;
  }
}
