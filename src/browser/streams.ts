/**
 * The streams between a guest in a Worker and the page: console, keys, pictures. A guest that prints faster than the page shows must wait.
 *
 * @module
 */
import type { Picture, Screen } from '../devices/contract/index.js';
import type { KeyEvent, MouseMove } from '../devices/index.js';
import type { FromWorker, ScreenArea } from './messages.js';

/** The most console bytes that the page has not shown yet. */
const MOST_AHEAD = 1 << 18;
/** This many bytes end a slice, so that they are sent. */
const SLICE_BYTES = 1 << 16;
/** The most input that waits for the guest. */
const MOST_INPUT = 1 << 20;
const FRAME_MS = 1000 / 60;

type Post = (message: FromWorker, transfer?: Transferable[]) => void;

/** The console's bytes on their way to the page. */
export class ConsoleOut {
  readonly #post: Post;
  /** The bytes to send, in one buffer: a console writes byte by byte, and an array for each would cost more than the guest. */
  #buffer = new Uint8Array(2 * SLICE_BYTES);
  #waiting = 0;
  #ahead = 0;
  #shown: (() => void) | undefined;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Takes the bytes at once. */
  readonly write = (bytes: Uint8Array): void => {
    const needed = this.#waiting + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.#buffer.subarray(0, this.#waiting));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#waiting);
    this.#waiting = needed;
  };

  /** Enough bytes wait to be sent. */
  get full(): boolean {
    return this.#waiting >= SLICE_BYTES;
  }

  /** The page is far behind. */
  get crowded(): boolean {
    return this.#ahead > MOST_AHEAD;
  }

  flush(): void {
    if (this.#waiting === 0) return;
    const bytes = this.rest(this.#waiting);
    this.#ahead += bytes.length;
    this.#post({ output: bytes }, [bytes.buffer]);
  }

  /** Takes the waiting bytes without sending them. @param most the most bytes to keep */
  rest(most: number): Uint8Array {
    const bytes = this.#buffer.slice(0, Math.min(this.#waiting, most));
    this.#waiting = 0;
    return bytes;
  }

  /** The page has shown this many bytes. */
  taken(bytes: number): void {
    this.#ahead = Math.max(0, this.#ahead - bytes);
    if (!this.crowded) this.wake();
  }

  /** Resolves when the page has caught up, or with `wake`. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#shown = resolve;
    });
  }

  wake(): void {
    this.#shown?.();
    this.#shown = undefined;
  }
}

/** Bytes typed at the console. */
export class ConsoleIn {
  readonly #bytes: number[] = [];

  get available(): boolean {
    return this.#bytes.length > 0;
  }

  read(): number {
    return this.#bytes.shift() ?? -1;
  }

  /** Bytes that do not fit are lost, as on a line without flow control. */
  add(bytes: Uint8Array): void {
    const room = MOST_INPUT - this.#bytes.length;
    for (const byte of bytes.subarray(0, room)) this.#bytes.push(byte);
  }
}

/** Keys that are pressed and released. */
export class Keys {
  readonly #events: KeyEvent[] = [];

  get available(): boolean {
    return this.#events.length > 0;
  }

  read(): KeyEvent | undefined {
    return this.#events.shift();
  }

  add(event: KeyEvent): void {
    if (this.#events.length < 4096) this.#events.push(event);
  }
}

/** Moves of a mouse; those with the same buttons are one, until the guest reads it. */
export class Moves {
  readonly #moves: MouseMove[] = [];

  get available(): boolean {
    return this.#moves.length > 0;
  }

  read(): MouseMove | undefined {
    return this.#moves.shift();
  }

  add({ dx, dy, wheel = 0, buttons }: MouseMove): void {
    const last = this.#moves.at(-1);
    if (last?.buttons === buttons) {
      last.dx += dx;
      last.dy += dy;
      last.wheel = (last.wheel ?? 0) + wheel;
    } else if (this.#moves.length < 1024) this.#moves.push({ dx, dy, wheel, buttons });
  }
}

/** Sends what has changed on the screen, at most 60 times a second and not before the page has shown the last. */
export class ScreenFeed {
  readonly #screen: Screen;
  readonly #post: Post;
  #last = Number.NEGATIVE_INFINITY;
  #busy = false;

  constructor(screen: Screen, post: Post) {
    this.#screen = screen;
    this.#post = post;
  }

  shown(): void {
    this.#busy = false;
  }

  /** @param now the machine's time in milliseconds; without it, all blinking elements are visible, and the picture is sent at once */
  look(now?: number): void {
    const moment = performance.now();
    if (now !== undefined && (this.#busy || moment - this.#last < FRAME_MS - 1)) return;
    this.#last = moment;
    const picture = this.#screen.look(now);
    if (picture.changed === undefined) return;
    this.#busy = true;
    const area = areaOf(picture, picture.changed);
    this.#post({ screen: area }, [area.rgba.buffer]);
  }
}

function areaOf(
  { width, height, rgba, text }: Picture,
  { x, y, width: columns, height: rows }: NonNullable<Picture['changed']>,
): ScreenArea {
  const pixels = new Uint8ClampedArray(columns * rows * 4);
  for (let row = 0; row < rows; row++) {
    const from = ((y + row) * width + x) * 4;
    pixels.set(rgba.subarray(from, from + columns * 4), row * columns * 4);
  }
  return {
    ...{ width, height, x, y, columns, rows, rgba: pixels },
    ...(text && { text: wordsOf(text) }),
  };
}

/** The characters that ASCII has too; the rest as spaces. */
function wordsOf({ columns, rows, cells }: NonNullable<Picture['text']>): string {
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let column = 0; column < columns; column++) {
      const code = cells[row * columns + column]! & 0xff;
      line += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ' ';
    }
    lines.push(line.trimEnd());
  }
  return lines.join('\n').trimEnd();
}
