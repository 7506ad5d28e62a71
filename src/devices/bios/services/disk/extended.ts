/** INT 13h AH=41h to 4Bh: by the number of the sector (Phoenix, Enhanced Disk Drive Specification 3.0), and El Torito. */
import { SECTOR } from '../../../disk/index.js';
import type { BiosDrive } from '../../drives.js';
import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { far } from '../../words.js';
import { answer, onDrive, Status, statusText } from './status.js';
import { type Direction, transfer } from './transfer.js';

const gives = statusText;
const packetAt = ({ ds, si }: Frame) => linear(ds, si);
const name = ({ dl }: Frame, pc: Pc) => pc.drives.nameOf(dl);

/** A disk address packet: the sectors, and the address in memory. */
interface Packet {
  at: number;
  count: number;
  /** Undefined where its sector number exceeds 2^53. */
  sector: number;
  address: number;
  place: string;
}

const SMALLEST_PACKET = 0x10;
const WITH_FLAT_ADDRESS = 0x18;

function packetOf(frame: Frame, { guest }: Pc): Packet | undefined {
  const at = packetAt(frame);
  const size = guest.read8(at);
  if (size < SMALLEST_PACKET) return undefined;
  const sector = guest.read32(at + 8) + guest.read32(at + 12) * 2 ** 32;
  const [offset, segment] = [guest.read16(at + 4), guest.read16(at + 6)];
  const flat = offset === 0xffff && segment === 0xffff && size >= WITH_FLAT_ADDRESS;
  const address = flat ? guest.read32(at + 0x10) : linear(segment, offset);
  const place = flat ? `0x${address.toString(16)}` : far(segment, offset);
  return { at, count: guest.read16(at + 2), sector, address, place };
}

/** Extended calls are for hard disks and CDs. */
function onExtended(frame: Frame, pc: Pc, act: (drive: BiosDrive) => number): void {
  onDrive(frame, pc, (drive) => (drive.kind === 'floppy' ? Status.badCommand : act(drive)));
}

function mover(direction: Direction | 'seek'): BiosFunction {
  const arrow = direction === 'read' ? '→' : '←';
  return {
    says(frame, pc) {
      const packet = packetOf(frame, pc);
      if (packet === undefined) return `${direction}, with an invalid packet, ${name(frame, pc)}`;
      const memory = direction === 'read' || direction === 'write' ? ` ${arrow} ${packet.place}` : '';
      return `${direction} ${packet.count} sectors from ${packet.sector}, ${name(frame, pc)}${memory}`;
    },
    gives,
    run: (frame, pc) =>
      onExtended(frame, pc, (drive) => {
        const packet = packetOf(frame, pc);
        if (packet === undefined) return Status.badCommand;
        const { sector, count, address, at } = packet;
        const each = drive.sectorSize / SECTOR;
        if (direction === 'seek') return sector * each < drive.disk.sectors ? Status.ok : Status.notFound;
        const { status, done } = transfer(pc, drive, direction, sector * each, count * each, address);
        if (status !== Status.ok) pc.guest.write16(at + 2, Math.floor(done / each));
        return status;
      }),
  };
}

const check: BiosFunction = {
  says: (frame, pc) => `extended calls for ${name(frame, pc)}?`,
  gives: ({ carry }) => (carry ? 'no' : 'yes'),
  run(frame, pc) {
    const drive = pc.drives.get(frame.dl);
    if (frame.bx !== 0x55aa || drive === undefined || drive.kind === 'floppy') {
      answer(frame, pc, Status.badCommand);
      return;
    }
    frame.bx = 0xaa55;
    answer(frame, pc, Status.ok);
    // Version 3.0; packets, locking and ejecting, drive parameters.
    frame.ah = 0x30;
    frame.cx = 7;
  },
};

