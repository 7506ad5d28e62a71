import { decodeBase64, encodeBase64 } from '../base64.js';
import { booleanField, DeviceStateError, registerField, stateFields } from '../state.js';
import { DeviceBits, Register, Status } from './registers.js';

/** The most that one block of PIO holds: sixteen sectors. */
export const BLOCK = 8192;

/** The receiver of a device's requests: its channel. */
export interface AtaBus {
  /** The device requests an interrupt. */
  interrupt(): void;
  /** It is ready for a transfer by DMA: the bus master may begin. */
  wantsDma(): void;
}

/** The state of a device's buffer. */
export type Phase = 'none' | 'in' | 'out' | 'packet';
const phases: readonly Phase[] = ['none', 'in', 'out', 'packet'];

export interface AtaDeviceState {
  /** Features, count, low, mid, high: the last value written, and the one before it. */
  registers: number[];
  error: number;
  device: number;
  status: number;
  phase: Phase;
  /** The current block, in base64. */
  buffer: string;
  at: number;
  end: number;
  asking: boolean;
  /** Bytes to move by DMA, and their direction. */
  dmaLeft: number;
  dmaToMemory: boolean;
  command: number;
  /** The registers that a kind of device has in addition. */
  more: Record<string, number | boolean>;
}

/** The common part of ATA and ATAPI devices: the task file, a block of PIO, and DMA that waits for the bus master. */
export abstract class AtaDevice {
  protected readonly bus: AtaBus;
  protected error = 1;
  protected device = 0;
  protected status: number = Status.ready | Status.seek;
  protected command = 0;
  protected phase: Phase = 'none';
  protected readonly buffer = new Uint8Array(BLOCK);
  /** How many bytes of the block were moved, and how many it has. */
  protected at = 0;
  protected end = 0;
  dmaLeft = 0;
  dmaToMemory = false;
  /** The device's INTRQ. */
  asking = false;
  /** Registers 1 to 5 as written last, and before that (the high-order bytes of 48-bit commands). */
  readonly #now = new Uint8Array(8);
  readonly #before = new Uint8Array(8);
  readonly #view = new DataView(this.buffer.buffer);

  constructor(bus: AtaBus) {
    this.bus = bus;
  }

  /** Runs the command in `command`. */
  protected abstract execute(): void;
  /** A whole block of PIO was moved. */
  protected abstract blockMoved(): void;
  /** Moves the next bytes by DMA; false where the medium does not have or take them: `error` says why. */
  protected abstract move(bytes: Uint8Array): boolean;
  /** All of the DMA was moved, or it failed. */
  protected abstract dmaMoved(failed: boolean): void;
  /** The signature in the registers after a reset (ATA/ATAPI-6 9.12). */
  protected abstract sign(): void;
  protected abstract more(): AtaDeviceState['more'];
  protected abstract takeMore(more: Record<string, unknown>, device: string): void;

