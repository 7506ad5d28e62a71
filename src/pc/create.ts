import type { Image } from '../boot/index.js';
import {
  type EngineName,
  engineNames,
  type Kind,
  type MachineSpec,
  type OtherKeys,
} from '../config/index.js';
import type { Engine } from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import type { ForkParts, Machine, Snapshot } from './machine.js';
import { makePc } from './make.js';
import { callable, object, objects, readOptions } from './options.js';
import type { MachineOptions, Opener, PcParts } from './parts.js';

const engine: Kind<unknown> = {
  ...object,
  what: `an engine, or one of ${engineNames.join(', ')}`,
  is: (value): value is unknown =>
    typeof value === 'string' ? engineNames.includes(value as EngineName) : object.is(value),
};

const keys: OtherKeys = {
  engine,
  output: callable,
  input: object,
  keys: object,
  onTone: callable,
  drives: object,
  networks: objects,
  ports: objects,
  beside: object,
  devices: objects,
  hypercalls: object,
  control: object,
  inputs: object,
  observer: object,
};

const NO_MODULES = 'a module is loaded asynchronously: import it yourself, or take hostMachine';

/**
 * Makes a machine on this very thread from a program's object.
 * @throws ConfigError for an unknown field or a value of another kind; what `opener` and `makePc` throw
 */
export function createFrom(options: MachineOptions, opener: Opener): Machine {
  const { spec, image, others } = readOptions(options, 'createMachine', keys, opener.image);
  const { engine = 'auto', ...parts } = others as Handed & Pick<MachineOptions, 'engine'>;
  for (const [index, device] of (parts.devices ?? []).entries())
    requireDevice(device, `createMachine: "devices"[${index}]`);
  if (parts.hypercalls !== undefined && 'module' in parts.hypercalls)
    throw new ConfigError('createMachine: "hypercalls" is a module', NO_MODULES);
  const chosen = typeof engine === 'string' ? opener.engine(engine, spec) : engine;
  return assemble({ spec, image, engine: chosen, parts }, opener);
}

/** See `Machine.restore`. */
export function restoreFrom(
  { spec, image, state }: Snapshot,
  options: Partial<MachineOptions>,
  opener: Opener,
): Machine {
  // Its engine may be one that this host does not have.
  const { engine: _, ...described } = spec;
  const machine = createFrom({ ...described, ...options, image } as MachineOptions, opener);
  try {
    machine.load(state);
    return machine;
  } catch (error) {
    machine[Symbol.dispose]();
    throw error;
  }
}

type Handed = Omit<PcParts, 'image' | 'engine'> & Pick<MachineOptions, 'observer'>;

/** A machine to be put together: its description read, its engine chosen. */
interface Order {
  spec: MachineSpec;
  image: Image;
  engine: Engine;
  parts: Handed;
  /** See `MachineConfig.logged`. */
  logged?: boolean;
}

/** Objects that belong to one machine: a fork needs its own. */
const owned = ['devices', 'drives', 'hypercalls', 'networks', 'ports'] as const;

function assemble({ spec, image, engine, parts, logged }: Order, opener: Opener): Machine {
  const { observer, ...handed } = parts;
  const beside = handed.beside ?? opener.beside(spec, image);
  const firmware = opener.firmware(spec);
  const fwCfg = opener.fwCfg(spec);
  const drives = handed.drives ?? opener.drives(spec);
  const networks = handed.networks ?? opener.networks(spec);
  const again = (given: ForkParts) => {
    const own = { ...given, ...(beside && { beside }) } as Handed;
    return assemble({ spec, image, engine, parts: own, logged: true }, opener);
  };
  try {
    return makePc(
      spec,
      {
        ...handed,
        image,
        engine,
        ...(drives && { drives }),
        ...(networks && { networks }),
        ...(beside && { beside }),
        ...(firmware && { firmware }),
        ...(fwCfg && { fwCfg }),
        ...(observer && { observe: () => observer }),
        ...(logged && { logged }),
      },
      { spec, image, handed: owned.filter((part) => parts[part] !== undefined), again },
    );
  } catch (error) {
    drives?.dispose();
    for (const network of networks ?? []) network.dispose?.();
    throw error;
  }
}

/** @param place for the error @throws ConfigError for an object that is no device */
export function requireDevice(device: unknown, place: string): void {
  if (device instanceof Object && 'name' in device && typeof device.name === 'string') return;
  const hint =
    device instanceof Object && 'module' in device
      ? NO_MODULES
      : 'a device has a name, and methods for the ports or memory that it claims';
  throw new ConfigError(`${place} is no device: it has no name`, hint);
}