const parameters: BiosFunction = {
  says: (frame, pc) => `parameters of ${name(frame, pc)}`,
  gives,
  run: (frame, pc) =>
    onExtended(frame, pc, ({ kind, disk, geometry, sectorSize }) => {
      const { guest } = pc;
      const at = packetAt(frame);
      const size = guest.read16(at);
      if (size < 0x1a) return Status.badCommand;
      const hard = kind === 'disk';
      // The geometry is omitted where it does not fit the disk.
      const isWhole = hard && geometry.cylinders < 1024;
      const cylinders = Math.floor(disk.sectors / (geometry.heads * geometry.sectors));
      guest.write16(at + 2, (isWhole ? 2 : 0) | (hard ? 0 : 0x74));
      guest.write32(at + 4, hard ? cylinders : 0xffff_ffff);
      guest.write32(at + 8, hard ? geometry.heads : 0xffff_ffff);
      guest.write32(at + 12, hard ? geometry.sectors : 0xffff_ffff);
      const sectors = Math.floor(disk.sectors / (sectorSize / SECTOR));
      guest.write32(at + 16, sectors % 2 ** 32);
      guest.write32(at + 20, Math.floor(sectors / 2 ** 32));
      guest.write16(at + 24, sectorSize);
      if (size < 0x1e) guest.write16(at, 0x1a);
      else {
        guest.write16(at, 0x1e);
        // No configuration parameters.
        guest.write32(at + 0x1a, 0xffff_ffff);
      }
      return Status.ok;
    }),
};

const lock: BiosFunction = {
  says: (frame, pc) => `${['lock', 'unlock', 'is it locked,'][frame.al] ?? 'lock'} ${name(frame, pc)}`,
  gives,
  run: (frame, pc) =>
    onExtended(frame, pc, ({ kind }) => {
      if (frame.al > 2) return Status.badCommand;
      if (frame.al === 2) frame.al = 0;
      return kind === 'cdrom' || frame.al === 0 ? Status.ok : Status.badCommand;
    }),
};

const eject: BiosFunction = {
  says: (frame, pc) => `eject ${name(frame, pc)}`,
  gives,
  run: (frame, pc) => onExtended(frame, pc, () => Status.cannotEject),
};

const changed: BiosFunction = {
  says: (frame, pc) => `was the disk of ${name(frame, pc)} changed?`,
  gives,
  run: (frame, pc) => onExtended(frame, pc, () => Status.ok),
};

const SPECIFICATION_SIZE = 0x13;

/** The drive that the booted CD emulates; AL=00h ends the emulation. */
const elTorito: BiosFunction = {
  says: ({ al }) => (al === 0 ? 'end the CD’s emulation of a disk' : 'what does the CD emulate?'),
  gives,
  run(frame, pc) {
    const { emulated } = pc.drives;
    const { guest } = pc;
    if (emulated === undefined || frame.al > 1) {
      answer(frame, pc, Status.badCommand);
      return;
    }
    const at = packetAt(frame);
    const number = emulated.kind === 'none' ? 0xe0 : emulated.kind === 'floppy' ? 0 : 0x80;
    guest.write8(at, SPECIFICATION_SIZE);
    guest.write8(at + 1, emulated.media);
    guest.write8(at + 2, number);
    guest.write8(at + 3, 0);
    guest.write32(at + 4, emulated.block);
    guest.write16(at + 8, 0);
    guest.write16(at + 10, 0);
    guest.write16(at + 12, emulated.segment);
    guest.write16(at + 14, Math.ceil(emulated.bytes / SECTOR));
    const geometry = pc.drives.get(number)?.geometry ?? { cylinders: 1, heads: 1, sectors: 1 };
    const last = geometry.cylinders - 1;
    guest.write8(at + 16, last & 0xff);
    guest.write8(at + 17, geometry.sectors | ((last >> 2) & 0xc0));
    guest.write8(at + 18, geometry.heads - 1);
    if (frame.al === 0) pc.drives.emulate(undefined);
    answer(frame, pc, Status.ok);
  },
};

export const extended: Record<number, BiosFunction> = {
  65: check,
  66: mover('read'),
  67: mover('write'),
  68: mover('verify'),
  69: lock,
  70: eject,
  71: mover('seek'),
  72: parameters,
  73: changed,
  75: elTorito,
};
