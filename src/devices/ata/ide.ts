/**
 * The IDE controller of a PIIX3 (Intel 290550, 82371SB): two channels of two ATA or ATAPI devices at the usual ports,
 * and bus-master DMA at a base address.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Claim,
  Device,
  DeviceHost,
  PortRange,
} from '../contract/index.js';
import type { Disk, Drive } from '../disk/index.js';
import { Bar, ConfigSpace, type PciBus, type PciFunction } from '../pci/index.js';
import { DeviceStateError, stateFields } from '../state.js';
import { BusMaster, type BusMasterState } from './bus-master.js';
import { Channel, type ChannelState } from './channel.js';
import type { AtaBus } from './device.js';
import { DiskDrive } from './disk-drive.js';
import { PacketDrive } from './packet-drive.js';
import { ideWords, masterWords } from './words.js';

/** The command block's first port, the control block's, and the interrupt request of each channel. */
const places = [
  { command: 0x1f0, control: 0x3f6, irq: 14 },
  { command: 0x170, control: 0x376, irq: 15 },
] as const;
const MASTER_SIZE = 16;
const TIMING = 0x40;

/** The device at a place of the cables: a disk, a CD drive with or without a disc, or none. */
export type IdeSeat =
  | { readonly kind: 'disk'; readonly disk: Disk }
  | { readonly kind: 'cdrom'; readonly disk?: Disk }
  | undefined;

export interface IdeState {
  channels: ChannelState[];
  masters: BusMasterState[];
}

/** The places of a machine's drives: disks from the first place on, CDs from the third (`hdc`), as QEMU has them. */
export function seatsOf(drives: readonly Drive[]): IdeSeat[] {
  const seats: IdeSeat[] = [undefined, undefined, undefined, undefined];
  const take = (order: readonly number[], drive: Drive) => {
    const free = order.find((place) => seats[place] === undefined);
    if (free !== undefined)
      seats[free] = { kind: drive.kind === 'disk' ? 'disk' : 'cdrom', disk: drive.disk };
  };
  for (const drive of drives) if (drive.kind === 'cdrom') take([2, 3, 1, 0], drive);
  for (const drive of drives) if (drive.kind === 'disk') take([0, 1, 2, 3], drive);
  return seats;
}

/** See the module's comment. */
export class IdeController implements Device, PciFunction {
  readonly name = 'ide';
  readonly ports: readonly PortRange[] = [
    ...places.flatMap(({ command, control }) => [
      { first: command, count: 1, width: 4 as const },
      { first: command + 1, count: 7, width: 1 as const },
      { first: control, count: 1, width: 1 as const },
    ]),
  ];
  readonly config = new ConfigSpace({ vendor: 0x8086, device: 0x7010, class: 0x01_01_80 });
  readonly #channels: readonly Channel[];
  readonly #masters: readonly BusMaster[];
  readonly #range: PortRange | undefined;
  #host: DeviceHost | undefined;
  #claim: Claim | undefined;

  /** @param seats the places of the first channel, then those of the second @param bus without one there is no DMA */
  constructor(seats: readonly IdeSeat[], bus?: PciBus) {
    this.#channels = places.map((_, i) => {
      const make = seats
        .slice(2 * i, 2 * i + 2)
        .map((seat, j) => seat && ((wire: AtaBus) => driveOf(seat, 2 * i + j, wire)));
      return new Channel(make, {
        dma: () => this.#masters[i]!.go(),
        asked: () => this.#masters[i]!.interrupted(),
      });
    });
    this.#masters = places.map(
      (_, i) =>
        new BusMaster(
          () => this.#host?.memory,
          () => this.#channels[i]!.selected,
          () => (this.config.command & 4) !== 0,
        ),
    );
    this.config.set(TIMING, 4, 0x8000_8000);
    this.config.allow(TIMING, 4, 0xffff_ffff);
    if (bus === undefined) return;
    this.#range = { first: 0, count: MASTER_SIZE, width: 1, hidden: true, priority: bus.priority() };
    this.config.addBar(new Bar(4, 'io', MASTER_SIZE, () => this.#claim));
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    for (const [i, { irq }] of places.entries()) this.#channels[i]!.use(host.line(irq));
    if (this.#range !== undefined) this.#claim = host.claim(this.#range);
    this.config.follow();
  }

  remark(isOver = false): string | undefined {
    const names = ['first', 'second'];
    for (const [i, { missing }] of this.#channels.entries())
      if (!isOver && missing !== undefined)
        return `it waits for the ${names[missing]} drive of the ${names[i]} ATA channel, which is not there: ${i === 0 ? '--disk' : '--cdrom'} FILE`;
    return undefined;
  }

  readPort(port: number, size: AccessSize): number {
    const second = port & 0x80 ? 0 : 1;
    const channel = this.#channels[second]!;
    if (port === places[second]!.command) return channel.readData(size);
    if (this.#isMaster(port)) return this.#masters[(port >> 3) & 1]!.read(port & 7);
    return port === places[second]!.control ? channel.status : channel.read(port & 7);
  }

  readPorts(port: number, size: AccessSize, into: Uint8Array): number {
    const second = port & 0x80 ? 0 : 1;
    if (port !== places[second]!.command) return 0;
    return (this.#channels[second]!.selected?.readBlock(size, into) ?? 0) / size;
  }

  writePort(port: number, size: AccessSize, value: number): void {
    const second = port & 0x80 ? 0 : 1;
    const channel = this.#channels[second]!;
    if (port === places[second]!.command) channel.writeData(size, value);
    else if (this.#isMaster(port)) this.#masters[(port >> 3) & 1]!.write(port & 7, value);
    else if (port === places[second]!.control) channel.control = value;
    else channel.write(port & 7, value);
  }

  /** Not the bus master's ports: the other ports have fixed addresses. */
  #isMaster(port: number): boolean {
    return !places.some(({ command, control }) => (port & ~7) === command || port === control);
  }

  describeAccess({ address, write }: Access): AccessWords | undefined {
    if (this.#isMaster(address)) return masterWords((address >> 3) & 1, address & 7);
    return ideWords(
      address & 0x80 ? 0 : 1,
      address === places[0].control || address === places[1].control ? 8 : address & 7,
      write,
    );
  }

  save(): IdeState {
    return {
      channels: this.#channels.map((channel) => channel.save()),
      masters: this.#masters.map((master) => master.save()),
    };
  }

  load(state: unknown): void {
    const { channels, masters } = stateFields(this.name, state, this.save());
    if (!Array.isArray(channels) || channels.length !== 2 || !Array.isArray(masters) || masters.length !== 2)
      throw new DeviceStateError(this.name, 'it does not have two channels');
    for (const [i, channel] of this.#channels.entries()) channel.load(this.name, channels[i]);
    for (const [i, master] of this.#masters.entries()) master.load(this.name, masters[i]);
  }
}

function driveOf(seat: NonNullable<IdeSeat>, number: number, bus: AtaBus) {
  return seat.kind === 'disk'
    ? new DiskDrive(seat.disk, number, bus)
    : new PacketDrive(seat.disk, number, bus);
}
