/**
 * The pictures that a machine's thread sends: one at each requested moment, and a stream of changes while the guest runs.
 * Without requests the screen is not read.
 *
 * @module
 */
import type {
  Access,
  Device,
  DeviceHost,
  Picture,
  PictureArea,
  Screen,
} from '../../devices/contract/index.js';
import { type Exit, ExitKind } from '../../engine/contract/index.js';
import type { ExitObserver } from '../../machine/index.js';
import { MILLISECOND } from '../../time/index.js';

/** When a picture is taken: at the first HLT, after this many milliseconds of the machine's time, or after an exit, counted from 1. */
export type Moment = { at: 'halt' } | { at: 'time'; milliseconds: number } | { at: 'exit'; exit: number };

/** The changed area of a picture: its pixels, row by row. */
export interface Frame extends Omit<Picture, 'rgba' | 'changed'> {
  readonly changed: PictureArea;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** The most pictures per second. */
const FRAME_MS = 1000 / 60;

/** A picture whose bytes belong to the receiver. */
export function copyPicture(picture: Picture): Picture {
  return { ...picture, rgba: picture.rgba.slice() };
}

/** Called with the index of the moment that has come. */
export type CaptureSink = (index: number) => void;

/** The moments that depend on exits: the first HLT, the thousandth exit. Each is reported once. */
export class ExitMoments implements ExitObserver {
  readonly #waiting: Map<number, Moment>;
  readonly #capture: CaptureSink;
  #exits = 0;

  constructor(moments: readonly (Moment | undefined)[], capture: CaptureSink) {
    this.#waiting = new Map(
      moments.flatMap((moment, index) =>
        moment === undefined || moment.at === 'time' ? [] : [[index, moment] as const],
      ),
    );
    this.#capture = capture;
  }

  get any(): boolean {
    return this.#waiting.size > 0;
  }

  begin(): void {}

  record(exit: Exit): void {
    if (!exit.coalesced) this.#exits++;
    for (const [index, moment] of this.#waiting) {
      const come = moment.at === 'exit' ? this.#exits >= moment.exit : exit.kind === ExitKind.halt;
      if (!come) continue;
      this.#waiting.delete(index);
      this.#capture(index);
    }
  }

  flush(): void {}
}

/**
 * The moments of the machine's clock. It is a device, since the machine runs devices' alarms on time; where time is counted in
 * instructions, after exactly the same one in each run.
 */
export class TimedMoments implements Device {
  readonly name = 'screenshot';
  /** Sorted so that the next one is last. */
  readonly #waiting: { index: number; milliseconds: number }[];
  readonly #capture: CaptureSink;

  constructor(moments: readonly (Moment | undefined)[], capture: CaptureSink) {
    this.#waiting = moments
      .flatMap((moment, index) =>
        moment?.at === 'time' ? [{ index, milliseconds: moment.milliseconds }] : [],
      )
      .sort((a, b) => b.milliseconds - a.milliseconds);
    this.#capture = capture;
  }

  get any(): boolean {
    return this.#waiting.length > 0;
  }

  attach({ clock }: DeviceHost): void {
    const ring = () => {
      while (this.#next <= clock.now()) this.#capture(this.#waiting.pop()!.index);
      alarm.at(this.#next);
    };
    const alarm = clock.alarm('moment', ring);
    alarm.at(this.#next);
  }

  /** The time of the next moment; Infinity where none is left. */
  get #next(): number {
    const first = this.#waiting.at(-1);
    return first === undefined ? Number.POSITIVE_INFINITY : Math.round(first.milliseconds * MILLISECOND);
  }

  save(): { waiting: number[] } {
    return { waiting: this.#waiting.map(({ index }) => index) };
  }

  load(state: unknown): void {
    const { waiting } = state as { waiting: number[] };
    while (this.#waiting.length > waiting.length) this.#waiting.pop();
  }
}

/** Several observers as one; undefined for none. */
export function together(observers: readonly ExitObserver[]): ExitObserver | undefined {
  if (observers.length <= 1) return observers[0];
  const listeners = observers.filter(({ access }) => access !== undefined);
  return {
    ...(listeners.length > 0 && {
      access: (device: Device, access: Access, offset: number) =>
        listeners.forEach((one) => void one.access?.(device, access, offset)),
    }),
    begin: (started) => observers.forEach((one) => void one.begin(started)),
    record: (...exit) => observers.forEach((one) => void one.record(...exit)),
    flush: () => observers.forEach((one) => void one.flush()),
  };
}

/** Sends a frame where the screen has changed and the reader has shown the frame before, at most 60 times a second. */
export class FrameFeed {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #busy: Int32Array;
  readonly #send: (frame: Frame) => void;
  #last = Number.NEGATIVE_INFINITY;

  /** @param now the machine's clock, which times the blinking */
  constructor(screen: Screen, now: () => number, busy: Int32Array, send: (frame: Frame) => void) {
    this.#screen = screen;
    this.#now = now;
    this.#busy = busy;
    this.#send = send;
  }

  /** Called every few milliseconds. */
  tick(): void {
    const now = performance.now();
    // Half a tick early is better than half a tick late: ticks come every 8 ms.
    if (now - this.#last < FRAME_MS - 1 || Atomics.load(this.#busy, 0) !== 0) return;
    this.#last = now;
    const { rgba, changed, ...rest } = this.#screen.look(this.#now());
    if (changed === undefined) return;
    Atomics.store(this.#busy, 0, 1);
    this.#send({ ...rest, changed, pixels: cut(rgba, rest.width, changed) });
  }
}

/** The pixels of an area. */
function cut(rgba: Uint8ClampedArray, width: number, { x, y, width: columns, height }: PictureArea) {
  const pixels = new Uint8ClampedArray(columns * height * 4);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * width + x) * 4;
    pixels.set(rgba.subarray(from, from + columns * 4), row * columns * 4);
  }
  return pixels;
}

/** Assembles frames to the whole picture, on the reader's side. */
export class FrameReader {
  #rgba = new Uint8ClampedArray(0);
  #width = 0;

  add({ pixels, ...frame }: Frame): Picture {
    const { width, height, changed } = frame;
    if (width !== this.#width || this.#rgba.length !== width * height * 4) {
      this.#rgba = new Uint8ClampedArray(width * height * 4);
      this.#width = width;
    }
    for (let row = 0; row < changed.height; row++) {
      const from = row * changed.width * 4;
      const at = ((changed.y + row) * width + changed.x) * 4;
      this.#rgba.set(pixels.subarray(from, from + changed.width * 4), at);
    }
    return { ...frame, rgba: this.#rgba };
  }
}
