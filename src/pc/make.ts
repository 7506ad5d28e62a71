import type { BesideFiles, Image } from '../boot/index.js';
import { defaultOf, type MachineSpec, memoryOf } from '../config/index.js';
import type { ByteSink, ByteSource, Device } from '../devices/contract/index.js';
import {
  type Drives,
  type HypercallOptions,
  type KeyboardControllerOptions,
  STANDARD_BACKENDS,
  simvirtio,
  simvirtioRegions,
  standardBackends,
  standardDevices,
  type Tone,
  Vga,
} from '../devices/index.js';
import type { Engine } from '../engine/contract/index.js';
import { type ExitObserver, Machine, type MachineConfig } from '../machine/index.js';
import { board, giveWay } from './board.js';
import { chipset, PCI_HOLE } from './chipset.js';
import { biosParts, onDrives, orderFor, wantsBios } from './firmware.js';
import { type FirmwareImage, romParts } from './rom.js';
import { frameBufferFor, graphicsWish } from './screen.js';
import { placeTables } from './tables/index.js';

/** What a machine is handed beside its description, since it cannot be data. */
export interface PcParts {
  engine: Engine;
  /** What runs: as `parseImage` gives it. */
  image: Image;
  /** Where the bytes of all consoles go; default: nowhere. */
  output?: ByteSink;
  /** What the serial port reads; default: nothing. */
  input?: ByteSource;
  /** Where keys come from, and who hears of the keyboard's lights. */
  keys?: KeyboardControllerOptions;
  /** Told when the guest's speaker starts, stops or changes its tone. */
  onTone?: (tone: Tone) => void;
  /** The disks that the description names, opened. The machine closes them. */
  drives?: Drives;
  /** The files that the description names to be loaded beside a kernel. */
  beside?: BesideFiles;
  /** The ROM that runs in the place of the BIOS. */
  firmware?: FirmwareImage;
  /** Somebody looks at the screen: what programs write there by the BIOS does not go to `output` as well. */
  screenIsSeen?: boolean;
  /** Devices of the user's own. One that claims a standard device's ports takes its place. */
  devices?: readonly Device[];
  /** What hypercalls can do: calls of the user's own, a log, another clock or other random numbers. */
  hypercalls?: Omit<HypercallOptions, 'output' | 'input'>;
  /** Another thread polls SIMVIRTIO's devices in the machine's memory: this one gives them the memory alone. */
  simvirtioElsewhere?: boolean;
  /** Makes the observer of the machine's exits; `names` are its devices', by number. */
  observe?: (names: readonly string[]) => ExitObserver | undefined;
  /** Who hears of what comes in from outside, or the record of an earlier run that is replayed. */
  inputs?: MachineConfig['inputs'];
  /** The control block for other threads that want to stop the machine: `controlBytes` of shared memory. */
  control?: Int32Array;
}

/**
 * Puts a PC together: the machine that `spec` describes, with the parts that it is handed. The fields that name things for
 * others to open (`engine`, `disks`, `devices`, `hypercalls` …) are not read here: what they name is among the parts.
 *
 * @throws ConfigError, ImageError, GuestMemoryError, and what the engine throws where it cannot run here
 */
export function makePc(spec: MachineSpec, parts: PcParts): Machine {
  const { standardDevices: standard = true } = spec;
  const { engine, image, devices: own = [], control } = parts;
  const memory = memoryOf(spec, image);
  // Without the standard devices the machine sees for itself whether one of the others is a controller.
  const irqchip = spec.irqchip ?? (standard ? defaultOf('irqchip') : undefined);
  let made: Machine | undefined;
  /** What a machine says is not said again where a run is repeated. */
  const output: ByteSink = (bytes) => {
    if (made?.quiet !== true) parts.output?.(bytes);
  };
  const print = parts.screenIsSeen ? undefined : (text: string) => output(new TextEncoder().encode(text));
  const firmware = wantsBios(spec, image)
    ? biosParts({
        spec,
        image,
        memory,
        drives: parts.drives,
        irqchip: irqchip ?? 'none',
        print,
      })
    : undefined;
  const rom = parts.firmware && romParts(parts.firmware, memory, print);
  const drives = firmware?.drives ?? (rom ? onDrives(parts.drives, image) : parts.drives);
  const isPc = (spec.machine ?? (firmware || rom ? 'pc' : 'bare')) === 'pc';
  const wish = spec.vga === false ? undefined : graphicsWish(image);
  const hasScreen = spec.vga === true || firmware !== undefined || rom !== undefined || wish !== undefined;
  const chips = board({
    irqchip: irqchip ?? 'none',
    apics: isPc,
    memory,
    drives,
    order: spec.boot ?? orderFor(image),
    ...(parts.keys && { keys: parts.keys }),
    ...(parts.onTone && { onTone: parts.onTone }),
  });
  const usual: Device[] = [
    ...(standard ? consoles(parts, output) : []),
    ...(spec.simvirtio !== undefined && !parts.simvirtioElsewhere
      ? [simvirtio(spec.simvirtio, { backends: standardBackends(output) })]
      : []),
    ...(irqchip !== undefined ? chips : []),
    ...(hasScreen && !isPc ? [new Vga(wish ? { display: 'alone' } : {})] : []),
    ...(drives ? [drives] : []),
    ...(isPc
      ? chipset({
          drives,
          isSetUp: rom === undefined,
          hasDisplay: hasScreen,
          ...(rom && { told: { files: rom.files } }),
        })
      : []),
  ];
  // The BIOS last: it finds the others as they are.
  const devices = [
    ...giveWay(usual, own),
    ...own,
    ...(firmware ? [firmware.bios] : []),
    ...(rom ? rom.devices : []),
  ];
  const vga = devices.find((device) => device instanceof Vga);
  const screen = vga && (spec.vga || wish) ? frameBufferFor(vga, wish) : undefined;
  const observer = parts.observe?.(devices.map(({ name }) => name));
  const { mode, append, load, entry, stack, clock, ips, seed, coalesce } = spec;
  const { inputs } = parts;
  const machine = new Machine({
    engine,
    image,
    devices,
    regions: regionsOf(spec),
    memory,
    ...parts.beside,
    ...(screen && { frameBuffer: screen }),
    ...defined({
      irqchip,
      apic: isPc && irqchip === 'user',
      mode,
      append,
      load,
      entry,
      stack,
      clock,
      ips,
      seed,
      coalesce,
      observer,
      control,
      inputs,
      start: firmware?.start ?? rom?.start,
    }),
  });
  made = machine;
  try {
    firmware?.finish(machine);
    if (screen?.kind === 'rgb') vga?.showDisplay(screen);
    // A firmware of the guest's own makes tables of its own.
    if (isPc && rom === undefined)
      placeTables(machine.memory, { cpus: machine.cpus.length, memory, pciHole: PCI_HOLE });
  } catch (error) {
    machine[Symbol.dispose]();
    throw error;
  }
  return machine;
}

function consoles({ input, hypercalls }: PcParts, output: ByteSink): Device[] {
  return standardDevices({ output, ...(input && { input }), ...(hypercalls && { hypercalls }) });
}

function regionsOf({ regions = [], simvirtio: notification }: MachineSpec) {
  return notification === undefined
    ? regions
    : [...regions, ...simvirtioRegions(notification, STANDARD_BACKENDS)];
}

/** The fields that have a value. */
function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
