/** INT 09h: a scan code becomes a shift key's state, or a word in the keyboard buffer. */
import { Data } from '../../data-area.js';
import type { BiosService, Pc } from '../../pc.js';
import { hex } from '../../words.js';
import { clearKeys, typeKey } from './buffer.js';
import { isKeypad, isLetter, keypadDigit, wordsOf } from './keys.js';

/** Bits of the byte at 417h. */
const Shift = {
  right: 1,
  left: 2,
  ctrl: 4,
  alt: 8,
  scrollLock: 0x10,
  numLock: 0x20,
  capsLock: 0x40,
  insert: 0x80,
} as const;
/** Bits at 496h: the right keys, and prefixes that were received. */
const State = { e1: 1, e0: 2, rightCtrl: 4, rightAlt: 8, enhanced: 0x10 } as const;
const LEFT_CTRL = 1;
const LEFT_ALT = 2;
const BREAK = 0x80;

/** Keys that are held while others are pressed: the bit at 417h, and the bits for the left and the right one. */
const held: Readonly<Record<number, number>> = {
  42: Shift.left,
  54: Shift.right,
  29: Shift.ctrl,
  56: Shift.alt,
};
/** Keys that toggle a state: the bit at 417h, and the one at 418h while they are down. */
const locks: Readonly<Record<number, number>> = {
  58: Shift.capsLock,
  69: Shift.numLock,
  70: Shift.scrollLock,
  82: Shift.insert,
};

/** Interrupts that a key calls. */
const PRINT_SCREEN = 0x05;
const CTRL_BREAK = 0x1b;
const NOTHING = 0;

/** Takes a scan code. @returns the interrupt to call, 0 for none */
export function keystroke(pc: Pc, code: number): number {
  const { guest } = pc;
  const state = guest.read8(Data.keyboardState);
  if (code === 0xe0 || code === 0xe1) {
    guest.write8(Data.keyboardState, state | (code === 0xe0 ? State.e0 : State.e1));
    return NOTHING;
  }
  // Pause is E1 1D 45, and the same with the breaks: two codes after the prefix, and no break of its own.
  if (state & State.e1) {
    if ((code & 0x7f) === 0x45) guest.write8(Data.keyboardState, state & ~State.e1);
    return NOTHING;
  }
  guest.write8(Data.keyboardState, state & ~State.e0);
  // The keyboard's answers to commands.
  if (code === 0xfa || code === 0xfe || code === 0xee || code === 0) return NOTHING;
  const extended = (state & State.e0) !== 0;
  const scan = code & 0x7f;
  const down = (code & BREAK) === 0;
  const shift = held[scan];
  if (shift !== undefined) {
    // Enhanced keyboards send shift codes around some keys, to undo Num Lock.
    if (!(extended && (scan === 0x2a || scan === 0x36))) hold(pc, scan, shift, down, extended);
    return NOTHING;
  }
  return down ? press(pc, scan, extended) : release(pc, scan);
}

function hold(pc: Pc, scan: number, bit: number, down: boolean, right: boolean): void {
  const { guest } = pc;
  const set = (at: number, mask: number) =>
    guest.write8(at, down ? guest.read8(at) | mask : guest.read8(at) & ~mask);
  if (scan === 0x1d || scan === 0x38) {
    const ctrl = scan === 0x1d;
    if (right) set(Data.keyboardState, ctrl ? State.rightCtrl : State.rightAlt);
    else set(Data.shiftKeys, ctrl ? LEFT_CTRL : LEFT_ALT);
    const other = right
      ? guest.read8(Data.shiftKeys) & (ctrl ? LEFT_CTRL : LEFT_ALT)
      : guest.read8(Data.keyboardState) & (ctrl ? State.rightCtrl : State.rightAlt);
    // One of the two is still down.
    if (!down && other !== 0) return;
  }
  set(Data.shifts, bit);
  if (scan !== 0x38 || down) return;
  // Alt goes up: digits of the keypad have made up a character.
  const number = guest.read8(Data.altNumber);
  if (number !== 0) typeKey(pc, number);
  guest.write8(Data.altNumber, 0);
}

