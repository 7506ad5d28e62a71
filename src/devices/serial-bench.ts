/**
 * A serial port on a bench, for the tests of its behaviour. Not part of the package.
 *
 * @module
 */
import { Serial16550 } from './index.js';
import { TestInputs, TestLine, testHost } from './test-host.js';

/** Register offsets (PC16550D, table II). */
export const [RBR, THR, DLL, IER, DLM, IIR, FCR, LCR, MCR, LSR, MSR, SCR] = [
  0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7,
];
export const BASE = 0x3f8;

export const OUT2 = 0x08;
export const LOOPBACK = 0x10;

/** A serial port in a test: its output, its waiting input, and every change of its interrupt line. */
export function bench(input = '') {
  const sent: number[] = [];
  const waiting = [...Buffer.from(input, 'latin1')];
  const edges: boolean[] = [];
  const line = new TestLine((level) => edges.push(level));
  const serial = new Serial16550({
    output: (bytes) => sent.push(...bytes),
    input: {
      get available() {
        return waiting.length > 0;
      },
      read: () => waiting.shift() ?? -1,
    },
  });
  const inputs = new TestInputs();
  serial.attach(testHost({ inputs }, { 4: line }));
  edges.length = 0;
  return {
    serial,
    sent,
    waiting,
    edges,
    get line() {
      return line.level;
    },
    /** The interrupt controller unmasks the line. */
    unmask: () => line.unmask(),
    text: () => Buffer.from(sent).toString('latin1'),
    type: (text: string) => {
      waiting.push(...Buffer.from(text, 'latin1'));
      inputs.look();
    },
    in: (register: number) => serial.readPort(BASE + register),
    out: (register: number, value: number) => serial.writePort(BASE + register, 1, value),
  };
}
