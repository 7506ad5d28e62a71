/** A 16550A's registers in words: the PC16550D data sheet's (table II), without its abbreviations. */
import type { AccessWords } from '../contract/index.js';
import { bits, character, names, words } from '../words.js';
import { TRIGGER_LEVELS } from './registers.js';

const interruptIds = names({
  0: 'modem status',
  1: 'nothing pending',
  2: 'transmitter empty',
  4: 'received data',
  6: 'line status',
  12: 'received data, timed out',
});
const fifoBits = bits('FIFOs on', 'receiver reset', 'transmitter reset', 'DMA mode 1');

function lineControl(value: number): string {
  const parity = value & 0x08 ? `${value & 0x20 ? 'stick ' : ''}${value & 0x10 ? 'even' : 'odd'}` : 'no';
  const length = 5 + (value & 3);
  const stop = value & 4 ? (length === 5 ? '1.5 stop bits' : '2 stop bits') : '1 stop bit';
  const more = `${value & 0x40 ? ', break' : ''}${value & 0x80 ? ', divisor at 0 and 1' : ''}`;
  return `${length} data bits, ${parity} parity, ${stop}${more}`;
}

const divisor = [words('divisor, low byte'), words('divisor, high byte')] as const;
const both = {
  3: words('line control', lineControl),
  4: words('modem control', bits('DTR', 'RTS', 'OUT1', 'OUT2: interrupts reach the bus', 'loopback')),
  7: words('scratch'),
} as const;
const read: Readonly<Record<number, AccessWords>> = {
  ...both,
  0: words('receiver buffer', character),
  1: words('interrupt enable', bits('received data', 'transmitter empty', 'line status', 'modem status')),
  2: words(
    'interrupt identification',
    (value) => `${interruptIds(value & 0x0f)}${value & 0xc0 ? ', FIFOs on' : ''}`,
  ),
  5: words(
    'line status',
    bits(
      'data ready',
      'overrun',
      'parity error',
      'framing error',
      'break',
      'holding register empty',
      'transmitter empty',
      'error in FIFO',
    ),
  ),
  6: words(
    'modem status',
    bits('CTS changed', 'DSR changed', 'RI ended', 'DCD changed', 'CTS', 'DSR', 'RI', 'DCD'),
  ),
};
const written: Readonly<Record<number, AccessWords>> = {
  ...both,
  0: words('transmitter holding', character),
  1: read[1]!,
  2: words('FIFO control', (value) =>
    value & 1 ? `${fifoBits(value)}, trigger at ${TRIGGER_LEVELS[((value >> 6) & 3) as 0]}` : 'FIFOs off',
  ),
  5: words('line status, read-only'),
  6: words('modem status, read-only'),
};

/** @param offset of the register, 0 to 7 */
export function serialWords(offset: number, write: boolean, dlab: boolean): AccessWords | undefined {
  if (dlab && (offset === 0 || offset === 1)) return divisor[offset];
  return (write ? written : read)[offset];
}
