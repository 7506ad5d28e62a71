import {
  type DeviceModule,
  type EngineName,
  engineNames,
  type Kind,
  type MachineSpec,
  type OtherKeys,
} from '../config/index.js';
import type { Device } from '../devices/contract/index.js';
import type { Engine } from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import type { ExitObserver, Machine } from '../machine/index.js';
import { makePc, type PcParts } from '../pc/index.js';
import { engineByName } from './engines/engines.js';
import { callable, type ImageSource, object, objects, readOptions } from './options.js';

/** A machine's description, and what it is handed beside it. All but the image has a sensible default. */
export interface MachineOptions
  extends Omit<MachineSpec, 'engine' | 'devices' | 'hypercalls' | 'name'>,
    Pick<PcParts, 'output' | 'input' | 'keys' | 'onTone' | 'control' | 'inputs'> {
  /** An engine's name, or an engine. Default `auto`. */
  engine?: EngineName | Engine;
  image: ImageSource;
  /** Device objects. Modules, which a description names, are loaded asynchronously and refused here: see `hostMachine`. */
  devices?: readonly (Device | DeviceModule)[];
  /** What hypercalls can do, as `HypercallOptions`. A module is refused, as for `devices`. */
  hypercalls?: NonNullable<PcParts['hypercalls']> | DeviceModule;
  /** Told of each exit after it was answered. */
  observer?: ExitObserver;
}

const engine: Kind<unknown> = {
  ...object,
  what: `an engine, or one of ${engineNames.join(', ')}`,
  is: (value): value is unknown => typeof value === 'string' || object.is(value),
};

const keys: OtherKeys = {
  engine,
  output: callable,
  input: object,
  keys: object,
  onTone: callable,
  devices: objects,
  hypercalls: object,
  control: object,
  inputs: object,
  observer: object,
};

/**
 * Makes a machine on this very thread. It is synchronous: while `run` runs, nothing else does. SIMVIRTIO by polling is looked at
 * on this thread too, each time the machine ticks; a hosted machine has a thread for it.
 *
 * ```ts
 * using machine = createMachine({ image: 'hello.S', output: (bytes) => process.stdout.write(bytes) });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 * @throws ConfigError for a field that there is not or a value of another kind; ImageError, ToolchainError, and what the engine
 *   throws where it cannot run here
 */
export function createMachine(options: MachineOptions): Machine {
  const { spec, image, others } = readOptions(options, 'createMachine', keys);
  const {
    engine = 'auto',
    observer,
    ...parts
  } = others as Omit<PcParts, 'image' | 'engine'> & Pick<MachineOptions, 'engine' | 'observer'>;
  for (const [index, device] of (parts.devices ?? []).entries()) requireDevice(device, index);
  if (parts.hypercalls !== undefined && 'module' in parts.hypercalls)
    throw new ConfigError('createMachine: "hypercalls" is a module', NO_MODULES);
  return makePc(spec, {
    ...parts,
    image,
    engine: typeof engine === 'string' ? engineByName(engine, spec) : engine,
    ...(observer && { observe: () => observer }),
  });
}

const NO_MODULES = 'a module is loaded asynchronously: import it yourself, or take hostMachine';

function requireDevice(device: object, index: number): void {
  if ('name' in device && typeof device.name === 'string') return;
  const hint =
    'module' in device
      ? NO_MODULES
      : 'a device has a name, and methods for the ports or memory that it claims';
  throw new ConfigError(`createMachine: "devices"[${index}] is no device: it has no name`, hint);
}
