import { type Disk, DiskError, SECTOR } from '../disk/index.js';
import { booleanField, registerField } from '../state.js';
import { type AtaBus, AtaDevice, BLOCK, wholeField } from './device.js';
import { identifyCd } from './identify.js';
import {
  bigEndian,
  CD_BLOCK,
  CD_SECTORS,
  capacity,
  configuration,
  discInformation,
  inquiry,
  modePages,
  Sense,
  toc,
} from './mmc.js';
import { AtaError, Reason, Register, Status } from './registers.js';

const PACKET = 12;
/** The byte count register's 0 means its largest value. */
const MOST_BYTES = 0xfffe;

/** A CD-ROM drive: ATA's packet commands, and in them those of MMC. */
export class PacketDrive extends AtaDevice {
  readonly #disk: Disk | undefined;
  readonly #number: number;
  #mode = 0x45;
  #key = 0;
  #code = 0;
  /** The data to read from the disc: the next block, and how many bytes follow after the buffer. */
  #block = 0;
  #left = 0;
  #isDma = false;
  /** The guest was notified that there is a disc. */
  #locked = false;
  /** The position of DMA in a block. */
  #inBlock = 0;
  readonly #bounce = new Uint8Array(CD_BLOCK);
  /** A command's answer by DMA, where it is not data of the disc. */
  #answer: Uint8Array | undefined;

  constructor(disk: Disk | undefined, number: number, bus: AtaBus) {
    super(bus);
    this.#disk = disk;
    this.#number = number;
    this.sign();
  }

  protected sign(): void {
    for (const [register, value] of [
      [2, 1],
      [3, 1],
      [4, 0x14],
      [5, 0xeb],
    ] as const)
      this.set(register, value);
    this.status = 0;
  }

