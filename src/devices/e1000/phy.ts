/** The card's transceiver behind MDIC (8254x 13.4.15): a cable that is always plugged in, at 1000 Mb/s. */
import { bytesField } from '../state.js';

const PHY_ADDRESS = 1;
const READY = 1 << 28;
const ERROR = 1 << 30;
const Operation = { write: 1, read: 2 } as const;
const REGISTERS = 32;
const Phy = { control: 0, status: 1 } as const;
/** Reset and the start of negotiation are over at once. */
const CONTROL_TRANSIENT = 0x8200;

/** The registers' values: an 88E1000, its abilities, and a partner that has them too (IEEE 802.3 22.2.4, 40.5.1.1). */
const initial: Readonly<Record<number, number>> = {
  0: 0x1140,
  1: 0x796d,
  2: 0x0141,
  3: 0x0c50,
  4: 0x0de1,
  5: 0xc5e1,
  6: 0x000f,
  9: 0x0e00,
  10: 0x3c00,
  15: 0x3000,
  16: 0x0360,
  17: 0xac00,
  20: 0x0d60,
};
/** Those that a driver may set. */
const writable = new Set([0, 4, 7, 9, 16, 18, 20, 22, 29, 30]);

export class Transceiver {
  readonly #registers = new Uint16Array(REGISTERS);
  #mdic = READY;

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#registers.fill(0);
    for (const [register, value] of Object.entries(initial)) this.#registers[Number(register)] = value;
  }

  get mdic(): number {
    return this.#mdic;
  }

  set mdic(value: number) {
    const [register, address, operation] = [(value >>> 16) & 31, (value >>> 21) & 31, (value >>> 26) & 3];
    let data = value & 0xffff;
    if (address !== PHY_ADDRESS) {
      this.#mdic = ((value & 0x0fff_ffff) | READY | ERROR) >>> 0;
      return;
    }
    if (operation === Operation.read) data = this.#registers[register]!;
    else if (operation === Operation.write && writable.has(register))
      this.#registers[register] = register === Phy.control ? data & ~CONTROL_TRANSIENT : data;
    this.#mdic = ((value & 0x0fff_0000) | data | READY) >>> 0;
  }

  save(): { registers: number[]; mdic: number } {
    return { registers: [...new Uint8Array(this.#registers.buffer)], mdic: this.#mdic };
  }

  load(device: string, { registers, mdic }: { registers: unknown; mdic: unknown }): void {
    const bytes = bytesField(device, 'registers', registers, 2 * REGISTERS);
    new Uint8Array(this.#registers.buffer).set(bytes);
    this.#mdic = typeof mdic === 'number' ? mdic >>> 0 : READY;
  }
}
