/**
 * The keys of a PC keyboard and their scan codes.
 *
 * A key is named as browsers name it (UI Events KeyboardEvent `code`): by its place on an American keyboard, not by its
 * label. Scan codes: IBM PS/2 Hardware Interface Technical Reference, keyboard section; Microsoft's Keyboard Scan Code
 * Specification lists the same.
 *
 * @module
 */

/**
 * The code of a key that goes down. When it goes up, set 2 sends the same code after F0, and set 1 the same with bit 7
 * set.
 */
export interface ScanCodes {
  readonly set1: number;
  readonly set2: number;
  /** E0 is sent first. */
  readonly extended: boolean;
}

/** Name, code in set 1, code in set 2; `+` for those after E0. */
const rows = `
Escape 01 76
Digit1 02 16
Digit2 03 1e
Digit3 04 26
Digit4 05 25
Digit5 06 2e
Digit6 07 36
Digit7 08 3d
Digit8 09 3e
Digit9 0a 46
Digit0 0b 45
Minus 0c 4e
Equal 0d 55
Backspace 0e 66
Tab 0f 0d
KeyQ 10 15
KeyW 11 1d
KeyE 12 24
KeyR 13 2d
KeyT 14 2c
KeyY 15 35
KeyU 16 3c
KeyI 17 43
KeyO 18 44
KeyP 19 4d
BracketLeft 1a 54
BracketRight 1b 5b
Enter 1c 5a
ControlLeft 1d 14
KeyA 1e 1c
KeyS 1f 1b
KeyD 20 23
KeyF 21 2b
KeyG 22 34
KeyH 23 33
KeyJ 24 3b
KeyK 25 42
KeyL 26 4b
Semicolon 27 4c
Quote 28 52
Backquote 29 0e
ShiftLeft 2a 12
Backslash 2b 5d
KeyZ 2c 1a
KeyX 2d 22
KeyC 2e 21
KeyV 2f 2a
KeyB 30 32
KeyN 31 31
KeyM 32 3a
Comma 33 41
Period 34 49
Slash 35 4a
ShiftRight 36 59
NumpadMultiply 37 7c
AltLeft 38 11
Space 39 29
CapsLock 3a 58
F1 3b 05
F2 3c 06
F3 3d 04
F4 3e 0c
F5 3f 03
F6 40 0b
F7 41 83
F8 42 0a
F9 43 01
F10 44 09
NumLock 45 77
ScrollLock 46 7e
Numpad7 47 6c
Numpad8 48 75
Numpad9 49 7d
NumpadSubtract 4a 7b
Numpad4 4b 6b
Numpad5 4c 73
Numpad6 4d 74
NumpadAdd 4e 79
Numpad1 4f 69
Numpad2 50 72
Numpad3 51 7a
Numpad0 52 70
NumpadDecimal 53 71
IntlBackslash 56 61
F11 57 78
F12 58 07
NumpadEnter 1c+ 5a
ControlRight 1d+ 14
NumpadDivide 35+ 4a
AltRight 38+ 11
Home 47+ 6c
ArrowUp 48+ 75
PageUp 49+ 7d
ArrowLeft 4b+ 6b
ArrowRight 4d+ 74
End 4f+ 69
ArrowDown 50+ 72
PageDown 51+ 7a
Insert 52+ 70
Delete 53+ 71
MetaLeft 5b+ 1f
MetaRight 5c+ 27
ContextMenu 5d+ 2f
`;

function parse(row: string): [string, ScanCodes] {
  const [name = '', set1 = '', set2 = ''] = row.split(' ');
  return [
    name,
    {
      set1: Number.parseInt(set1, 16),
      set2: Number.parseInt(set2, 16),
      extended: set1.endsWith('+'),
    },
  ];
}

/** Every key by its name, except Pause and PrintScreen, which send special sequences: see ps2-keyboard.ts. */
export const keys: ReadonlyMap<string, ScanCodes> = new Map(rows.trim().split('\n').map(parse));

/** The names of all keys; a key's place in this list is its number where a number is needed. */
export const keyNames: readonly string[] = [...keys.keys(), 'Pause', 'PrintScreen'];

/** Characters by the key that types them on an American keyboard, without and with Shift. */
const typed: readonly [name: string, plain: string, shifted: string][] = [
  ['Digit1', '1', '!'],
  ['Digit2', '2', '@'],
  ['Digit3', '3', '#'],
  ['Digit4', '4', '$'],
  ['Digit5', '5', '%'],
  ['Digit6', '6', '^'],
  ['Digit7', '7', '&'],
  ['Digit8', '8', '*'],
  ['Digit9', '9', '('],
  ['Digit0', '0', ')'],
  ['Minus', '-', '_'],
  ['Equal', '=', '+'],
  ['BracketLeft', '[', '{'],
  ['BracketRight', ']', '}'],
  ['Semicolon', ';', ':'],
  ['Quote', "'", '"'],
  ['Backquote', '`', '~'],
  ['Backslash', '\\', '|'],
  ['Comma', ',', '<'],
  ['Period', '.', '>'],
  ['Slash', '/', '?'],
  ['Space', ' ', ' '],
  ['Enter', '\n', '\n'],
  ['Enter', '\r', '\r'],
  ['Tab', '\t', '\t'],
  ['Escape', '\x1b', '\x1b'],
  ['Backspace', '\b', '\b'],
  ['Backspace', '\x7f', '\x7f'],
];

const byCharacter = new Map<string, { name: string; shift: boolean }>();
for (const [name, plain, shifted] of typed) {
  byCharacter.set(shifted, { name, shift: true });
  byCharacter.set(plain, { name, shift: false });
}
for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
  const name = `Key${letter.toUpperCase()}`;
  byCharacter.set(letter, { name, shift: false });
  byCharacter.set(letter.toUpperCase(), { name, shift: true });
}

/** A key that goes down or up; `name` is one of `keyNames`. */
export interface KeyEvent {
  name: string;
  down: boolean;
}

/** The key strokes that type a text on an American keyboard. Characters that have no key there are left out. */
export function* strokesOf(text: string): Generator<KeyEvent> {
  for (const character of text) {
    const key = byCharacter.get(character);
    if (key === undefined) continue;
    if (key.shift) yield { name: 'ShiftLeft', down: true };
    yield { name: key.name, down: true };
    yield { name: key.name, down: false };
    if (key.shift) yield { name: 'ShiftLeft', down: false };
  }
}
