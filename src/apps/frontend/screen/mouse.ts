/**
 * The mouse of a terminal as the guest's: a terminal reports the cell of the pointer (xterm's control sequences, any-event tracking with
 * SGR coordinates), and the guest's mouse reports how far it moved.
 *
 * @module
 */
import type { MouseMove } from '../../../devices/index.js';

/** Turns a terminal's reports on and off. A terminal without a mouse ignores both. */
export const MOUSE_ON = '\x1b[?1003h\x1b[?1006h';
export const MOUSE_OFF = '\x1b[?1006l\x1b[?1003l';

const REPORT = /^.\[<(\d+);(\d+);(\d+)([Mm])/;
const Code = { moved: 32, wheel: 64 } as const;
/** A terminal's buttons 0 to 2 are left, middle, right; a PC's bits are left, right, middle. */
const BITS = [1, 4, 2];

/** How large a cell is, in steps of the guest's mouse. */
export interface CellSize {
  across: number;
  down: number;
}

/** Follows the pointer. */
export class TerminalMouse {
  #at: { column: number; row: number } | undefined;
  #buttons = 0;

  /** The report at the start of the typed characters, and its length; undefined where none starts here. */
  read(typed: string, cell: CellSize): { move: MouseMove; length: number } | undefined {
    const found = typed[0] === '\x1b' ? REPORT.exec(typed) : null;
    if (found === null) return undefined;
    const [code, column, row] = found.slice(1, 4).map(Number) as [number, number, number];
    const before = this.#at ?? { column, row };
    this.#at = { column, row };
    const wheel = code & Code.wheel ? ((code & 1) === 1 ? 1 : -1) : 0;
    const bit = BITS[code & 3] ?? 0;
    if (wheel === 0 && !(code & Code.moved))
      this.#buttons = found[4] === 'M' ? this.#buttons | bit : this.#buttons & ~bit;
    return {
      length: found[0].length,
      move: {
        dx: (column - before.column) * cell.across,
        dy: (row - before.row) * cell.down,
        wheel,
        buttons: this.#buttons,
      },
    };
  }
}
