/**
 * A transport's registers as a table: each one's offset, name, and how it is read and written. Both transports have one.
 *
 * @module
 */
import type { AccessWords } from '../../contract/index.js';
import { bits, words } from '../../words.js';
import { Status } from '../constants.js';
import type { VirtioDevice } from '../device.js';

export interface Register {
  readonly offset: number;
  readonly size: 1 | 2 | 4;
  readonly words: AccessWords;
  read?(): number;
  write?(value: number): void;
}

/** @param how the effect of reads and writes; without `read` it reads as 0 */
export function register(
  offset: number,
  size: Register['size'],
  name: string,
  how: Pick<Register, 'read' | 'write'>,
  says?: (value: number) => string,
): Register {
  return { offset, size, words: words(name, says), ...how };
}

/** Registers by their offset. */
export class Registers {
  readonly #byOffset = new Map<number, Register>();
  readonly #byByte = new Map<number, Register>();

  constructor(registers: readonly Register[]) {
    for (const one of registers) {
      this.#byOffset.set(one.offset, one);
      for (let i = 0; i < one.size; i++) this.#byByte.set(one.offset + i, one);
    }
  }

  /** Reads any bytes: of several registers, or a part of one. */
  read(offset: number, size: number): number {
    const whole = this.#byOffset.get(offset);
    if (whole?.size === size) return whole.read?.() ?? 0;
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      const one = this.#byByte.get(offset + i);
      const byte = one === undefined ? 0 : ((one.read?.() ?? 0) >>> (8 * (offset + i - one.offset))) & 0xff;
      value = value * 256 + byte;
    }
    return value;
  }

  /** Writes a whole register, as drivers must (4.1.3.1): any other write changes nothing. */
  write(offset: number, size: number, value: number): void {
    const one = this.#byOffset.get(offset);
    if (one?.size === size) one.write?.(value);
  }

  words(offset: number): AccessWords | undefined {
    return this.#byByte.get(offset)?.words;
  }
}

const { acknowledge, driver, driverOk, featuresOk, needsReset, failed } = Status;
const named: readonly (readonly [number, string])[] = [
  [acknowledge, 'ACKNOWLEDGE'],
  [driver, 'DRIVER'],
  [featuresOk, 'FEATURES_OK'],
  [driverOk, 'DRIVER_OK'],
  [needsReset, 'NEEDS_RESET'],
  [failed, 'FAILED'],
];

/** `ACKNOWLEDGE, DRIVER`; `reset` for 0. */
export function statusWords(value: number): string {
  if (value === 0) return 'reset';
  return named
    .filter(([bit]) => value & bit)
    .map(([, name]) => name)
    .join(', ');
}

export const interruptWords = bits('used buffers', 'configuration change');
export const vectorWords = (value: number): string => (value === 0xffff ? 'none' : `message ${value}`);

/** A driver's mistake, for the end of a run. */
export function remarkOf({ name, problem }: VirtioDevice): string | undefined {
  return problem === '' ? undefined : `${name} waits for a reset: ${problem}`;
}
