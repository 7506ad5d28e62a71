import { SharedRing } from './shared-ring.js';

/**
 * A ring whose writer and reader are one thread, so that its writer cannot wait: bytes that do not fit are kept beside it. The caller that
 * runs the guest checks whether it is `crowded`, and lets the reader read first; so at most the output of one exit is kept.
 */
export class LocalRing extends SharedRing {
  readonly #kept: Uint8Array[] = [];

  /** The reader should read before more is written. */
  get crowded(): boolean {
    return !this.closed && this.free < this.length;
  }

  override write(bytes: Uint8Array, notify: (urgent: boolean) => void): void {
    if (this.closed) return;
    const done = this.#kept.length > 0 ? 0 : this.tryWrite(bytes);
    if (done < bytes.length) this.#kept.push(bytes.slice(done));
    notify(this.crowded);
  }

  override read(limit?: number): Uint8Array {
    const taken = super.read(limit);
    for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
      const done = this.tryWrite(next);
      if (done < next.length) {
        this.#kept[0] = next.subarray(done);
        break;
      }
      this.#kept.shift();
    }
    return taken;
  }
}
