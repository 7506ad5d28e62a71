import { ConfigError } from '../../errors.js';
import { DeviceStateError, registerField } from '../state.js';
import { type KeyEvent, keyNames, strokesOf } from './keys.js';

/** The most events that wait: a program that types faster than its guest reads gets an error. */
const MAX_EVENTS = 65536;

/** Set in the number of a key that goes up. */
const UP = 256;

/** The keys of a text that is being typed. */
export class TypingQueue {
  #events: KeyEvent[] = [];

  get length(): number {
    return this.#events.length;
  }

  /** @throws ConfigError where too many keys wait already */
  add(text: string): void {
    for (const event of strokesOf(text)) {
      if (this.#events.length >= MAX_EVENTS)
        throw new ConfigError(
          'the guest does not read its keyboard',
          `${MAX_EVENTS} keys are already waiting`,
        );
      this.#events.push(event);
    }
  }

  next(): KeyEvent | undefined {
    return this.#events.shift();
  }

  /** By the numbers of `keyNames`, + 256 for keys that go up. */
  save(): number[] {
    return this.#events.map(({ name, down }) => keyNames.indexOf(name) + (down ? 0 : UP));
  }

  load(events: readonly KeyEvent[]): void {
    this.#events = [...events];
  }

  /** The events of a saved queue. @throws DeviceStateError where it is none */
  static check(device: string, saved: unknown): KeyEvent[] {
    if (!Array.isArray(saved) || saved.length > MAX_EVENTS)
      throw new DeviceStateError(device, `'typing' is not a list of keys`);
    return saved.map((number, i) => {
      const event = registerField(device, `typing[${i}]`, number, 0x1ff);
      const name = keyNames[event & 0xff];
      if (name === undefined) throw new DeviceStateError(device, `'typing[${i}]' is ${event}, no key`);
      return { name, down: event < UP };
    });
  }
}
