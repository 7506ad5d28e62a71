/**
 * Interrupts as messages: MSI and MSI-X (PCI 3.0 6.8). Helpers for functions that have them.
 *
 * @module
 */
import type { Device, DeviceHost } from '../contract/index.js';
import { bytesField } from '../state.js';
import type { ConfigSpace } from './config-space.js';

const MSI = 5;
const MSIX = 0x11;
const MSI_ENABLE = 1;
const MSI_64 = 0x80;
const MSIX_ENABLE = 0x8000;
const MSIX_MASK_ALL = 0x4000;
const ENTRY = 16;
const MASKED = 1;

type Send = DeviceHost['sendMessage'];

/** A capability of one message with a 64-bit address. */
export class Msi {
  readonly #config: ConfigSpace;
  readonly #at: number;

  constructor(config: ConfigSpace) {
    this.#config = config;
    this.#at = config.addCapability(MSI, 14);
    config.set(this.#at + 2, 2, MSI_64);
    config.allow(this.#at + 2, 2, MSI_ENABLE);
    config.allow(this.#at + 4, 4, 0xffff_fffc);
    config.allow(this.#at + 8, 4, 0xffff_ffff);
    config.allow(this.#at + 12, 2, 0xffff);
  }

  get isEnabled(): boolean {
    return (this.#config.bytes[this.#at + 2]! & MSI_ENABLE) !== 0;
  }

  /** Sends the message; false where it is not enabled, or has no receiver. */
  signal(send: Send): boolean {
    if (!this.isEnabled) return false;
    const config = this.#config;
    const address = config.read(this.#at + 4, 4) + config.read(this.#at + 8, 4) * 2 ** 32;
    return send(address, config.read(this.#at + 12, 2));
  }
}

/** A table of messages in one of the function's base addresses: its first bytes the entries, from `pendingAt` on the pending bits. */
export class MsiX {
  readonly vectors: number;
  readonly #config: ConfigSpace;
  readonly #at: number;
  readonly #table: DataView<ArrayBuffer>;
  readonly #pending: Uint8Array;
  readonly #send: Send;

  /** @param bar its number @param vectors 1 to 2048 */
  constructor(config: ConfigSpace, bar: number, vectors: number, send: Send) {
    this.vectors = vectors;
    this.#config = config;
    this.#send = send;
    this.#at = config.addCapability(MSIX, 12);
    config.set(this.#at + 2, 2, vectors - 1);
    config.allow(this.#at + 2, 2, MSIX_ENABLE | MSIX_MASK_ALL);
    config.set(this.#at + 4, 4, bar);
    config.set(this.#at + 8, 4, this.pendingAt | bar);
    this.#table = new DataView(new ArrayBuffer(vectors * ENTRY));
    this.#pending = new Uint8Array(Math.ceil(vectors / 64) * 8);
    for (let i = 0; i < vectors; i++) this.#table.setUint32(i * ENTRY + 12, MASKED, true);
    // A restored state is no write of a guest, and comes before the table.
    config.onWrite = followed(config.onWrite, (_, size) => {
      if (size <= 4) this.#flush();
    });
  }

  /** The offset of the pending bits from the base address. */
  get pendingAt(): number {
    return Math.ceil((this.vectors * ENTRY) / 4096) * 4096;
  }

  /** Bytes that the base address needs. */
  get size(): number {
    return 2 ** Math.ceil(Math.log2(this.pendingAt + this.#pending.length));
  }

  get isEnabled(): boolean {
    return (this.#config.bytes[this.#at + 3]! & (MSIX_ENABLE >> 8)) !== 0;
  }

  /** Sends message `vector`, or marks it as pending while it is masked. False where MSI-X is off. */
  signal(vector: number): boolean {
    if (!this.isEnabled || vector < 0 || vector >= this.vectors) return false;
    if (this.#isMasked(vector)) this.#pending[vector >> 3]! |= 1 << (vector & 7);
    else this.#fire(vector);
    return true;
  }

  /** A guest reads 4 bytes of the base address. */
  read(offset: number): number {
    if (offset < this.#table.byteLength) return this.#table.getUint32(offset & ~3, true);
    const at = (offset & ~3) - this.pendingAt;
    if (at < 0 || at >= this.#pending.length) return 0;
    return new DataView(this.#pending.buffer).getUint32(at, true);
  }

  write(offset: number, value: number): void {
    const at = offset & ~3;
    if (at >= this.#table.byteLength) return;
    this.#table.setUint32(at, at % ENTRY === 12 ? value & MASKED : value, true);
    this.#flush();
  }

  #isMasked(vector: number): boolean {
    const all = (this.#config.bytes[this.#at + 3]! & (MSIX_MASK_ALL >> 8)) !== 0;
    return all || (this.#table.getUint32(vector * ENTRY + 12, true) & MASKED) !== 0;
  }

  #fire(vector: number): void {
    const at = vector * ENTRY;
    const address = this.#table.getUint32(at, true) + this.#table.getUint32(at + 4, true) * 2 ** 32;
    this.#send(address, this.#table.getUint32(at + 8, true));
  }

  /** Sends pending messages that are no longer masked. */
  #flush(): void {
    if (!this.isEnabled) return;
    for (let vector = 0; vector < this.vectors; vector++) {
      const bit = 1 << (vector & 7);
      if (!(this.#pending[vector >> 3]! & bit) || this.#isMasked(vector)) continue;
      this.#pending[vector >> 3]! &= ~bit;
      this.#fire(vector);
    }
  }

  save(): { table: number[]; pending: number[] } {
    return { table: [...new Uint8Array(this.#table.buffer)], pending: [...this.#pending] };
  }

  restore(device: Device['name'], table: unknown, pending: unknown): void {
    const bytes = bytesField(device, 'table', table, this.#table.byteLength);
    new Uint8Array(this.#table.buffer).set(bytes);
    for (let i = 0; i < this.vectors; i++)
      this.#table.setUint32(i * ENTRY + 12, this.#table.getUint32(i * ENTRY + 12, true) & MASKED, true);
    this.#pending.set(bytesField(device, 'pending', pending, this.#pending.length));
  }
}

function followed(first: ConfigSpace['onWrite'], then: ConfigSpace['onWrite']): ConfigSpace['onWrite'] {
  return (offset, size) => {
    first(offset, size);
    then(offset, size);
  };
}
