/**
 * An AT's handling of x87 errors: FERR# sets a latch that drives IRQ 13, and a write to port 0xF0 clears it and asserts
 * IGNNE#, so that the handler can use the x87 before it clears the error. Sources: SDM 1 D.2.1; Intel 82371AB (PIIX4) data sheet
 * 4.1.2, "coprocessor error register".
 *
 * @module
 */
import type { AccessSize, AccessWords, Device, DeviceHost, FpuErrorPins, Line } from './contract/index.js';
import { booleanField, stateFields } from './state.js';
import { words } from './words.js';

const PORT = 0xf0;
const IRQ = 13;

const described = words('x87 error', () => 'cleared');

export interface FpuErrorsState {
  /** The latch behind FERR#: IRQ 13 is high. */
  latched: boolean;
  /** IGNNE# is asserted. */
  ignored: boolean;
}

/** The latch: see the module's comment. On a CPU without the pins its port does nothing. */
export class FpuErrors implements Device {
  readonly name = 'x87-error';
  readonly ports = [{ first: PORT, count: 1, width: 1 }] as const;
  #line: Line | undefined;
  #pins: FpuErrorPins | undefined;

  attach(host: DeviceHost): void {
    const pins = host.cpus[0]?.fpuErrors;
    if (pins === undefined) return;
    const line = host.line(IRQ, { canRise: () => false });
    this.#pins = pins;
    this.#line = line;
    pins.wire(() => line.set(true));
  }

  writePort(_port: number, _size: AccessSize, _value: number): void {
    // Without an error there is nothing to ignore.
    if (this.#line?.level !== true) return;
    this.#line.set(false);
    if (this.#pins !== undefined) this.#pins.ignored = true;
  }

  describeAccess(): AccessWords {
    return described;
  }

  save(): FpuErrorsState {
    return { latched: this.#line?.level === true, ignored: this.#pins?.ignored === true };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const latched = booleanField(this.name, 'latched', fields.latched);
    const ignored = booleanField(this.name, 'ignored', fields.ignored);
    this.#line?.set(latched);
    if (this.#pins !== undefined) this.#pins.ignored = ignored;
  }
}