function release(pc: Pc, scan: number): number {
  const lock = locks[scan];
  if (lock !== undefined) pc.guest.write8(Data.shiftKeys, pc.guest.read8(Data.shiftKeys) & ~lock);
  return NOTHING;
}

function press(pc: Pc, scan: number, extended: boolean): number {
  const { guest } = pc;
  const shifts = guest.read8(Data.shifts);
  const ctrl = (shifts & Shift.ctrl) !== 0;
  const alt = (shifts & Shift.alt) !== 0;
  if (scan === 0x53 && ctrl && alt) {
    guest.write16(Data.warmStart, 0x1234);
    pc.reset('Ctrl+Alt+Del');
    return NOTHING;
  }
  if (extended && scan === 0x37) return ctrl ? store(pc, 0x7200) : PRINT_SCREEN;
  if (scan === 0x46 && ctrl) {
    clearKeys(pc);
    guest.write8(Data.broken, 0x80);
    typeKey(pc, 0);
    return CTRL_BREAK;
  }
  const lock = locks[scan];
  const isInsert = scan === 0x52;
  // Insert is also a key of the keypad, where Num Lock or Shift make it a digit.
  const digits = isKeypad(scan) && !extended && isShifted(shifts, Shift.numLock);
  if (lock !== undefined && !(extended && !isInsert) && !(isInsert && (digits || ctrl || alt))) {
    const down = guest.read8(Data.shiftKeys);
    // A key that is held repeats; it toggles once.
    if ((down & lock) === 0) guest.write8(Data.shifts, shifts ^ lock);
    guest.write8(Data.shiftKeys, down | lock);
    lights(pc);
    if (!isInsert) return NOTHING;
  }
  if (alt && !extended && keypadDigit(scan) >= 0) {
    guest.write8(Data.altNumber, (guest.read8(Data.altNumber) * 10 + keypadDigit(scan)) & 0xff);
    return NOTHING;
  }
  const words = wordsOf(scan, extended);
  if (words === undefined) return NOTHING;
  const lockBit = isKeypad(scan) && !extended ? Shift.numLock : isLetter(words[0]) ? Shift.capsLock : 0;
  const word = alt ? words[3] : ctrl ? words[2] : words[isShifted(shifts, lockBit) ? 1 : 0];
  return word! < 0 ? NOTHING : store(pc, word!);
}

/** Shift is held, or the lock is on: both together cancel each other. */
function isShifted(shifts: number, lock: number): boolean {
  const shift = (shifts & (Shift.left | Shift.right)) !== 0;
  return shift !== ((shifts & lock) !== 0);
}

function store(pc: Pc, word: number): number {
  typeKey(pc, word);
  return NOTHING;
}

/** The keyboard's lights follow the locks, if none of its bytes is waiting; otherwise the next key updates them. */
function lights(pc: Pc): void {
  const { guest, bus } = pc;
  const wanted = (guest.read8(Data.shifts) >> 4) & 7;
  if ((guest.read8(Data.keyboardLights) & 7) === wanted || bus.in(0x64, 1) & 1) return;
  for (const byte of [0xed, wanted]) {
    bus.out(0x60, 1, byte);
    if (bus.in(0x64, 1) & 1) bus.in(0x60, 1);
  }
  guest.write8(Data.keyboardLights, (guest.read8(Data.keyboardLights) & ~7) | wanted);
}

/** The service that the ROM's INT 09h calls with the scan code in AL; it returns the interrupt to call. */
export const keyboardInterrupt: BiosService = {
  name: 'int 09h',
  number: () => 0,
  functions: {
    0: {
      says: ({ al }) => `scan code ${hex(al)}`,
      gives: ({ al }) => (al === 0 ? '' : `calls int ${hex(al)}`),
      run(frame, pc) {
        frame.al = keystroke(pc, frame.al);
      },
    },
  },
};
