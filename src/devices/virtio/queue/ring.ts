import type { GuestMemory } from '../../../memory/index.js';
import type { Chain } from './chain.js';

/** The places of a ring in guest memory (2.6): the parts have the same jobs in both formats, under different names. */
export interface RingPlace {
  /** Descriptors; 1 to 32768. */
  readonly size: number;
  /** The table of descriptors, or the ring of them. */
  readonly descriptors: number;
  /** Written by the driver: the available ring, or its event suppression. */
  readonly driver: number;
  /** Written by the device: the used ring, or its event suppression. */
  readonly device: number;
}

/** Features that change a ring. */
export interface RingFeatures {
  readonly eventIndex: boolean;
  readonly indirect: boolean;
}

/** A device's positions in a ring: its state outside guest memory. */
export interface RingState {
  /** The next buffer that is taken. */
  next: number;
  /** Where the next used buffer is reported. */
  used: number;
  /** `used`, when it was last decided whether to interrupt. */
  signalled: number;
}

/** A queue's ring, seen from the device. Every method that reads the driver's data may throw a `RingError`. */
export interface Ring {
  /** The next buffer that the driver has made available; undefined where there is none. */
  pop(): Chain | undefined;
  /** Returns a buffer, with the number of bytes that were written to it. */
  push(chain: Chain, written: number): void;
  /** Requests a notification of the next buffer. True where one has become available meanwhile. */
  rearm(): boolean;
  /** Has the driver requested an interrupt for the buffers that were pushed since the last call? */
  wantsInterrupt(): boolean;
  save(): RingState;
  /** Loads a value of `save`. False where no ring can have that state. */
  load(state: RingState): boolean;
}

/** A descriptor's flags (2.7.5); AVAIL and USED are a packed ring's (2.8.1). */
export const Flag = { next: 1, write: 2, indirect: 4, available: 0x80, used: 0x8000 } as const;
/** Bytes of a descriptor, in both formats. */
export const DESCRIPTOR = 16;
/** The most descriptors that are followed in an indirect table: more than any driver uses, and QEMU's limit too. */
export const MOST_INDIRECT = 1024;

/** An address of 64 bits. One that a number does not hold exactly is outside all RAM. */
export function address64(memory: GuestMemory, at: number): number {
  return memory.read32(at) + memory.read32(at + 4) * 2 ** 32;
}
