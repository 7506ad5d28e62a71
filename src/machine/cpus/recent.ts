import { type Exit, ExitKind } from '../../engine/contract/index.js';

/** How many of the last exits are kept. */
const KEPT = 32;

/** A port or address that a guest accessed again and again at the end of a run. */
export interface RecentAccess {
  readonly space: 'port' | 'memory' | 'halt';
  /** A port or a guest physical address; 0 for `halt`. */
  readonly address: number;
  readonly write: boolean;
  /** The name of the device that answered; undefined where nothing did. */
  readonly device?: string;
  /** How many of the last exits. */
  readonly count: number;
  /** The instruction pointer at the last of them, without its segment. */
  readonly rip: bigint;
}

/** The last exits that were accesses or HLT: a few numbers each, so that storing one costs almost nothing. */
export class RecentAccesses {
  readonly #addresses = new Float64Array(KEPT);
  /** The kind, and whether the guest wrote. */
  readonly #what = new Uint8Array(KEPT);
  readonly #devices = new Int16Array(KEPT);
  readonly #rips = new Uint32Array(2 * KEPT);
  #noted = 0;

  note(exit: Exit, device: number): void {
    const { kind } = exit;
    if (kind !== ExitKind.io && kind !== ExitKind.mmio && kind !== ExitKind.halt) return;
    const at = this.#noted++ % KEPT;
    this.#addresses[at] = kind === ExitKind.halt ? 0 : exit.address;
    this.#what[at] = kind * 2 + (exit.write ? 1 : 0);
    this.#devices[at] = device;
    this.#rips[2 * at] = exit.ripLow;
    this.#rips[2 * at + 1] = exit.ripHigh;
  }

  /** The last exits, grouped by what they accessed, the latest first. @param names of the devices, by number */
  list(names: readonly string[]): RecentAccess[] {
    const found = new Map<string, { -readonly [K in keyof RecentAccess]: RecentAccess[K] }>();
    for (let n = this.#noted - 1; n >= Math.max(0, this.#noted - KEPT); n--) {
      const at = n % KEPT;
      const [address, what] = [this.#addresses[at]!, this.#what[at]!];
      const key = `${what}:${address}`;
      const known = found.get(key);
      if (known !== undefined) {
        known.count++;
        continue;
      }
      const kind = what >> 1;
      const device = names[this.#devices[at]!];
      found.set(key, {
        space: kind === ExitKind.io ? 'port' : kind === ExitKind.mmio ? 'memory' : 'halt',
        address,
        write: (what & 1) === 1,
        count: 1,
        rip: (BigInt(this.#rips[2 * at + 1]!) << 32n) | BigInt(this.#rips[2 * at]!),
        ...(device !== undefined && { device }),
      });
    }
    return [...found.values()];
  }
}
