import { type Exit, type ExitKind, isAccess } from '../engine/contract/index.js';
import { TerrariumError } from '../errors.js';

/** One entry of the log as an object: for tests and for printing a few. */
export interface ExitEntry {
  /** Counts from 1, coalesced writes included. */
  number: number;
  /** The CPU that left the guest. */
  cpu: number;
  kind: ExitKind;
  /** When the guest left, in milliseconds of the log's clock (`performance.now()`). */
  startMs: number;
  /** Run time, as `ExitLog` defines it. */
  runMs: number;
  /** How long the monitor and its device took to answer. */
  handleMs: number;
  address: number;
  size: number;
  count: number;
  write: boolean;
  coalesced: boolean;
  /** The first element's bytes, little-endian; for a read those that the device returned. */
  data: bigint;
  reason: number;
  rip: bigint;
  /** The device's number, -1 where no device was accessed. */
  device: number;
}

/**
 * Reads entries `from` (included) to `to` (not included). They stay valid until the reader returns.
 * A reader that throws ends the run: the entries that it could not read are not shown again.
 */
export type ExitReader = (log: ExitLog, from: number, to: number) => void;

/** The default number of entries that a log keeps. */
const DEFAULT_CAPACITY = 65536;
/** The most CPUs: their number is kept in a byte. */
const CPUS = 256;

/**
 * Every exit of a run, in a ring of typed arrays: the single source of traces, statistics and timelines.
 *
 * Nothing is allocated when an exit is recorded. Readers get the entries in batches: when half the ring is new, and at
 * each `flush`, so that no entry is lost. Entries are named by how many came before them, from 0; an entry's place in
 * the columns is `index & mask`.
 *
 * Two times belong to an exit. *Run time* is the time that its CPU spent in the engine before it: since the end of that CPU's
 * previous exit, less the handling of coalesced writes in between, which arrive in a batch before a real exit and have
 * no run time of their own. It holds the guest's instructions, the kernel's part of the exit, and ticks of the run loop.
 * *Handling time* is the time of the monitor and the device.
 */
export class ExitLog {
  readonly capacity: number;
  /** Capacity less one: `index & mask` is an entry's place in the columns. */
  readonly mask: number;
  readonly cpus: Uint8Array;
  readonly kinds: Uint8Array;
  readonly starts: Float64Array;
  readonly runs: Float64Array;
  readonly handlings: Float64Array;
  /** Instructions since the exit before; NaN where the engine does not count them. */
  readonly instructions: Float64Array;
  readonly addresses: Float64Array;
  readonly sizes: Uint8Array;
  readonly counts: Uint32Array;
  readonly writes: Uint8Array;
  readonly coalesced: Uint8Array;
  readonly dataLow: Uint32Array;
  readonly dataHigh: Uint32Array;
  readonly reasons: Uint32Array;
  readonly ripLow: Uint32Array;
  readonly ripHigh: Uint32Array;
  readonly devices: Int16Array;
  readonly #readers: { read: ExitReader; next: number }[] = [];
  #total = 0;
  #originMs = Number.NaN;
  /** By CPU: when the handling of its last entry ended; NaN before the first. */
  readonly #lastEnds = new Float64Array(CPUS).fill(Number.NaN);
  /** By CPU: run time of coalesced writes, kept for the real exit that follows them. */
  readonly #pendingRuns = new Float64Array(CPUS);
  /** By CPU: its instructions at its last entry. */
  readonly #lastInstructions = new Float64Array(CPUS);
  #flushing = false;

  /** @param options.capacity entries that are kept, a power of two from 2 to 2^24; default 65,536 */
  constructor(options: { capacity?: number } = {}) {
    const { capacity = DEFAULT_CAPACITY } = options;
    if (
      !Number.isInteger(capacity) ||
      capacity < 2 ||
      capacity > 2 ** 24 ||
      (capacity & (capacity - 1)) !== 0
    ) {
      throw new TerrariumError('ECONFIG', `an exit log of ${capacity} entries`, {
        hint: 'the capacity is a power of two from 2 to 2^24',
      });
    }
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.cpus = new Uint8Array(capacity);
    this.kinds = new Uint8Array(capacity);
    this.starts = new Float64Array(capacity);
    this.runs = new Float64Array(capacity);
    this.handlings = new Float64Array(capacity);
    this.instructions = new Float64Array(capacity);
    this.addresses = new Float64Array(capacity);
    this.sizes = new Uint8Array(capacity);
    this.counts = new Uint32Array(capacity);
    this.writes = new Uint8Array(capacity);
    this.coalesced = new Uint8Array(capacity);
    this.dataLow = new Uint32Array(capacity);
    this.dataHigh = new Uint32Array(capacity);
    this.reasons = new Uint32Array(capacity);
    this.ripLow = new Uint32Array(capacity);
    this.ripHigh = new Uint32Array(capacity);
    this.devices = new Int16Array(capacity);
  }

