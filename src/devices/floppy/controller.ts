/**
 * A floppy controller with two drives: Intel's 82078 (290474), as far as PCs use it. Commands are done at once; data go by DMA
 * channel 2, or byte by byte where SPECIFY says so.
 *
 * @module
 */

import { encodeBase64 } from '../base64.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from '../contract/index.js';
import { type Disk, DiskError, type FloppyFormat, floppyFor, lbaOf, SECTOR } from '../disk/index.js';
import type { Dma8237 } from './dma8237.js';
import {
  BASE,
  DMA_CHANNEL,
  Dor,
  DRIVES,
  IMPLIED_SEEK,
  IRQ,
  isRead,
  isWrite,
  LAST_TRACK,
  Msr,
  parameters,
  St0,
  St1,
  VERSION,
  WRONG_CYLINDER,
} from './registers.js';
import { checkFloppyState, type DriveState, type FloppyState } from './state.js';
import { floppyWords } from './words.js';

interface Seat {
  readonly disk: Disk;
  readonly format: FloppyFormat;
}

/** Where a transfer stands. */
interface Place {
  cylinder: number;
  head: number;
  sector: number;
}

/** See the module's comment. */
export class FloppyController implements Device {
  readonly name = 'floppy';
  /** Port 3F6 is the ATA controller's. */
  readonly ports: readonly PortRange[] = [
    { first: BASE, count: 6, width: 1 },
    { first: BASE + 7, count: 1, width: 1 },
  ];
  readonly #seats: readonly (Seat | undefined)[];
  readonly #dma: Dma8237;
  #line: Line | undefined;
  #dor = Dor.notReset | Dor.gate;
  #tdr = 0;
  #rate = 0;
  #specified = [0, 0];
  #config = [0, 0, 0];
  #locked = false;
  #perpendicular = 0;
  #command: number[] = [];
  #result: number[] = [];
  readonly #drives: DriveState[] = Array.from({ length: DRIVES }, () => ({ track: 0, changed: true }));
  #interrupts: number[] = [];
  #asking = false;
  readonly #data = new Uint8Array(SECTOR);
  /** Bytes of `#data` that were moved; -1 where no transfer is under way. */
  #at = -1;

