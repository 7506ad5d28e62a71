/**
 * A floppy controller with two drives: Intel's 82078 (290474), as far as PCs use it. Commands are done at once; data go by DMA
 * channel 2, or byte by byte where SPECIFY says so.
 *
 * @module
 */

import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from '../contract/index.js';
import type { Disk } from '../disk/index.js';
import type { Dma8237 } from './dma8237.js';
import { FloppyDrives } from './drives.js';
import { BASE, Dor, IMPLIED_SEEK, IRQ, isRead, Msr, parameters, St0, St1, VERSION } from './registers.js';
import { type Ending, FloppySectors } from './sectors.js';
import { checkFloppyState, type FloppyState } from './state.js';
import { floppyWords } from './words.js';

/** See the module's comment. */
export class FloppyController implements Device {
  readonly name = 'floppy';
  /** Port 3F6 is the ATA controller's. */
  readonly ports: readonly PortRange[] = [
    { first: BASE, count: 6, width: 1 },
    { first: BASE + 7, count: 1, width: 1 },
  ];
  readonly #drives: FloppyDrives;
  readonly #sectors: FloppySectors;
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
  #interrupts: number[] = [];
  #asking = false;

  /** @param disks drives A and B */
  constructor(disks: readonly (Disk | undefined)[], dma: Dma8237) {
    this.#drives = new FloppyDrives(disks);
    this.#sectors = new FloppySectors(this.#drives, dma);
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
        return this.#drives.isChanged(this.#dor & Dor.drive) ? 0x80 : 0;
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

  get #status(): number {
    if (!(this.#dor & Dor.notReset)) return 0;
    if (this.#sectors.isActive) {
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
    this.#sectors.stop();
    this.#asking = false;
    this.#drive();
  }

  /** A reset ends with an interrupt: the drives' ready lines "changed", and each requires a SENSE INTERRUPT (290474 5.2). */
  #reset(): void {
    this.#quiet();
    if (!this.#locked) this.#config = [0, 0, 0];
    this.#drives.reset();
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
    if (this.#sectors.isActive) {
      if (!isRead(this.#command[0]!)) return 0;
      const byte = this.#sectors.take();
      this.#continueTransfer();
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
    if (this.#sectors.isActive) {
      if (isRead(this.#command[0]!)) return;
      this.#sectors.put(value);
      this.#continueTransfer();
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
        this.#finish([this.#drives.status(given[0]!)], false);
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
        this.#end(this.#sectors.format(this.#command));
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
    this.#sectors.stop();
    this.#result = result;
    if (interrupt) this.#ask();
  }

  #seek(drive: number, track: number): void {
    this.#command = [];
    this.#interrupts.push(this.#drives.seek(drive, track));
    // At most one for each drive: the oldest is lost if the guest does not read it.
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
    this.#finish([st0, this.#drives.track(st0 & 3)], false);
  }

  #dump(): number[] {
    const tracks = [0, 1, 2, 3].map((drive) => this.#drives.track(drive));
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
    const disk = this.#drives.disk(drive);
    const cylinder = this.#drives.track(drive);
    const place = { cylinder, head, sector: 1 };
    const exists = disk !== undefined && cylinder < disk.format.cylinders && head < disk.format.heads;
    if (exists) this.#end({ st0: 0, st1: 0, st2: 0, place });
    else this.#end({ st0: St0.abnormal, st1: St1.missingMark | St1.noData, st2: 0, place });
  }

  #end({ st0, st1, st2, place: { cylinder, head, sector } }: Ending): void {
    const select = this.#command[1]! & 3;
    this.#finish([st0 | ((head & 1) << 2) | select, st1, st2, cylinder & 0xff, head, sector, 2]);
  }

  #transfer(): void {
    const withoutDma = (this.#specified[1]! & 1) !== 0;
    const impliedSeek = (this.#config[1]! & IMPLIED_SEEK) !== 0;
    this.#goOn(this.#sectors.begin(this.#command, withoutDma, impliedSeek));
  }

  /** After a byte through the data register. */
  #continueTransfer(): void {
    if (this.#sectors.isComplete) this.#goOn(this.#sectors.next(this.#command));
  }

  /** @param end undefined where the guest has to move the next sector's bytes */
  #goOn(end: Ending | undefined): void {
    if (end === undefined) this.#ask();
    else this.#end(end);
  }

  describeAccess({ address, write }: Access): AccessWords {
    return floppyWords(
      address - BASE,
      write,
      this.#command.length,
      this.#command[0] ?? 0,
      this.#sectors.isActive,
    );
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
      drives: this.#drives.save(),
      interrupts: [...this.#interrupts],
      asking: this.#asking,
      ...this.#sectors.save(),
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
    this.#drives.load(loaded.drives);
    this.#sectors.load(loaded);
    this.#drive();
  }
}
