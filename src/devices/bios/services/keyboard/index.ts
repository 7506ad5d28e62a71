/** INT 16h: the keyboard. */
import { Data } from '../../data-area.js';
import type { Frame } from '../../frame.js';
import type { BiosFunction, BiosService, Pc } from '../../pc.js';
import { hex } from '../../words.js';
import { dropKey, peekKey, storeKey } from './buffer.js';

export { keyboardInterrupt } from './keystroke.js';

/** The numbers by which a keyboard of 101 or 102 keys names itself, after a controller that translates. */
const MF2 = 0x41ab;

/**
 * A word as the old functions return it: without codes of the enhanced keyboard; -1 for a key that they do not know.
 */
function old(word: number): number {
  const [scan, character] = [word >> 8, word & 0xff];
  if (scan === 0xe0) return (character === 0x0d || character === 0x0a ? 0x1c00 : 0x3500) | character;
  if (scan > 0x84 && character === 0) return -1;
  if (character === 0xf0 && scan !== 0) return -1;
  if (character === 0xe0 && scan !== 0) return scan > 0x84 ? -1 : scan << 8;
  return word;
}

/** A word as the new functions return it. */
const asNew = (word: number) => ((word & 0xff) === 0xf0 && word >> 8 !== 0 ? word & 0xff00 : word);

/**
 * The next word for a caller, which stays in the buffer; keys that its function does not know are dropped. -1 where
 * there is none.
 */
function peek(pc: Pc, enhanced: boolean): number {
  for (;;) {
    const word = peekKey(pc);
    if (word < 0) return -1;
    const seen = enhanced ? asNew(word) : old(word);
    if (seen >= 0) return seen;
    dropKey(pc);
  }
}

/** The key for a trace. */
function keyText({ ax }: Frame): string {
  const character = ax & 0xff;
  const shown = character > 0x20 && character < 0x7f ? `'${String.fromCharCode(character)}'` : hex(character);
  return `${shown}, scan code ${hex(ax >> 8)}`;
}

function reader(enhanced: boolean): BiosFunction {
  return {
    says: 'wait for a key',
    gives: (frame) => (frame.waits ? 'not yet' : keyText(frame)),
    run(frame, pc) {
      const word = peek(pc, enhanced);
      if (word < 0) {
        frame.wait();
        return;
      }
      dropKey(pc);
      frame.ax = word;
    },
  };
}

function looker(enhanced: boolean): BiosFunction {
  return {
    says: 'is there a key?',
    gives: (frame) => (frame.zero ? 'no' : keyText(frame)),
    run(frame, pc) {
      const word = peek(pc, enhanced);
      frame.zero = word < 0;
      if (word >= 0) frame.ax = word;
    },
  };
}

const shiftKeys: BiosFunction = {
  says: 'which shift keys?',
  gives: ({ al }) => hex(al),
  run(frame, { guest }) {
    frame.al = guest.read8(Data.shifts);
  },
};

export const keyboard: BiosService = {
  name: 'int 16h',
  functions: {
    0: reader(false),
    1: looker(false),
    2: shiftKeys,
    3: {
      says: 'set how keys repeat',
      gives: () => '',
      run({ al, bh, bl }, { bus }) {
        if (al !== 5) return;
        for (const byte of [0xf3, ((bh & 3) << 5) | (bl & 0x1f)]) {
          bus.out(0x60, 1, byte);
          if (bus.in(0x64, 1) & 1) bus.in(0x60, 1);
        }
      },
    },
    5: {
      says: ({ cx }) => `put the key ${hex(cx, 4)} into the buffer`,
      gives: ({ al }) => (al === 0 ? 'ok' : 'it is full'),
      run(frame, { guest }) {
        frame.al = storeKey(guest, frame.cx) ? 0 : 1;
      },
    },
    9: {
      says: 'what can the keyboard do?',
      gives: ({ al }) => hex(al),
      run(frame) {
        // Functions 03h (rate set), 0Ah, 10h to 12h.
        frame.al = 0x34;
      },
    },
    10: {
      says: 'which keyboard?',
      gives: ({ bx }) => hex(bx, 4),
      run(frame) {
        frame.bx = MF2;
      },
    },
    16: reader(true),
    17: looker(true),
    // A question of IBM's KEYB: AH up to 80h says that 10h to 12h are there.
    146: {
      says: 'is it an enhanced keyboard?',
      gives: () => 'yes',
      run(frame) {
        frame.ah = 0x80;
      },
    },
    18: {
      says: 'which shift keys?',
      gives: ({ ax }) => hex(ax, 4),
      run(frame, { guest }) {
        const right = guest.read8(Data.keyboardState) & 0x0c;
        const left = guest.read8(Data.shiftKeys) & 0x73;
        frame.al = guest.read8(Data.shifts);
        frame.ah = left | right | ((guest.read8(Data.shiftKeys) & 4) << 5);
      },
    },
  },
};
