import type { AccessSize, AccessWords, ByteSink, Device, PortRange } from './contract/index.js';
import { Stateless } from './state.js';
import { character, words } from './words.js';

/** The port that the Linux Journal's article on KVM calls IO_PORT_PSEUDO_SERIAL. */
export const PSEUDO_SERIAL_PORT = 0xf1;

const NEWLINE = 0x0a;
const DOT = 0x2e;

const described = words('console', character);

/**
 * The "serial port" of the Linux Journal's article: one output port whose printable characters and newlines are shown
 * unchanged, and all others as a dot. Printable as by `isprint` in the C locale: 0x20 to 0x7E.
 */
export class PseudoSerial extends Stateless implements Device {
  readonly name = 'pseudo-serial';
  readonly ports: readonly PortRange[] = [{ first: PSEUDO_SERIAL_PORT, count: 1, width: 1, coalesce: true }];
  readonly #output: ByteSink;
  readonly #byte = new Uint8Array(1);

  constructor(output: ByteSink) {
    super();
    this.#output = output;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    const printable = (value >= 0x20 && value <= 0x7e) || value === NEWLINE;
    this.#byte[0] = printable ? value : DOT;
    this.#output(this.#byte);
  }

  describeAccess(): AccessWords {
    return described;
  }
}
