import { defaultOf, type MachineSpec, memoryOf } from '../config/index.js';
import type { ByteSink, Device } from '../devices/contract/index.js';
import {
  STANDARD_BACKENDS,
  simvirtio,
  simvirtioRegions,
  standardBackends,
  standardDevices,
  Vga,
} from '../devices/index.js';
import { ConfigError } from '../errors.js';
import type { MachineConfig } from '../machine/index.js';
import { board, giveWay } from './board.js';
import { chipset, PCI_HOLE, PCI_LEVELS } from './chipset.js';
import { biosParts, onDrives, orderFor, wantsBios } from './firmware.js';
import { fwCfgContents } from './fw-cfg-contents.js';
import { Machine, type Origin } from './machine.js';
import type { MachineNetwork, PcParts } from './parts.js';
import { romParts } from './rom.js';
import { frameBufferFor, requestedGraphics } from './screen.js';
import { placeTables } from './tables/index.js';
import { appended, seatsOf, virtioDevices, virtioMmio } from './virtio.js';

/**
 * Builds a PC: the machine that `spec` describes, with the given parts. The fields that name things for
 * others to open (`engine`, `disks`, `devices`, `hypercalls` …) are not read here: the named objects are among the parts.
 *
 * @param origin how to make it again, where that is known
 * @throws ConfigError, ImageError, GuestMemoryError, and the engine's error where it cannot run here
 */
export function makePc(spec: MachineSpec, parts: PcParts, origin?: Origin): Machine {
  const { standardDevices: standard = true } = spec;
  const { engine, image, devices: own = [], control } = parts;
  const memory = memoryOf(spec, image);
  // Without the standard devices the machine sees for itself whether one of the others is a controller.
  const { cpus = 1 } = spec;
  // CPUs that run at the same time are started, interrupted and woken by the engine's own local APICs.
  const apart = cpus > 1 && engine.capabilities.irqchip;
  const irqchip = spec.irqchip ?? (standard ? (apart ? 'split' : defaultOf('irqchip')) : undefined);
  let made: Machine | undefined;
  /** A machine's messages are not repeated where a run is repeated. */
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
  const networks = parts.networks?.map((network) => silenced(network, () => made?.quiet === true)) ?? [];
  const virtio = virtioDevices(spec, { ...parts, networks, output, drives });
  const seats = seatsOf(spec, parts);
  const isPc =
    (spec.machine ??
      (cpus > 1 || firmware || rom || parts.fwCfg || virtio.length + networks.length > 0 ? 'pc' : 'bare')) ===
    'pc';
  // Without local APICs the others could not be started.
  const hasApics = apart ? irqchip === 'split' || irqchip === 'kernel' : irqchip === 'user';
  if (cpus > 1 && !(isPc && hasApics))
    throw new ConfigError(
      `${cpus} CPUs need local APICs, and ${isPc ? `--irqchip ${irqchip ?? 'none'} gives the engine ${engine.name} none` : 'a bare machine has none'}`,
      isPc ? `take --irqchip ${apart ? 'split' : 'user'}` : 'take a whole PC: --machine pc',
    );
  const byPci = (spec.virtioBus ?? (isPc ? 'pci' : 'mmio')) === 'pci';
  if (byPci && !isPc)
    throw new ConfigError(
      'a bare machine has no PCI bus',
      'take a whole PC, --machine pc, or --virtio-bus mmio',
    );
  const mmio = byPci ? [] : virtioMmio(virtio, isPc);
  if (parts.fwCfg && !isPc)
    throw new ConfigError('a bare machine has no fw_cfg for its files', 'take a whole PC: --machine pc');
  const cards = networks.filter(({ model }) => model === 'e1000');
  if (cards.length > 0 && !isPc)
    throw new ConfigError(
      'a bare machine has no PCI bus for a network card',
      'take a whole PC: --machine pc',
    );
  const requested = spec.vga === false ? undefined : requestedGraphics(image);
  const hasScreen =
    spec.vga === true || firmware !== undefined || rom !== undefined || requested !== undefined;
  const chips = board({
    irqchip: irqchip ?? 'none',
    apics: isPc,
    memory,
    drives,
    order: spec.boot ?? orderFor(image),
    ...(seats.keys && { keys: seats.keys }),
    ...(parts.onTone && { onTone: parts.onTone }),
    ...(isPc && rom === undefined && { levels: PCI_LEVELS }),
  });
  const usual: Device[] = [
    ...(standard ? consoles({ ...parts, ...seats }, output) : []),
    ...(spec.simvirtio !== undefined && !parts.simvirtioElsewhere
      ? [simvirtio(spec.simvirtio, { backends: standardBackends(output) })]
      : []),
    ...(irqchip !== undefined ? chips : []),
    ...(hasScreen && !isPc ? [new Vga(requested ? { display: 'alone' } : {})] : []),
    ...(drives ? [drives] : []),
    ...(isPc
      ? chipset({
          drives,
          networks: cards,
          isSetUp: rom === undefined,
          hasDisplay: hasScreen,
          output,
          button: parts.button,
          virtio: byPci ? virtio : [],
          fwCfg: fwCfgContents(memory, cpus, { ...rom?.files, ...parts.fwCfg }),
        })
      : []),
    ...mmio,
  ];
  // The BIOS last: it finds the others as they are.
  const devices = [
    ...giveWay(usual, own),
    ...own,
    ...(firmware ? [firmware.bios] : []),
    ...(rom ? rom.devices : []),
  ];
  const vga = devices.find((device) => device instanceof Vga);
  const screen = vga && (spec.vga || requested) ? frameBufferFor(vga, requested) : undefined;
  const observer = parts.observe?.(devices.map(({ name }) => name));
  const { mode, append, load, entry, stack, clock, ips, seed, coalesce } = spec;
  const { inputs } = parts;
  const config: MachineConfig = {
    engine,
    image,
    devices,
    regions: regionsOf(spec),
    memory,
    ...parts.beside,
    ...(screen && { frameBuffer: screen }),
    ...defined({
      irqchip,
      cpus,
      turns: defined({ quantum: spec.smpQuantum, seed: spec.smpSeed }),
      apic: isPc && irqchip === 'user',
      mode,
      append: isPc ? append : appended(append, mmio, image),
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
      logged: parts.logged,
    }),
  };
  const machine = new Machine(config, origin);
  made = machine;
  for (const network of parts.networks ?? [])
    network.begin?.({
      control: machine.control,
      hostKernel: engine.capabilities.hostKernel,
      now: () => machine.clock.now(),
    });
  try {
    firmware?.finish(machine);
    if (screen?.kind === 'rgb') vga?.showDisplay(screen);
    // A firmware of the guest's own makes tables of its own.
    if (isPc && rom === undefined)
      placeTables(machine.memory, { cpus: machine.cpus.length, memory, pciHole: PCI_HOLE, virtio: mmio });
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

/** What a machine sends is not sent again where a run is repeated. */
function silenced(network: MachineNetwork, isQuiet: () => boolean): MachineNetwork {
  const { frames, mac, model, takesLarge } = network;
  return {
    frames,
    ...(mac && { mac }),
    ...(model && { model }),
    ...(takesLarge && { takesLarge }),
    transmit(frame) {
      if (!isQuiet()) network.transmit(frame);
    },
    dispose: () => network.dispose?.(),
  };
}

/** The fields that have a value. */
function defined<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
