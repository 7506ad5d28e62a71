import { ataGeometry, type Disk, DiskError, type Geometry, holds, lbaOf, SECTOR } from '../disk/index.js';
import { registerField } from '../state.js';
import { type AtaBus, AtaDevice, wholeField } from './device.js';
import { identifyDisk, MOST_28 } from './identify.js';
import { AtaError, DeviceBits, Register, Status } from './registers.js';

/** The most sectors of one block with READ MULTIPLE: as many as `BLOCK` bytes hold. */
const MOST_MULTIPLE = 16;

/** How a command moves its sectors. */
interface Mover {
  readonly write: boolean;
  readonly wide: boolean;
  readonly by: 'sector' | 'multiple' | 'dma' | 'nothing';
}

const mover = (write: boolean, wide: boolean, by: Mover['by']): Mover => ({ write, wide, by });

const movers: Readonly<Record<number, Mover>> = {
  32: mover(false, false, 'sector'),
  33: mover(false, false, 'sector'),
  36: mover(false, true, 'sector'),
  41: mover(false, true, 'multiple'),
  37: mover(false, true, 'dma'),
  48: mover(true, false, 'sector'),
  49: mover(true, false, 'sector'),
  52: mover(true, true, 'sector'),
  57: mover(true, true, 'multiple'),
  53: mover(true, true, 'dma'),
  64: mover(false, false, 'nothing'),
  65: mover(false, false, 'nothing'),
  66: mover(false, true, 'nothing'),
  196: mover(false, false, 'multiple'),
  197: mover(true, false, 'multiple'),
  200: mover(false, false, 'dma'),
  201: mover(false, false, 'dma'),
  202: mover(true, false, 'dma'),
  203: mover(true, false, 'dma'),
};

/** A hard disk (ATA/ATAPI-6). Commands are done at once. */
export class DiskDrive extends AtaDevice {
  readonly #disk: Disk;
  readonly #number: number;
  #multiple = MOST_MULTIPLE;
  /** The geometry that INITIALIZE DEVICE PARAMETERS set. */
  #geometry: Geometry;
  /** The transfer mode that SET FEATURES chose. */
  #mode = 0x45;
  /** The command's next sector, how many follow after the block in the buffer, and how many a block has. */
  #sector = 0;
  #left = 0;
  #block = 1;
  /** The position of DMA in a sector, and that sector. */
  #inSector = 0;
  readonly #bounce = new Uint8Array(SECTOR);

  /** @param number for its serial number */
  constructor(disk: Disk, number: number, bus: AtaBus) {
    super(bus);
    this.#disk = disk;
    this.#number = number;
    this.#geometry = ataGeometry(disk.sectors);
    this.sign();
  }

  protected sign(): void {
    for (const [register, value] of [
      [2, 1],
      [3, 1],
      [4, 0],
      [5, 0],
    ] as const)
      this.set(register, value);
  }

  override reset(): void {
    super.reset();
    this.#inSector = 0;
  }

  protected execute(): void {
    const how = movers[this.command];
    if (how !== undefined) this.#begin(how);
    else if (this.command >> 4 === 1 || this.command >> 4 === 7) this.done();
    else this.#other();
  }

  #other(): void {
    switch (this.command) {
      case 0x90:
        this.sign();
        this.error = 1;
        this.done();
        return;
      case 0x91:
        this.#setGeometry();
        return;
      case 0xc6:
        this.#setMultiple();
        return;
      case 0xe5:
      case 0x98:
        // CHECK POWER MODE: active.
        this.set(Register.count, 0xff);
        this.done();
        return;
      case 0xe7:
      case 0xea:
        this.#try(() => this.#disk.flush());
        if (!(this.status & Status.error)) this.done();
        return;
      case 0xec:
        this.buffer.set(
          identifyDisk(this.#disk.sectors, this.#number, this.#multiple, this.#geometry, this.#mode),
        );
        this.#left = 0;
        this.offer('in', SECTOR);
        return;
      case 0xef:
        this.#setFeatures();
        return;
      case 0xf8:
        this.#setAddress(Math.min(this.#disk.sectors, MOST_28) - 1, false);
        this.done();
        return;
      case 0x27:
        this.wideAddress = this.#disk.sectors - 1;
        this.done();
        return;
      case 0xe0: // the power modes: it never sleeps
      case 0xe1:
      case 0xe2:
      case 0xe3:
      case 0xe6:
      case 0x94:
      case 0x95:
      case 0x96:
      case 0x97:
      case 0x99:
        this.done();
        return;
      default:
        this.fail(AtaError.aborted);
    }
  }

