/**
 * The devices of a whole PC except those of its board: those of QEMU's machine `pc` (i440FX and PIIX3).
 *
 * @module
 */
import type { ByteSink, Device } from '../devices/contract/index.js';
import {
  AcpiPm,
  type ButtonSource,
  Dma8237,
  type Drives,
  E1000,
  FirmwarePorts,
  FloppyController,
  FwCfg,
  type FwCfgContents,
  Hpet,
  hostBridge,
  IdeController,
  isaBridge,
  ParallelPort,
  PciBus,
  PvPanic,
  QemuDebugExit,
  Serial16550,
  seatsOf,
  Vga,
  type VirtioDevice,
  VirtioPci,
} from '../devices/index.js';
import type { MachineNetwork } from './parts.js';

/** Where PCI memory begins: after all RAM that a PC has below 4 GiB, so far. */
export const PCI_HOLE = 0xe000_0000;
/** Where the four interrupt pins of PCI lead, as SeaBIOS sets them. */
const PCI_ROUTES = [10, 10, 11, 11] as const;
/** Shared requests are level-triggered (PCI 3.0, 2.2.6): a bit for each. */
export const PCI_LEVELS = PCI_ROUTES.reduce((levels, irq) => levels | (1 << irq), 0);

export interface ChipsetOptions {
  drives?: Drives | undefined;
  networks?: readonly MachineNetwork[] | undefined;
  /** Its base addresses, routes and power management are set up, as a firmware leaves them; else a firmware of the guest's does that. */
  isSetUp: boolean;
  /** It has a display adapter. */
  hasDisplay: boolean;
  /** The console: what a guest prints goes there, too. */
  output: ByteSink;
  /** The items and files of fw_cfg. */
  fwCfg?: FwCfgContents;
  /** Who presses the power button. */
  button?: ButtonSource | undefined;
  /** Where the bytes of the firmware's console go, port 402. */
  firmwareOutput?: ByteSink | undefined;
  /** Each gets a slot of the bus. */
  virtio?: readonly VirtioDevice[];
}

/** The first slot of virtio devices: QEMU's machines have a network card before. */
const FIRST_VIRTIO = 4;

/** The chipset and its devices. */
export function chipset({
  drives,
  networks = [],
  isSetUp,
  hasDisplay,
  output,
  fwCfg = {},
  button,
  firmwareOutput,
  virtio = [],
}: ChipsetOptions): Device[] {
  const bus = new PciBus();
  const ide = new IdeController(seatsOf(drives?.list ?? []), bus);
  const power = new AcpiPm(bus, isSetUp, button);
  const dma = new Dma8237();
  bus.add(0, 0, hostBridge());
  bus.add(1, 0, isSetUp ? isaBridge(bus, PCI_ROUTES) : isaBridge(bus));
  bus.add(1, 1, ide);
  bus.add(1, 3, power);
  const display = hasDisplay ? new Vga({ display: bus }) : undefined;
  if (display?.config) bus.add(2, 0, { config: display.config });
  const functions = virtio.map((device, i) => new VirtioPci(device, bus, FIRST_VIRTIO + i));
  const cards = networks.map((network, i) => {
    const slot = i === 0 ? FIRST_VIRTIO - 1 : FIRST_VIRTIO + virtio.length + i - 1;
    return new E1000(`e1000-${i}`, network, bus, slot);
  });
  if (isSetUp) bus.assign(PCI_HOLE);
  const serial = (name: string, base: number, irq: number) => new Serial16550({ name, base, irq });
  return [
    ...(display ? [display] : []),
    bus,
    ide,
    ...cards,
    power,
    new Hpet(),
    dma,
    new FloppyController(
      (drives?.of('floppy') ?? []).map(({ disk }) => disk),
      dma,
    ),
    serial('serial-2', 0x2f8, 3),
    serial('serial-3', 0x3e8, 4),
    serial('serial-4', 0x2e8, 3),
    new ParallelPort(output),
    new FirmwarePorts(firmwareOutput),
    new QemuDebugExit(),
    new PvPanic(),
    new FwCfg(fwCfg),
    ...functions,
  ];
}
