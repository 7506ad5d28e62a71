/**
 * What a terminal sends when a key is pressed, as keys of a PC keyboard. A terminal says nothing of keys that go up: each is
 * pressed and let go at once.
 *
 * @module
 */
import { strokesOf } from '../../devices/index.js';

/** A key by its place, and whether it goes down. */
export interface Stroke {
  name: string;
  down: boolean;
}

/** Behind ESC [ or ESC O (ECMA-48, xterm's control sequences). */
const sequences: Readonly<Record<string, string>> = {
  A: 'ArrowUp',
  B: 'ArrowDown',
  C: 'ArrowRight',
  D: 'ArrowLeft',
  F: 'End',
  H: 'Home',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
  '2~': 'Insert',
  '3~': 'Delete',
  '5~': 'PageUp',
  '6~': 'PageDown',
  '15~': 'F5',
  '17~': 'F6',
  '18~': 'F7',
  '19~': 'F8',
  '20~': 'F9',
  '21~': 'F10',
  '23~': 'F11',
  '24~': 'F12',
};

const controls: Readonly<Record<number, string>> = {
  8: 'Backspace',
  9: 'Tab',
  10: 'Enter',
  13: 'Enter',
  27: 'Escape',
  127: 'Backspace',
};

const ESCAPE = '\x1b';

/** Ctrl-C: not the guest's, it ends the run. */
export const INTERRUPT = '\x03';

export function* strokesFrom(typed: string): Generator<Stroke> {
  for (let rest = typed; rest !== ''; ) {
    const [found = '', code] = rest[0] === ESCAPE ? (/^.[[O](?:\d+;\d+)?(\d*[A-Z~])/.exec(rest) ?? []) : [];
    const special = code === undefined ? undefined : sequences[code];
    if (special !== undefined) yield* pressed(special);
    // A sequence that names no key is none, and its bytes are no characters.
    if (found !== '') {
      rest = rest.slice(found.length);
      continue;
    }
    const character = rest[0]!;
    const byte = character.charCodeAt(0);
    const control = controls[byte];
    if (control !== undefined) yield* pressed(control);
    else if (byte < 0x20) {
      yield { name: 'ControlLeft', down: true };
      yield* strokesOf(String.fromCharCode(byte | 0x60));
      yield { name: 'ControlLeft', down: false };
    } else yield* strokesOf(character);
    rest = rest.slice(1);
  }
}

function* pressed(name: string): Generator<Stroke> {
  yield { name, down: true };
  yield { name, down: false };
}
