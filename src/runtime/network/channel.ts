/**
 * The shared memory of a machine's thread and its network's thread: a ring of frames in each direction, and words by which they wake each
 * other.
 *
 * @module
 */
import type { NetworkSpec } from '../../config/index.js';
import { FrameRing } from './frame-ring.js';

/** Words of the control block. */
export const Link = {
  /** 0 while it starts; then 1, or 2 where it failed. */
  state: 0,
  /** Counts the wakes of the network's thread. */
  wake: 1,
  /** 1 while that thread has been woken and has not reacted yet. */
  woken: 2,
  /** 1 while an input from outside is possible for which the guest waits. */
  expects: 3,
  /** How many of the guest's frames have been handled, by the count of wakes. */
  handled: 4,
  /** 1 while the machine has been called and has not reacted yet. */
  called: 5,
  /** Bytes of the text that says why it failed, or what it is. */
  textLength: 6,
} as const;
export const LinkState = { starting: 0, open: 1, failed: 2 } as const;
const WORDS = 8;
const TEXT_BYTES = 4096;

const RING_BYTES = 1024 * 1024;

/** Shared memory, for messages between threads. */
export interface LinkBuffers {
  control: SharedArrayBuffer;
  text: SharedArrayBuffer;
  toNetwork: SharedArrayBuffer;
  toGuest: SharedArrayBuffer;
}

/** The start message of the network's thread. */
export interface NetworkStart {
  spec: NetworkSpec;
  buffers: LinkBuffers;
}

/** The later message: which thread to wake. */
export interface NetworkCall {
  control: Int32Array;
  /** The guest runs in the host's kernel, and must be kicked out of it. */
  hostKernel: boolean;
}

/** One side of the link. */
export class NetworkLink {
  readonly buffers: LinkBuffers;
  readonly control: Int32Array;
  readonly toNetwork: FrameRing;
  readonly toGuest: FrameRing;

  constructor(buffers?: LinkBuffers) {
    this.toNetwork = new FrameRing(buffers?.toNetwork ?? RING_BYTES);
    this.toGuest = new FrameRing(buffers?.toGuest ?? RING_BYTES);
    this.buffers = buffers ?? {
      control: new SharedArrayBuffer(4 * WORDS),
      text: new SharedArrayBuffer(TEXT_BYTES),
      toNetwork: this.toNetwork.buffer,
      toGuest: this.toGuest.buffer,
    };
    this.control = new Int32Array(this.buffers.control);
  }

  /** Reports that the network's thread has started, or could not. */
  say(state: number, text: string): void {
    const bytes = new TextEncoder().encode(text).subarray(0, TEXT_BYTES);
    new Uint8Array(this.buffers.text).set(bytes);
    Atomics.store(this.control, Link.textLength, bytes.length);
    Atomics.store(this.control, Link.state, state);
    Atomics.notify(this.control, Link.state);
  }

  get text(): string {
    const length = Atomics.load(this.control, Link.textLength);
    return new TextDecoder().decode(new Uint8Array(this.buffers.text).slice(0, length));
  }

  /** Wakes the network's thread, once until it has reacted. */
  wakeNetwork(): void {
    Atomics.add(this.control, Link.wake, 1);
    if (Atomics.exchange(this.control, Link.woken, 1) === 0) Atomics.notify(this.control, Link.wake);
  }
}
