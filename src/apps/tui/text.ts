/**
 * Lines of styled text, of which panes consist.
 *
 * @module
 */
import { Attribute, NO_COLOUR, paletteColour } from '../frontend/screen/cells.js';

/** How a piece of text looks. A terminal without colours shows only the attributes. */
export interface Style {
  readonly ink?: number;
  readonly paper?: number;
  /** Bits of `Attribute`. */
  readonly attributes?: number;
}

/** A piece of text, plain or in a style. */
export type Span = string | readonly [text: string, style: Style];
export type Line = readonly Span[];

const [red, green, yellow, blue, magenta, cyan] = [1, 2, 3, 4, 5, 6].map(paletteColour) as [
  number,
  number,
  number,
  number,
  number,
  number,
];
const { bold, dim, underlined, inverse } = Attribute;

/** The debugger's styles: the terminal's own sixteen colours, as its user has chosen them. */
export const look = {
  plain: {},
  quiet: { attributes: dim },
  strong: { attributes: bold },
  title: { ink: cyan, attributes: bold },
  changed: { ink: yellow, attributes: bold },
  symbol: { ink: green },
  source: { ink: blue },
  here: { ink: green, attributes: bold },
  cursor: { attributes: inverse },
  breakpoint: { ink: red, attributes: bold },
  good: { ink: green, attributes: bold },
  bad: { ink: red, attributes: bold },
  running: { ink: magenta, attributes: bold },
  key: { attributes: bold | underlined },
} as const satisfies Record<string, Style>;

export const textOf = (span: Span): string => (typeof span === 'string' ? span : span[0]);

/** How many cells a line takes. */
export function widthOf(line: Line): number {
  return line.reduce((sum, span) => sum + [...textOf(span)].length, 0);
}

/** The line, with a style for pieces that have none. */
export function styled(line: Line, style: Style): Line {
  return line.map((span) =>
    typeof span === 'string' ? ([span, style] as const) : ([span[0], { ...style, ...span[1] }] as const),
  );
}

/** Wraps words into lines of a width. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width);
      const cut = space > width / 3 ? space : width;
      lines.push(rest.slice(0, cut));
      // A continuation line has the indent of its first line.
      rest = `${/^ */.exec(line)![0].slice(0, width / 3)}${rest.slice(cut).trimStart()}`;
    }
    return [...lines, rest];
  });
}

/** Cells to draw on; text outside is cut off. */
export class Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly characters: string[];
  readonly ink: Uint32Array;
  readonly paper: Uint32Array;
  readonly attributes: Uint8Array;
  readonly #coloured: boolean;

  constructor(columns: number, rows: number, coloured: boolean) {
    const size = columns * rows;
    this.columns = columns;
    this.rows = rows;
    this.characters = new Array<string>(size).fill(' ');
    this.ink = new Uint32Array(size).fill(NO_COLOUR);
    this.paper = new Uint32Array(size).fill(NO_COLOUR);
    this.attributes = new Uint8Array(size);
    this.#coloured = coloured;
  }

  /** Draws a line from a place on, `width` cells at most. Returns the column after it. */
  line(x: number, y: number, line: Line, width = this.columns - x): number {
    const end = Math.min(this.columns, x + width);
    let at = x;
    for (const span of line) {
      const [text, style] = typeof span === 'string' ? [span, look.plain] : span;
      for (const character of text) {
        if (at >= end) return at;
        this.cell(at++, y, printable(character), style);
      }
    }
    return at;
  }

  cell(x: number, y: number, character: string, { ink, paper, attributes }: Style): void {
    if (x < 0 || y < 0 || x >= this.columns || y >= this.rows) return;
    const i = y * this.columns + x;
    this.characters[i] = character;
    this.ink[i] = this.#coloured ? (ink ?? NO_COLOUR) : NO_COLOUR;
    this.paper[i] = this.#coloured ? (paper ?? NO_COLOUR) : NO_COLOUR;
    this.attributes[i] = attributes ?? 0;
  }

  /** Only the text, without the blanks at the ends of its lines. */
  text(): string {
    const lines = Array.from({ length: this.rows }, (_, y) =>
      this.characters
        .slice(y * this.columns, (y + 1) * this.columns)
        .join('')
        .trimEnd(),
    );
    return lines.join('\n');
  }
}

/**
 * A character that takes one cell in every terminal; the replacement character for those that may take none or two.
 * Control characters never reach the terminal: what a guest prints must not drive it.
 */
export function printable(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return '·';
  if (code < 0x300 || (code >= 0x370 && code < 0x483) || (code >= 0x48a && code < 0x591)) return character;
  const narrow = (code >= 0x1e00 && code < 0x200b) || (code >= 0x2010 && code < 0x2028);
  const drawn = (code >= 0x2030 && code < 0x2060) || (code >= 0x2070 && code < 0x20d0);
  const shapes = code >= 0x2100 && code < 0x2600 && !wideShapes.has(code);
  const cp437 = code >= 0x2638 && code < 0x2670;
  return narrow || drawn || shapes || cp437 ? character : '\ufffd';
}

/** Unicode 16 TR 11: the wide ones among arrows, technical symbols and shapes. */
const wideShapes = new Set([
  0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ea, 0x23eb, 0x23ec, 0x23f0, 0x23f3, 0x25fd, 0x25fe,
]);
