/** What a program asks the BIOS for again and again: for the end of a run in which it got nowhere. */
import type { Frame } from './frame.js';
import type { Pc } from './pc.js';
import { hex } from './words.js';

const DISK = 0x13;
const KEYBOARD = 0x16;
/** Calls that hardware makes in between: of INT 09h, 70h and 74h. */
const hardware: readonly number[] = [0x09, 0x70, 0x74];
/** Functions of INT 16h that look for a key. */
const looks: readonly number[] = [0x01, 0x11];
const TYPE = "--type 'text\\n' types for you, --screen gives you its keyboard";
/** Fewer calls are no habit, and so are more functions. */
const HABIT = 16;
const MOST_FUNCTIONS = 3;
/** So many of the last calls are looked at. */
const LAST = 64;
/** Nanoseconds after which the last call is past: several ticks of the timer. */
const PAST = 300_000_000;

/** A function of a service, by the vector and AH. */
interface Habit {
  times: number;
  /** What was asked, and what came of it, at some of its calls. */
  words: string;
}

export class Habits {
  #key = 0;
  #times = 0;
  #waitsFor = '';
  #fails = '';
  readonly #functions = new Map<number, Habit>();
  readonly #last = new Uint16Array(LAST);
  #calls = 0;
  #when = 0;

  /**
   * A service was called.
   * @param asked AX and DX before the call
   * @param words what was asked and what came of it, where that is wanted
   */
  note(number: number, asked: { ax: number; dx: number }, frame: Frame, pc: Pc, words: () => string): void {
    if (hardware.includes(number)) return;
    const key = number * 2 ** 32 + asked.ax * 2 ** 16 + asked.dx;
    this.#times = key === this.#key ? this.#times + 1 : 1;
    this.#key = key;
    this.#waitsFor = '';
    if (number === KEYBOARD && frame.waits) this.#waitsFor = 'a key (INT 16h)';
    if (number !== DISK || !frame.carry) this.#fails = '';
    else if (this.#times === HABIT) this.#fails = `${words()}${this.#missing(frame.dl, pc)}`;
    if (number < 0x100) this.#count((number << 8) | (asked.ax >> 8), words);
    this.#when = pc.clock.now();
  }

  #count(key: number, words: () => string): void {
    this.#last[this.#calls++ % LAST] = key;
    let habit = this.#functions.get(key);
    if (habit === undefined) {
      habit = { times: 0, words: '' };
      this.#functions.set(key, habit);
    }
    // Words cost: they are made now and then.
    if (habit.times++ % 1024 === HABIT) habit.words = words();
  }

  /** For people; undefined where there is nothing to tell. @param now the machine's time */
  remark(now: number): string | undefined {
    if (this.#waitsFor !== '') return `it waits for ${this.#waitsFor}: ${TYPE}`;
    if (now - this.#when > PAST) return undefined;
    if (this.#fails !== '')
      return `it called INT 13h ${this.#times} times in a row, and it fails: ${this.#fails}`;
    const keys = new Set(this.#last);
    const known = [...keys].map((key) => ({ key, ...this.#functions.get(key) }));
    if (this.#calls < LAST || keys.size > MOST_FUNCTIONS || known.some(({ words }) => !words))
      return undefined;
    const calls = known.map(({ key, words }) => `INT ${hex(key >> 8)} ${words}`).join('; ');
    const wantsKey = known.some(({ key }) => key >> 8 === KEYBOARD && looks.includes(key & 0xff));
    return `it calls the BIOS again and again: ${calls}${wantsKey ? `. ${TYPE}` : ''}`;
  }

  #missing(drive: number, { drives }: Pc): string {
    if (drives.get(drive) !== undefined) return '';
    const isFloppy = drive < 0x80;
    return ` (this machine has no such ${isFloppy ? 'floppy drive: --floppy' : 'disk: --disk'} FILE)`;
  }
}
