import type { BusClaim, ClaimedSpace } from './claim.js';

/** A range of addresses that one claim answers. */
export interface Segment {
  readonly first: number;
  readonly last: number;
  readonly claim: BusClaim;
}

/**
 * Finds the device for an address: ports or guest physical memory. Claims are made, moved and released. Where they overlap the one with the
 * higher priority answers, and two of the same priority never overlap.
 */
export class AddressSpace implements ClaimedSpace {
  readonly name: 'port' | 'memory';
  /** In no order. */
  readonly held: BusClaim[] = [];
  /** Private: a public field that held one function and gets another made V8 11 keep one machine after the other (measured). */
  #onChange: () => void = () => {};
  #segments: readonly Segment[] | undefined;
  /** The segment that answered last: guests often use one device for long. */
  #recent: Segment | undefined;

  constructor(name: 'port' | 'memory') {
    this.name = name;
  }

  /** The visible parts of the claims: ranges without overlaps, lowest first. */
  get segments(): readonly Segment[] {
    this.#segments ??= visible(this.held);
    return this.#segments;
  }

  /** The claim that answers at `address`. */
  find(address: number): BusClaim | undefined {
    const recent = this.#recent;
    if (recent !== undefined && address >= recent.first && address <= recent.last) return recent.claim;
    return this.#search(address);
  }

  /** A separate function, so that V8 inlines `find` where accesses are answered. */
  #search(address: number): BusClaim | undefined {
    const segments = this.#segments ?? this.segments;
    let low = 0;
    let high = segments.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const segment = segments[middle]!;
      if (address < segment.first) high = middle - 1;
      else if (address > segment.last) low = middle + 1;
      else {
        this.#recent = segment;
        return segment.claim;
      }
    }
    return undefined;
  }

  inTheWay(claim: BusClaim, address: number): BusClaim | undefined {
    const last = address + claim.size - 1;
    return this.held.find(
      (other) =>
        other !== claim &&
        other.priority === claim.priority &&
        address <= other.last &&
        other.address <= last,
    );
  }

  /** True where `claim` answers at each of its addresses. */
  isWhole(claim: BusClaim): boolean {
    return this.segments.some(
      (one) => one.claim === claim && one.first === claim.address && one.last === claim.last,
    );
  }

  /** @param listener called each time that claims have changed; the only one */
  listen(listener: () => void): void {
    this.#onChange = listener;
  }

  changed(): void {
    this.#segments = undefined;
    this.#recent = undefined;
    this.#onChange();
  }
}

/** Resolves overlaps, the highest priority first: each claim gets the addresses that earlier ones leave. */
function visible(claims: readonly BusClaim[]): Segment[] {
  const segments: Segment[] = [];
  for (const claim of [...claims].sort((a, b) => b.priority - a.priority)) {
    // Kept sorted: this claim gets the gaps between the existing segments.
    let { address: first } = claim;
    let at = segments.findIndex((segment) => segment.last >= first);
    if (at < 0) at = segments.length;
    while (first <= claim.last) {
      const next = segments[at];
      const last = next === undefined ? claim.last : Math.min(claim.last, next.first - 1);
      if (first <= last) segments.splice(at++, 0, { first, last, claim });
      if (next === undefined) break;
      first = next.last + 1;
      at++;
    }
  }
  return segments;
}
