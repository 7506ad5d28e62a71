/** INT 13h: floppies, hard disks and CDs, by cylinder, head and sector. */
import { lbaOf, SECTOR } from '../../../disk/index.js';
import { Data } from '../../data-area.js';
import type { BiosDrive } from '../../drives.js';
import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, BiosService, Pc } from '../../pc.js';
import { ROM_SEGMENT } from '../../rom/rom.js';
import { far, named } from '../../words.js';
import { extended } from './extended.js';
import { answer, onDrive, Status, statusText } from './status.js';
import { type Direction, transfer } from './transfer.js';

/** The floppy's parameters, at their place on an AT. */
const FLOPPY_TABLE = 0xefc7;
const FORMAT_FILL = 0xf6;
const gives = statusText;

/** Cylinder, head and sector as CX and DH have them. */
function place({ ch, cl, dh }: Frame): { cylinder: number; head: number; sector: number } {
  return { cylinder: ch | ((cl & 0xc0) << 2), head: dh, sector: cl & 0x3f };
}

function placeText(frame: Frame): string {
  const { cylinder, head, sector } = place(frame);
  return `C${cylinder} H${head} S${sector}`;
}

const driveName = ({ dl }: Frame, pc: Pc) => pc.drives.nameOf(dl);
const sectors = (count: number) => `${count} sector${count === 1 ? '' : 's'}`;

function mover(direction: Direction): BiosFunction {
  const arrow = direction === 'read' ? ' → ' : ' ← ';
  return {
    says: (frame, pc) => {
      const memory = direction === 'verify' ? '' : `${arrow}${far(frame.es, frame.bx)}`;
      return `${direction} ${sectors(frame.al)}, ${driveName(frame, pc)}, ${placeText(frame)}${memory}`;
    },
    gives,
    run(frame, pc) {
      const count = frame.al;
      onDrive(frame, pc, (drive) => {
        const { cylinder, head, sector } = place(frame);
        const first = lbaOf(drive.geometry, cylinder, head, sector);
        frame.al = 0;
        if (count === 0) return Status.badCommand;
        if (first < 0) return Status.notFound;
        const { status, done } = transfer(pc, drive, direction, first, count, linear(frame.es, frame.bx));
        frame.al = done;
        return status;
      });
    },
  };
}

/** Functions without an effect: these drives are always ready. */
function ready(says: string): BiosFunction {
  return {
    says: (frame, pc) => `${says}, ${driveName(frame, pc)}`,
    gives,
    run: (frame, pc) => onDrive(frame, pc, () => Status.ok),
  };
}

const parameters: BiosFunction = {
  says: (frame, pc) => `parameters of ${driveName(frame, pc)}`,
  gives: (frame) =>
    frame.carry
      ? statusText(frame)
      : `${(frame.ch | ((frame.cl & 0xc0) << 2)) + 1} cylinders, ${frame.dh + 1} heads, ${frame.cl & 0x3f} sectors`,
  run(frame, pc) {
    const kind = frame.dl < 0x80 ? 'floppy' : 'disk';
    const count = pc.drives.of(kind).length;
    const found = pc.drives.get(frame.dl);
    // For a missing floppy drive a BIOS returns zeros, for a missing hard disk an error.
    if (found === undefined || found.kind === 'cdrom') {
      frame.cx = 0;
      frame.dx = count;
      if (kind === 'floppy') frame.bx = 0;
      answer(frame, pc, kind === 'floppy' && count > 0 ? Status.ok : Status.badCommand);
      return;
    }
    const { cylinders, heads, sectors: track } = found.geometry;
    frame.ax = 0;
    frame.ch = (cylinders - 1) & 0xff;
    frame.cl = track | (((cylinders - 1) >> 2) & 0xc0);
    answer(frame, pc, Status.ok);
    frame.dh = heads - 1;
    frame.dl = count;
    if (kind !== 'floppy') return;
    frame.bx = found.floppyType;
    frame.es = ROM_SEGMENT;
    frame.di = FLOPPY_TABLE;
  },
};

const kinds: Readonly<Record<number, string>> = {
  0: 'there is none',
  1: 'a floppy',
  2: 'a floppy drive that notices changes',
  3: 'a hard disk',
};

const driveType: BiosFunction = {
  says: (frame, pc) => `what is ${driveName(frame, pc)}?`,
  gives: (frame) => (frame.carry ? statusText(frame) : named(kinds, frame.ah)),
  run(frame, pc) {
    const drive = pc.drives.get(frame.dl);
    frame.carry = false;
    frame.ah = drive === undefined || drive.kind === 'cdrom' ? 0 : drive.kind === 'floppy' ? 2 : 3;
    if (frame.ah !== 3) return;
    const { disk } = drive as BiosDrive;
    frame.cx = disk.sectors >>> 16;
    frame.dx = disk.sectors & 0xffff;
  },
};

/** Formats a track: its sectors are filled. ES:BX names them; they must be those of the format. */
const format: BiosFunction = {
  says: (frame, pc) => `format a track of ${driveName(frame, pc)}, C${place(frame).cylinder} H${frame.dh}`,
  gives,
  run: (frame, pc) =>
    onDrive(frame, pc, ({ kind, geometry, disk }) => {
      const { cylinder, head } = place(frame);
      const first = lbaOf(geometry, cylinder, head, 1);
      if (kind === 'cdrom') return Status.badCommand;
      if (first < 0 || first + geometry.sectors > disk.sectors) return Status.notFound;
      if (disk.readOnly) return Status.writeProtected;
      disk.write(first, new Uint8Array(geometry.sectors * SECTOR).fill(FORMAT_FILL));
      return Status.ok;
    }),
};

const setMedia: BiosFunction = {
  says: (frame, pc) =>
    `format ${driveName(frame, pc)} with ${place(frame).cylinder + 1} cylinders of ${frame.cl & 0x3f} sectors`,
  gives,
  run: (frame, pc) =>
    onDrive(frame, pc, ({ kind, geometry }) => {
      if (kind !== 'floppy') return Status.badCommand;
      if (place(frame).cylinder >= geometry.cylinders || (frame.cl & 0x3f) !== geometry.sectors)
        return Status.badMedia;
      frame.es = ROM_SEGMENT;
      frame.di = FLOPPY_TABLE;
      return Status.ok;
    }),
};

const lastStatus: BiosFunction = {
  says: (frame, pc) => `how did the last call end, ${driveName(frame, pc)}?`,
  gives,
  run(frame, pc) {
    const last = pc.guest.read8(frame.dl < 0x80 ? Data.floppyStatus : Data.diskStatus);
    frame.ah = last;
    frame.carry = last !== 0;
  },
};

export const disk: BiosService = {
  name: 'int 13h',
  functions: {
    0: ready('reset'),
    1: lastStatus,
    2: mover('read'),
    3: mover('write'),
    4: mover('verify'),
    5: format,
    8: parameters,
    9: ready('set the parameters'),
    12: ready('seek'),
    13: ready('reset'),
    16: ready('is it ready'),
    17: ready('recalibrate'),
    20: ready('test the controller'),
    21: driveType,
    22: ready('was the disk changed'),
    23: ready('set the format'),
    24: setMedia,
    ...extended,
  },
  unknown: (frame, pc) => answer(frame, pc, Status.badCommand),
};
