/** The clock's registers in words (MC146818A, table 3), and the places of a PC's RAM that have a name. */
import type { AccessWords } from '../contract/index.js';
import { bits, names, words } from '../words.js';

const known: Readonly<Record<number, AccessWords>> = {
  0: words('seconds'),
  1: words('seconds of the alarm'),
  2: words('minutes'),
  3: words('minutes of the alarm'),
  4: words('hours'),
  5: words('hours of the alarm'),
  6: words('day of the week'),
  7: words('day of the month'),
  8: words('month'),
  9: words('year'),
  10: words('register A', (value) => {
    const rate = value & 0x0f;
    const divider = (value & 0x70) === 0x20 ? 'clock runs' : 'divider not that of 32.768 kHz';
    return `${divider}, rate ${rate}${value & 0x80 ? ', update in progress' : ''}`;
  }),
  11: words(
    'register B',
    bits(
      'daylight saving',
      '24 hours',
      'binary',
      'square wave',
      'update-ended interrupt',
      'alarm interrupt',
      'periodic interrupt',
      'time is being set',
    ),
  ),
  12: words('register C', bits('', '', '', '', 'update ended', 'alarm', 'periodic', 'interrupt requested')),
  13: words('register D', (value) => (value & 0x80 ? 'battery good' : 'battery dead')),
  15: words('shutdown status'),
  16: words('diskette drives'),
  20: words('equipment'),
  21: words('base memory, low byte'),
  22: words('base memory, high byte'),
  23: words('extended memory, low byte'),
  24: words('extended memory, high byte'),
  46: words('checksum, high byte'),
  47: words('checksum, low byte'),
  48: words('extended memory found, low byte'),
  49: words('extended memory found, high byte'),
  50: words('century'),
  52: words('memory above 16 MiB, low byte'),
  53: words('memory above 16 MiB, high byte'),
};
const registers = Array.from(
  { length: 128 },
  (_, at) => known[at] ?? words(`RAM byte 0x${at.toString(16).padStart(2, '0')}`),
);
const registerNames = names(Object.fromEntries(registers.map(({ register }, at) => [at, register])));

const index = words(
  'index',
  (value) => `${registerNames(value & 0x7f)}${value & 0x80 ? ', NMI masked' : ''}`,
);

/** @param selected the register that the index port chose */
export function cmosWords(isIndex: boolean, selected: number): AccessWords | undefined {
  return isIndex ? index : registers[selected];
}
