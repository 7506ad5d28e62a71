/**
 * What a guest runs on, as options of every command that runs one.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import { modes } from '../../boot/index.js';
import { type Notification, notifications } from '../../devices/index.js';
import { type ClockName, clockNames } from '../../machine/index.js';
import type { RegionConfig } from '../../memory/index.js';
import { type IrqchipName, irqchipNames } from '../../pc/index.js';
import {
  type DeviceModule,
  engineNames,
  type GuestSettings,
  type PortableConfig,
} from '../../runtime/index.js';
import { parseAddress, parseRegion, parseSeed, parseSize, unescapeKeys } from './values.js';

export interface MachineFlags {
  engine: (typeof engineNames)[number];
  assist: 'on' | 'off';
  mode: (typeof modes)[number];
  memory?: number;
  region?: RegionConfig[];
  load?: number;
  entry?: number;
  stack?: number;
  simvirtio?: Notification;
  irqchip?: IrqchipName;
  clock?: ClockName;
  seed: number;
  device?: DeviceModule[];
  hypercalls?: DeviceModule;
  vga?: true;
  type?: string;
}

export function addMachineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <name>', 'what runs the code; auto: KVM where it can, else the software CPU')
        .choices(engineNames)
        .default('auto'),
    )
    .addOption(
      new Option('--assist <switch>', 'let the software CPU finish instructions that KVM gives up on')
        .choices(['on', 'off'])
        .default('on'),
    )
    .addOption(new Option('--mode <mode>', 'first CPU state').choices(modes).default('auto'))
    .option('--memory <size>', 'RAM, such as 64K, 16M, 1G (default: 16M)', parseSize)
    .option('--region <address:size[:ro]>', 'more memory; ro: writes leave the guest; may repeat', addRegion)
    .option('--load <address>', 'where a flat image goes', parseAddress)
    .option('--entry <address>', 'where the guest starts', parseAddress)
    .option('--stack <address>', "the stack's end", parseAddress)
    .addOption(
      new Option(
        '--simvirtio <how>',
        'SIMVIRTIO devices: each write an exit, or a thread that polls',
      ).choices(notifications),
    )
    .addOption(
      new Option(
        '--irqchip <where>',
        'interrupt controllers and timer: devices, or inside the engine (default: user)',
      ).choices(irqchipNames),
    )
    .addOption(
      new Option(
        '--clock <what>',
        "the machine's time: the software CPU's instructions (its default; runs repeat), or wall time",
      ).choices(clockNames),
    )
    .option('--seed <n>', 'what random numbers follow from where time is instructions', parseSeed, 0)
    .option('--device <module>', 'a device of your own: a module that exports it; may repeat', addDevice)
    .option('--hypercalls <module>', 'hypercalls of your own: a module that exports them', moduleAt)
    .option('--vga', 'a VGA: text at B8000, graphics at A0000')
    .option(
      '--type <text>',
      "type on the guest's keyboard: 'dir\\n'; escapes \\n, \\t, \\b, \\e",
      unescapeKeys,
    );
}

/** A module by its path, as the machine's thread imports it. */
function moduleAt(file: string): DeviceModule {
  return { module: pathToFileURL(path.resolve(file)).href };
}

function addDevice(file: string, before: DeviceModule[] = []): DeviceModule[] {
  return [...before, moduleAt(file)];
}

function addRegion(text: string, before: RegionConfig[] = []): RegionConfig[] {
  return [...before, parseRegion(text)];
}

/** What the command line says about the guest's settings; what it leaves out a guest folder may say. */
export function settingsOf(flags: MachineFlags): GuestSettings {
  const { mode, load, stack, memory, region, simvirtio, irqchip, vga } = flags;
  return {
    ...(mode !== 'auto' && { mode }),
    ...(load !== undefined && { load }),
    ...(stack !== undefined && { stack }),
    ...(memory !== undefined && { memory }),
    ...(region !== undefined && { regions: region }),
    ...(simvirtio !== undefined && { simvirtio }),
    ...(irqchip !== undefined && { irqchip }),
    ...(vga && { vga }),
  };
}

/** The rest: what no guest folder says. */
export function machineConfig(flags: MachineFlags): Omit<PortableConfig, 'image'> {
  const { engine, assist, entry, clock, seed, device, hypercalls } = flags;
  return {
    engine,
    seed,
    assist: assist === 'on',
    ...(entry !== undefined && { entry }),
    ...(clock !== undefined && { clock }),
    ...(device !== undefined && { devices: device }),
    ...(hypercalls !== undefined && { hypercalls }),
  };
}
