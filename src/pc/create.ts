import type { BesideFiles, Image } from '../boot/index.js';
import {
  type DeviceModule,
  type EngineName,
  engineNames,
  type Kind,
  type MachineSpec,
  type OtherKeys,
} from '../config/index.js';
import type { Device } from '../devices/contract/index.js';
import type { Drives } from '../devices/index.js';
import type { Engine } from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import type { ExitObserver, Machine } from '../machine/index.js';
import { makePc, type PcParts } from './make.js';
import { callable, type ImageSource, type OpenImage, object, objects, readOptions } from './options.js';
import type { FirmwareImage } from './rom.js';

/** A machine's description, and what it is handed beside it. All but the image has a sensible default. */
export interface MachineOptions
  extends Omit<MachineSpec, 'engine' | 'devices' | 'hypercalls'>,
    Pick<PcParts, 'output' | 'input' | 'keys' | 'onTone' | 'drives' | 'beside' | 'control' | 'inputs'> {
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

/** What a host opens by name. */
export interface Opener {
  engine(name: EngineName, spec: MachineSpec): Engine;
  image: OpenImage;
  /** The ROM that a description names as its firmware; undefined where it names none. */
  firmware(spec: MachineSpec): FirmwareImage | undefined;
  /** The disks that a description names; undefined where it names none. */
  drives(spec: MachineSpec): Drives | undefined;
  /** The files that are loaded beside a kernel; undefined where the description names none. */
  beside(spec: MachineSpec, image: Image): BesideFiles | undefined;
}

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
  const {
    engine = 'auto',
    observer,
    ...parts
  } = others as Omit<PcParts, 'image' | 'engine'> & Pick<MachineOptions, 'engine' | 'observer'>;
  for (const [index, device] of (parts.devices ?? []).entries()) requireDevice(device, index);
  if (parts.hypercalls !== undefined && 'module' in parts.hypercalls)
    throw new ConfigError('createMachine: "hypercalls" is a module', NO_MODULES);
  const chosen = typeof engine === 'string' ? opener.engine(engine, spec) : engine;
  const beside = parts.beside ?? opener.beside(spec, image);
  const firmware = opener.firmware(spec);
  const drives = parts.drives ?? opener.drives(spec);
  try {
    return makePc(spec, {
      ...parts,
      image,
      engine: chosen,
      ...(drives && { drives }),
      ...(beside && { beside }),
      ...(firmware && { firmware }),
      ...(observer && { observe: () => observer }),
    });
  } catch (error) {
    drives?.dispose();
    throw error;
  }
}

function requireDevice(device: object, index: number): void {
  if ('name' in device && typeof device.name === 'string') return;
  const hint =
    'module' in device
      ? NO_MODULES
      : 'a device has a name, and methods for the ports or memory that it claims';
  throw new ConfigError(`createMachine: "devices"[${index}] is no device: it has no name`, hint);
}
