/**
 * A ROM at the top of 4 GiB, where the processor fetches its first instruction (FFFF_FFF0h; SDM 3A 10.1.4).
 *
 * @module
 */
import type { Device, DeviceHost, MemoryRange } from './contract/index.js';
import { Stateless } from './state.js';

const TOP = 2 ** 32;
const PAGE = 4096;

/** See the module's comment. Its bytes end at the top; its first page is filled up with FFh, as in an erased chip. */
export class FirmwareRom extends Stateless implements Device {
  readonly name = 'firmware-rom';
  readonly memory: readonly [MemoryRange];
  readonly #bytes: Uint8Array;

  /** @param bytes at least one, and at most 16 MiB */
  constructor(bytes: Uint8Array) {
    super();
    const size = Math.ceil(bytes.length / PAGE) * PAGE;
    this.#bytes = new Uint8Array(size).fill(0xff);
    this.#bytes.set(bytes, size - bytes.length);
    this.memory = [{ address: TOP - size, size, backing: 'ram' }];
  }

  attach({ windows }: DeviceHost): void {
    windows?.bytes(this.memory[0]).set(this.#bytes);
  }
}
