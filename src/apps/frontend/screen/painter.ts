/**
 * Cells as a terminal's control sequences.
 *
 * @module
 */
import { Attribute, type Cells, NO_COLOUR } from './cells.js';

/** Up to this many unchanged cells are sent again rather than skipped: a cursor movement takes four bytes. */
const SHORT_GAP = 4;

/** Turns cells into bytes for a terminal: only those cells that differ from what it shows already. */
export class CellPainter {
  #shown: Cells | undefined;

  /** Forgets what the terminal shows: it was cleared, or has another size. */
  forget(): void {
    this.#shown = undefined;
  }

  /** The bytes for these cells, from row 1 of the screen on; empty where nothing differs. */
  paint(cells: Cells): string {
    const known =
      this.#shown?.columns === cells.columns && this.#shown.rows === cells.rows ? this.#shown : undefined;
    const pen = new Pen(cells);
    let out = known === undefined ? '\x1b[0m\x1b[2J' : '';
    /** Where the terminal's cursor is after the last write. */
    let at = -1;
    const { columns, characters } = cells;
    for (let i = 0; i < characters.length; i++) {
      if (known !== undefined && same(known, cells, i)) continue;
      if (at !== i || i % columns === 0) out += pen.across(at, i) ?? moveTo(at, i, columns);
      out += pen.take(i) + characters[i];
      at = i + 1;
    }
    this.#shown = cells;
    return out === '' ? '' : `${out}\x1b[0m`;
  }
}

function same(a: Cells, b: Cells, i: number): boolean {
  return (
    a.characters[i] === b.characters[i] &&
    a.ink[i] === b.ink[i] &&
    a.paper[i] === b.paper[i] &&
    (a.attributes?.[i] ?? 0) === (b.attributes?.[i] ?? 0)
  );
}

/** Cursor forward on the row that it is on, else cursor position (ECMA-48 8.3.20, 8.3.21). */
function moveTo(at: number, to: number, columns: number): string {
  const [row, column] = [Math.floor(to / columns), to % columns];
  if (at >= 0 && at < to && column > 0 && Math.floor((at - 1) / columns) === row && at % columns > 0)
    return `\x1b[${to - at === 1 ? '' : to - at}C`;
  return `\x1b[${row + 1};${column + 1}H`;
}

/** The cells as lines, for a terminal that continues after them. */
export function linesOf(cells: Cells): string {
  const { columns, rows, characters } = cells;
  let out = '';
  for (let y = 0; y < rows; y++) {
    const pen = new Pen(cells);
    for (let i = y * columns; i < (y + 1) * columns; i++) out += pen.take(i) + characters[i];
    out += '\x1b[0m\n';
  }
  return out;
}

/** The terminal's current colours and attributes; at first its defaults. */
class Pen {
  readonly #cells: Cells;
  #ink = NO_COLOUR;
  #paper = NO_COLOUR;
  #attributes = 0;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  /** Select Graphic Rendition (ECMA-48 8.3.117) for a cell; empty where the pen is right already. */
  take(i: number): string {
    const { ink, paper, attributes } = this.#cells;
    const wanted = attributes?.[i] ?? 0;
    const codes: string[] = [];
    if (wanted !== this.#attributes) {
      codes.push('0', ...attributeCodes(wanted));
      this.#ink = NO_COLOUR;
      this.#paper = NO_COLOUR;
      this.#attributes = wanted;
    }
    if (ink[i] !== this.#ink) codes.push(colour(38, ink[i]!));
    if (paper[i] !== this.#paper) codes.push(colour(48, paper[i]!));
    this.#ink = ink[i]!;
    this.#paper = paper[i]!;
    return codes.length === 0 ? '' : `\x1b[${codes.join(';')}m`;
  }

  /** The few unchanged cells between two places, where sending them again is shorter than moving the cursor; else undefined. */
  across(from: number, to: number): string | undefined {
    const { columns, characters, ink, paper, attributes } = this.#cells;
    const row = (i: number) => Math.floor(i / columns);
    if (from <= 0 || to <= from || to - from > SHORT_GAP || row(from - 1) !== row(to)) return undefined;
    for (let i = from; i < to; i++) {
      if (ink[i] !== this.#ink || paper[i] !== this.#paper) return undefined;
      if ((attributes?.[i] ?? 0) !== this.#attributes) return undefined;
    }
    return characters.slice(from, to).join('');
  }
}

function attributeCodes(attributes: number): string[] {
  const codes: [bit: number, code: string][] = [
    [Attribute.bold, '1'],
    [Attribute.dim, '2'],
    [Attribute.underlined, '4'],
    [Attribute.inverse, '7'],
  ];
  return codes.filter(([bit]) => attributes & bit).map(([, code]) => code);
}

/** 38 for characters, 48 for backgrounds: 24 bits (ISO 8613-6), one of the terminal's sixteen, or the terminal's own. */
function colour(what: 38 | 48, value: number): string {
  if (value === NO_COLOUR) return String(what + 1);
  if (value <= 0xffffff) return `${what};2;${value >> 16};${(value >> 8) & 255};${value & 255}`;
  const index = value & 15;
  return String((index < 8 ? what - 8 : what + 52) + (index & 7));
}
