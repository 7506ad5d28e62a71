import { DiskError, holds, SECTOR } from '../../../disk/index.js';
import type { BiosDrive } from '../../drives.js';
import type { Pc } from '../../pc.js';
import { Status } from './status.js';

export type Direction = 'read' | 'write' | 'verify';

/** Sectors that are copied at once where guest memory there is not contiguous. */
const BOUNCE = 64;

/**
 * Moves sectors of 512 bytes between a drive and guest memory.
 * @returns the status, and how many sectors were moved
 */
export function transfer(
  pc: Pc,
  { disk }: BiosDrive,
  direction: Direction,
  sector: number,
  count: number,
  address: number,
): { status: number; done: number } {
  if (!holds(disk, sector, count)) return { status: Status.notFound, done: 0 };
  if (direction === 'verify') return { status: Status.ok, done: count };
  if (direction === 'write' && disk.readOnly) return { status: Status.writeProtected, done: 0 };
  let done = 0;
  try {
    const view = pc.guest.view(address, count * SECTOR);
    if (view !== undefined) {
      if (direction === 'read') disk.read(sector, view);
      else disk.write(sector, view);
      return { status: Status.ok, done: count };
    }
    while (done < count) {
      const piece = Math.min(BOUNCE, count - done);
      const at = address + done * SECTOR;
      if (direction === 'read') {
        const bytes = new Uint8Array(piece * SECTOR);
        disk.read(sector + done, bytes);
        pc.guest.write(at, bytes);
      } else disk.write(sector + done, pc.guest.read(at, piece * SECTOR));
      done += piece;
    }
    return { status: Status.ok, done };
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { status: direction === 'read' ? Status.controller : Status.writeFault, done };
  }
}
