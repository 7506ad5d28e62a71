/** The floppy controller's registers and commands in words (82078 data sheet, 290474). */
import type { AccessWords } from '../contract/index.js';
import { bits, names, words } from '../words.js';

const commands = names({
  2: 'read a track',
  3: 'specify',
  4: 'sense drive status',
  5: 'write data',
  6: 'read data',
  7: 'recalibrate',
  8: 'sense interrupt status',
  9: 'write deleted data',
  10: 'read ID',
  12: 'read deleted data',
  13: 'format a track',
  14: 'dump registers',
  15: 'seek',
  16: 'version',
  18: 'perpendicular mode',
  19: 'configure',
  20: 'lock',
  22: 'verify',
});

const dor = words('floppy digital output', (value) => {
  const motors = [0, 1, 2, 3].filter((drive) => value & (16 << drive)).map((drive) => `motor ${drive}`);
  return [
    `drive ${value & 3}`,
    ...(value & 4 ? [] : ['reset']),
    ...(value & 8 ? ['IRQ and DMA on'] : []),
    ...motors,
  ].join(', ');
});
const msr = words(
  'floppy main status',
  bits('drive 0 busy', 'drive 1 busy', '', '', 'command busy', 'execution', 'to the host', 'ready'),
);
const first = words('floppy command', (value) => commands(value & 31));
const result = words('floppy result');
const data = words('floppy data');
const others = [
  'status A',
  'status B',
  '',
  'tape drive',
  'data rate select',
  '',
  '',
  'configuration control',
].map((name) => words(`floppy ${name || 'register'}`));
const input = words('floppy digital input', bits('', '', '', '', '', '', '', 'disk changed'));
const parameter = new Map<string, AccessWords>();

/** @param given bytes of a command that were written @param transfers a sector goes through the data register */
export function floppyWords(
  register: number,
  write: boolean,
  given: number,
  command: number,
  transfers: boolean,
): AccessWords {
  if (register === 2) return dor;
  if (register === 4 && !write) return msr;
  if (register === 7 && !write) return input;
  if (register !== 5) return others[register]!;
  if (transfers) return data;
  if (!write) return result;
  if (given === 0) return first;
  const key = `${commands(command & 31) || 'unknown'}, byte ${given}`;
  const known = parameter.get(key) ?? words(`floppy command ${key}`);
  parameter.set(key, known);
  return known;
}
