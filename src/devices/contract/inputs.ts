/** A source of values that the guest may get at any time: bytes, keys. */
export interface InputSource<T> {
  /** The next value; -1 or undefined where there is none yet. */
  read(): T | undefined;
  /** True if `read` would give a value. */
  readonly available: boolean;
  /**
   * True while a value is expected from outside: a guest that halts waits for it by the host's clock, even where the
   * instructions are the machine's time, which would pass at once.
   */
  readonly awaits?: boolean;
}

/** A source as a device sees it through the gate. */
export interface InputStream<T> {
  /** The next value that has come for the guest, or undefined. */
  read(): T | undefined;
  /** False where nothing will ever come. */
  readonly open: boolean;
}

/**
 * The gate for everything that a guest can see and that does not follow from its own actions. A device uses no other
 * source: no clock, random numbers or streams of the host. So inputs can be recorded, and a run can be repeated.
 *
 * Values are plain data, which survives `structuredClone`. Names of channels are unique in a device; open channels in
 * `attach`.
 */
export interface DeviceInputs {
  /**
   * A stream of values. The gate reads the source when the device reads the gate; `arrived` is called between two
   * instructions of the guest when a value is waiting.
   */
  stream<T>(name: string, source: InputSource<T> | undefined, arrived: () => void): InputStream<T>;
  /** A channel for values that are pushed. Returns the function that pushes one: `receive` gets it at once. */
  port<T>(name: string, receive: (value: T) => void): (value: T) => void;
  /** An answer from outside to the guest's last action. */
  ask<T>(name: string, answer: () => T): T;
  /** Nanoseconds since 1970-01-01 00:00 UTC. */
  unix(): bigint;
  /** Fills the bytes with random ones. */
  random(bytes: Uint8Array<ArrayBuffer>): void;
}
