/**
 * Text that is typed at a moment of the run, or when the guest has printed a text: firmware and boot loaders drop keys that were typed
 * before they ask.
 *
 * @module
 */
import type { Device, DeviceHost } from '../../devices/contract/index.js';
import type { Alarm } from '../../time/index.js';
import type { Moment } from './screen-feed.js';

/** A text to type, and its moment. `prints`: once the guest's console has this text. */
export interface TypedText {
  text: string;
  at: Moment | { at: 'prints'; prints: string };
}

/** How much of the console is kept to search for a text: more than a prompt has. */
const MOST_KEPT = 4096;

/**
 * Types each text once. It is a device because of its alarm: a text that is due during an access waits until that has been
 * completed.
 */
export class Typist implements Device {
  readonly name = 'typist';
  readonly #texts: readonly TypedText[];
  readonly #type: (text: string) => void;
  readonly #waiting: Set<number>;
  #due: number[] = [];
  #printed = '';
  #alarm: Alarm | undefined;
  #now = () => 0;

  constructor(texts: readonly TypedText[], type: (text: string) => void) {
    this.#texts = texts;
    this.#type = type;
    this.#waiting = new Set(texts.keys());
  }

  get any(): boolean {
    return this.#texts.length > 0;
  }

  /** The moments of all texts; those that wait for output never come by themselves. */
  get moments(): (Moment | undefined)[] {
    return this.#texts.map(({ at }) => (at.at === 'prints' ? undefined : at));
  }

  attach({ clock }: DeviceHost): void {
    this.#now = () => clock.now();
    this.#alarm = clock.alarm('typing', () => {
      for (const index of this.#due.splice(0)) this.#type(this.#texts[index]!.text);
    });
    if (this.#due.length > 0) this.#alarm.at(clock.now());
  }

  /** The moment of a text has come. */
  typeNow(index: number): void {
    if (!this.#waiting.delete(index)) return;
    this.#due.push(index);
    this.#alarm?.at(this.#now());
  }

  /** The guest has printed this. */
  printed(bytes: Uint8Array): void {
    if (![...this.#waiting].some((index) => this.#texts[index]!.at.at === 'prints')) return;
    this.#printed += Buffer.from(bytes.subarray(-MOST_KEPT)).toString('latin1');
    for (const index of this.#waiting) {
      const { at } = this.#texts[index]!;
      if (at.at === 'prints' && this.#printed.includes(latin1(at.prints))) this.typeNow(index);
    }
    this.#printed = this.#printed.slice(-MOST_KEPT);
  }

  save(): { waiting: number[]; due: number[] } {
    return { waiting: [...this.#waiting], due: [...this.#due] };
  }

  load(state: unknown): void {
    const { waiting, due } = state as { waiting: number[]; due: number[] };
    this.#waiting.clear();
    for (const index of waiting) if (index in this.#texts) this.#waiting.add(index);
    this.#due = due.filter((index) => index in this.#texts);
    if (this.#due.length > 0) this.#alarm?.at(this.#now());
  }
}

/** A text's bytes as a guest prints them, a character each. */
const latin1 = (text: string) => Buffer.from(text).toString('latin1');
