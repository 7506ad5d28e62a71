/**
 * "Where did this value come from?": back through the instructions that only copied it, to the one that made it, and on to that one's
 * inputs.
 *
 * @module
 */
import type { Device } from '../../devices/contract/index.js';
import { physicalAddress } from '../../inspect/index.js';
import type { Syntax } from '../../isa/index.js';
import type { Effect, Way } from './effects.js';
import { type FindParts, WriteFinder } from './find-write.js';
import { type Place, placeText } from './places.js';

/** How a location got its value; see `Way` for instructions. */
export type OriginWay =
  | Way
  /** It is part of the image. */
  | 'image'
  /** It is unchanged since the machine's start: RAM of zeros, or data of the loader or the firmware. */
  | 'start'
  /** It is older than the history. */
  | 'older'
  /** A device answered an access to its memory. */
  | 'device'
  /** A device wrote it to memory (DMA), or the monitor did. */
  | 'outside'
  /** The processor wrote it around an instruction: as it delivered an interrupt or an exception. */
  | 'event'
  /** The search ended here, at its limit. */
  | 'unfollowed';

/** A value in a location, and its origin. Plain data. */
export interface Origin {
  /** `rax`, `qword [0x7c00]`. */
  what: string;
  /** Without sign; undefined where nothing is mapped. */
  value: bigint | undefined;
  /** In bytes. */
  size: number;
  way: OriginWay;
  /** The moment: instructions before the one that wrote it. */
  at: number;
  /** The linear address of that instruction, its text, and its name. */
  pc?: bigint;
  instruction?: string;
  symbol?: string;
  port?: number;
  /** The device that was asked. */
  device?: string;
  /** The last input from outside to that device. */
  input?: unknown;
  /** Only a part of the value was written there: this many bytes. */
  part?: number;
  /** The values from which it was copied or made. */
  from: Origin[];
}

export interface OriginParts extends FindParts {
  devices: readonly Device[];
  /** The physical addresses of the image. */
  segments: readonly { readonly address: number; readonly size: number }[];
  /** A name for a linear address. */
  locate(address: bigint): string | undefined;
  syntax?: Syntax;
}

export interface OriginOptions {
  /** How many instructions that make a value are followed to their inputs, one after the other. Default 3. */
  depth?: number;
}

/** The most values that one query follows. */
const MOST = 48;
const DEPTH = 3;

/**
 * Where the value of a location comes from, at the present moment of the history; the guest is there again afterwards. @throws Interrupted
 * where the search was interrupted
 */
export function originOf(parts: OriginParts, place: Place, { depth = DEPTH }: OriginOptions = {}): Origin {
  const { now } = parts.history.range;
  const search = new Search(parts);
  try {
    return search.origin(place, now, depth);
  } finally {
    parts.ask(undefined);
    parts.history.goTo(now);
  }
}

class Search {
  readonly #parts: OriginParts;
  readonly #finder: WriteFinder;
  #looked = 0;

  constructor(parts: OriginParts) {
    this.#parts = parts;
    this.#finder = new WriteFinder(parts);
  }

