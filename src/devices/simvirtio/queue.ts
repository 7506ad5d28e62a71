/**
 * The circular buffer of SIMVIRTIO, in memory that driver and device share.
 *
 * `head` is the place of the producer's next byte, `tail` that of the consumer's; both run from 0 to `maxlen` − 1. If
 * they are equal, the queue is empty, so one element stays free: a queue holds `maxlen` − 1 bytes at most.
 *
 * Each index has one writer. The producer writes the byte, then head; the consumer reads head, then the byte, then
 * writes tail. Guest code on x86 keeps that order by itself (SDM 3A 9.2.2: stores are not reordered with stores, loads
 * not with loads); here `Atomics` on the indexes keep it.
 *
 * @module
 */

/** Places of the indexes in `queue_control_t`, as 32-bit words. */
const HEAD = 0;
const TAIL = 1;

/** `simqueue_t` in C. */
export interface SharedQueue {
  /** `queue_control_t`: head and tail. */
  readonly control: Uint32Array;
  /** The data, `maxlen` bytes. */
  readonly buffer: Uint8Array;
}

/** Bytes in a queue whose indexes are these. */
export function bytesInQueue(head: number, tail: number, maxlen: number): number {
  return head >= tail ? head - tail : head - tail + maxlen;
}

/** `circ_bbuf_push`: adds a byte as the producer; false where the queue is full. */
export function circBufferPush({ control, buffer }: SharedQueue, byte: number): boolean {
  const head = Atomics.load(control, HEAD);
  const next = head + 1 < buffer.length ? head + 1 : 0;
  if (next === Atomics.load(control, TAIL)) return false;
  buffer[head] = byte;
  Atomics.store(control, HEAD, next);
  return true;
}

/** `circ_bbuf_pop`: removes a byte as the consumer; −1 where the queue is empty. */
export function circBufferPop({ control, buffer }: SharedQueue): number {
  const tail = Atomics.load(control, TAIL);
  if (tail === Atomics.load(control, HEAD)) return -1;
  const byte = buffer[tail]!;
  Atomics.store(control, TAIL, tail + 1 < buffer.length ? tail + 1 : 0);
  return byte;
}

/**
 * Reads the index that the other side writes. One outside the queue is invalid: it is reset to `last`, unless the other
 * side has written again meanwhile.
 */
function readIndex(control: Uint32Array, place: number, maxlen: number, last: number): number {
  const index = Atomics.load(control, place);
  if (index < maxlen) return index;
  Atomics.compareExchange(control, place, index, last);
  return last;
}

/** The device's end of a queue: its own index, which it never reads back, and the driver's last valid index. */
export interface QueueEnds {
  head: number;
  tail: number;
}

/** The device's end of TX. */
export class ConsumerEnd {
  readonly #queue: SharedQueue;
  /** A copy of the bytes: a driver may change its bytes while they are read. */
  readonly #copy: Uint8Array;
  /** Its first byte: a driver that sends byte by byte costs no allocation. */
  readonly #single: Uint8Array;
  #head = 0;
  #tail = 0;

  constructor(queue: SharedQueue) {
    this.#queue = queue;
    this.#copy = new Uint8Array(queue.buffer.length);
    this.#single = this.#copy.subarray(0, 1);
  }

  /** Reads the driver's head. Bytes that are pushed after that are for the next call. */
  look(): void {
    const { control, buffer } = this.#queue;
    this.#head = readIndex(control, HEAD, buffer.length, this.#head);
  }

  /** True where the queue is in the state after `clear`. */
  get cleared(): boolean {
    return this.#head === 0 && this.#tail === 0;
  }

  /** The next byte of those up to the read head, or −1. */
  pop(): number {
    const { control, buffer } = this.#queue;
    if (this.#head === this.#tail) return -1;
    const byte = buffer[this.#tail]!;
    this.#tail = this.#tail + 1 < buffer.length ? this.#tail + 1 : 0;
    Atomics.store(control, TAIL, this.#tail);
    return byte;
  }

  /**
   * Passes the bytes up to the read head, in one piece or, across the buffer's end, in two. `take` returns how many it
   * took; the others stay.
   * @returns how many were taken
   */
  drain(take: (bytes: Uint8Array) => number): number {
    const { control, buffer } = this.#queue;
    let total = 0;
    while (this.#tail !== this.#head) {
      const end = this.#head > this.#tail ? this.#head : buffer.length;
      const length = end - this.#tail;
      const bytes = length === 1 ? this.#single : this.#copy.subarray(0, length);
      if (length === 1) bytes[0] = buffer[this.#tail]!;
      else bytes.set(buffer.subarray(this.#tail, end));
      const taken = take(bytes);
      total += taken;
      this.#tail = this.#tail + taken === buffer.length ? 0 : this.#tail + taken;
      if (taken > 0) Atomics.store(control, TAIL, this.#tail);
      if (taken < length) break;
    }
    return total;
  }

  /** Empties the queue; the driver's head is written last. */
  clear(): void {
    const { control } = this.#queue;
    this.#head = 0;
    this.#tail = 0;
    Atomics.store(control, TAIL, 0);
    Atomics.store(control, HEAD, 0);
  }

  save(): QueueEnds {
    return { head: this.#head, tail: this.#tail };
  }

  load({ head, tail }: QueueEnds): void {
    this.#head = head;
    this.#tail = tail;
  }
}

/** The device's end of RX. */
export class ProducerEnd {
  readonly #queue: SharedQueue;
  #head = 0;
  #tail = 0;

  constructor(queue: SharedQueue) {
    this.#queue = queue;
  }

  /** Reads the driver's tail: the room that it has made. */
  look(): void {
    const { control, buffer } = this.#queue;
    this.#tail = readIndex(control, TAIL, buffer.length, this.#tail);
  }

  /**
   * Fills the room up to the read tail, in one piece or two. `give` writes bytes at the start of its room and returns
   * how many.
   */
  fill(give: (room: Uint8Array) => number): number {
    const { control, buffer } = this.#queue;
    let total = 0;
    for (;;) {
      const free = buffer.length - 1 - bytesInQueue(this.#head, this.#tail, buffer.length);
      const room = Math.min(free, buffer.length - this.#head);
      if (room === 0) return total;
      const given = give(buffer.subarray(this.#head, this.#head + room));
      if (given === 0) return total;
      total += given;
      this.#head = this.#head + given === buffer.length ? 0 : this.#head + given;
      Atomics.store(control, HEAD, this.#head);
      if (given < room) return total;
    }
  }

  clear(): void {
    const { control } = this.#queue;
    this.#head = 0;
    this.#tail = 0;
    Atomics.store(control, HEAD, 0);
    Atomics.store(control, TAIL, 0);
  }

  save(): QueueEnds {
    return { head: this.#head, tail: this.#tail };
  }

  load({ head, tail }: QueueEnds): void {
    this.#head = head;
    this.#tail = tail;
  }
}
