/**
 * The devices' use of a driver's bytes once they are ready.
 *
 * @module
 */
import type { ByteSink } from '../contract/index.js';

export interface Backend {
  /** As text: `console`, `echo`, `sink`. */
  readonly name: string;
  /** Elements of each of its device's queues; default: that of all devices. */
  readonly queueLength?: number;
  /**
   * Takes the driver's bytes and returns how many it took. The others stay in TX, so that the driver finds the queue
   * full: back pressure. The bytes are valid only during the call.
   */
  transmit(bytes: Uint8Array): number;
  /** True if `receive` would return a byte: this is called at every poll, and `receive` only if it is true. */
  readonly available: boolean;
  /** Writes the bytes for the driver at the start of `room`, and returns their number. */
  receive(room: Uint8Array): number;
  /** Forgets everything. */
  reset(): void;
  /** Saves and restores its bytes. */
  save?(): number[];
  load?(bytes: readonly number[]): void;
}

/** Prints the driver's bytes; sends nothing. */
export function consoleBackend(output: ByteSink): Backend {
  return {
    name: 'console',
    transmit(bytes) {
      output(bytes);
      return bytes.length;
    },
    available: false,
    receive: () => 0,
    reset() {},
  };
}

/** Drops all bytes: for measuring. */
export function sinkBackend(queueLength?: number): Backend {
  return {
    name: 'sink',
    ...(queueLength !== undefined && { queueLength }),
    transmit: (bytes) => bytes.length,
    available: false,
    receive: () => 0,
    reset() {},
  };
}

/** Bytes that the echo keeps while the driver does not take them. */
export const ECHO_BYTES = 4096;

/** Returns the driver's bytes. Where the driver does not read, it stops reading as soon as it is full. */
export function echoBackend(): Backend {
  const kept = new Uint8Array(ECHO_BYTES);
  let length = 0;
  return {
    name: 'echo',
    transmit(bytes) {
      const taken = Math.min(bytes.length, kept.length - length);
      kept.set(bytes.subarray(0, taken), length);
      length += taken;
      return taken;
    },
    get available() {
      return length > 0;
    },
    receive(room) {
      const given = Math.min(room.length, length);
      room.set(kept.subarray(0, given));
      kept.copyWithin(0, given, length);
      length -= given;
      return given;
    },
    reset() {
      length = 0;
    },
    save: () => [...kept.subarray(0, length)],
    load(bytes) {
      length = bytes.length;
      kept.set(bytes);
    },
  };
}
