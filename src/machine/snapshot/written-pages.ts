/**
 * Finds the pages of a machine's RAM that may differ from a copy, without comparing: by the engine's log of the guest's writes, and the
 * memory's log of writes by devices and the monitor.
 *
 * @module
 */
import type { EngineVm } from '../../engine/contract/index.js';
import {
  differentPages,
  type GuestMemory,
  PAGE_SIZE,
  type PagesState,
  zeroPages,
} from '../../memory/index.js';

/** Follows a machine's writes from one copy of its RAM to the next. Off until a copy is set. */
export class WrittenPages {
  readonly #memory: GuestMemory;
  readonly #vm: EngineVm;
  /** The regions whose pages the engine logs, with the number of their first page. */
  #regions: readonly { slot: number; first: number }[] = [];
  #copy: PagesState | undefined;
  /** The pages that may differ from `#copy`, as of the last read of the logs. */
  readonly #pages = new Set<number>();

  constructor(memory: GuestMemory, vm: EngineVm) {
    this.#memory = memory;
    this.#vm = vm;
  }

  /** The copy that `pages` are relative to; undefined while nothing is logged. */
  get copy(): PagesState | undefined {
    return this.#copy;
  }

  /** The pages that may differ from a copy of this memory; undefined where that is not known: then any may. */
  since(copy: PagesState): ReadonlySet<number> | undefined {
    if (this.#copy === undefined) return undefined;
    this.#look();
    if (copy === this.#copy) return this.#pages;
    // Copies of the same machine share most of their pages.
    return new Set([...this.#pages, ...differentPages(this.#copy, copy)]);
  }

  /** RAM equals this copy now: from here on writes are logged. */
  begin(copy: PagesState): void {
    if (this.#copy === undefined) this.#log(true);
    else this.#look();
    this.#pages.clear();
    this.#copy = copy;
  }

  /** RAM was all zeros when the host's log began, and no CPU has run since. */
  beginAtZero(): void {
    const written = this.#memory.hostWrites.take();
    this.begin(zeroPages(this.#memory));
    for (const page of written) this.#pages.add(page);
  }

  /** Stops logging. */
  end(): void {
    if (this.#copy === undefined) return;
    this.#copy = undefined;
    this.#pages.clear();
    this.#log(false);
  }

  #log(on: boolean): void {
    const { hostWrites } = this.#memory;
    if (on) {
      let first = 0;
      const regions = this.#memory.regions.map(({ slot, capacity }) => {
        first += capacity / PAGE_SIZE;
        return { slot, first: first - capacity / PAGE_SIZE };
      });
      // A region that a device holds always counts as written, as a whole.
      this.#regions = regions.filter((region) => !hostWrites.holds(region.first));
    }
    hostWrites.log(on);
    for (const { slot } of this.#regions) this.#vm.logDirtyPages(slot, on);
  }

  #look(): void {
    for (const { slot, first } of this.#regions)
      for (const page of this.#vm.takeDirtyPages(slot)) this.#pages.add(first + page);
    for (const page of this.#memory.hostWrites.take()) this.#pages.add(page);
  }
}
