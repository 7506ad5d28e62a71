/**
 * The card's serial EEPROM (8254x 5): 64 words, with the address in the first three. Drivers read it by a register, or bit by bit by
 * the Microwire protocol.
 *
 * @module
 */
import { registerField, stateFields } from '../state.js';

const WORDS = 64;
/** All words together. */
const SUM = 0xbaba;
const CHECKSUM_WORD = 0x3f;
const Line = {
  clock: 1,
  select: 2,
  toChip: 4,
  fromChip: 8,
  request: 0x40,
  grant: 0x80,
  present: 0x100,
} as const;
/** The lines that a driver drives. */
const DRIVEN = 0x77;
/** A command: a start bit, two of operation, six of address. */
const COMMAND_BITS = 9;
const READ = 0b110;
const READ_DONE = 0x10;
const READ_START = 1;

export interface EepromState {
  lines: number;
  command: number;
  bits: number;
  /** Bits sent since the command; -1 while no word is read. */
  given: number;
  answer: number;
}

export class Eeprom {
  readonly #words = new Uint16Array(WORDS);
  #lines = 0;
  #command = 0;
  #bits = 0;
  #given = -1;
  #answer = 0;

  constructor(mac: Uint8Array) {
    this.address(mac);
  }

  /** Its content, for a card with this address. */
  address(mac: Uint8Array): void {
    this.#words.fill(0);
    for (let word = 0; word < 3; word++) this.#words[word] = mac[2 * word]! | (mac[2 * word + 1]! << 8);
    // Initialization control, by 5.6 for the words that software reads.
    this.#words.set([0x4408, 0x100e, 0x8086, 0x100e, 0x8086], 10);
    const sum = this.#words.reduce((before, word) => before + word, 0);
    this.#words[CHECKSUM_WORD] = SUM - sum;
  }

  /** EECD. */
  get lines(): number {
    const out = this.#given < 0 || this.#bit() === 1 ? Line.fromChip : 0;
    const granted = this.#lines & Line.request ? Line.grant : 0;
    return this.#lines | granted | Line.present | out;
  }

  set lines(value: number) {
    const before = this.#lines;
    this.#lines = value & DRIVEN;
    if (!(value & Line.select)) return;
    if (!(before & Line.select)) {
      this.#command = 0;
      this.#bits = 0;
      this.#given = -1;
    }
    const [was, is] = [before & Line.clock, value & Line.clock];
    if (was === is) return;
    if (is) this.#clockIn(value & Line.toChip ? 1 : 0);
    else if (this.#given >= 0) this.#given = (this.#given + 1) % (WORDS * 16);
  }

  #clockIn(bit: number): void {
    if (this.#bits >= COMMAND_BITS) return;
    this.#command = (this.#command << 1) | bit;
    // Bits before the start bit are ignored.
    if (this.#command === 0) return;
    if (++this.#bits === COMMAND_BITS && this.#command >> 6 === READ) {
      // A 0 comes first, and then the word's highest bit.
      this.#given = ((this.#command & 0x3f) * 16 + WORDS * 16 - 1) % (WORDS * 16);
    }
  }

  #bit(): number {
    return (this.#words[this.#given >> 4]! >> (15 - (this.#given & 15))) & 1;
  }

  /** EERD. */
  get answer(): number {
    return this.#answer;
  }

  set answer(value: number) {
    if (!(value & READ_START)) return;
    const address = (value >>> 8) & 0xff;
    this.#answer = (((this.#words[address] ?? 0) << 16) | (address << 8) | READ_DONE) >>> 0;
  }

  save(): EepromState {
    return {
      lines: this.#lines,
      command: this.#command,
      bits: this.#bits,
      given: this.#given,
      answer: this.#answer,
    };
  }

  load(device: string, state: unknown): void {
    const { lines, command, bits, given, answer } = stateFields(device, state, this.save());
    this.#lines = registerField(device, 'lines', lines, DRIVEN);
    this.#command = registerField(device, 'command', command, 0x1ff);
    this.#bits = registerField(device, 'bits', bits, 0xf);
    this.#given = given === -1 ? -1 : registerField(device, 'given', given, WORDS * 16 - 1);
    this.#answer = typeof answer === 'number' ? answer >>> 0 : 0;
  }
}
