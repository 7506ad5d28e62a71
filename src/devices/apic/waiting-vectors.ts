import { Vectors } from './bits256.js';

/** The interrupts that a local APIC has taken: requested, in service, and which of them are level-triggered (SDM 3A 11.8.4). */
export class WaitingVectors {
  readonly #requests = new Vectors();
  readonly #inService = new Vectors();
  readonly #level = new Vectors();
  /** The highest request, -1 where there is none, so that nothing is searched before each entry into the guest. */
  request = -1;
  /** The highest vector in service, -1 where there is none. */
  serving = -1;

  clear(): void {
    for (const set of this.#sets) set.clear();
    this.#look();
  }

  add(vector: number, level: boolean): void {
    this.#requests.add(vector);
    if (level) this.#level.add(vector);
    else this.#level.remove(vector);
    if (vector > this.request) this.request = vector;
  }

  /** The highest request is in service from now on. */
  serve(): number {
    const vector = this.request;
    this.#requests.remove(vector);
    this.#inService.add(vector);
    this.#look();
    return vector;
  }

  /** The highest vector in service is done. Returns it where it is level-triggered, else -1. */
  end(): number {
    const vector = this.serving;
    if (vector < 0) return -1;
    this.#inService.remove(vector);
    this.#look();
    if (!this.#level.has(vector)) return -1;
    this.#level.remove(vector);
    return vector;
  }

  /** A word of the registers ISR, TMR and IRR, which follow one another. @param index 0 to 23 */
  word(index: number): number {
    return [this.#inService, this.#level, this.#requests][index >> 3]!.words[index & 7]!;
  }

  save(): { requests: number[]; inService: number[]; level: number[] } {
    const [requests, inService, level] = this.#sets.map(({ words }) => [...words]);
    return { requests: requests!, inService: inService!, level: level! };
  }

  load(state: { requests: number[]; inService: number[]; level: number[] }): void {
    this.#requests.words.set(state.requests);
    this.#inService.words.set(state.inService);
    this.#level.words.set(state.level);
    this.#look();
  }

  get #sets(): Vectors[] {
    return [this.#requests, this.#inService, this.#level];
  }

  #look(): void {
    this.request = this.#requests.highest;
    this.serving = this.#inService.highest;
  }
}
