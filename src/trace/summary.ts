/**
 * The summary of a trace: which accesses left the guest and how often, where the time was spent, and when.
 *
 * @module
 */
import { Histogram } from './histogram.js';
import type { TraceRecord } from './record.js';
import { Timeline, type TimelineJson } from './timeline.js';

/** Exits that have something in common. Times are in microseconds. */
export interface TraceRow {
  kind: string;
  direction: TraceRecord['direction'];
  /** The port or address; the first address of a page where a row is a page; null where there is none. */
  address: number | null;
  device: string | null;
  register: string | null;
  count: number;
  runUs: number;
  handleUs: number;
  /** Of the handling time. */
  medianUs: number;
}

/** Numbers from `fromUs` to less than twice that; the first bucket begins at 0. */
export interface TraceBucket {
  fromUs: number;
  toUs: number;
  count: number;
}

/** A whole trace, as plain data. */
export interface TraceSummaryJson {
  exits: number;
  coalesced: number;
  /** From the guest's start before the first exit to the end of the last. */
  elapsedUs: number;
  /** The guest's own time, its time halted (and waking up), and the time of the monitor and its devices. */
  guestUs: number;
  haltedUs: number;
  handleUs: number;
  reasons: TraceRow[];
  places: TraceRow[];
  devices: TraceRow[];
  /** Of handling, and of the guest's time before an exit. */
  handling: TraceBucket[];
  running: TraceBucket[];
  timeline: TimelineJson;
}

/** Places that are kept apart; a guest can touch more. */
const MAX_PLACES = 4096;
const PAGE = 4096;
/** 2^-3 µs is the first bucket's end, 2^27 (two minutes) the last one's. */
const FIRST_POWER = -3;
const POWERS = 31;

class Tally {
  readonly first: TraceRecord;
  readonly address: number | null;
  readonly times = new Histogram();
  count = 0;
  runUs = 0;
  handleUs = 0;

  constructor(first: TraceRecord, address: number | null) {
    this.first = first;
    this.address = address;
  }

  add({ runUs, handleUs }: TraceRecord): void {
    this.count++;
    this.runUs += runUs;
    this.handleUs += handleUs;
    this.times.add(handleUs);
  }
}

/** Adds up records in the order of a trace; memory does not grow with their number. */
export class TraceSummary {
  readonly #reasons = new Map<string, Tally>();
  readonly #places = new Map<string, Tally>();
  readonly #devices = new Map<string, Tally>();
  readonly #handling = new Float64Array(POWERS);
  readonly #running = new Float64Array(POWERS);
  readonly #timeline = new Timeline();
  #exits = 0;
  #coalesced = 0;
  #guestUs = 0;
  #haltedUs = 0;
  #handleUs = 0;
  #startUs = Number.NaN;
  #endUs = 0;
  #lastHalt = Number.NaN;

  add(record: TraceRecord): void {
    const { exit, timeUs, runUs, handleUs, kind, coalesced, address, direction, device, register } = record;
    if (coalesced) this.#coalesced++;
    else this.#exits++;
    const began = Math.max(0, timeUs - runUs);
    if (Number.isNaN(this.#startUs)) this.#startUs = began;
    this.#endUs = Math.max(this.#endUs, timeUs + handleUs);
    // Between HLT and the next exit a CPU mostly sleeps.
    const halted = this.#lastHalt + 1 === exit;
    if (kind === 'halt') this.#lastHalt = exit;
    if (halted) this.#haltedUs += runUs;
    else this.#guestUs += runUs;
    this.#handleUs += handleUs;
    tallyOf(this.#reasons, `${kind}\n${direction}\n${coalesced}`, record, null).add(record);
    const who = address === null ? 'CPU' : (device ?? '(nobody)');
    if (address !== null) {
      const page = kind === 'mmio' ? address - (address % PAGE) : address;
      const key = `${kind}\n${direction}\n${page}\n${register ?? ''}`;
      tallyOf(this.#places, key, record, page).add(record);
      tallyOf(this.#devices, who, record, null).add(record);
    }
    if (!coalesced) this.#running[powerOf(runUs)]!++;
    this.#handling[powerOf(handleUs)]!++;
    if (runUs > 0) this.#timeline.add(halted ? 'halted' : 'guest', began, timeUs - began, false);
    this.#timeline.add(who, timeUs, handleUs, true);
  }

  toJSON(): TraceSummaryJson {
    return {
      exits: this.#exits,
      coalesced: this.#coalesced,
      elapsedUs: Number.isNaN(this.#startUs) ? 0 : this.#endUs - this.#startUs,
      guestUs: this.#guestUs,
      haltedUs: this.#haltedUs,
      handleUs: this.#handleUs,
      reasons: rows(this.#reasons, 'reason'),
      places: rows(this.#places, 'place'),
      devices: rows(this.#devices, 'device').sort((a, b) => b.handleUs - a.handleUs),
      handling: buckets(this.#handling),
      running: buckets(this.#running),
      timeline: this.#timeline.toJSON(),
    };
  }
}

const OTHERS = '…';

function tallyOf(map: Map<string, Tally>, key: string, record: TraceRecord, address: number | null): Tally {
  const known = map.get(key);
  if (known !== undefined) return known;
  if (map.size >= MAX_PLACES && key !== OTHERS) {
    const other = { ...record, kind: 'other', direction: '' as const, device: null, register: null };
    return tallyOf(map, OTHERS, other, null);
  }
  const tally = new Tally(record, address);
  map.set(key, tally);
  return tally;
}

/** Most exits first. Fields in which the exits of a row differ are null. */
function rows(map: ReadonlyMap<string, Tally>, by: 'reason' | 'place' | 'device'): TraceRow[] {
  const made = [...map.values()].map(({ first, address, count, runUs, handleUs, times }) => ({
    kind:
      by === 'device' ? '' : first.coalesced && by === 'reason' ? `${first.kind} (coalesced)` : first.kind,
    direction: by === 'device' ? ('' as const) : first.direction,
    address,
    device: by === 'reason' ? null : first.device,
    register: by === 'place' ? first.register : null,
    count,
    runUs,
    handleUs,
    medianUs: times.median(),
  }));
  return made.sort((a, b) => b.count - a.count);
}

function powerOf(us: number): number {
  if (!(us > 0)) return 0;
  return Math.min(POWERS - 1, Math.max(0, Math.floor(Math.log2(us)) - FIRST_POWER + 1));
}

/** From the first non-empty bucket to the last. */
function buckets(counts: Float64Array): TraceBucket[] {
  const all = Array.from(counts, (count, power) => ({
    fromUs: power === 0 ? 0 : 2 ** (power - 1 + FIRST_POWER),
    toUs: 2 ** (power + FIRST_POWER),
    count,
  }));
  const filled = all.map(({ count }) => count > 0);
  return filled.includes(true) ? all.slice(filled.indexOf(true), filled.lastIndexOf(true) + 1) : [];
}
