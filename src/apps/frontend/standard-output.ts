/**
 * stdout and stderr, written without Node's streams as long as no write must wait: loading the streams takes as long as running a small
 * guest. Once any code has used `process.stdout`, all output goes through it, so that the order is kept.
 *
 * @module
 */
import { constants, fstatSync, openSync, type Stats, writeSync } from 'node:fs';

/** Numbers of Linux's drivers for terminals (Documentation/admin-guide/devices.txt): 4 tty, 5 console, 136 to 143 pseudo-terminals. */
const isTerminal = (major: number) => major === 4 || major === 5 || (major >= 136 && major <= 143);

/** Linux's number of the device /dev/null: major 1, minor 3. */
const NULL_DEVICE = 0x103;

/** True for a descriptor whose reads never wait: a file or /dev/null. */
export function isFile(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return (
      stats.isFile() ||
      (process.platform === 'linux' && stats.isCharacterDevice() && stats.rdev === NULL_DEVICE)
    );
  } catch {
    return false;
  }
}

type Name = 'stdout' | 'stderr';

/** One of the two. */
export class StandardOutput {
  readonly #name: Name;
  readonly #number: number;
  #onError: (error: NodeJS.ErrnoException) => void = () => {};
  /** Node's stream, once it is loaded. */
  #stream: NodeJS.WriteStream | undefined;
  /** The file descriptor for writes without it; undefined before the first write, -1 where there is none. */
  #file: number | undefined;
  #terminal: boolean | undefined;

  /** @param number its file descriptor */
  constructor(name: Name, number: number) {
    this.#name = name;
    this.#number = number;
    const { get } = Object.getOwnPropertyDescriptor(process, name) ?? {};
    if (get === undefined) return;
    const property = { configurable: true, enumerable: true };
    Object.defineProperty(process, name, {
      ...property,
      get: () => {
        Object.defineProperty(process, name, { ...property, get });
        this.#opened(process[name]);
        return process[name];
      },
    });
  }

  /** Whether it is a terminal that shows text. */
  get isTTY(): boolean {
    if (this.#stream !== undefined) return this.#stream.isTTY === true;
    this.#terminal ??= this.#look() ?? process[this.#name].isTTY === true;
    return this.#terminal;
  }

  /** True where both have the same target: a terminal, or a file or pipe, as after `2>&1`. */
  sharesWith(other: StandardOutput): boolean {
    if (this.isTTY && other.isTTY) return true;
    try {
      const [one, two] = [fstatSync(this.#number), fstatSync(other.#number)];
      return one.ino !== 0 && one.ino === two.ino && one.dev === two.dev;
    } catch {
      return false;
    }
  }

  /** True where Node's stream has a listener for errors. */
  get watched(): boolean {
    return (this.#stream?.listenerCount('error') ?? 0) > 1;
  }

  /** Bytes that its reader has not taken yet. */
  get waiting(): number {
    return this.#stream?.writableLength ?? 0;
  }

  /** Sets the listener that gets the reason why nothing more can be written, `EPIPE` where the reader has closed it; it replaces the earlier one. */
  onError(listener: (error: NodeJS.ErrnoException) => void): void {
    this.#onError = listener;
  }

  /** Resolves when the reader has taken all bytes, or cannot any more; undefined where that is already the case. */
  write(data: Uint8Array | string): Promise<void> | undefined {
    let rest = typeof data === 'string' ? Buffer.from(data) : data;
    try {
      while (rest.length > 0 && this.#direct >= 0) rest = rest.subarray(writeSync(this.#direct, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') {
        this.#onError(error as NodeJS.ErrnoException);
        return undefined;
      }
      // Its reader is slow: Node's stream waits for it.
      this.#file = -1;
    }
    if (rest.length === 0) return undefined;
    const stream = process[this.#name];
    return new Promise((resolve) => stream.write(rest, () => resolve()));
  }

  /** Resolves when all that was written is handed over. */
  async flush(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || stream.writableEnded || stream.destroyed) return;
    await new Promise((resolve) => stream.write('', resolve));
  }

  get #direct(): number {
    if (this.#stream !== undefined) return -1;
    this.#file ??= this.#open();
    return this.#file;
  }

  #open(): number {
    try {
      const stats = fstatSync(this.#number);
      if (stats.isFile() || (process.platform === 'linux' && stats.isCharacterDevice())) return this.#number;
      if (process.platform !== 'linux' || !stats.isFIFO()) return -1;
      // The same pipe, opened again: so its non-blocking mode does not affect other processes.
      return openSync(`/proc/self/fd/${this.#number}`, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      return -1;
    }
  }

  /** Whether it is a terminal; undefined where only Node's stream knows. */
  #look(): boolean | undefined {
    let stats: Stats;
    try {
      stats = fstatSync(this.#number);
    } catch {
      return false;
    }
    if (!stats.isCharacterDevice()) return false;
    return process.platform === 'linux' ? isTerminal((stats.rdev >> 8) & 0xfff) : undefined;
  }

  #opened(stream: NodeJS.WriteStream): void {
    this.#stream = stream;
    stream.on('error', (error) => this.#onError(error));
  }
}

export const standardOutput = new StandardOutput('stdout', 1);
export const standardError = new StandardOutput('stderr', 2);

/** Writes a text to stderr. */
export function say(text: string): void {
  void standardError.write(text);
}
