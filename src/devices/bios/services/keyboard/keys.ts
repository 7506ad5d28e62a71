/**
 * INT 09h's translation of a key: the word that INT 16h returns, scan code above and character below, by the shift keys. An American
 * keyboard. Source: IBM PS/2 and PC BIOS Interface Technical Reference, keyboard; Ralf Brown's interrupt list, table 00006.
 *
 * @module
 */

/** Words with no shift key, and with Shift, Ctrl and Alt; -1 where the key has none. */
export type KeyWords = readonly [plain: number, shift: number, ctrl: number, alt: number];

const table = new Map<number, KeyWords>();

function key(scan: number, plain: number, shift: number, ctrl: number, alt: number): void {
  table.set(scan, [plain, shift, ctrl, alt]);
}

const word = (scan: number, character: number) => (scan << 8) | character;

/** Keys of a row, from a scan code on: their characters, and those with Shift. */
function row(first: number, plain: string, shift: string, altFirst = first): void {
  for (let i = 0; i < plain.length; i++) {
    const scan = first + i;
    const character = plain.charCodeAt(i);
    const letter = character >= 0x61 && character <= 0x7a;
    const ctrl = letter ? character & 0x1f : (CTRL[plain[i]!] ?? -1);
    // With Alt there is the scan code alone.
    const alt = word(altFirst + i, 0);
    key(scan, word(scan, character), word(scan, shift.charCodeAt(i)), ctrl < 0 ? -1 : word(scan, ctrl), alt);
  }
}

/** Characters with Ctrl of keys that are no letters. */
const CTRL: Readonly<Record<string, number>> = {
  '2': 0,
  '6': 0x1e,
  '-': 0x1f,
  '[': 0x1b,
  ']': 0x1d,
  '\\': 0x1c,
};

row(0x02, '1234567890-=', '!@#$%^&*()_+', 0x78);
row(0x10, 'qwertyuiop[]', 'QWERTYUIOP{}');
row(0x1e, "asdfghjkl;'`", 'ASDFGHJKL:"~');
row(0x2b, '\\zxcvbnm,./', '|ZXCVBNM<>?');
key(0x01, 0x011b, 0x011b, 0x011b, 0x0100);
key(0x0e, 0x0e08, 0x0e08, 0x0e7f, 0x0e00);
key(0x0f, 0x0f09, 0x0f00, 0x9400, 0xa500);
key(0x1c, 0x1c0d, 0x1c0d, 0x1c0a, 0x1c00);
key(0x39, 0x3920, 0x3920, 0x3920, 0x3920);
key(0x37, 0x372a, 0x372a, 0x9600, 0x3700);
key(0x56, 0x565c, 0x567c, -1, -1);
// F1 to F10; F11 and F12 belong to the enhanced keyboard.
for (let i = 0; i < 10; i++)
  key(0x3b + i, word(0x3b + i, 0), word(0x54 + i, 0), word(0x5e + i, 0), word(0x68 + i, 0));
key(0x57, 0x8500, 0x8700, 0x8900, 0x8b00);
key(0x58, 0x8600, 0x8800, 0x8a00, 0x8c00);
// The keypad without and with Num Lock; with Alt its digits make up a character's number.
const KEYPAD_CTRL = [
  0x7700, 0x8d00, 0x8400, 0x8e00, 0x7300, 0x8f00, 0x7400, 0x9000, 0x7500, 0x9100, 0x7600, 0x9200, 0x9300,
];
const KEYPAD = '789-456+1230.';
for (let i = 0; i < KEYPAD.length; i++) {
  const scan = 0x47 + i;
  const character = KEYPAD.charCodeAt(i);
  const sign = KEYPAD[i] === '-' || KEYPAD[i] === '+';
  const plain = sign ? word(scan, character) : scan === 0x4c ? 0x4cf0 : word(scan, 0);
  key(scan, plain, word(scan, character), KEYPAD_CTRL[i]!, sign ? word(scan, 0xf0) & 0xff00 : -1);
}

/** Keys that an enhanced keyboard has twice: codes after E0. */
const extendedKeys = new Map<number, KeyWords>([
  [0x1c, [0xe00d, 0xe00d, 0xe00a, 0xa600]],
  [0x35, [0xe02f, 0xe02f, 0x9500, 0xa400]],
  [0x47, [0x47e0, 0x47e0, 0x77e0, 0x9700]],
  [0x48, [0x48e0, 0x48e0, 0x8de0, 0x9800]],
  [0x49, [0x49e0, 0x49e0, 0x84e0, 0x9900]],
  [0x4b, [0x4be0, 0x4be0, 0x73e0, 0x9b00]],
  [0x4d, [0x4de0, 0x4de0, 0x74e0, 0x9d00]],
  [0x4f, [0x4fe0, 0x4fe0, 0x75e0, 0x9f00]],
  [0x50, [0x50e0, 0x50e0, 0x91e0, 0xa000]],
  [0x51, [0x51e0, 0x51e0, 0x76e0, 0xa100]],
  [0x52, [0x52e0, 0x52e0, 0x92e0, 0xa200]],
  [0x53, [0x53e0, 0x53e0, 0x93e0, 0xa300]],
]);

export function wordsOf(scan: number, extended: boolean): KeyWords | undefined {
  return extended ? extendedKeys.get(scan) : table.get(scan);
}

/** Caps Lock is for letters. */
export function isLetter(plain: number): boolean {
  const character = plain & 0xff;
  return character >= 0x61 && character <= 0x7a;
}

/** The scan codes of the keypad whose meaning Num Lock changes, and the digit of each; -1 for the others. */
export function keypadDigit(scan: number): number {
  const digit = '789-456+1230'.charAt(scan - 0x47);
  return digit >= '0' && digit <= '9' ? Number(digit) : -1;
}
export const isKeypad = (scan: number) => scan >= 0x47 && scan <= 0x53 && scan !== 0x4a && scan !== 0x4e;
