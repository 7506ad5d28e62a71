/**
 * The parts of a machine that its description cannot hold, and the functions that open the files it names.
 *
 * @module
 */
import type { BesideFiles, Image } from '../boot/index.js';
import type { CardModel, DeviceModule, EngineName, MachineSpec } from '../config/index.js';
import type { ByteSink, ByteSource, Device, NetworkPort } from '../devices/contract/index.js';
import type {
  ButtonSource,
  Drives,
  HypercallOptions,
  KeyboardControllerOptions,
  PortOptions,
  Tone,
} from '../devices/index.js';
import type { Engine } from '../engine/contract/index.js';
import type { ExitObserver, MachineConfig } from '../machine/index.js';
import type { ImageSource, OpenImage } from './options.js';
import type { FirmwareImage } from './rom.js';

/** What a network card is plugged into, and which one. */
export interface MachineNetwork extends NetworkPort {
  /** Default: a virtio card. */
  readonly model?: CardModel;
  /** The machine was made: its frame scheduler, and its clock in nanoseconds. */
  begin?(machine: { control: Int32Array; hostKernel: boolean; now: () => number }): void;
}

/** The objects for a machine that its description cannot hold, since they are not data. */
export interface PcParts {
  engine: Engine;
  /** What runs: as `parseImage` gives it. */
  image: Image;
  /** Where the bytes of all consoles go; default: nowhere. */
  output?: ByteSink;
  /** What the serial port reads; default: nothing. */
  input?: ByteSource;
  /** The source of keys, and the listener for the keyboard's lights. */
  keys?: KeyboardControllerOptions;
  /** Who presses the power button of a whole PC. */
  button?: ButtonSource;
  /** Told when the guest's speaker starts, stops or changes its tone. */
  onTone?: (tone: Tone) => void;
  /** The disks that the description names, opened. The machine closes them. */
  drives?: Drives;
  /** What network cards are plugged into, a card each. The machine closes them. */
  networks?: readonly MachineNetwork[];
  /** The files that the description names to be loaded with a kernel. */
  beside?: BesideFiles;
  /** The ROM that runs instead of the BIOS. */
  firmware?: FirmwareImage;
  /** Files of fw_cfg that the description names, in addition to the standard ones. */
  fwCfg?: Readonly<Record<string, Uint8Array>>;
  /** The screen is shown: the text that programs write through the BIOS does not go to `output` as well. */
  screenIsSeen?: boolean;
  /** Devices of the user's own. One that claims a standard device's ports takes its place. */
  devices?: readonly Device[];
  /** Ports of a virtio console in addition to its terminal. The machine has such a console where there are any. */
  ports?: readonly PortOptions[];
  /** What hypercalls can do: calls of the user's own, a log, another clock or other random numbers. */
  hypercalls?: Omit<HypercallOptions, 'output' | 'input'>;
  /** Another thread polls SIMVIRTIO's devices in the machine's memory: this one gives them only the memory. */
  simvirtioElsewhere?: boolean;
  /** Makes the observer of the machine's exits; `names` are its devices', by number. */
  observe?: (names: readonly string[]) => ExitObserver | undefined;
  /** The listener for inputs from outside, or the record of an earlier run that is replayed. */
  inputs?: MachineConfig['inputs'];
  /** The control block for other threads that want to stop the machine: `controlBytes` of shared memory. */
  control?: Int32Array;
  /** See `MachineConfig.logged`. */
  logged?: boolean;
}

/** A machine's description, and the objects for it. All but the image has a default. */
export interface MachineOptions
  extends Omit<MachineSpec, 'engine' | 'devices' | 'hypercalls'>,
    Pick<
      PcParts,
      | 'output'
      | 'input'
      | 'keys'
      | 'onTone'
      | 'drives'
      | 'networks'
      | 'ports'
      | 'beside'
      | 'control'
      | 'inputs'
    > {
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
  /** What a description has for fw_cfg, by name; undefined where it has nothing. */
  fwCfg(spec: MachineSpec): Readonly<Record<string, Uint8Array>> | undefined;
  /** The disks that a description names; undefined where it names none. */
  drives(spec: MachineSpec): Drives | undefined;
  /** The networks that a description names; undefined where it names none. */
  networks(spec: MachineSpec): readonly MachineNetwork[] | undefined;
  /** The files that are loaded with a kernel; undefined where the description names none. */
  beside(spec: MachineSpec, image: Image): BesideFiles | undefined;
}
