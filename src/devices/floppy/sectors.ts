/**
 * The execution phase of a floppy controller's commands: sectors go between a disk and DMA channel 2, or byte by byte through the
 * data register.
 *
 * @module
 */
import { encodeBase64 } from '../base64.js';
import { type FloppyFormat, SECTOR } from '../disk/index.js';
import type { Dma8237 } from './dma8237.js';
import type { FloppyDrives, InsertedDisk, Place } from './drives.js';
import { DMA_CHANNEL, isRead, isVerify, isWrite, St0, St1, WRONG_CYLINDER } from './registers.js';
import type { CheckedFloppyState } from './state.js';

/** The end of a command: bits of the status registers, and the sector address of the result. */
export interface Ending {
  st0: number;
  st1: number;
  st2: number;
  place: Place;
}

/** A command's bytes: the code, drive and head, then the place, the size, the last sector of the track. */
type Command = readonly number[];

const MULTI_TRACK = 0x80;

const succeed = (place: Place): Ending => ({ st0: 0, st1: 0, st2: 0, place });
const fail = (place: Place, st1: number, st2 = 0): Ending => ({ st0: St0.abnormal, st1, st2, place });

/** See the module's comment. */
export class FloppySectors {
  readonly #drives: FloppyDrives;
  readonly #dma: Dma8237;
  readonly #data = new Uint8Array(SECTOR);
  /** Bytes of `#data` that went through the data register; -1 where no such transfer is under way. */
  #at = -1;

  constructor(drives: FloppyDrives, dma: Dma8237) {
    this.#drives = drives;
    this.#dma = dma;
  }

  /** Whether the data register has a sector's bytes now. */
  get isActive(): boolean {
    return this.#at >= 0;
  }

  /** Whether the last byte of the sector was moved: `next` is due. */
  get isComplete(): boolean {
    return this.#at === SECTOR;
  }

  stop(): void {
    this.#at = -1;
  }

  /**
   * Begins a transfer.
   * @param byHand without DMA
   * @returns how it ended; undefined where bytes go through the data register from now on
   */
  begin(command: Command, byHand: boolean, impliedSeek: boolean): Ending | undefined {
    const [code, select, cylinder, head, sector, size] = command as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const drive = select & 3;
    const disk = this.#drives.disk(drive);
    const place = { cylinder, head, sector };
    if (disk === undefined) return fail(place, St1.missingMark | St1.noData);
    if (size !== 2) return fail(place, St1.missingMark);
    if (impliedSeek) this.#drives.seek(drive, cylinder);
    if (this.#drives.track(drive) !== cylinder) return fail(place, St1.noData, WRONG_CYLINDER);
    if (isWrite(code) && disk.readOnly) return fail(place, St1.notWritable);
    if (byHand && !isVerify(code)) return this.#beginSector(code, disk, place);
    return this.#moveByDma(command, disk, place);
  }

  #moveByDma(command: Command, disk: InsertedDisk, place: Place): Ending {
    for (;;) {
      const lba = disk.lba(place);
      if (lba === undefined) return fail(place, St1.noData);
      const moved = this.#moveSector(command, disk, lba, place.sector);
      if (moved === undefined) return fail(place, St1.dataError);
      const more = advance(place, command, disk.format);
      if (moved.ended) return succeed(place);
      if (!more || moved.bytes === 0) return fail(place, St1.endOfTrack);
    }
  }

  /** A sector between disk and DMA; undefined where the disk reports an error. */
  #moveSector(
    command: Command,
    disk: InsertedDisk,
    lba: number,
    sector: number,
  ): { ended: boolean; bytes: number } | undefined {
    const data = this.#data;
    const code = command[0]!;
    if (isRead(code)) {
      if (!disk.read(lba, data)) return undefined;
      // VERIFY has no memory: it goes to the last sector of the track.
      if (isVerify(code)) return { ended: sector >= command[6]!, bytes: SECTOR };
      return this.#dma.move(DMA_CHANNEL, data, true);
    }
    data.fill(0);
    const moved = this.#dma.move(DMA_CHANNEL, data, false);
    return moved.bytes === 0 || disk.write(lba, data) ? moved : undefined;
  }

  /** The next byte to the guest. */
  take(): number {
    return this.#data[this.#at++]!;
  }

  /** The next byte from the guest. */
  put(byte: number): void {
    this.#data[this.#at++] = byte;
  }

  #beginSector(code: number, disk: InsertedDisk, place: Place): Ending | undefined {
    const lba = disk.lba(place);
    if (lba === undefined) return fail(place, St1.noData);
    if (isRead(code) && !disk.read(lba, this.#data)) return fail(place, St1.dataError);
    this.#at = 0;
    return undefined;
  }

  /**
   * Continues after the last byte of a sector.
   * @param command its place is changed to that of the next sector
   * @returns as `begin`
   */
  next(command: number[]): Ending | undefined {
    const [code, select, cylinder, head, sector] = command as [number, number, number, number, number];
    const disk = this.#drives.disk(select & 3);
    const place = { cylinder, head, sector };
    this.#at = -1;
    const lba = disk?.lba(place);
    // Only a loaded state can name such a place.
    if (disk === undefined || lba === undefined) return fail(place, St1.missingMark | St1.noData);
    if (!isRead(code) && !disk.write(lba, this.#data)) return fail(place, St1.dataError);
    const more = advance(place, command, disk.format);
    [command[2], command[3], command[4]] = [place.cylinder, place.head, place.sector];
    // No terminal count comes without DMA: the end of the track is the end.
    return more ? this.#beginSector(code, disk, place) : fail(place, St1.endOfTrack);
  }

  /** FORMAT TRACK: the sectors that the guest names are filled with its byte. */
  format(command: Command): Ending {
    const [, select, size, count, , fill] = command as [number, number, number, number, number, number];
    const [drive, head] = [select & 3, (select >> 2) & 1];
    const disk = this.#drives.disk(drive);
    const place = { cylinder: this.#drives.track(drive), head, sector: 1 };
    if (disk === undefined || size !== 2) return fail(place, St1.missingMark);
    if (disk.readOnly) return fail(place, St1.notWritable);
    const id = new Uint8Array(4);
    for (let i = 0; i < count; i++) {
      if (this.#dma.move(DMA_CHANNEL, id, false).bytes < 4) break;
      const lba = disk.lba({ cylinder: id[0]!, head: id[1]!, sector: id[2]! });
      if (lba === undefined || !disk.write(lba, this.#data.fill(fill))) return fail(place, St1.noData);
    }
    return succeed(place);
  }

  save(): { data: string; at: number } {
    return { data: this.#at < 0 ? '' : encodeBase64(this.#data), at: this.#at };
  }

  load({ sector, at }: Pick<CheckedFloppyState, 'sector' | 'at'>): void {
    if (sector.length > 0) this.#data.set(sector);
    this.#at = at;
  }
}

/** The next sector, with the multi-track bit on the other side too; false after the last one. */
function advance(place: Place, command: Command, { heads }: FloppyFormat): boolean {
  if (place.sector < command[6]! && place.sector < 255) {
    place.sector++;
    return true;
  }
  place.sector = 1;
  if (command[0]! & MULTI_TRACK && place.head === 0 && heads > 1) {
    place.head = 1;
    return true;
  }
  place.cylinder++;
  return false;
}
