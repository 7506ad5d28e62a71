/** An 8254's counters and its control word (data sheet, figures 7, 10 and 11) in words. */
import type { AccessWords } from '../contract/index.js';
import { words } from '../words.js';

/** The bytes that the next access to a counter moves. */
export type CounterPart = 'low' | 'high' | 'latchedLow' | 'latchedHigh' | 'status';

const modes = [
  'mode 0, interrupt on terminal count',
  'mode 1, one-shot',
  'mode 2, rate generator',
  'mode 3, square wave',
  'mode 4, software strobe',
  'mode 5, hardware strobe',
  'mode 2, rate generator',
  'mode 3, square wave',
] as const;
const formats = ['latch', 'low byte', 'high byte', 'low then high byte'] as const;

const program = (value: number) =>
  `${formats[((value >> 4) & 3) as 0]}, ${modes[((value >> 1) & 7) as 0]}${value & 1 ? ', BCD' : ''}`;

const parts: Readonly<Record<CounterPart, string>> = {
  low: 'low byte',
  high: 'high byte',
  latchedLow: 'latched count, low byte',
  latchedHigh: 'latched count, high byte',
  status: 'status',
};

const counters = [0, 1, 2].map((number) => {
  const is = (part: CounterPart, says?: (value: number) => string) =>
    words(`counter ${number}, ${parts[part]}`, says);
  return {
    low: is('low'),
    high: is('high'),
    latchedLow: is('latchedLow'),
    latchedHigh: is('latchedHigh'),
    status: is(
      'status',
      (value) =>
        `OUT ${value & 0x80 ? 'high' : 'low'}${value & 0x40 ? ', no count yet' : ''}, ${program(value)}`,
    ),
  };
});

const control = words('control word', (value) => {
  const number = value >> 6;
  if (number !== 3) return `counter ${number}: ${value & 0x30 ? program(value) : 'latch its count'}`;
  const chosen = [0, 1, 2].filter((n) => value & (2 << n)).join(', ') || 'none';
  const latched = [value & 0x20 ? '' : 'count', value & 0x10 ? '' : 'status'].filter((text) => text !== '');
  return `read back ${latched.join(' and ') || 'nothing'} of counters ${chosen}`;
});
const nothing = words('control word, write-only');

/** @param part of a counter; undefined for the control word */
export function pitWords(number: number, write: boolean, part?: CounterPart): AccessWords | undefined {
  if (part === undefined) return write ? control : nothing;
  return counters[number]?.[part];
}
