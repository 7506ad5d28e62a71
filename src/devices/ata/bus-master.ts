import type { GuestMemory } from '../../memory/index.js';
import { registerField, stateFields } from '../state.js';
import type { AtaDevice } from './device.js';
import { AtaError } from './registers.js';

/** Bus master IDE command and status (Programming Interface for Bus Master IDE Controller 1.0, 2.1). */
const Command = { start: 1, toMemory: 8 } as const;
const State = { active: 1, error: 2, interrupt: 4, capable: 0x60 } as const;
const LAST = 0x8000_0000;
const ENTRY = 8;
/** A table is within 64 KiB: it has so many entries at most. */
const MOST_ENTRIES = 8192;

export interface BusMasterState {
  command: number;
  status: number;
  table: number;
}

/** One channel's DMA: it walks a table of memory regions and moves the device's bytes to or from them. */
export class BusMaster {
  readonly #memory: () => GuestMemory | undefined;
  readonly #device: () => AtaDevice | undefined;
  /** PCI's bus master bit: without it the function reaches no memory. */
  readonly #mayMaster: () => boolean;
  #command = 0;
  #status = 0;
  #table = 0;

  constructor(
    memory: () => GuestMemory | undefined,
    device: () => AtaDevice | undefined,
    mayMaster: () => boolean,
  ) {
    this.#memory = memory;
    this.#device = device;
    this.#mayMaster = mayMaster;
  }

  /** @param offset 0 to 7 */
  read(offset: number): number {
    if (offset === 0) return this.#command;
    if (offset === 2) return this.#status;
    return offset >= 4 ? (this.#table >>> (8 * (offset - 4))) & 0xff : 0;
  }

  write(offset: number, value: number): void {
    if (offset === 0) {
      const starts = (value & ~this.#command & Command.start) !== 0;
      this.#command = value & (Command.start | Command.toMemory);
      if (!(value & Command.start)) this.#status &= ~State.active;
      else if (starts) {
        this.#status |= State.active;
        this.go();
      }
    } else if (offset === 2) {
      // Error and interrupt are cleared by a 1; the capability bits are for a BIOS.
      const kept = this.#status & State.active;
      this.#status =
        kept | (this.#status & ~value & (State.error | State.interrupt)) | (value & State.capable);
    } else if (offset >= 4) {
      const shift = 8 * (offset - 4);
      this.#table = ((this.#table & ~(0xff << shift)) | ((value & 0xff) << shift)) & ~3;
      this.#table >>>= 0;
    }
  }

  /** The device requested an interrupt. */
  interrupted(): void {
    this.#status |= State.interrupt;
  }

  /** Transfers the device's data, if both the device and the bus master were started. */
  go(): void {
    const [device, memory] = [this.#device(), this.#memory()];
    if (
      !(this.#status & State.active) ||
      device === undefined ||
      memory === undefined ||
      device.dmaLeft === 0
    )
      return;
    const toMemory = (this.#command & Command.toMemory) !== 0;
    // The two must agree, and bus mastering must be on.
    if (toMemory !== device.dmaToMemory || !this.#mayMaster()) {
      this.#stop(device);
      return;
    }
    for (let entry = 0; entry < MOST_ENTRIES; entry++) {
      // Within its 64 KiB the table begins again.
      const at = (this.#table & 0xffff_0000) + ((this.#table + entry * ENTRY) & 0xffff);
      if (!memory.contains(at >>> 0, ENTRY)) {
        this.#stop(device);
        return;
      }
      const pair = new DataView(memory.readBytes(at >>> 0, ENTRY).buffer);
      const [address, size] = [pair.getUint32(0, true) & ~1, pair.getUint32(4, true)];
      const length = Math.min(size & 0xfffe || 0x1_0000, device.dmaLeft);
      const bytes = region(memory, address >>> 0, length, toMemory);
      if (bytes === undefined) {
        this.#stop(device);
        return;
      }
      if (!device.transfer(bytes)) {
        // More regions than the device needed: it stays active until it is stopped.
        if ((size & LAST) >>> 0 === LAST || device.dmaLeft > 0) this.#status &= ~State.active;
        return;
      }
      if ((size & LAST) >>> 0 === LAST) break;
    }
    // Less memory than data of the device: no interrupt, and no end (2.4, third case).
    this.#status &= ~State.active;
    device.starveDma();
  }

  #stop(device: AtaDevice): void {
    this.#status = (this.#status & ~State.active) | State.error;
    device.abortDma(AtaError.crc | AtaError.aborted);
  }

  save(): BusMasterState {
    return { command: this.#command, status: this.#status, table: this.#table };
  }

  load(name: string, state: unknown): void {
    const { command, status, table } = stateFields(name, state, this.save());
    this.#command = registerField(name, 'command', command, Command.start | Command.toMemory);
    this.#status = registerField(name, 'status', status, 0x67);
    this.#table = typeof table === 'number' && Number.isInteger(table) ? (table & ~3) >>> 0 : 0;
  }
}

/** The bytes of RAM at an address that a device may write or read; undefined where it is not RAM. */
function region(
  memory: GuestMemory,
  address: number,
  length: number,
  write: boolean,
): Uint8Array | undefined {
  const found = memory.find(address, length);
  if (found === undefined) return undefined;
  if (!write) return memory.peek(address, length);
  // Writes to ROM are lost.
  return found.readOnly ? new Uint8Array(length) : memory.view(address, length);
}
