/** Finds the BIOS call that a program repeats, to explain the end of a run without progress. */
import type { Frame } from './frame.js';
import type { Pc } from './pc.js';

const DISK = 0x13;
const KEYBOARD = 0x16;
/** Calls that hardware makes in between: of INT 09h, 70h and 74h. */
const hardware: readonly number[] = [0x09, 0x70, 0x74];
/** With fewer failing calls there is nothing to report. */
const HABIT = 16;

export class Habits {
  #key = 0;
  #times = 0;
  #waitsFor = '';
  #fails = '';

  /**
   * A service was called.
   * @param asked AX and DX before the call
   * @param words the request and its result, where requested
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
  }

  /** For people; undefined where there is nothing to report. */
  get remark(): string | undefined {
    if (this.#waitsFor !== '')
      return `it waits for ${this.#waitsFor}: --type 'text\\n' types for you, --screen gives you its keyboard`;
    if (this.#fails === '') return undefined;
    return `it called INT 13h ${this.#times} times in a row, and it fails: ${this.#fails}`;
  }

  #missing(drive: number, { drives }: Pc): string {
    if (drives.get(drive) !== undefined) return '';
    const isFloppy = drive < 0x80;
    return ` (this machine has no such ${isFloppy ? 'floppy drive: --floppy' : 'disk: --disk'} FILE)`;
  }
}
