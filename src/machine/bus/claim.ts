import type { Claim, Device, MemoryRange, PortRange } from '../../devices/contract/index.js';
import { ConfigError } from '../../errors.js';

/** The last possible port and address. Guest physical addresses have 52 bits (SDM 3A 4.1.4). */
const LAST = { port: 0xffff, memory: 2 ** 52 - 1 } as const;

/** The interface of an address space for its claims. */
export interface ClaimedSpace {
  readonly name: keyof typeof LAST;
  /** The claims that are held now. */
  readonly held: BusClaim[];
  /** The claim that `claim` would overlap with the same priority at `address`. */
  inTheWay(claim: BusClaim, address: number): BusClaim | undefined;
  /** A claim was made, moved or released. */
  changed(): void;
}

/** A device's hold on a range of an address space. */
export class BusClaim implements Claim {
  readonly device: Device;
  /** The device's number in its machine, for the exit log. */
  readonly index: number;
  /** The device's range; its address is the claim's original one. */
  readonly range: PortRange | MemoryRange;
  readonly size: number;
  /** The widest access the device takes, in bytes. */
  readonly width: number;
  readonly coalesce: boolean;
  readonly priority: number;
  /** The bytes that the guest reads here without an exit, if any. */
  bytes: Uint8Array | undefined;
  readonly #space: ClaimedSpace;
  #first: number;
  #isHeld = false;

  constructor(space: ClaimedSpace, device: Device, index: number, range: PortRange | MemoryRange) {
    const [first, size] = 'first' in range ? [range.first, range.count] : [range.address, range.size];
    const { width = 4, coalesce = false, priority = 0 } = range;
    this.#space = space;
    this.device = device;
    this.index = index;
    this.range = range;
    this.size = size;
    this.width = width;
    this.coalesce = coalesce;
    this.priority = priority;
    this.#first = first;
    this.#check(first);
    if (range.hidden !== true) this.move(first);
  }

  get address(): number {
    return this.#first;
  }

  get last(): number {
    return this.#first + this.size - 1;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  move(address: number): void {
    this.#check(address);
    const other = this.#space.inTheWay(this, address);
    if (other !== undefined) {
      const where = Math.max(address, other.address).toString(16);
      throw new ConfigError(
        `devices '${other.device.name}' and '${this.device.name}' both claim ${this.#space.name} 0x${where}`,
        'move one of them, or give them priorities',
      );
    }
    if (this.#isHeld && address === this.#first) return;
    this.#first = address;
    if (!this.#isHeld) this.#space.held.push(this);
    this.#isHeld = true;
    this.#space.changed();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#space.held.splice(this.#space.held.indexOf(this), 1);
    this.#space.changed();
  }

  #check(first: number): void {
    const { size, device } = this;
    const { name } = this.#space;
    const fits = Number.isInteger(first) && Number.isInteger(size) && first >= 0 && size >= 1;
    if (fits && first + size - 1 <= LAST[name]) return;
    throw new ConfigError(
      `device '${device.name}' claims ${size} ${name} addresses from ${first}`,
      name === 'port' ? 'ports go from 0 to 0xffff' : 'addresses are whole numbers from 0 to 2^52 - 1',
    );
  }
}
