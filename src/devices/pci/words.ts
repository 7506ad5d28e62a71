/** PCI's configuration registers in words. */
import type { AccessWords } from '../contract/index.js';
import { bits, hex, words } from '../words.js';

const known: Readonly<Record<number, readonly [string, ((value: number) => string)?]>> = {
  0: [
    'vendor and device ID',
    (value) =>
      `${(value & 0xffff).toString(16).padStart(4, '0')}:${(value >>> 16).toString(16).padStart(4, '0')}`,
  ],
  4: ['command and status', bits('I/O', 'memory', 'bus master', '', '', '', '', '', '', '', 'INTx off')],
  8: ['revision and class', (value) => `class ${hex(value >>> 8)}`],
  12: ['cache line, latency, header type'],
  44: ['subsystem'],
  48: ['expansion ROM base'],
  52: ['capabilities'],
  60: ['interrupt line and pin', (value) => `line ${value & 0xff}, pin ${(value >> 8) & 0xff}`],
};

const made = new Map<string, AccessWords>();

function remembered(key: string, make: () => AccessWords): AccessWords {
  const found = made.get(key) ?? make();
  made.set(key, found);
  return found;
}

function place(address: number): string {
  const [bus, slot, number] = [(address >>> 16) & 0xff, (address >>> 11) & 31, (address >>> 8) & 7];
  return `${bus === 0 ? '' : `bus ${bus} `}${slot}.${number}`;
}

const addressWords = words('PCI address', (value) =>
  value >>> 31 ? `${place(value)}, register ${hex(value & 0xfc)}` : 'off',
);

/**
 * @param at the first byte of the data port that is accessed; undefined for the address port
 * @param address the address port's value
 */
export function configWords(at: number | undefined, address: number): AccessWords {
  if (at === undefined) return addressWords;
  const register = address & 0xfc;
  // All 16 million places would be as many objects: other buses, which are empty, share one.
  if ((address >>> 16) & 0x7f) return remembered('other', () => words('PCI register on a missing bus'));
  return remembered(`${at}:${address & 0xfffc}`, () => {
    const bar = register >= 0x10 && register < 0x28 ? `base address ${(register - 0x10) >> 2}` : undefined;
    const [name, says] = known[register] ?? [bar ?? `register ${hex(register)}`];
    const part = at === 0 ? '' : `, from byte ${at}`;
    return words(`${place(address)} ${name}${part}`, at === 0 ? says : undefined);
  });
}
