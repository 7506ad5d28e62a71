import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

/** The guest's console output. */
export const CONSOLE_LOG = 'console.log';
/** How many bytes of a machine's console are kept: on disk, and in memory while it runs. */
export const CONSOLE_KEPT = 1024 * 1024;

/** The file for stderr of a detached machine's process. */
export const MESSAGES = 'messages.log';
export const MESSAGES_KEPT = 256 * 1024;

/**
 * The last bytes of a stream on disk, in two files of half the size: when the newer one is full it replaces the older one. So
 * between half the limit and all of it is kept.
 */
export class KeptLog implements Disposable {
  readonly #folder: string;
  readonly #name: string;
  readonly #half: number;
  #fd: number;
  #length: number;

  /** Continues at the end of an existing file. */
  constructor(folder: string, name: string, limit: number) {
    this.#folder = folder;
    this.#name = name;
    this.#half = limit / 2;
    this.#fd = openSync(path.join(folder, name), 'a', 0o600);
    this.#length = fstatSync(this.#fd).size;
  }

  /** A full disk ends the log, not the machine: nothing more is written then. */
  write(bytes: Uint8Array): void {
    try {
      for (let rest = bytes; rest.length > 0 && this.#fd >= 0; ) {
        if (this.#length >= this.#half) this.#turn();
        const written = writeSync(this.#fd, rest, 0, Math.min(rest.length, this.#half - this.#length));
        rest = rest.subarray(written);
        this.#length += written;
      }
    } catch {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
  }

  #turn(): void {
    this[Symbol.dispose]();
    const current = path.join(this.#folder, this.#name);
    renameSync(current, olderOf(current));
    this.#fd = openSync(current, 'w', 0o600);
    this.#length = 0;
  }
}

const olderOf = (file: string) => `${file}.1`;

/** The content of a log, oldest first. */
export function readLog(folder: string, name: string): Buffer {
  const file = path.join(folder, name);
  return Buffer.concat([readIfThere(olderOf(file)), readIfThere(file)]);
}

export function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
