import type { CodeRow, Model, Point } from '../model.js';
import { type Line, look, type Span, textOf, widthOf } from '../text.js';
import { hex } from './registers.js';

/** From this width on, the bytes of instructions are shown. */
const WITH_BYTES = 66;
/** Columns for seven bytes; most instructions have no more. */
const BYTES_WIDTH = 21;

/** A line of the pane, and the instruction that it belongs to. */
interface Drawn {
  row: CodeRow;
  line: Line;
}

/** The listing: labels, lines of C above their instructions, instructions. */
export function codePane(model: Model, width: number, height: number): Line[] {
  return drawn(model, width)
    .slice(0, height)
    .map(({ line }) => line);
}

/** How many instructions of the listing are visible in a pane of that height. */
export function seenRows(model: Model, width: number, height: number): number {
  return new Set(
    drawn(model, width)
      .slice(0, height)
      .map(({ row }) => row),
  ).size;
}

function drawn(model: Model, width: number): Drawn[] {
  return model.code.flatMap((row) => {
    const lines: Drawn[] = [];
    if (row.label !== undefined)
      lines.push({
        row,
        line: [
          ['   ', look.plain],
          [`${row.label}:`, look.symbol],
        ],
      });
    if (row.source !== undefined && isHighLevel(row.source.place))
      lines.push({ row, line: sourceLine(row.source) });
    lines.push({ row, line: instructionLine(model, row, width) });
    return lines;
  });
}

/** A line of C becomes several instructions; a line of assembler is shown as its instruction already. */
function isHighLevel(place: string): boolean {
  return !/\.(s|asm|inc)(:\d+)?$/i.test(place);
}

function sourceLine({ place, text }: NonNullable<CodeRow['source']>): Line {
  return [
    ['   ', look.plain],
    [place, look.quiet],
    [`  ${text ?? ''}`, look.source],
  ];
}

function instructionLine(model: Model, row: CodeRow, width: number): Line {
  const here = row.address === model.pc && model.phase !== 'running';
  const onCursor = row.address === model.cursor;
  const point = model.points.find(({ kind, address }) => kind === 'breakpoint' && address === row.address);
  const mark: Span = here ? ['▶', look.here] : onCursor ? ['›', look.strong] : ' ';
  const bytes = Array.from(row.bytes, (byte) => hex(byte, 2)).join(' ');
  const digits = row.address > 0xffff_ffffn ? 16 : 8;
  const front: Span[] = [
    breakpointMark(point),
    mark,
    ' ',
    [hex(row.address, digits), here ? look.here : look.quiet],
    '  ',
  ];
  if (width >= WITH_BYTES) front.push([fit(bytes, BYTES_WIDTH).padEnd(BYTES_WIDTH), look.quiet], '  ');
  const line: Line = [...front, ...textAndLine(row, width - widthOf(front), here)];
  if (!onCursor || model.focus !== 'code') return line;
  const whole: Line = [...line, ' '.repeat(Math.max(0, width - widthOf(line)))];
  return whole.map((span) => [textOf(span), look.cursor] as const);
}

/** The instruction, and at the right edge the number of its line of assembler. */
function textAndLine({ text, source }: CodeRow, width: number, here: boolean): Span[] {
  const number = source !== undefined && !isHighLevel(source.place) ? source.place.replace(/^.*:/, '') : '';
  const room = width - (number === '' ? 0 : number.length + 1);
  const shown = fit(text, room);
  return [
    here ? [shown, look.strong] : shown,
    ...(number === '' ? [] : [' '.repeat(room - shown.length + 1), [number, look.quiet] as const]),
  ];
}

function breakpointMark(point: Point | undefined): Span {
  if (point === undefined) return ' ';
  return point.enabled ? ['●', look.breakpoint] : ['○', look.quiet];
}

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
