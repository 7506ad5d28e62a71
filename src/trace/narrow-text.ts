/**
 * An exit as lines for a terminal that is too narrow for all columns: first the columns that every exit has, then its description.
 *
 * @module
 */
import { ExitKind, exitKindNames, isAccess } from '../engine/contract/index.js';
import type { ExitLog } from './exit-log.js';
import { accessData, addressOf, kindMeanings, milliseconds, ripDigits, wordsOf } from './text-parts.js';
import type { TraceTexts } from './texts.js';

const NUMBER_WIDTH = 6;
const CPU_WIDTH = 4;
const TIME_WIDTH = 11;
const RIP_WIDTH = 8;
const ACCESS_WIDTH = 16;
const DATA_WIDTH = 10;
/** The least columns of a description, on any terminal. */
const LEAST_ROOM = 20;
/** Where the second line begins: below the column of rip. */
const indent = (cpus: number) => NUMBER_WIDTH + (cpus > 1 ? CPU_WIDTH : 0) + TIME_WIDTH + 3;

/** From here on all columns of the usual layout fit, with the words of most registers. */
export const WIDE_TERMINAL = 160;

/** The names of the columns of `formatNarrowLines`. */
export function narrowHeader(cpus = 1): string {
  return [
    'exit'.padStart(NUMBER_WIDTH) + (cpus > 1 ? 'cpu'.padStart(CPU_WIDTH) : ''),
    `${'time'.padStart(TIME_WIDTH)} `,
    'rip'.padEnd(RIP_WIDTH),
    'access'.padEnd(ACCESS_WIDTH),
    'data'.padEnd(DATA_WIDTH),
    'device',
  ].join(' ');
}

/** Entry `index` of the log as lines of at most `width` characters, without the last newline: nothing of it is left out. */
export function formatNarrowLines(
  log: ExitLog,
  index: number,
  deviceNames: readonly string[],
  texts: TraceTexts,
  { cpus = 1, width }: { cpus?: number; width: number },
): string {
  const at = index & log.mask;
  const first = wrap(firstLine(log, index, deviceNames, cpus), width).join('\n');
  const register = texts.registers[at]!;
  const words = register === '' ? '' : wordsOf(log, at, register, texts);
  const said = [texts.instructions[at]!, words].filter((text) => text !== '');
  const blank = ' '.repeat(indent(cpus));
  const together = said.join('  ');
  if (said.length === 0) return first;
  if (!isAccess(log.kinds[at]!) && first.length + 2 + together.length <= width)
    return `${first}  ${together}`;
  const room = Math.max(width - blank.length, LEAST_ROOM);
  const more = together.length <= room ? [together] : said.flatMap((text) => wrap(text, room));
  return [first, ...more.map((text) => blank + text)].join('\n');
}

/** Lines of at most `room` characters, the further ones indented; words that are longer are divided. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let [rest, before] = [text, ''];
  while (before.length + rest.length > room) {
    const most = room - before.length;
    const space = rest.lastIndexOf(' ', most);
    lines.push(before + rest.slice(0, space > 0 ? space : most));
    rest = rest.slice(space > 0 ? space + 1 : most);
    before = '  ';
  }
  return [...lines, before + rest];
}

function firstLine(log: ExitLog, index: number, deviceNames: readonly string[], cpus: number): string {
  const at = index & log.mask;
  const kind = log.kinds[at]!;
  const start = [
    String(index + 1).padStart(NUMBER_WIDTH) + (cpus > 1 ? String(log.cpus[at]).padStart(CPU_WIDTH) : ''),
    `${milliseconds(log.starts[at]! - log.originMs, TIME_WIDTH)}${log.coalesced[at] === 1 ? '+' : ' '}`,
    (log.coalesced[at] === 1 ? '' : ripDigits(log, at)).padEnd(RIP_WIDTH),
  ].join(' ');
  if (!isAccess(kind)) {
    const name = exitKindNames[kind] ?? 'unknown';
    const why = kind === ExitKind.unknown ? `reason ${log.reasons[at]!}` : (kindMeanings[kind] ?? '');
    return `${start} ${name} ${why}`.trimEnd();
  }
  const device = log.devices[at]!;
  const name = device < 0 ? '(nobody)' : (deviceNames[device] ?? `device ${device}`);
  const verb = kind === ExitKind.io ? ['in', 'out'] : ['read', 'write'];
  const access = `${verb[log.writes[at]!]} ${addressOf(log, at)}`;
  return `${start} ${access.padEnd(ACCESS_WIDTH)} ${accessData(log, at).padEnd(DATA_WIDTH)} ${name}`;
}
