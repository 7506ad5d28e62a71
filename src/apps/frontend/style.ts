/**
 * Colour, on a terminal only; NO_COLOR (no-color.org) and `TERM=dumb` are honoured.
 *
 * @module
 */
export interface Style {
  /** False where all text is plain. */
  readonly coloured: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The styles for stdout, stderr or another stream: escape codes where it is a terminal that shows them, plain text elsewhere. */
export function styleFor(stream: { isTTY?: boolean }, env = process.env): Style {
  const colour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (open: number, close: number) => (text: string) =>
    colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    coloured: colour,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/** Plain text, for outputs that are not a terminal. */
export const plainStyle: Style = (() => {
  const same = (text: string) => text;
  return { coloured: false, bold: same, dim: same, red: same, green: same, yellow: same };
})();
