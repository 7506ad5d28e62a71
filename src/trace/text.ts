import { ExitKind, exitKindNames, isAccess } from '../engine/contract/index.js';
import { ByteWriter } from './bytes.js';
import type { TraceEncoder } from './encoder.js';
import type { ExitLog } from './exit-log.js';
import { formatNarrowLines, narrowHeader, WIDE_TERMINAL } from './narrow-text.js';
import { accessData, addressOf, kindMeanings, milliseconds, ripDigits, wordsOf } from './text-parts.js';
import type { TraceTexts } from './texts.js';

const NUMBER_WIDTH = 8;
const CPU_WIDTH = 4;
const TIME_WIDTH = 11;
const RIP_WIDTH = 16;
const KIND_WIDTH = 15;
const ACCESS_WIDTH = 5;
const ADDRESS_WIDTH = 12;
const DATA_WIDTH = 12;
const DEVICE_WIDTH = 15;
const INSTRUCTION_WIDTH = 28;

/** From the reason to the instruction, where there is no access between them. */
const NO_ACCESS_WIDTH = ACCESS_WIDTH + 1 + ADDRESS_WIDTH + 1 + 5 + DATA_WIDTH + DEVICE_WIDTH;

const pad = (text: string, width: number) => text.padEnd(width);
const kindColumns = exitKindNames.map((name) => pad(name ?? '', KIND_WIDTH));

/** The names of the columns of `formatTraceLine`. @param cpus how many CPUs the machine has */
export function traceHeader(cpus = 1): string {
  return (
    'exit'.padStart(NUMBER_WIDTH) +
    (cpus > 1 ? 'cpu'.padStart(CPU_WIDTH) : '') +
    ' ' +
    'time'.padStart(TIME_WIDTH) +
    '  ' +
    pad('rip', RIP_WIDTH) +
    '  ' +
    pad('reason', KIND_WIDTH) +
    pad('', ACCESS_WIDTH + 1) +
    pad('address', ADDRESS_WIDTH + 1) +
    'size ' +
    pad('data', DATA_WIDTH) +
    pad('device', DEVICE_WIDTH) +
    pad('instruction', INSTRUCTION_WIDTH) +
    'register'
  );
}

/**
 * Entry `index` of the log as one line without its newline: number, time since the guest started, rip, reason and, for
 * an access, direction, address, size, data and device. A coalesced write has `+` before its reason: it is no exit, and
 * the instruction it came from is unknown. Then the `texts`: the instruction that caused the exit, and the register in
 * its device's words. Where the machine has several CPUs, the number of the CPU comes after the exit's.
 */
export function formatTraceLine(
  log: ExitLog,
  index: number,
  deviceNames: readonly string[],
  texts?: TraceTexts,
  cpus = 1,
): string {
  const at = index & log.mask;
  const instruction = texts?.instructions[at] ?? '';
  const kind = log.kinds[at]!;
  const line =
    String(index + 1).padStart(NUMBER_WIDTH) +
    (cpus > 1 ? String(log.cpus[at]).padStart(CPU_WIDTH) : '') +
    ' ' +
    milliseconds(log.starts[at]! - log.originMs, TIME_WIDTH) +
    '  ' +
    (log.coalesced[at] === 1 ? NO_RIP : `${address64(log, at)}  `);
  if (!isAccess(kind)) {
    const reason = log.reasons[at]!;
    const shown = kindColumns[kind] ?? pad('unknown', KIND_WIDTH);
    // For an unknown kind, the engine's number tells more.
    const why = kind === ExitKind.unknown ? `reason ${reason}` : (kindMeanings[kind] ?? '');
    if (instruction === '') return (line + shown + why).trimEnd();
    return line + shown + pad(why, NO_ACCESS_WIDTH) + instruction;
  }
  const device = log.devices[at]!;
  const name = device < 0 ? '(nobody)' : (deviceNames[device] ?? `device ${device}`);
  const columns = line + kindColumns[kind]! + accessColumns(log, at, kind);
  const register = texts?.registers[at] ?? '';
  if (instruction === '' && register === '') return columns + name;
  const before = `${columns}${pad(name, DEVICE_WIDTH - 1)} `;
  if (register === '') return before + instruction;
  return `${before}${pad(instruction, INSTRUCTION_WIDTH - 1)} ${wordsOf(log, at, register, texts!)}`;
}

/** `out   0x00f1       1    48 'H'      `: direction, address, size and data, filled up to the device's column. */
function accessColumns(log: ExitLog, at: number, kind: number): string {
  const write = log.writes[at] === 1;
  const verb = kind === ExitKind.io ? (write ? 'out   ' : 'in    ') : write ? 'write ' : 'read  ';
  const size = sizeColumns[log.sizes[at]!];
  return `${verb}${addressOf(log, at).padEnd(ADDRESS_WIDTH)} ${size}${accessData(log, at).padEnd(DATA_WIDTH - 1)} `;
}

const sizeColumns = Array.from({ length: 9 }, (_, size) => `${size}    `);

/** A 64-bit address in a fixed column, with as many digits as it needs but never less than eight. */
const address64 = (log: ExitLog, at: number) => ripDigits(log, at).padStart(RIP_WIDTH);
const NO_RIP = `${' '.repeat(RIP_WIDTH)} +`;

/** Lines as text, under their header. */
export class TextTrace implements TraceEncoder {
  readonly writer = new ByteWriter();
  readonly #names: readonly string[];
  readonly #texts: TraceTexts;
  readonly #cpus: number;
  readonly #width: number;

  /** @param width of the terminal that shows them; a narrow one gets more lines, and no long ones */
  constructor(names: readonly string[], texts: TraceTexts, cpus = 1, width = Number.POSITIVE_INFINITY) {
    this.#names = names;
    this.#texts = texts;
    this.#cpus = cpus;
    this.#width = width;
  }

  get #narrow(): boolean {
    return this.#width < WIDE_TERMINAL;
  }

  head(): Uint8Array {
    const header = this.#narrow ? narrowHeader(this.#cpus) : traceHeader(this.#cpus);
    return new TextEncoder().encode(`${header}\n`);
  }

  add(log: ExitLog, index: number): void {
    const lines = this.#narrow
      ? formatNarrowLines(log, index, this.#names, this.#texts, { cpus: this.#cpus, width: this.#width })
      : formatTraceLine(log, index, this.#names, this.#texts, this.#cpus);
    this.writer.text(`${lines}\n`);
  }
}
