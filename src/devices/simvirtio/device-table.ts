import type { GuestMemory } from '../../memory/index.js';
import { MAX_DEVICES, SIMVIRTIO_BASE } from './layout.js';

/** `device_table_t`: a u16 count, and from offset 8 on ten u64 addresses. */
const COUNT = 0;
const ADDRESSES = 8;
const TABLE_SIZE = ADDRESSES + 8 * MAX_DEVICES;

/**
 * The table of configured devices in guest memory. The list is kept here and only written there: a guest's changes of
 * its copy affect only the guest.
 */
export class DeviceTable {
  readonly #halves: Uint16Array;
  readonly #addresses: BigUint64Array;
  #listed: number[] = [];

  constructor(memory: GuestMemory) {
    const { byteOffset } = memory.hold(SIMVIRTIO_BASE, TABLE_SIZE);
    this.#halves = new Uint16Array(memory.buffer, byteOffset, 1);
    this.#addresses = new BigUint64Array(memory.buffer, byteOffset + ADDRESSES, MAX_DEVICES);
    this.#write();
  }

  /** The addresses of all configured devices, in the order in which they were configured. */
  get listed(): readonly number[] {
    return this.#listed;
  }

  /** Adds a device; it must not be listed yet. There are never more devices than the table has room for. */
  add(address: number): void {
    this.#listed.push(address);
    this.#write();
  }

  /** Removes a device, if it is listed; those after it move up. A guest's changes of the table are overwritten. */
  remove(address: number): void {
    this.#listed = this.#listed.filter((listed) => listed !== address);
    this.#write();
  }

  /** The table itself, with the guest's changes, is restored with the guest's memory. */
  load(listed: readonly number[]): void {
    this.#listed = [...listed];
  }

  /**
   * Never counts a missing entry: the count is reduced before entries are removed, and increased after they were added.
   */
  #write(): void {
    const count = this.#listed.length;
    if (Atomics.load(this.#halves, COUNT) > count) Atomics.store(this.#halves, COUNT, count);
    for (let i = 0; i < MAX_DEVICES; i++) this.#addresses[i] = BigInt(this.#listed[i] ?? 0);
    Atomics.store(this.#halves, COUNT, count);
  }
}
