/** The local and I/O APICs' registers in words, for traces. */
import type { AccessWords } from '../contract/index.js';
import { bits, hex, names, words } from '../words.js';
import { deliveryModeNames } from './delivery.js';
import { LVT_MASKED, Register } from './registers.js';

const mode = (value: number) => deliveryModeNames[(value >> 8) & 7]!;
const vector = (value: number) => `vector ${hex(value & 0xff)}`;
const masked = (value: number) => (value & LVT_MASKED ? ', masked' : '');
const timerModes = ['one-shot', 'periodic', 'TSC deadline', 'mode 3'] as const;
const shorthands = ['', ', to itself', ', to all', ', to all others'] as const;

function command(value: number): string {
  const kind = (value >> 8) & 7;
  const what =
    kind === 6 ? `start-up at 0x${(value & 0xff).toString(16)}000` : `${mode(value)}, ${vector(value)}`;
  return `${what}${shorthands[(value >> 18) & 3]!}`;
}

const entry = (value: number) => `${mode(value)}, ${vector(value)}${masked(value)}`;
const dividers = [2, 4, 8, 16, 32, 64, 128, 1] as const;

const local: Readonly<Record<number, AccessWords>> = {
  [Register.id]: words('APIC ID', (value) => `${value >>> 24}`),
  [Register.version]: words('APIC version'),
  [Register.taskPriority]: words('task priority', (value) => `class ${(value >> 4) & 15}`),
  [Register.arbitration]: words('arbitration priority'),
  [Register.processorPriority]: words('processor priority', (value) => `class ${(value >> 4) & 15}`),
  [Register.eoi]: words('end of interrupt'),
  [Register.remoteRead]: words('remote read'),
  [Register.logicalDestination]: words('logical destination', (value) => hex(value >>> 24)),
  [Register.destinationFormat]: words('destination format', (value) =>
    value >>> 28 === 15 ? 'flat' : 'cluster',
  ),
  [Register.spurious]: words(
    'spurious-interrupt vector',
    (value) => `${vector(value)}, APIC ${value & 0x100 ? 'enabled' : 'disabled'}`,
  ),
  [Register.errors]: words(
    'error status',
    bits('', '', '', '', '', 'send illegal vector', 'receive illegal vector', 'illegal register'),
  ),
  [Register.commandLow]: words('interrupt command', command),
  [Register.commandHigh]: words('interrupt command, destination', (value) => `APIC ${value >>> 24}`),
  [Register.timer]: words(
    'LVT timer',
    (value) => `${timerModes[((value >> 17) & 3) as 0]}, ${vector(value)}${masked(value)}`,
  ),
  [Register.thermal]: words('LVT thermal sensor', entry),
  [Register.counters]: words('LVT counters', entry),
  [Register.lint0]: words('LVT LINT0', entry),
  [Register.lint1]: words('LVT LINT1', entry),
  [Register.error]: words('LVT error', entry),
  [Register.initialCount]: words('timer, initial count', (value) => `${value >>> 0}`),
  [Register.currentCount]: words('timer, current count', (value) => `${value >>> 0}`),
  [Register.divide]: words(
    'timer, divide configuration',
    (value) => `by ${dividers[(value & 3) | ((value >> 1) & 4)]!}`,
  ),
};

const sets = ['in service', 'trigger mode', 'interrupt requests'].flatMap((name) =>
  Array.from({ length: 8 }, (_, i) => words(`${name}, vectors ${hex(32 * i)} to ${hex(32 * i + 31)}`)),
);

/** The local APIC's register at an offset in its page. */
export function apicWords(offset: number): AccessWords | undefined {
  if (offset >= Register.inService && offset < Register.errors)
    return sets[(offset - Register.inService) >> 4];
  return local[offset];
}

export const ioApicWords = {
  select: words('I/O APIC index', names({ 0: 'ID', 1: 'version', 2: 'arbitration ID' })),
  id: words('I/O APIC ID'),
  version: words('I/O APIC version'),
  arbitration: words('I/O APIC arbitration ID'),
  eoi: words('I/O APIC end of interrupt', vector),
  none: words('I/O APIC, no register'),
  low: Array.from({ length: 24 }, (_, pin) =>
    words(
      `redirection of pin ${pin}`,
      (value) => `${mode(value)}, ${vector(value)}, ${value & 0x8000 ? 'level' : 'edge'}${masked(value)}`,
    ),
  ),
  high: Array.from({ length: 24 }, (_, pin) =>
    words(`redirection of pin ${pin}, destination`, (value) => `APIC ${value >>> 24}`),
  ),
} as const;
