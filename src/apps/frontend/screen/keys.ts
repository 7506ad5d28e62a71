/**
 * Translates the bytes that a terminal sends for a pressed key into keys of a PC keyboard. A terminal does not report releases: each key is
 * pressed and released at once.
 *
 * @module
 */
import { strokesOf } from '../../../devices/index.js';

/** A key by its position, and whether it is pressed or released. */
export interface Stroke {
  name: string;
  down: boolean;
}

/** After ESC [ or ESC O (ECMA-48, xterm's control sequences; the Linux console's, rxvt's and tmux's where they differ). */
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
  '[A': 'F1',
  '[B': 'F2',
  '[C': 'F3',
  '[D': 'F4',
  '[E': 'F5',
  '11~': 'F1',
  '12~': 'F2',
  '13~': 'F3',
  '14~': 'F4',
  '1~': 'Home',
  '4~': 'End',
  '7~': 'Home',
  '8~': 'End',
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

/** The keys of single control characters. */
export const controls: Readonly<Record<number, string>> = {
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

/** A control sequence at the start of the typed characters. */
export interface Sequence {
  /** All its characters. */
  text: string;
  /** The key; undefined where the sequence names none. */
  key: string | undefined;
  shift: boolean;
}

/** ESC [ 15 ~ is F5, ESC [ 15 ; 2 ~ Shift-F5; ESC O P is F1, ESC [ 1 ; 2 P Shift-F1. */
const SEQUENCE = /^.[[O](?<number>\d*)(?:;(?<modifier>\d+))?(?<final>\[?[A-Z]|~)/;

/** Undefined where no sequence starts here; its modifiers are xterm's: 1, and 1 more with Shift. */
export function sequenceAt(typed: string): Sequence | undefined {
  if (typed[0] !== ESCAPE) return undefined;
  const found = SEQUENCE.exec(typed);
  if (found === null) return undefined;
  const { number = '', modifier = '1', final = '' } = found.groups!;
  const key = sequences[final === '~' ? `${number}~` : final];
  return { text: found[0], key, shift: ((Number(modifier) - 1) & 1) !== 0 };
}

export function* strokesFrom(typed: string): Generator<Stroke> {
  for (let rest = typed; rest !== ''; ) {
    const sequence = sequenceAt(rest);
    if (sequence?.key !== undefined) yield* pressed(sequence.key);
    // A sequence that names no key gives no key, and its bytes are not characters.
    if (sequence !== undefined) {
      rest = rest.slice(sequence.text.length);
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
