/**
 * The virtio devices of a machine: those that its description names, its disks that are no ATA disks, and its networks.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import type { MachineSpec, VirtioName } from '../config/index.js';
import type { ByteSink, InputSource } from '../devices/contract/index.js';
import {
  type Drives,
  MMIO_SIZE,
  type MouseSource,
  mmioParameter,
  type Pointing,
  TABLET_MOST,
  VirtioBalloon,
  VirtioBlock,
  VirtioConsole,
  type VirtioDevice,
  VirtioEntropy,
  VirtioKeyboard,
  VirtioMmio,
  VirtioNet,
  VirtioTablet,
} from '../devices/index.js';
import type { PcParts } from './parts.js';

type Given = Pick<PcParts, 'input' | 'keys' | 'networks' | 'ports'> & {
  output: ByteSink;
  drives: Drives | undefined;
};

/** In the order in which they get their places. */
export function virtioDevices({ virtio = [] }: MachineSpec, given: Given): VirtioDevice[] {
  const { drives, networks = [], ports = [] } = given;
  const disks = (drives?.of('virtio') ?? []).map(
    ({ name, disk, serial }) => new VirtioBlock({ name: `virtio-${name}`, disk, ...(serial && { serial }) }),
  );
  const cards = networks
    .filter(({ model }) => model !== 'e1000')
    .map((port, i) => new VirtioNet(`virtio-net${i}`, port));
  const wanted = ports.length > 0 && !virtio.includes('console') ? [...virtio, 'console' as const] : virtio;
  // What is typed goes to the first of a kind.
  const { input: _, keys: __, ...unattended } = given;
  const numbers = new Map<VirtioName, number>();
  const others = wanted.map((what) => {
    const number = numbers.get(what) ?? 0;
    numbers.set(what, number + 1);
    return makers[what](`virtio-${what}${number}`, number === 0 ? given : unattended);
  });
  return [...disks, ...cards, ...others];
}

/** The sources that remain for the serial port and the PS/2 keyboard: typed input goes to one device. */
export function seatsOf(
  { virtio = [] }: MachineSpec,
  { input, keys = {} }: PcParts,
): Pick<PcParts, 'input' | 'keys'> {
  const { source, mouse, ...rest } = keys;
  return {
    ...(input && !virtio.includes('console') && { input }),
    keys: {
      ...rest,
      ...(source && !virtio.includes('keyboard') && { source }),
      ...(mouse && !virtio.includes('tablet') && { mouse }),
    },
  };
}

const makers: Readonly<Record<VirtioName, (name: string, given: Given) => VirtioDevice>> = {
  rng: (name) => new VirtioEntropy(name),
  console: (name, { output, input, ports = [] }) =>
    new VirtioConsole(name, [{ name: 'terminal', output, input, isTerminal: true }, ...ports]),
  balloon: (name) => new VirtioBalloon(name),
  keyboard: (name, { keys }) => new VirtioKeyboard(name, keys?.source),
  tablet: (name, { keys }) => new VirtioTablet(name, keys?.mouse && pointing(keys.mouse)),
};

/** Where registers of devices without PCI are: between those of the APICs and a firmware's ROM. */
const MMIO_BASE = 0xfef0_0000;
/** Interrupt requests of the 8259A pair that no other device has there. */
const ISA_IRQS = [5, 9, 10, 11] as const;
/** Pins of the I/O APIC that are not ISA's. */
const [FIRST_PIN, PINS] = [16, 8] as const;

export function virtioMmio(devices: readonly VirtioDevice[], hasIoApic: boolean): VirtioMmio[] {
  return devices.map((device, i) => {
    const irq = hasIoApic ? FIRST_PIN + (i % PINS) : ISA_IRQS[(i % ISA_IRQS.length) as 0];
    return new VirtioMmio(device, MMIO_BASE + i * MMIO_SIZE, irq);
  });
}

/** The command line of a Linux kernel that cannot find the devices in another way. */
export function appended(
  append: string | undefined,
  mmio: readonly VirtioMmio[],
  { loader }: Image,
): string | undefined {
  if (mmio.length === 0 || loader?.protocol !== 'linux') return append;
  return [...(append === undefined ? [] : [append]), ...mmio.map(mmioParameter)].join(' ');
}

/** Units of a tablet for a step of a mouse. */
const STEP = 32;

/** A mouse's steps as positions, from the middle on. */
function pointing(mouse: MouseSource): InputSource<Pointing> {
  let [x, y] = [TABLET_MOST / 2, TABLET_MOST / 2];
  const moved = (at: number, steps: number) => Math.max(0, Math.min(TABLET_MOST, at + STEP * steps));
  return {
    get available() {
      return mouse.available;
    },
    read() {
      const move = mouse.read();
      if (move === undefined) return undefined;
      [x, y] = [moved(x, move.dx), moved(y, move.dy)];
      return { x, y, buttons: move.buttons, wheel: move.wheel ?? 0 };
    },
  };
}
