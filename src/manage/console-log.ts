import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Bytes of a machine's console that are kept: on disk, and in memory while it runs. */
export const CONSOLE_KEPT = 1024 * 1024;

/** What stderr of a detached machine's process goes to, in the machine's folder. */
export const MESSAGES = 'messages.log';

const CURRENT = 'console.log';
const PREVIOUS = 'console.log.1';

/** A console on disk, in two files of half the size: when the newer one is full it takes the place of the older one. */
export class ConsoleLog implements Disposable {
  readonly #folder: string;
  readonly #half: number;
  #fd: number;
  #length = 0;

  constructor(folder: string, limit: number = CONSOLE_KEPT) {
    this.#folder = folder;
    this.#half = limit / 2;
    rmSync(path.join(folder, PREVIOUS), { force: true });
    this.#fd = openSync(path.join(folder, CURRENT), 'w', 0o600);
  }

  /** A disk that is full costs the log, not the machine: nothing more is written then. */
  write(bytes: Uint8Array): void {
    try {
      for (let rest = bytes; rest.length > 0 && this.#fd >= 0; ) {
        const written = writeSync(this.#fd, rest, 0, Math.min(rest.length, this.#half - this.#length));
        rest = rest.subarray(written);
        this.#length += written;
        if (this.#length >= this.#half) this.#turn();
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
    const current = path.join(this.#folder, CURRENT);
    renameSync(current, path.join(this.#folder, PREVIOUS));
    this.#fd = openSync(current, 'w', 0o600);
    this.#length = 0;
  }
}

/** What is kept of the console of the machine in that folder, oldest first. */
export function readConsoleLog(folder: string): Buffer {
  return Buffer.concat([PREVIOUS, CURRENT].map((file) => readIfThere(path.join(folder, file))));
}

export function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
