import type { Claim } from '../contract/index.js';
import { Command, Config } from './header.js';

/** A base address register maps ports, or memory below 4 GiB or anywhere. */
export type BarKind = 'io' | 'memory' | 'memory64';

const IO_FLAG = 1;
const MEMORY64_FLAG = 4;
const LAST_PORT = 0xffff;
const LAST_32 = 0xffff_ffff;
/** A host bridge without more address lines: 40 bits, as CPUID says. */
const LAST_40 = 2 ** 40 - 1;

/** One base address register (PCI 3.0 6.2.5.1), and the claim that follows it. */
export class Bar {
  readonly kind: BarKind;
  /** A power of two. */
  readonly size: number;
  /** Its offset in configuration space. */
  readonly offset: number;
  readonly #claim: () => Claim | undefined;
  /** The guest's address of it; undefined while it is not mapped. */
  #address: number | undefined;

  /**
   * @param index 0 to 5
   * @param claim called for each use, since a device gets its claims when it is attached
   */
  constructor(index: number, kind: BarKind, size: number, claim: () => Claim | undefined) {
    if (!Number.isInteger(Math.log2(size)) || size < (kind === 'io' ? 4 : 16))
      throw new RangeError(`a base address of ${size} bytes`);
    this.kind = kind;
    this.size = size;
    this.offset = Config.bars + 4 * index;
    this.#claim = claim;
  }

  get flags(): number {
    return this.kind === 'io' ? IO_FLAG : this.kind === 'memory64' ? MEMORY64_FLAG : 0;
  }

  /** How many registers it uses. */
  get registers(): 1 | 2 {
    return this.kind === 'memory64' ? 2 : 1;
  }

  /** The bits that a guest can set, from which it computes the size. */
  get mask(): { low: number; high: number } {
    const low = this.size >= 2 ** 32 ? 0 : (2 ** 32 - this.size) >>> 0;
    const high = this.size >= 2 ** 32 ? (2 ** 32 - this.size / 2 ** 32) >>> 0 : 0xffff_ffff;
    // All 32 bits also for ports, as QEMU does: firmware takes zeros of missing bits as part of the size.
    return { low, high };
  }

  get address(): number | undefined {
    return this.#address;
  }

  /** Moves it to the registers' address, if the command register enables it. Address 0 means that it was not set. */
  follow(command: number, low: number, high: number): void {
    const enabled = (command & (this.kind === 'io' ? Command.io : Command.memory)) !== 0;
    const address = (low & ~(this.kind === 'io' ? 3 : 15)) >>> 0;
    const whole = address + high * 2 ** 32;
    const last = this.kind === 'io' ? LAST_PORT : this.kind === 'memory' ? LAST_32 : LAST_40;
    // All ones: a guest reads the size; a range beyond the end is not mapped.
    const fits = whole > 0 && whole + this.size - 1 < last;
    this.#address = enabled && fits ? whole : undefined;
    const claim = this.#claim();
    if (claim === undefined) return;
    if (this.#address === undefined) claim.release();
    else if (!claim.isHeld || claim.address !== this.#address) claim.move(this.#address);
  }
}
