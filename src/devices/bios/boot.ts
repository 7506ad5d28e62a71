/** INT 19h: the drive that starts the system, and where its boot sector is loaded. */
import { DiskError, SECTOR } from '../disk/index.js';
import type { BiosDrive } from './drives.js';
import { linear } from './guest.js';
import type { Pc } from './pc.js';

/** Where a boot sector goes. */
const BOOT_SECTOR = 0x7c00;
/** The default order: floppy, hard disk, CD. */
export const USUAL_ORDER = 'a,c,d';

const kinds: Readonly<Record<string, BiosDrive['kind']>> = { a: 'floppy', c: 'disk', d: 'cdrom' };

/** A system that can be started. */
export interface Bootable {
  readonly drive: number;
  /** As text: `drive A`, `CD E0h, which emulates a floppy`. */
  readonly from: string;
  readonly segment: number;
  readonly offset: number;
}

/** Loads the first system that it finds; or returns for each drive why it has none. @param order see `USUAL_ORDER` */
export function loadSystem(pc: Pc, order: string): Bootable | string {
  const reasons: string[] = [];
  // A current emulation ends: the drives have their own numbers again.
  pc.drives.emulate(undefined);
  for (const letter of order.split(',')) {
    const kind = kinds[letter];
    // Of floppies and hard disks a BIOS tries the first one.
    const candidates = pc.drives.of(kind ?? 'disk').slice(0, kind === 'cdrom' ? undefined : 1);
    for (const drive of candidates) {
      const found = kind === 'cdrom' ? loadCd(pc, drive) : loadSector(pc, drive);
      if (typeof found !== 'string') return found;
      reasons.push(`${drive.name}: ${found}`);
    }
  }
  return reasons.length === 0 ? 'there is no drive with a disk in it' : reasons.join('; ');
}

function loadSector(pc: Pc, { number, name, disk }: BiosDrive): Bootable | string {
  const sector = new Uint8Array(SECTOR);
  try {
    disk.read(0, sector);
  } catch (error) {
    if (error instanceof DiskError) return error.message;
    throw error;
  }
  if (sector[510] !== 0x55 || sector[511] !== 0xaa)
    return 'its first sector does not end in 55 AA, so it is no boot sector';
  pc.guest.write(BOOT_SECTOR, sector);
  return { drive: number, from: name, segment: 0, offset: BOOT_SECTOR };
}

function loadCd(pc: Pc, cd: BiosDrive): Bootable | string {
  const entry = pc.drives.elTorito(cd);
  if (typeof entry === 'string') return entry;
  pc.drives.emulate(entry, cd);
  if (entry.kind !== 'none') {
    const [emulated] = pc.drives.of(entry.kind);
    const found = loadSector(pc, emulated!);
    if (typeof found === 'string') {
      pc.drives.emulate(undefined);
      return `its image: ${found}`;
    }
    return {
      ...found,
      from: `${cd.name}, which emulates ${entry.kind === 'disk' ? 'a hard disk' : 'a floppy'}`,
    };
  }
  const bytes = new Uint8Array(Math.ceil(entry.bytes / SECTOR) * SECTOR);
  try {
    cd.disk.read(entry.block * 4, bytes);
  } catch (error) {
    if (error instanceof DiskError) return error.message;
    throw error;
  }
  pc.guest.write(linear(entry.segment, 0), bytes);
  // The usual 07C0:0000 is 0000:7C00 for many boot sectors that jump within themselves.
  const [segment, offset] = entry.segment === 0x07c0 ? [0, BOOT_SECTOR] : [entry.segment, 0];
  return { drive: cd.number, from: cd.name, segment, offset };
}