  get #blocks(): number {
    return this.#disk === undefined ? 0 : Math.floor(this.#disk.sectors / CD_SECTORS);
  }

  protected execute(): void {
    switch (this.command) {
      case 0x08:
        this.reset();
        return;
      case 0x90:
        this.sign();
        this.error = 1;
        this.done();
        return;
      case 0xa0:
        this.#isDma = (this.features & 1) !== 0;
        this.set(Register.count, Reason.command);
        this.offer('packet', PACKET, true);
        return;
      case 0xa1:
        this.buffer.set(identifyCd(this.#number, this.#mode));
        this.#left = 0;
        this.offer('in', SECTOR);
        return;
      case 0xef:
        if (this.features === 3) this.#mode = this.register(Register.count);
        this.done();
        return;
      case 0xe5:
        this.set(Register.count, 0xff);
        this.done();
        return;
      case 0xe0:
      case 0xe1:
      case 0xe2:
      case 0xe3:
      case 0xe6:
        this.done();
        return;
      default:
        // IDENTIFY DEVICE and READ SECTORS leave the signature, by which a driver recognizes the kind of device.
        this.sign();
        this.fail(AtaError.aborted);
    }
  }

  protected blockMoved(): void {
    if (this.phase === 'packet') this.#run(this.buffer.slice(0, PACKET));
    else if (this.phase === 'in' && this.command === 0xa1) this.#quietEnd();
    else if (this.phase === 'in' && this.#left > 0) this.#readOn();
    else this.#good();
  }

  #quietEnd(): void {
    this.phase = 'none';
    this.status = Status.ready | Status.seek;
  }

  /** The command has succeeded. */
  #good(): void {
    this.set(Register.count, Reason.command | Reason.toHost);
    this.done();
  }

  #check(sense: readonly [key: number, code: number]): void {
    [this.#key, this.#code] = sense;
    this.set(Register.count, Reason.command | Reason.toHost);
    this.fail((this.#key << 4) | AtaError.aborted);
  }

  #run(packet: Uint8Array): void {
    const operation = packet[0]!;
    // REQUEST SENSE and INQUIRY need no disc.
    if (operation !== 0x03) [this.#key, this.#code] = [0, 0];
    switch (operation) {
      case 0x00:
        this.#withDisc(() => this.#good());
        return;
      case 0x03:
        this.#reply(this.#sense(), packet[4]!);
        return;
      case 0x12:
        this.#reply(inquiry(), packet[4]!);
        return;
      case 0x1a:
        this.#reply(modePages(packet[2]! & 0x3f, 6), packet[4]!);
        return;
      case 0x5a:
        this.#reply(modePages(packet[2]! & 0x3f, 10), bigEndian(packet, 7, 2));
        return;
      case 0x1b:
      case 0x2b:
      case 0xbb:
        this.#good();
        return;
      case 0x1e:
        this.#locked = (packet[4]! & 1) !== 0;
        this.#good();
        return;
      case 0x25:
        this.#withDisc(() => this.#reply(capacity(this.#blocks), 8));
        return;
      case 0x28:
        this.#read(bigEndian(packet, 2, 4), bigEndian(packet, 7, 2));
        return;
      case 0xa8:
        this.#read(bigEndian(packet, 2, 4), bigEndian(packet, 6, 4));
        return;
      case 0xbe:
        this.#readCd(packet);
        return;
      case 0x43:
        this.#withDisc(() => this.#toc(packet));
        return;
      case 0x46:
        this.#reply(configuration(this.#disk !== undefined), bigEndian(packet, 7, 2));
        return;
      case 0x4a:
        // Media events: no recent one, and whether there is a disc.
        this.#reply(
          Uint8Array.of(0, 6, 4, 0x10, 0, this.#disk === undefined ? 0 : 2, 0, 0),
          bigEndian(packet, 7, 2),
        );
        return;
      case 0x51:
        this.#withDisc(() => this.#reply(discInformation(), bigEndian(packet, 7, 2)));
        return;
      default:
        this.#check(Sense.noSuchCommand);
    }
  }

  #withDisc(then: () => void): void {
    if (this.#disk === undefined) this.#check(Sense.noDisc);
    else then();
  }

  #toc(packet: Uint8Array): void {
    const format = packet[2]! & 15 || packet[9]! >> 6;
    const found = toc(format, packet[6]!, (packet[1]! & 2) !== 0, this.#blocks);
    if (found === undefined) this.#check(Sense.noSuchField);
    else this.#reply(found, bigEndian(packet, 7, 2));
  }

  #readCd(packet: Uint8Array): void {
    const wanted = packet[9]! & 0xf8;
    // Only the user data of a block, or nothing.
    if (wanted === 0x10) this.#read(bigEndian(packet, 2, 4), bigEndian(packet, 6, 3));
    else if (wanted === 0) this.#good();
    else this.#check(Sense.noSuchField);
  }

  #sense(): Uint8Array {
    const sense = new Uint8Array(18);
    sense[0] = 0x70;
    sense[2] = this.#key;
    sense[7] = 10;
    sense[12] = this.#code;
    [this.#key, this.#code] = [0, 0];
    return sense;
  }

  /** An answer that fits into the buffer; a guest gets as much as it has room for. */
  #reply(answer: Uint8Array, room: number): void {
    const length = Math.min(answer.length, room);
    if (length === 0) {
      this.#good();
      return;
    }
    this.#left = 0;
    if (this.#isDma) {
      this.#answer = answer.slice(0, length);
      this.offerDma(true, length);
      return;
    }
    this.buffer.set(answer.subarray(0, length));
    this.#offerIn(length);
  }

  #read(block: number, count: number): void {
    this.#withDisc(() => {
      if (block + count > this.#blocks) {
        this.#check(Sense.outOfRange);
        return;
      }
      if (count === 0) {
        this.#good();
        return;
      }
      this.#block = block;
      this.#left = count * CD_BLOCK;
      this.#inBlock = 0;
      this.#answer = undefined;
      if (this.#isDma) this.offerDma(true, this.#left);
      else this.#readOn();
    });
  }

  /** The next part of the read data: at most the guest's limit per transfer. */
  #readOn(): void {
    const asked = this.register(Register.mid) | (this.register(Register.high) << 8);
    const limit = Math.min((this.#limit || asked || MOST_BYTES) & ~1 || 2, BLOCK);
    this.#limit = limit;
    const length = Math.min(this.#left, limit);
    for (let at = 0; at < length; ) {
      if (this.#inBlock === 0 && !this.#fetch()) {
        this.#check(Sense.unreadable);
        return;
      }
      const part = Math.min(length - at, CD_BLOCK - this.#inBlock);
      this.buffer.set(this.#bounce.subarray(this.#inBlock, this.#inBlock + part), at);
      this.#inBlock = (this.#inBlock + part) % CD_BLOCK;
      at += part;
    }
    this.#left -= length;
    this.#offerIn(length);
    if (this.#left === 0) this.#limit = 0;
  }

  /** The guest's limit per transfer, from its first packet: the register then has the actual length. */
  #limit = 0;

  #offerIn(length: number): void {
    this.set(Register.mid, length & 0xff);
    this.set(Register.high, length >> 8);
    this.set(Register.count, Reason.toHost);
    this.offer('in', length);
  }

  #fetch(into: Uint8Array = this.#bounce): boolean {
    try {
      this.#disk!.read(this.#block * CD_SECTORS, into);
    } catch (cause) {
      if (cause instanceof DiskError) return false;
      throw cause;
    }
    this.#block += into.length / CD_BLOCK;
    return true;
  }

  protected move(bytes: Uint8Array): boolean {
    if (this.#answer !== undefined) {
      const from = this.#answer.length - this.dmaLeft;
      bytes.set(this.#answer.subarray(from, from + bytes.length));
      return true;
    }
    if (this.#disk === undefined) return false;
    for (let done = 0; done < bytes.length; ) {
      const whole = this.#inBlock === 0 ? Math.floor((bytes.length - done) / CD_BLOCK) * CD_BLOCK : 0;
      if (whole > 0) {
        if (!this.#fetch(bytes.subarray(done, done + whole))) return false;
        done += whole;
        continue;
      }
      if (this.#inBlock === 0 && !this.#fetch()) return false;
      const length = Math.min(bytes.length - done, CD_BLOCK - this.#inBlock);
      bytes.set(this.#bounce.subarray(this.#inBlock, this.#inBlock + length), done);
      this.#inBlock = (this.#inBlock + length) % CD_BLOCK;
      done += length;
    }
    return true;
  }

  protected dmaMoved(failed: boolean): void {
    this.#answer = undefined;
    this.#left = 0;
    if (failed) this.#check(Sense.unreadable);
    else this.#good();
  }

  override reset(): void {
    super.reset();
    this.#left = 0;
    this.#limit = 0;
    this.#inBlock = 0;
    this.#answer = undefined;
  }

  protected more() {
    return {
      mode: this.#mode,
      key: this.#key,
      code: this.#code,
      block: this.#block,
      left: this.#left,
      limit: this.#limit,
      inBlock: this.#inBlock,
      isDma: this.#isDma,
      locked: this.#locked,
    };
  }

  protected takeMore(more: Record<string, unknown>, device: string): void {
    const byte = (field: string, mask = 0xff) => registerField(device, field, more[field], mask);
    this.#mode = byte('mode');
    this.#key = byte('key', 15);
    this.#code = byte('code');
    this.#block = wholeField(device, 'block', more.block, 2 ** 32);
    this.#left = wholeField(device, 'left', more.left, this.#blocks * CD_BLOCK);
    this.#limit = byte('limit', 0xffff);
    this.#inBlock = byte('inBlock', CD_BLOCK - 1);
    this.#isDma = booleanField(device, 'isDma', more.isDma);
    this.#locked = booleanField(device, 'locked', more.locked);
    // The rest of a block that was begun is still on the disc.
    if (this.#inBlock > 0 && this.#disk !== undefined && this.#block > 0) {
      this.#block--;
      if (!this.#fetch()) this.#inBlock = 0;
    }
  }
}