  /** The value of a register. @param high the high-order byte (HOB) is requested */
  read(register: number, high: boolean): number {
    switch (register) {
      case Register.error:
        return this.error;
      case Register.device:
        return this.device | 0xa0;
      case Register.status:
        return this.status;
      default:
        return (high ? this.#before : this.#now)[register]!;
    }
  }

  /** Both devices of a channel take writes to registers 1 to 6. */
  write(register: number, value: number): void {
    if (this.status & (Status.busy | Status.dataRequest)) return;
    if (register === Register.device) {
      this.device = value;
      return;
    }
    this.#before[register] = this.#now[register]!;
    this.#now[register] = value;
  }

  protected get features(): number {
    return this.#now[Register.error]!;
  }

  protected register(register: number): number {
    return this.#now[register]!;
  }

  protected set(register: number, value: number): void {
    this.#now[register] = value;
  }

  /** The low 16 bits of the sector count register. */
  protected get wideCount(): number {
    return this.#now[Register.count]! | (this.#before[Register.count]! << 8);
  }

  /** The 48 bits of an address. */
  protected get wideAddress(): number {
    const [now, before] = [this.#now, this.#before];
    const low = now[3]! + now[4]! * 2 ** 8 + now[5]! * 2 ** 16 + before[3]! * 2 ** 24;
    return low + before[4]! * 2 ** 32 + before[5]! * 2 ** 40;
  }

  protected set wideAddress(value: number) {
    for (const [i, register] of [3, 4, 5].entries()) {
      this.#now[register] = Math.floor(value / 2 ** (8 * i)) & 0xff;
      this.#before[register] = Math.floor(value / 2 ** (8 * i + 24)) & 0xff;
    }
  }

  get usesLba(): boolean {
    return (this.device & DeviceBits.lba) !== 0;
  }

  start(command: number): void {
    // A command during another one ends that one; while it is busy only a reset does.
    this.command = command;
    this.phase = 'none';
    this.dmaLeft = 0;
    this.error = 0;
    this.status = Status.ready | Status.seek;
    this.asking = false;
    this.execute();
  }

  reset(): void {
    this.phase = 'none';
    this.dmaLeft = 0;
    this.asking = false;
    this.error = 1;
    this.device = 0;
    this.status = Status.ready | Status.seek;
    this.#before.fill(0);
    this.sign();
  }

  /** The command is done. */
  protected done(): void {
    this.phase = 'none';
    this.status = Status.ready | Status.seek;
    this.#ask();
  }

  protected fail(error: number): void {
    this.phase = 'none';
    this.dmaLeft = 0;
    this.error = error;
    this.status = Status.ready | Status.seek | Status.error;
    this.#ask();
  }

  /** A block of `length` bytes is in the buffer, or has room there. @param quiet without an interrupt */
  protected offer(phase: 'in' | 'out' | 'packet', length: number, quiet = false): void {
    this.phase = phase;
    this.at = 0;
    this.end = length;
    // What a guest did not write, or reads beyond the end, is 0, not what was there before: a saved state does not have it.
    this.buffer.fill(0, phase === 'in' ? length : 0, length + 4);
    this.status = Status.ready | Status.seek | Status.dataRequest;
    if (!quiet) this.#ask();
  }

  /** The command moves this many bytes by DMA, once the bus master was started. */
  protected offerDma(toMemory: boolean, bytes: number): void {
    this.dmaToMemory = toMemory;
    this.dmaLeft = bytes;
    this.status = Status.ready | Status.seek | Status.dataRequest;
    this.bus.wantsDma();
  }

  #ask(): void {
    this.asking = true;
    this.bus.interrupt();
  }

  /** The data register, 1, 2 or 4 bytes of it. */
  readData(size: number): number {
    if (this.phase !== 'in') return 2 ** (8 * size) - 1;
    const { at } = this;
    const value =
      size === 2
        ? this.#view.getUint16(at, true)
        : size === 4
          ? this.#view.getUint32(Math.min(at, BLOCK - 4), true)
          : this.buffer[at]!;
    this.at = at + size;
    if (this.at >= this.end) this.blockMoved();
    return value;
  }

  /** Reads as much of the block as there is room for, in whole elements; returns the number of bytes. */
  readBlock(size: number, into: Uint8Array): number {
    if (this.phase !== 'in') return 0;
    const { at } = this;
    const length = Math.min(into.length, Math.floor((this.end - at) / size) * size);
    into.set(this.buffer.subarray(at, at + length));
    this.at = at + length;
    if (this.at >= this.end) this.blockMoved();
    return length;
  }

  writeData(size: number, value: number): void {
    if (this.phase !== 'out' && this.phase !== 'packet') return;
    for (let i = 0; i < size && this.at < this.end; i++) this.buffer[this.at++] = (value >>> (8 * i)) & 0xff;
    if (this.at >= this.end) this.blockMoved();
  }

  /** The bus master moves bytes. False where the device ended it. */
  transfer(bytes: Uint8Array): boolean {
    if (!this.move(bytes)) {
      this.dmaLeft = 0;
      this.dmaMoved(true);
      return false;
    }
    this.dmaLeft -= bytes.length;
    if (this.dmaLeft > 0) return true;
    this.dmaMoved(false);
    return false;
  }

  /** The memory that a guest named was too short: the device waits, as on hardware, until it is reset. */
  starveDma(): void {
    this.dmaLeft = 0;
  }

  /** The bus master could not continue. */
  abortDma(error: number): void {
    this.dmaLeft = 0;
    this.fail(error);
  }

  save(): AtaDeviceState {
    return {
      registers: [...this.#now, ...this.#before],
      error: this.error,
      device: this.device,
      status: this.status,
      phase: this.phase,
      buffer: this.phase === 'none' ? '' : encodeBase64(this.buffer.subarray(0, this.end)),
      at: this.phase === 'none' ? 0 : this.at,
      end: this.phase === 'none' ? 0 : this.end,
      asking: this.asking,
      dmaLeft: this.dmaLeft,
      dmaToMemory: this.dmaToMemory,
      command: this.command,
      more: this.more(),
    };
  }

  load(device: string, state: unknown): void {
    const fields = stateFields(device, state, this.save());
    const byte = (field: keyof AtaDeviceState) => registerField(device, field, fields[field], 0xff);
    const { registers, phase, buffer, at, end, dmaLeft } = fields;
    if (!Array.isArray(registers) || registers.length !== 16)
      throw new DeviceStateError(device, `'registers' is not a list of 16`);
    const checked = registers.map((value, i) => registerField(device, `registers[${i}]`, value, 0xff));
    if (!phases.includes(phase as Phase)) throw new DeviceStateError(device, `'phase' is ${String(phase)}`);
    const length = wholeField(device, 'end', end, BLOCK);
    const moves = phase !== 'none';
    const moved = wholeField(device, 'at', at, moves ? length - 1 : 0);
    const bytes = typeof buffer === 'string' ? decodeBase64(buffer, length) : undefined;
    if (bytes === undefined) throw new DeviceStateError(device, `'buffer' is not ${length} bytes in base64`);
    const left = wholeField(device, 'dmaLeft', dmaLeft, 2 ** 32);
    const more = stateFields(device, fields.more, this.more());
    this.error = byte('error');
    this.device = byte('device');
    this.status = byte('status');
    this.command = byte('command');
    this.asking = booleanField(device, 'asking', fields.asking);
    this.dmaToMemory = booleanField(device, 'dmaToMemory', fields.dmaToMemory);
    this.takeMore(more, device);
    this.#now.set(checked.slice(0, 8));
    this.#before.set(checked.slice(8));
    this.phase = phase as Phase;
    this.buffer.fill(0);
    if (moves) this.buffer.set(bytes);
    this.at = moved;
    this.end = length;
    this.dmaLeft = left;
  }
}

/** A whole number from 0 to `most`. */
export function wholeField(device: string, field: string, value: unknown, most: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > most)
    throw new DeviceStateError(device, `'${field}' is ${String(value)}, not a number from 0 to ${most}`);
  return value as number;
}
