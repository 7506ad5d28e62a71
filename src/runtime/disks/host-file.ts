import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { type ByteFile, DiskError } from '../../devices/index.js';
import { lockFile } from '../../engine/kvm/index.js';

/** A host file as a disk's bytes. Readers share it, a writer has it exclusively (flock, where available). */
export class HostFile implements ByteFile {
  readonly name: string;
  readonly readOnly: boolean;
  #size: number;
  #fd: number;

  /** @throws DiskError where it cannot be opened, or another process is writing to it */
  constructor(file: string, { write = false } = {}) {
    this.name = file;
    this.readOnly = !write;
    this.#fd = saying(file, () => openSync(file, write ? 'r+' : 'r'));
    try {
      const found = fstatSync(this.#fd);
      if (!found.isFile()) throw new DiskError(`${file}: not a regular file`, 'give the image of a disk');
      this.#size = found.size;
      if (!lockFile(this.#fd, write)) throw inUse(file, write);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  read(at: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const read = saying(this.name, () => readSync(this.#fd, into, done, into.length - done, at + done));
      if (read === 0)
        throw new DiskError(`${this.name}: the file has become shorter than ${at + done} bytes`);
      done += read;
    }
  }

  write(at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += saying(this.name, () => writeSync(this.#fd, bytes, done, bytes.length - done, at + done));
    this.#size = Math.max(this.#size, at + bytes.length);
  }

  flush(): void {
    saying(this.name, () => fsyncSync(this.#fd));
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

function saying<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code = 'unreadable', syscall = 'open' } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DiskError(`${file}: no such file`, 'make a disk: truncate -s 64M FILE');
    throw new DiskError(`${file}: ${syscall} failed with ${code}`);
  }
}

function inUse(file: string, write: boolean): DiskError {
  return write
    ? new DiskError(
        `${file}: another machine has this disk open, so it cannot be written to`,
        'end that machine, or omit ,write: changes are then kept in memory',
      )
    : new DiskError(
        `${file}: another machine is writing to this disk, so its content changes while it is read`,
        'end that machine, or give this one a copy',
      );
}