  /** @param disks drives A and B */
  constructor(disks: readonly (Disk | undefined)[], dma: Dma8237) {
    this.#dma = dma;
    this.#seats = Array.from({ length: DRIVES }, (_, i) => {
      const disk = disks[i];
      const format = disk && floppyFor(disk.sectors);
      return disk && format && { disk, format };
    });
  }

  attach(host: DeviceHost): void {
    this.#line = host.line(IRQ);
  }

  readPort(port: number): number {
    switch (port - BASE) {
      case 0:
        return this.#asking ? 0x80 : 0;
      case 1:
        return 0xc0 | ((this.#dor >> 4) & 3);
      case 2:
        return this.#dor;
      case 3:
        return this.#tdr;
      case 4:
        return this.#status;
      case 5:
        return this.#readData();
      default:
        // The digital input register: only bit 7 is the floppy's.
        return this.#selected?.changed === true ? 0x80 : 0;
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    switch (port - BASE) {
      case 2:
        this.#setDor(value);
        return;
      case 3:
        this.#tdr = value & 3;
        return;
      case 4:
        this.#rate = value & 3;
        // Bit 7 is a reset that ends by itself.
        if (value & 0x80) this.#reset();
        return;
      case 5:
        this.#writeData(value);
        return;
      case 7:
        this.#rate = value & 3;
        return;
    }
  }

  get #selected(): DriveState | undefined {
    return this.#drives[this.#dor & Dor.drive];
  }

  get #status(): number {
    if (!(this.#dor & Dor.notReset)) return 0;
    if (this.#at >= 0) {
      const toHost = isRead(this.#command[0]!) ? Msr.toHost : 0;
      return Msr.request | Msr.execution | Msr.busy | toHost;
    }
    if (this.#result.length > 0) return Msr.request | Msr.toHost | Msr.busy;
    return Msr.request | (this.#command.length > 0 ? Msr.busy : 0);
  }

  #setDor(value: number): void {
    const rises = (value & ~this.#dor & Dor.notReset) !== 0;
    this.#dor = value;
    if (rises) this.#reset();
    else if (!(value & Dor.notReset)) this.#quiet();
    this.#drive();
  }

  #quiet(): void {
    this.#command = [];
    this.#result = [];
    this.#interrupts = [];
    this.#at = -1;
    this.#asking = false;
    this.#drive();
  }

  /** A reset ends with an interrupt: the drives' ready lines "changed", and each wants a SENSE INTERRUPT (290474 5.2). */
  #reset(): void {
    this.#quiet();
    if (!this.#locked) this.#config = [0, 0, 0];
    for (const drive of this.#drives) drive.track = 0;
    this.#interrupts = [0, 1, 2, 3].map((drive) => St0.changed | drive);
    this.#ask();
  }

  #ask(): void {
    this.#asking = true;
    this.#drive();
  }

  #drive(): void {
    this.#line?.set(this.#asking && (this.#dor & Dor.gate) !== 0);
  }

  #readData(): number {
    if (this.#at >= 0) {
      if (!isRead(this.#command[0]!)) return 0;
      const byte = this.#data[this.#at++]!;
      if (this.#at === SECTOR) this.#nextByHand();
      return byte;
    }
    const byte = this.#result.shift();
    this.#asking =
      this.#interrupts.length > 0 && this.#asking && this.#result.length === 0 && byte === undefined;
    this.#drive();
    return byte ?? 0;
  }

  #writeData(value: number): void {
    if (!(this.#dor & Dor.notReset)) return;
    if (this.#at >= 0) {
      if (isRead(this.#command[0]!)) return;
      this.#data[this.#at++] = value;
      if (this.#at === SECTOR) this.#nextByHand();
      return;
    }
    if (this.#result.length > 0) return;
    this.#command.push(value);
    const [first] = this.#command;
    if (this.#command.length > (parameters[first! & 31] ?? 0)) this.#run();
  }

  #run(): void {
    const [command, ...given] = this.#command as [number, ...number[]];
    const drive = (given[0] ?? 0) & 3;
    switch (command & 31) {
      case 3:
        this.#specified = [given[0]!, given[1]!];
        this.#command = [];
        return;
      case 4:
        this.#finish([this.#st3(given[0]!)], false);
        return;
      case 7:
        this.#seek(drive, 0);
        return;
      case 15:
        this.#seek(drive, given[1]!);
        return;
      case 8:
        this.#senseInterrupt();
        return;
      case 14:
        this.#finish(this.#dump(), false);
        return;
      case 16:
        this.#finish([VERSION], false);
        return;
      case 18:
        this.#perpendicular = given[0]!;
        this.#command = [];
        return;
      case 19:
        this.#config = given.slice(0, 3);
        this.#command = [];
        return;
      case 20:
        this.#locked = (command & 0x80) !== 0;
        this.#finish([this.#locked ? 0x10 : 0], false);
        return;
      case 10:
        this.#readId(given[0]!);
        return;
      case 13:
        this.#format(given);
        return;
      case 2:
      case 5:
      case 6:
      case 9:
      case 12:
      case 22:
        this.#transfer();
        return;
      default:
        this.#finish([St0.invalid], false);
    }
  }

  #finish(result: number[], interrupt = true): void {
    this.#command = [];
    this.#at = -1;
    this.#result = result;
    if (interrupt) this.#ask();
  }

  #st3(select: number): number {
    const drive = select & 3;
    const seat = this.#seats[drive];
    const track = this.#drives[drive]?.track ?? 0;
    return 0x28 | (track === 0 ? 0x10 : 0) | (seat?.disk.readOnly === true ? 0x40 : 0) | (select & 7);
  }

  #seek(drive: number, track: number): void {
    this.#command = [];
    const it = this.#drives[drive];
    if (it === undefined) this.#interrupts.push(St0.abnormal | St0.seekEnd | St0.equipment | drive);
    else {
      it.track = Math.min(track, LAST_TRACK);
      // A step with a disk in the drive: the change was noticed.
      if (this.#seats[drive] !== undefined) it.changed = false;
      this.#interrupts.push(St0.seekEnd | drive);
    }
    // No more than one for each drive: what nobody asked for is over.
    if (this.#interrupts.length > 4) this.#interrupts.shift();
    this.#ask();
  }

  #senseInterrupt(): void {
    const st0 = this.#interrupts.shift();
    if (st0 === undefined) {
      this.#finish([St0.invalid], false);
      return;
    }
    this.#asking = false;
    this.#drive();
    this.#finish([st0, this.#drives[st0 & 3]?.track ?? 0], false);
  }

  #dump(): number[] {
    const tracks = [0, 1, 2, 3].map((drive) => this.#drives[drive]?.track ?? 0);
    return [
      ...tracks,
      ...this.#specified,
      0,
      (this.#locked ? 0x80 : 0) | this.#perpendicular,
      this.#config[1]!,
      this.#config[2]!,
    ];
  }

  #readId(select: number): void {
    const [drive, head] = [select & 3, (select >> 2) & 1];
    const seat = this.#seats[drive];
    const track = this.#drives[drive]?.track ?? 0;
    if (seat === undefined || track >= seat.format.cylinders || head >= seat.format.heads)
      this.#fail(select, St1.missingMark | St1.noData, 0, { cylinder: track, head, sector: 1 });
    else this.#end(select, 0, 0, 0, { cylinder: track, head, sector: 1 });
  }

  #fail(select: number, st1: number, st2: number, place: Place): void {
    this.#end(select, St0.abnormal, st1, st2, place);
  }

  #end(select: number, st0: number, st1: number, st2: number, { cylinder, head, sector }: Place): void {
    this.#finish([st0 | ((head & 1) << 2) | (select & 3), st1, st2, cylinder & 0xff, head, sector, 2]);
  }

  /** Where the command's bytes point; undefined where the transfer has failed already. */
  #begin(): { seat: Seat; place: Place } | undefined {
    const [, select, cylinder, head, sector, size] = this.#command as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const drive = select & 3;
    const seat = this.#seats[drive];
    const place = { cylinder, head, sector };
    if (seat === undefined || size !== 2) {
      this.#fail(select, St1.missingMark | (seat === undefined ? St1.noData : 0), 0, place);
      return undefined;
    }
    const it = this.#drives[drive]!;
    if (this.#config[1]! & IMPLIED_SEEK) {
      it.track = Math.min(cylinder, LAST_TRACK);
      it.changed = false;
    }
    if (it.track !== cylinder) {
      this.#fail(select, St1.noData, WRONG_CYLINDER, place);
      return undefined;
    }
    return { seat, place };
  }

  get #byHand(): boolean {
    return (this.#specified[1]! & 1) !== 0;
  }

  #transfer(): void {
    const [command, select] = this.#command as [number, number];
    const begun = this.#begin();
    if (begun === undefined) return;
    const { seat, place } = begun;
    if (isWrite(command) && seat.disk.readOnly) {
      this.#fail(select, St1.notWritable, 0, place);
      return;
    }
    if (this.#byHand && (command & 31) !== 22) {
      this.#startByHand(seat, place);
      return;
    }
    this.#byDma(seat, place);
  }

  #byDma(seat: Seat, place: Place): void {
    const [command, select] = this.#command as [number, number];
    for (;;) {
      const sector = lbaOf(seat.format, place.cylinder, place.head, place.sector);
      if (sector < 0 || sector >= seat.disk.sectors) {
        this.#fail(select, St1.noData, 0, place);
        return;
      }
      const moved = this.#moveSector(command, seat.disk, sector);
      if (typeof moved === 'number') {
        this.#fail(select, moved, 0, place);
        return;
      }
      const more = this.#advance(place, seat.format);
      if (moved.ended) {
        this.#end(select, 0, 0, 0, place);
        return;
      }
      if (!more || moved.bytes === 0) {
        this.#fail(select, St1.endOfTrack, 0, place);
        return;
      }
    }
  }

  /** A sector between disk and DMA, or the bits of ST1 that say why not. */
  #moveSector(command: number, disk: Disk, sector: number): { ended: boolean; bytes: number } | number {
    const data = this.#data;
    try {
      if ((command & 31) === 22) {
        disk.read(sector, data);
        // VERIFY has no memory: it goes to the last sector of the track.
        return { ended: this.#command[4]! >= this.#command[6]!, bytes: SECTOR };
      }
      if (isRead(command)) {
        disk.read(sector, data);
        return this.#dma.move(DMA_CHANNEL, data, true);
      }
      data.fill(0);
      const moved = this.#dma.move(DMA_CHANNEL, data, false);
      if (moved.bytes > 0) disk.write(sector, data);
      return moved;
    } catch (cause) {
      if (cause instanceof DiskError) return St1.dataError;
      throw cause;
    }
  }

  /** The next sector, with the multi-track bit on the other side too; false behind the last one. */
  #advance(place: Place, { heads }: FloppyFormat): boolean {
    const last = this.#command[6]!;
    if (place.sector < last && place.sector < 255) {
      place.sector++;
      this.#command[4] = place.sector;
      return true;
    }
    place.sector = 1;
    if (this.#command[0]! & 0x80 && place.head === 0 && heads > 1) {
      place.head = 1;
      return true;
    }
    place.cylinder++;
    return false;
  }

  // Without DMA: a byte a time through the data register, sector by sector up to the last of the track.

  #startByHand(seat: Seat, place: Place): void {
    const [command, select] = this.#command as [number, number];
    const sector = lbaOf(seat.format, place.cylinder, place.head, place.sector);
    if (sector < 0 || sector >= seat.disk.sectors) {
      this.#fail(select, St1.noData, 0, place);
      return;
    }
    if (isRead(command) && !this.#try(() => seat.disk.read(sector, this.#data))) {
      this.#fail(select, St1.dataError, 0, place);
      return;
    }
    this.#at = 0;
    this.#ask();
  }

  #nextByHand(): void {
    const [command, select, cylinder, head, sector] = this.#command as [
      number,
      number,
      number,
      number,
      number,
    ];
    const seat = this.#seats[select & 3];
    const place = { cylinder, head, sector };
    this.#at = -1;
    this.#asking = false;
    if (seat === undefined) return;
    const at = lbaOf(seat.format, cylinder, head, sector);
    if (!isRead(command) && !this.#try(() => seat.disk.write(at, this.#data))) {
      this.#fail(select, St1.dataError, 0, place);
      return;
    }
    const more = this.#advance(place, seat.format);
    [this.#command[2], this.#command[3], this.#command[4]] = [place.cylinder, place.head, place.sector];
    // Nobody says terminal count: the end of the track is the end.
    if (more) this.#startByHand(seat, place);
    else this.#fail(select, St1.endOfTrack, 0, place);
  }

  #try(access: () => void): boolean {
    try {
      access();
      return true;
    } catch (cause) {
      if (cause instanceof DiskError) return false;
      throw cause;
    }
  }

  /** FORMAT TRACK: the sectors that the guest names are filled with its byte. */
  #format(given: readonly number[]): void {
    const [select, size, count, , fill] = given as [number, number, number, number, number];
    const [drive, head] = [select & 3, (select >> 2) & 1];
    const seat = this.#seats[drive];
    const cylinder = this.#drives[drive]?.track ?? 0;
    const place = { cylinder, head, sector: 1 };
    if (seat === undefined || size !== 2) this.#fail(select, St1.missingMark, 0, place);
    else if (seat.disk.readOnly) this.#fail(select, St1.notWritable, 0, place);
    else {
      const id = new Uint8Array(4);
      for (let i = 0; i < count; i++) {
        if (this.#dma.move(DMA_CHANNEL, id, false).bytes < 4) break;
        const at = lbaOf(seat.format, id[0]!, id[1]!, id[2]!);
        const bad = at < 0 || at >= seat.disk.sectors;
        if (bad || !this.#try(() => seat.disk.write(at, this.#data.fill(fill)))) {
          this.#fail(select, St1.noData, 0, place);
          return;
        }
      }
      this.#end(select, 0, 0, 0, place);
    }
  }

  describeAccess({ address, write }: Access): AccessWords {
    return floppyWords(address - BASE, write, this.#command.length, this.#command[0] ?? 0, this.#at >= 0);
  }

  save(): FloppyState {
    return {
      dor: this.#dor,
      tdr: this.#tdr,
      rate: this.#rate,
      specified: [...this.#specified],
      config: [...this.#config],
      locked: this.#locked,
      perpendicular: this.#perpendicular,
      command: [...this.#command],
      result: [...this.#result],
      drives: this.#drives.map((drive) => ({ ...drive })),
      interrupts: [...this.#interrupts],
      asking: this.#asking,
      data: this.#at < 0 ? '' : encodeBase64(this.#data),
      at: this.#at,
    };
  }

  load(state: unknown): void {
    const loaded = checkFloppyState(this.name, state, this.save());
    this.#dor = loaded.dor;
    this.#tdr = loaded.tdr;
    this.#rate = loaded.rate;
    this.#perpendicular = loaded.perpendicular;
    this.#locked = loaded.locked;
    this.#result = loaded.result;
    this.#interrupts = loaded.interrupts;
    this.#asking = loaded.asking;
    this.#specified = loaded.specified;
    this.#config = loaded.config;
    this.#command = loaded.command;
    for (const [i, drive] of loaded.drives.entries()) Object.assign(this.#drives[i]!, drive);
    if (loaded.sector.length > 0) this.#data.set(loaded.sector);
    this.#at = loaded.at;
    this.#drive();
  }
}
