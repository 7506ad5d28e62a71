/**
 * A parallel port with a printer that is always ready (IBM PC/AT Technical Reference, parallel printer adapter): a strobed byte goes to
 * a sink.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  ByteSink,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from './contract/index.js';
import { registerField, stateFields } from './state.js';
import { bits, character, words } from './words.js';

const BASE = 0x378;
const IRQ = 7;
/** Selected, no error, not busy, no acknowledge, paper. Bits 0 to 2 do not exist. */
const READY = 0xd8 | 0x07;
const Control = { strobe: 1, interrupt: 0x10 } as const;
/** Bits 6 and 7 of the control register read as ones. */
const CONTROL_ONES = 0xc0;

/** See the module's comment. */
export class ParallelPort implements Device {
  readonly name = 'parallel';
  readonly ports: readonly PortRange[] = [{ first: BASE, count: 3, width: 1 }];
  readonly #output: ByteSink;
  readonly #byte = new Uint8Array(1);
  #line: Line | undefined;
  #data = 0;
  #control = 0x0c;

  constructor(output: ByteSink = () => {}) {
    this.#output = output;
  }

  attach(host: DeviceHost): void {
    this.#line = host.line(IRQ);
  }

  readPort(port: number): number {
    if (port === BASE) return this.#data;
    return port === BASE + 1 ? READY : this.#control | CONTROL_ONES;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === BASE) this.#data = value;
    else if (port === BASE + 2) {
      // The printer takes a byte as the strobe ends, and acknowledges it at once.
      const taken = (this.#control & ~value & Control.strobe) !== 0;
      this.#control = value & 0x3f;
      if (!(value & Control.interrupt)) this.#line?.set(false);
      if (!taken) return;
      this.#byte[0] = this.#data;
      this.#output(this.#byte);
      if (value & Control.interrupt) this.#line?.pulse();
    }
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    return described[address - BASE];
  }

  save(): { data: number; control: number } {
    return { data: this.#data, control: this.#control };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const data = registerField(this.name, 'data', fields.data, 0xff);
    this.#control = registerField(this.name, 'control', fields.control, 0x3f);
    this.#data = data;
  }
}

const described = [
  words('parallel data', character),
  words(
    'parallel status',
    bits('', '', '', 'no error', 'selected', 'paper out', 'no acknowledge', 'not busy'),
  ),
  words('parallel control', bits('strobe', 'auto feed', 'no reset', 'select', 'interrupt')),
] as const;