  /** Entries recorded so far, coalesced writes included. */
  get total(): number {
    return this.#total;
  }

  /** The time that traces count from: `begin`, or else the first exit. NaN before that. */
  get originMs(): number {
    return this.#originMs;
  }

  /**
   * Says that the guest starts to run now, so that the first exit has a run time, and the time between two runs is not
   * counted.
   */
  begin(nowMs: number): void {
    if (Number.isNaN(this.#originMs)) this.#originMs = nowMs;
    this.#lastEnds.fill(nowMs);
  }

  /**
   * Records an exit after it was handled. Times are in milliseconds of `performance.now()`.
   * @param device the number of the accessed device, -1 where there was none
   * @param instructions the CPU's instructions so far, where it counts them
   */
  record(exit: Exit, device: number, startMs: number, endMs: number, instructions = Number.NaN): void {
    const at = this.#total & this.mask;
    const { kind, size, cpu } = exit;
    // The record is reused: in exits that are no access, its other fields still have the values of an earlier exit.
    const access = isAccess(kind);
    const coalesced = access && exit.coalesced;
    if (Number.isNaN(this.#originMs)) this.#originMs = startMs;
    // The run time of the first exit is unknown if `begin` was not called.
    const lastEnd = this.#lastEnds[cpu]!;
    const run = Number.isNaN(lastEnd) ? 0 : startMs - lastEnd;
    this.#lastEnds[cpu] = endMs;
    this.#pendingRuns[cpu]! += Math.max(run, 0);
    this.runs[at] = coalesced ? 0 : this.#pendingRuns[cpu]!;
    if (!coalesced) this.#pendingRuns[cpu] = 0;
    this.instructions[at] = Math.max(0, instructions - this.#lastInstructions[cpu]!);
    this.#lastInstructions[cpu] = instructions;
    this.cpus[at] = cpu;
    this.kinds[at] = kind;
    this.starts[at] = startMs;
    this.handlings[at] = endMs > startMs ? endMs - startMs : 0;
    this.writes[at] = access && exit.write ? 1 : 0;
    this.coalesced[at] = coalesced ? 1 : 0;
    this.reasons[at] = exit.reason;
    this.ripLow[at] = exit.ripLow;
    this.ripHigh[at] = exit.ripHigh;
    this.devices[at] = device;
    this.addresses[at] = access ? exit.address : 0;
    this.sizes[at] = access ? size : 0;
    this.counts[at] = access ? exit.count : 0;
    this.dataLow[at] = access ? littleEndian(exit.data, exit.offset, Math.min(size, 4)) : 0;
    this.dataHigh[at] = access && size > 4 ? littleEndian(exit.data, exit.offset + 4, size - 4) : 0;
    this.#total++;
    if ((this.#total & (this.mask >> 1)) === 0) this.flush();
  }

  /** Adds a reader. It gets the entries that are recorded from now on, and the latest ones that are still kept. */
  subscribe(reader: ExitReader): void {
    this.#readers.push({ read: reader, next: Math.max(0, this.#total - this.capacity / 2) });
  }

  /** Hands every reader the entries that it has not seen. A flush from inside a reader does nothing. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (const reader of this.#readers) {
        const from = reader.next;
        if (from === this.#total) continue;
        reader.next = this.#total;
        reader.read(this, from, this.#total);
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** Entry `index`, counted from 0, as an object. @throws RangeError where the ring no longer or not yet has it */
  entry(index: number): ExitEntry {
    if (
      !Number.isInteger(index) ||
      index < 0 ||
      index >= this.#total ||
      index < this.#total - this.capacity
    ) {
      const oldest = Math.max(0, this.#total - this.capacity);
      throw new RangeError(`entry ${index} is not in the log, which has ${oldest} to ${this.#total - 1}`);
    }
    const at = index & this.mask;
    return {
      number: index + 1,
      cpu: this.cpus[at]!,
      kind: this.kinds[at] as ExitKind,
      startMs: this.starts[at]!,
      runMs: this.runs[at]!,
      handleMs: this.handlings[at]!,
      address: this.addresses[at]!,
      size: this.sizes[at]!,
      count: this.counts[at]!,
      write: this.writes[at] === 1,
      coalesced: this.coalesced[at] === 1,
      data: (BigInt(this.dataHigh[at]!) << 32n) | BigInt(this.dataLow[at]!),
      reason: this.reasons[at]!,
      rip: (BigInt(this.ripHigh[at]!) << 32n) | BigInt(this.ripLow[at]!),
      device: this.devices[at]!,
    };
  }
}

/** `length` bytes, 0 to 4, as a number. */
function littleEndian(data: DataView, offset: number, length: number): number {
  if (length === 1) return data.getUint8(offset);
  if (length === 2) return data.getUint16(offset, true);
  if (length === 4) return data.getUint32(offset, true);
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = (value << 8) | data.getUint8(offset + i);
  return value >>> 0;
}
