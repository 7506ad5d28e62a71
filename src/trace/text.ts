import { ExitKind, exitKindNames, isAccess } from '../engine/contract/index.js';
import { ByteWriter } from './bytes.js';
import type { TraceEncoder } from './encoder.js';
import type { ExitLog } from './exit-log.js';
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

/** What kinds say that have no access. */
const meanings: Readonly<Record<number, string>> = {
  [ExitKind.shutdown]: 'triple fault',
  [ExitKind.x87Error]: 'FERR#: IRQ 13',
};

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
 * an access, direction, address, size, data and device. A coalesced write has `+` before its reason: it is no
 * exit, and the instruction it came from is unknown. Then what `texts` say: the instruction that left the guest, and
 * the register in its device's words. Where the machine has several CPUs, the number of the CPU comes after the exit's.
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
    milliseconds(log.starts[at]! - log.originMs) +
    '  ' +
    (log.coalesced[at] === 1 ? NO_RIP : `${address64(log.ripHigh[at]!, log.ripLow[at]!)}  `);
  if (!isAccess(kind)) {
    const reason = log.reasons[at]!;
    const shown = kindColumns[kind] ?? pad('unknown', KIND_WIDTH);
    // The engine's number says something where the kind does not.
    const why = kind === ExitKind.unknown ? `reason ${reason}` : (meanings[kind] ?? '');
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

/** `line control ← 0x03: 8 data bits, no parity, 1 stop bit`. */
function wordsOf(log: ExitLog, at: number, register: string, { meanings, calls }: TraceTexts): string {
  const meaning = meanings[at]!;
  if (calls[at] === 1) return `${register}  ${meaning}`;
  const digits = hexData(log, at, log.sizes[at]!, log.dataLow[at]!);
  const words = `${register} ${log.writes[at] === 1 ? '←' : '→'} 0x${digits}`;
  return meaning === '' ? words : `${words}: ${meaning}`;
}

/** The first element's bytes as one number. */
function hexData(log: ExitLog, at: number, size: number, low: number): string {
  if (size === 1) return hexBytes[low]!;
  if (size <= 4) return low.toString(16).padStart(size * 2, '0');
  return log.dataHigh[at]!.toString(16).padStart((size - 4) * 2, '0') + hex32(low);
}

/** `out   0x00f1       1    48 'H'      `: direction, address, size and data, filled up to the device's column. */
function accessColumns(log: ExitLog, at: number, kind: number): string {
  const write = log.writes[at] === 1;
  const verb = kind === ExitKind.io ? (write ? 'out   ' : 'in    ') : write ? 'write ' : 'read  ';
  const address = log.addresses[at]!;
  const size = log.sizes[at]!;
  const count = log.counts[at]!;
  const low = log.dataLow[at]!;
  let data = size === 1 && low >= 0x20 && low <= 0x7e ? printable[low]! : hexData(log, at, size, low);
  if (count > 1) data += ` ×${count}`;
  const where = kind === ExitKind.io ? `0x${hex16(address)}` : `0x${address.toString(16).padStart(8, '0')}`;
  return `${verb}${where.padEnd(ADDRESS_WIDTH)} ${sizeColumns[size]}${data.padEnd(DATA_WIDTH - 1)} `;
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Bytes that ASCII can show, with their character. */
const printable = hexBytes.map((hex, byte) => `${hex} '${String.fromCharCode(byte)}'`);
const sizeColumns = Array.from({ length: 9 }, (_, size) => `${size}    `);

const hex16 = (value: number) => hexBytes[(value >> 8) & 0xff]! + hexBytes[value & 0xff]!;
const hex32 = (value: number) =>
  hexBytes[value >>> 24]! +
  hexBytes[(value >> 16) & 0xff]! +
  hexBytes[(value >> 8) & 0xff]! +
  hexBytes[value & 0xff]!;

/** A 64-bit address in a fixed column, with as many digits as it needs but never less than eight. */
function address64(high: number, low: number): string {
  return high === 0 ? BLANK + hex32(low) : hex32(high) + hex32(low);
}
const BLANK = ' '.repeat(RIP_WIDTH - 8);
const NO_RIP = `${' '.repeat(RIP_WIDTH)} +`;

/** Milliseconds with three decimals, by integer arithmetic: `toFixed` would be the slowest part of a line. */
function milliseconds(value: number): string {
  const micros = Math.max(0, Math.round(value * 1000));
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  const decimals = rest < 10 ? `00${rest}` : rest < 100 ? `0${rest}` : `${rest}`;
  return `${whole}.${decimals}ms`.padStart(TIME_WIDTH);
}

/** Lines for people, under their header. */
export class TextTrace implements TraceEncoder {
  readonly writer = new ByteWriter();
  readonly #names: readonly string[];
  readonly #texts: TraceTexts;
  readonly #cpus: number;

  constructor(names: readonly string[], texts: TraceTexts, cpus = 1) {
    this.#names = names;
    this.#texts = texts;
    this.#cpus = cpus;
  }

  head(): Uint8Array {
    return new TextEncoder().encode(`${traceHeader(this.#cpus)}\n`);
  }

  add(log: ExitLog, index: number): void {
    this.writer.text(`${formatTraceLine(log, index, this.#names, this.#texts, this.#cpus)}\n`);
  }
}