  origin(place: Place, before: number, depth: number): Origin {
    this.#finder.goTo(before);
    const value = this.#finder.read(place);
    const it = { what: placeText(place), value, size: place.size };
    if (value === undefined) return { ...it, way: 'device', at: before, ...this.#deviceAt(place), from: [] };
    if (++this.#looked > MOST || depth < 0) return { ...it, way: 'unfollowed', at: before, from: [] };
    const found = this.#finder.lastWrite(place, before);
    if (found.by === 'unknown') return { ...it, way: 'unfollowed', at: before - found.searched, from: [] };
    if (found.by === 'start') return { ...it, ...this.#start(place), from: [] };
    // The finder has left the guest before that instruction.
    if (found.by === 'outside') this.#finder.goTo(found.at);
    const step = { at: found.at, ...this.#instruction() };
    if (found.by === 'outside') return { ...it, way: 'outside', ...step, from: [] };
    const { effect } = found;
    if (effect === undefined) return { ...it, way: 'event', ...step, from: [] };
    return {
      ...it,
      way: effect.way,
      ...step,
      ...partOf(place, effect),
      ...(effect.port !== undefined && this.#port(effect.port)),
      from: this.#sources(place, effect, found.at, depth),
    };
  }

  #sources(place: Place, effect: Effect, at: number, depth: number): Origin[] {
    const isCopy = effect.way === 'copy';
    const wanted = isCopy ? effect.from.map((from) => narrowed(place, effect.to, from)) : effect.from;
    const different = wanted.filter(
      (one, index) => wanted.findIndex((other) => placeText(other) === placeText(one)) === index,
    );
    return different.map((from) => this.origin(from, at, isCopy ? depth : depth - 1));
  }

  #instruction(): Pick<Origin, 'pc' | 'instruction' | 'symbol'> {
    const { pc } = this.#parts.here();
    const { text } = this.#finder.instruction(this.#parts.syntax);
    const symbol = this.#parts.locate(pc);
    return { pc, instruction: text, ...(symbol !== undefined && { symbol }) };
  }

  /** The origin of a value at the beginning of the history. */
  #start(place: Place): Pick<Origin, 'way' | 'at' | 'symbol'> {
    const { first } = this.#parts.history.range;
    if (first > 0) return { way: 'older', at: first };
    if (place.kind === 'register') return { way: 'start', at: first };
    this.#finder.goTo(first);
    const { system } = this.#finder.view();
    const physical = physicalAddress(this.#parts.memory, system, place.address);
    const inImage = this.#parts.segments.some(
      ({ address, size }) => physical !== undefined && physical >= address && physical < address + size,
    );
    const symbol = this.#parts.locate(place.address);
    return { way: inImage ? 'image' : 'start', at: first, ...(symbol !== undefined && { symbol }) };
  }

  #port(port: number): Pick<Origin, 'port' | 'device' | 'input'> {
    const device = this.#parts.devices.find(({ ports = [] }) =>
      ports.some(({ first, count }) => port >= first && port < first + count),
    );
    if (device === undefined) return { port };
    const input = this.#parts.history.lastInput(device.name);
    return { port, device: device.name, ...(input !== undefined && { input: input.value }) };
  }

  #deviceAt(place: Place): Pick<Origin, 'device'> {
    if (place.kind === 'register') return {};
    const { system } = this.#finder.view();
    const physical = physicalAddress(this.#parts.memory, system, place.address) ?? Number(place.address);
    const device = this.#parts.devices.find(({ memory = [] }) =>
      memory.some(({ address, size }) => physical >= address && physical < address + size),
    );
    return device === undefined ? {} : { device: device.name };
  }
}

/** The part of a copy's source that went into the wanted bytes. */
function narrowed(place: Place, to: Place, from: Place): Place {
  const skipped = offsetIn(to, place);
  if (skipped <= 0 || skipped >= from.size) return { ...from, size: Math.min(from.size, place.size) };
  const size = Math.min(place.size, from.size - skipped);
  return from.kind === 'memory'
    ? { ...from, address: from.address + BigInt(skipped), size }
    : { ...from, from: from.from + skipped, size };
}

/** The offset of the location from the first byte of `to`. */
function offsetIn(to: Place, place: Place): number {
  if (to.kind === 'register') return place.kind === 'register' ? place.from - to.from : 0;
  return place.kind === 'memory' ? Number(place.address - to.address) : 0;
}

/** Less than the value was written; 32 bits of a register are all of it (SDM 1 3.4.1.1). */
function partOf(place: Place, { to }: Effect): Pick<Origin, 'part'> {
  const clears = to.kind === 'register' && to.size === 4 && to.from === 0;
  const skipped = Math.max(0, offsetIn(to, place));
  const covered = Math.min(place.size + Math.min(0, offsetIn(to, place)), to.size - skipped);
  return clears || covered >= place.size ? {} : { part: Math.max(1, covered) };
}
