/** Where values come from that the guest may have at any time: bytes, keys. */
export interface InputSource<T> {
  /** The next value; -1 or undefined where there is none now. */
  read(): T | undefined;
  /** True if `read` would give a value. */
  readonly available: boolean;
  /**
   * True while something is under way that takes the host's time: a guest that halts waits for it by the host's clock, also where the
   * machine's time is its instructions and would pass at once.
   */
  readonly awaits?: boolean;
}

/** A source as the gate gives it to a device. */
export interface InputStream<T> {
  /** The next value that has come for the guest, or undefined. */
  read(): T | undefined;
  /** False where nothing will ever come. */
  readonly open: boolean;
}

/**
 * The gate for everything that a guest can see and that does not follow from its own actions. A device takes it from here alone:
 * it reads no clock, no random numbers and no stream of the host. So inputs can be recorded, and a run repeated.
 *
 * Values are plain data, which survives `structuredClone`. Names of channels are unique in a device; open channels in
 * `attach`.
 */
export interface DeviceInputs {
  /**
   * A stream of values. The gate reads the source, when the device asks; `arrived` is called between two instructions of the
   * guest when there is something to ask for.
   */
  stream<T>(name: string, source: InputSource<T> | undefined, arrived: () => void): InputStream<T>;
  /** A way in for values that are pushed. Gives the function that pushes one: `receive` gets it at once. */
  port<T>(name: string, receive: (value: T) => void): (value: T) => void;
  /** An answer from outside to the guest's last action. */
  ask<T>(name: string, answer: () => T): T;
  /** Nanoseconds since 1970-01-01 00:00 UTC. */
  unix(): bigint;
  /** Fills the bytes with random ones. */
  random(bytes: Uint8Array<ArrayBuffer>): void;
}
