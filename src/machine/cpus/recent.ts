import type { AccessSize, Device } from '../../devices/contract/index.js';
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
  /** The device's name for the register, and its last value, as text: `first ATA status`, `0x50 ready`. */
  readonly register?: string;
  readonly value?: string;
  /** How many of the last exits. */
  readonly count: number;
  /** The instruction pointer at the last of them, without its segment. */
  readonly rip: bigint;
}

/** What is kept of each exit, by its place. */
class Kept {
  readonly addresses = new Float64Array(KEPT);
  /** The kind, and whether the guest wrote. */
  readonly what = new Uint8Array(KEPT);
  readonly devices = new Int16Array(KEPT);
  readonly rips = new Uint32Array(2 * KEPT);
  readonly sizes = new Uint8Array(KEPT);
  readonly values = new Uint32Array(KEPT);
}

/** The last exits that were accesses or HLT: a few numbers each, so that storing one costs almost nothing. */
export class RecentAccesses {
  /** Made for the first exit: a debugger's single steps are runs without any. */
  #kept: Kept | undefined;
  #noted = 0;

  note(exit: Exit, device: number): void {
    const { kind } = exit;
    if (kind !== ExitKind.io && kind !== ExitKind.mmio && kind !== ExitKind.halt) return;
    this.#kept ??= new Kept();
    const kept = this.#kept;
    const at = this.#noted++ % KEPT;
    kept.addresses[at] = kind === ExitKind.halt ? 0 : exit.address;
    kept.what[at] = kind * 2 + (exit.write ? 1 : 0);
    kept.devices[at] = device;
    const { size, data, offset } = exit;
    kept.sizes[at] = size;
    kept.values[at] =
      size === 1
        ? data.getUint8(offset)
        : size === 2
          ? data.getUint16(offset, true)
          : size === 0
            ? 0
            : data.getUint32(offset, true);
    kept.rips[2 * at] = exit.ripLow;
    kept.rips[2 * at + 1] = exit.ripHigh;
  }

  /** The last exits, grouped by what they accessed, the latest first. @param devices by their numbers */
  list(devices: readonly Device[]): RecentAccess[] {
    const found = new Map<string, { -readonly [K in keyof RecentAccess]: RecentAccess[K] }>();
    const kept = this.#kept;
    if (kept === undefined) return [];
    for (let n = this.#noted - 1; n >= Math.max(0, this.#noted - KEPT); n--) {
      const at = n % KEPT;
      const [address, what] = [kept.addresses[at]!, kept.what[at]!];
      const key = `${what}:${address}`;
      const known = found.get(key);
      if (known !== undefined) {
        known.count++;
        continue;
      }
      const kind = what >> 1;
      const device = devices[kept.devices[at]!];
      const space = kind === ExitKind.io ? 'port' : kind === ExitKind.mmio ? 'memory' : 'halt';
      const write = (what & 1) === 1;
      found.set(key, {
        space,
        address,
        write,
        count: 1,
        rip: (BigInt(kept.rips[2 * at + 1]!) << 32n) | BigInt(kept.rips[2 * at]!),
        ...(device !== undefined && { device: device.name }),
        ...(space !== 'halt' && this.#inWords(kept, at, device, { space, address, write })),
      });
    }
    return [...found.values()];
  }

  #inWords(
    kept: Kept,
    at: number,
    device: Device | undefined,
    access: { space: 'port' | 'memory'; address: number; write: boolean },
  ): { register?: string; value?: string } {
    const words = device?.describeAccess?.({ ...access, size: kept.sizes[at] as AccessSize });
    // What a call says is for the call that follows.
    if (words === undefined || words.isCall) return {};
    const value = kept.values[at]!;
    const says = words.says?.(value) ?? '';
    return { register: words.register, value: `0x${value.toString(16)}${says === '' ? '' : ` ${says}`}` };
  }
}
