/**
 * Translates the bytes that a terminal sends for a pressed key into the debugger's names of keys: a character, or a name such as `F5`,
 * `Shift-Tab`, `PageUp`, `Ctrl-C`.
 *
 * @module
 */
import { controls, sequenceAt } from '../frontend/screen/keys.js';

const ESCAPE = '\x1b';

/** How long the rest of a sequence may take, over a slow line: milliseconds. Later bytes are a key of their own. */
const SEQUENCE_MS = 50;

/** Joins the bytes of a terminal into keys. */
export class Keyboard {
  readonly #press: (key: string) => void;
  readonly #decoder = new TextDecoder();
  #pending = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(press: (key: string) => void) {
    this.#press = press;
  }

  take(bytes: Uint8Array): void {
    clearTimeout(this.#timer);
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    this.#read(false);
    if (this.#pending !== '') this.#timer = setTimeout(() => this.#read(true), SEQUENCE_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #read(all: boolean): void {
    while (this.#pending !== '' && (all || !isUnfinished(this.#pending))) {
      const { key, length } = firstKey(this.#pending);
      this.#pending = this.#pending.slice(length);
      if (key !== undefined) this.#press(key);
    }
  }
}

/** Bytes that may be the start of a sequence, or the key Escape alone. */
function isUnfinished(typed: string): boolean {
  return typed[0] === ESCAPE && /^.(?:[[O][\d;[]*)?$/.test(typed);
}

function firstKey(typed: string): { key: string | undefined; length: number } {
  if (typed.startsWith(`${ESCAPE}[Z`)) return { key: 'Shift-Tab', length: 3 };
  const sequence = sequenceAt(typed);
  if (sequence !== undefined) {
    const { text, key, shift } = sequence;
    return { key: key && (shift ? `Shift-${key}` : key), length: text.length };
  }
  const character = String.fromCodePoint(typed.codePointAt(0)!);
  const code = character.charCodeAt(0);
  const length = character.length;
  if (code >= 0x20 && code !== 0x7f) return { key: character, length };
  // Many terminals send Ctrl-H for Backspace, Ctrl-I for Tab, Ctrl-J and Ctrl-M for Enter.
  return { key: controls[code] ?? `Ctrl-${String.fromCharCode(code | 0x40)}`, length };
}
