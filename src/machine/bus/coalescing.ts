import type { EngineVm } from '../../engine/contract/index.js';
import type { AddressSpace } from './address-space.js';

interface Zone {
  readonly first: number;
  readonly last: number;
}

/** The ranges whose writes an engine coalesces: those that claims allow, where they are visible. */
export class Coalescing {
  /** True once the engine may have coalesced a write. */
  active = false;
  readonly #vm: EngineVm;
  readonly #zones = new Map<AddressSpace, readonly Zone[]>();

  constructor(vm: EngineVm) {
    this.#vm = vm;
  }

  /** Claims have changed: updates the engine's ranges. */
  follow(space: AddressSpace): void {
    const before = this.#zones.get(space) ?? [];
    const wanted = space.segments.filter(({ claim }) => claim.coalesce);
    if (before.length === 0 && wanted.length === 0) return;
    const has = (zones: readonly Zone[], { first, last }: Zone) =>
      zones.some((zone) => zone.first === first && zone.last === last);
    for (const zone of before)
      if (!has(wanted, zone)) this.#vm.uncoalesce(space.name, zone.first, zone.last - zone.first + 1);
    const now = wanted.filter(
      (zone) => has(before, zone) || this.#vm.coalesce(space.name, zone.first, zone.last - zone.first + 1),
    );
    this.#zones.set(space, now);
    if (now.length > 0) this.active = true;
  }
}
