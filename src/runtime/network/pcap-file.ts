import { closeSync, openSync, writeSync } from 'node:fs';
import { ConfigError } from '../../errors.js';
import { pcapHeader, pcapRecord } from '../../net/index.js';

/** This much is written at once. */
const BATCH = 64 * 1024;

/** A pcap file, with the times of the guest's clock. A full disk ends the file, not the guest. */
export class PcapFile {
  readonly #fd: number;
  #batch: Uint8Array[] = [pcapHeader()];
  #length = 0;
  #isOpen = true;

  /** @throws ConfigError that names the file */
  constructor(file: string) {
    try {
      this.#fd = openSync(file, 'w');
    } catch (error) {
      const { code = 'unreadable' } = error as NodeJS.ErrnoException;
      throw new ConfigError(
        `--net pcap=${file}: open failed with ${code}`,
        'name a file that can be written',
      );
    }
  }

  /** @param time in nanoseconds */
  add(time: number, frame: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#batch.push(pcapRecord(time, frame));
    this.#length += frame.length;
    if (this.#length >= BATCH) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#length = 0;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch {
      this.#shut();
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    if (this.#isOpen) this.#shut();
  }

  #shut(): void {
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}
