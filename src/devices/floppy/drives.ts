import { type Disk, DiskError, type FloppyFormat, floppyFor, lbaOf } from '../disk/index.js';
import { DRIVES, LAST_TRACK, St0 } from './registers.js';
import type { DriveState } from './state.js';

/** A place on a disk. Sectors count from 1. */
export interface Place {
  cylinder: number;
  head: number;
  sector: number;
}

/** A disk that is in a drive. */
export class InsertedDisk {
  readonly format: FloppyFormat;
  readonly #disk: Disk;

  constructor(disk: Disk, format: FloppyFormat) {
    this.#disk = disk;
    this.format = format;
  }

  get readOnly(): boolean {
    return this.#disk.readOnly;
  }

  /** The number of a sector; undefined where the disk has no such place. */
  lba({ cylinder, head, sector }: Place): number | undefined {
    const lba = lbaOf(this.format, cylinder, head, sector);
    return lba < 0 || lba >= this.#disk.sectors ? undefined : lba;
  }

  /** False where the disk reports an error. */
  read(lba: number, data: Uint8Array): boolean {
    return succeeds(() => this.#disk.read(lba, data));
  }

  /** False where the disk reports an error. */
  write(lba: number, data: Uint8Array): boolean {
    return succeeds(() => this.#disk.write(lba, data));
  }
}

function succeeds(access: () => void): boolean {
  try {
    access();
    return true;
  } catch (cause) {
    if (cause instanceof DiskError) return false;
    throw cause;
  }
}

/** The drives of a controller, with their heads. A controller can name four; those from `DRIVES` on do not exist. */
export class FloppyDrives {
  readonly #disks: readonly (InsertedDisk | undefined)[];
  readonly #states: readonly DriveState[] = Array.from({ length: DRIVES }, () => ({
    track: 0,
    changed: true,
  }));

  /** @param disks drives A and B */
  constructor(disks: readonly (Disk | undefined)[]) {
    this.#disks = Array.from({ length: DRIVES }, (_, i) => {
      const disk = disks[i];
      const format = disk && floppyFor(disk.sectors);
      return disk && format && new InsertedDisk(disk, format);
    });
  }

  disk(drive: number): InsertedDisk | undefined {
    return this.#disks[drive];
  }

  /** Where a drive's head is. */
  track(drive: number): number {
    return this.#states[drive]?.track ?? 0;
  }

  /** Whether the disk was changed since the head's last step. */
  isChanged(drive: number): boolean {
    return this.#states[drive]?.changed === true;
  }

  /** Moves a head. Returns the bits of ST0. */
  seek(drive: number, track: number): number {
    const state = this.#states[drive];
    if (state === undefined) return St0.abnormal | St0.seekEnd | St0.equipment | drive;
    state.track = Math.min(track, LAST_TRACK);
    // A step with a disk in the drive: the change was noticed.
    if (this.#disks[drive] !== undefined) state.changed = false;
    return St0.seekEnd | drive;
  }

  /** A reset of the controller: it assumes that the heads are at track 0. */
  reset(): void {
    for (const state of this.#states) state.track = 0;
  }

  /** ST3. @param select the drive and the head of a command */
  status(select: number): number {
    const drive = select & 3;
    const atStart = this.track(drive) === 0 ? 0x10 : 0;
    const protection = this.#disks[drive]?.readOnly === true ? 0x40 : 0;
    return 0x28 | atStart | protection | (select & 7);
  }

  save(): DriveState[] {
    return this.#states.map((state) => ({ ...state }));
  }

  /** @param states that were checked */
  load(states: readonly DriveState[]): void {
    for (const [i, state] of states.entries()) Object.assign(this.#states[i]!, state);
  }
}