  #setGeometry(): void {
    const [sectors, heads] = [this.register(Register.count), (this.device & DeviceBits.head) + 1];
    if (sectors === 0) {
      this.fail(AtaError.aborted);
      return;
    }
    const cylinders = Math.min(Math.floor(this.#disk.sectors / (heads * sectors)), 65_535);
    this.#geometry = { cylinders, heads, sectors };
    this.done();
  }

  #setMultiple(): void {
    const count = this.register(Register.count);
    if (count > MOST_MULTIPLE || (count & (count - 1)) !== 0) {
      this.fail(AtaError.aborted);
      return;
    }
    this.#multiple = count;
    this.done();
  }

  #setFeatures(): void {
    switch (this.features) {
      case 0x03:
        this.#mode = this.register(Register.count);
        break;
      case 0x02: // write cache, look-ahead, reverting to defaults: ignored, since all commands are done at once
      case 0x82:
      case 0x55:
      case 0xaa:
      case 0x66:
      case 0xcc:
        break;
      default:
        this.fail(AtaError.aborted);
        return;
    }
    this.done();
  }

  #begin({ write, wide, by }: Mover): void {
    const count = wide ? this.wideCount || 65_536 : this.register(Register.count) || 256;
    if (by === 'multiple' && this.#multiple === 0) {
      this.fail(AtaError.aborted);
      return;
    }
    const sector = wide ? this.wideAddress : this.#address();
    if (sector < 0) {
      this.fail(AtaError.notFound);
      return;
    }
    this.#sector = sector;
    this.#left = count;
    this.#block = by === 'multiple' ? this.#multiple : 1;
    this.#inSector = 0;
    if (!holds(this.#disk, this.#sector, by === 'sector' || by === 'multiple' ? 1 : count)) this.#notFound();
    else if (write && this.#disk.readOnly) this.fail(AtaError.aborted);
    else if (by === 'nothing') this.done();
    else if (by === 'dma') this.offerDma(!write, count * SECTOR);
    else if (write) this.offer('out', Math.min(this.#left, this.#block) * SECTOR, true);
    else this.#readBlock();
  }

  /** The 28-bit address, or that of cylinder, head and sector; -1 for none. */
  #address(): number {
    const [low, mid, high] = [3, 4, 5].map((register) => this.register(register)) as [number, number, number];
    const head = this.device & DeviceBits.head;
    if (this.usesLba) return low + mid * 2 ** 8 + high * 2 ** 16 + head * 2 ** 24;
    return lbaOf(this.#geometry, mid | (high << 8), head, low);
  }

  /** Writes an address to the registers where a guest reads it. */
  #setAddress(sector: number, wide: boolean): void {
    if (wide) {
      this.wideAddress = sector;
      return;
    }
    if (this.usesLba) {
      for (const [i, register] of [3, 4, 5].entries()) this.set(register, (sector >>> (8 * i)) & 0xff);
      this.device = (this.device & ~DeviceBits.head) | ((sector >>> 24) & DeviceBits.head);
      return;
    }
    const { heads, sectors } = this.#geometry;
    const cylinder = Math.floor(sector / (heads * sectors));
    this.set(Register.low, (sector % sectors) + 1);
    this.set(Register.mid, cylinder & 0xff);
    this.set(Register.high, (cylinder >> 8) & 0xff);
    this.device =
      (this.device & ~DeviceBits.head) | ((Math.floor(sector / sectors) % heads) & DeviceBits.head);
  }

  /** The failed sector does not exist. */
  #notFound(): void {
    this.#setAddress(this.#sector, movers[this.command]?.wide === true);
    this.fail(AtaError.notFound);
  }

  #readBlock(): void {
    const count = Math.min(this.#left, this.#block);
    if (!holds(this.#disk, this.#sector, count)) {
      this.#notFound();
      return;
    }
    if (!this.#try(() => this.#disk.read(this.#sector, this.buffer.subarray(0, count * SECTOR)))) return;
    this.#sector += count;
    this.#left -= count;
    this.offer('in', count * SECTOR);
  }

  protected blockMoved(): void {
    if (this.phase === 'in') {
      if (this.#left > 0) this.#readBlock();
      else {
        // The end of a read has no interrupt of its own.
        this.phase = 'none';
        this.status = Status.ready | Status.seek;
      }
      return;
    }
    const count = this.end / SECTOR;
    if (!holds(this.#disk, this.#sector, count)) {
      this.#notFound();
      return;
    }
    if (!this.#try(() => this.#disk.write(this.#sector, this.buffer.subarray(0, this.end)))) return;
    this.#sector += count;
    this.#left -= count;
    if (this.#left > 0) this.offer('out', Math.min(this.#left, this.#block) * SECTOR);
    else this.done();
  }

  /** Runs an access that may fail on the host's side: the guest then sees a bad medium. */
  #try(access: () => void): boolean {
    try {
      access();
      return true;
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      this.fail(AtaError.uncorrectable);
      return false;
    }
  }

  protected move(bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length; ) {
      const whole = this.#inSector === 0 ? Math.floor((bytes.length - done) / SECTOR) : 0;
      const part = whole > 0 ? bytes.subarray(done, done + whole * SECTOR) : this.#bounce;
      if (whole > 0) {
        if (!this.#access(part)) return false;
        done += part.length;
        continue;
      }
      // A part of a sector: through a sector buffer.
      const length = Math.min(bytes.length - done, SECTOR - this.#inSector);
      if (this.dmaToMemory) {
        if (this.#inSector === 0 && !this.#access(this.#bounce)) return false;
        bytes.set(this.#bounce.subarray(this.#inSector, this.#inSector + length), done);
      } else this.#bounce.set(bytes.subarray(done, done + length), this.#inSector);
      this.#inSector = (this.#inSector + length) % SECTOR;
      if (!this.dmaToMemory && this.#inSector === 0 && !this.#access(this.#bounce)) return false;
      done += length;
    }
    return true;
  }

  /** Whole sectors, the command's next ones. */
  #access(bytes: Uint8Array): boolean {
    const sector = this.#sector;
    try {
      if (this.dmaToMemory) this.#disk.read(sector, bytes);
      else this.#disk.write(sector, bytes);
    } catch (cause) {
      if (cause instanceof DiskError) return false;
      throw cause;
    }
    this.#sector = sector + bytes.length / SECTOR;
    return true;
  }

  protected dmaMoved(failed: boolean): void {
    if (failed) this.fail(AtaError.uncorrectable);
    else this.done();
  }

  protected more() {
    return {
      multiple: this.#multiple,
      cylinders: this.#geometry.cylinders,
      heads: this.#geometry.heads,
      sectors: this.#geometry.sectors,
      mode: this.#mode,
      sector: this.#sector,
      left: this.#left,
      block: this.#block,
    };
  }

  protected takeMore(more: Record<string, unknown>, device: string): void {
    const whole = (field: string, mask: number) => registerField(device, field, more[field], mask);
    this.#multiple = Math.min(whole('multiple', 0xff), MOST_MULTIPLE);
    this.#geometry = {
      cylinders: whole('cylinders', 0xffff),
      heads: Math.max(1, whole('heads', 0x1f)),
      sectors: Math.max(1, whole('sectors', 0xff)),
    };
    this.#mode = whole('mode', 0xff);
    this.#sector = wholeField(device, 'sector', more.sector, 2 ** 48);
    this.#left = whole('left', 0x1ffff);
    this.#block = Math.min(Math.max(1, whole('block', 0xff)), MOST_MULTIPLE);
  }
}
