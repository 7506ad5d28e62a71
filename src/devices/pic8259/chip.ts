import { DeviceStateError, registerField, stateFields } from '../state.js';
import type { PicRegister } from './words.js';

/** One 8259A's state, as `save` gives it: the names are the data sheet's. */
export interface ChipState {
  /** Levels of the eight lines, and those among them that are level-triggered by the board's ELCR. */
  lines: number;
  elcr: number;
  /** Pending edges; without level-triggered lines. */
  edges: number;
  isr: number;
  imr: number;
  icw1: number;
  icw2: number;
  icw3: number;
  icw4: number;
  /** The next initialization word: 2, 3 or 4; 0 where the chip is ready; 1 where it waits for ICW1. */
  expects: number;
  /** The line with the lowest priority; the one after it has the highest. */
  lowest: number;
  /** OCW3: 1 special mask mode, 2 the next read polls, 4 reads of the even port give ISR instead of IRR. */
  ocw3: number;
  /** Rotate in automatic EOI mode: 0 or 1. */
  rotates: number;
}

// ICW1 to ICW4 (data sheet, figure 7) and the operation command words (figures 8 and 9).
const ICW1 = 0x10;
const ICW1_IC4 = 0x01;
const ICW1_SINGLE = 0x02;
const ICW1_LEVEL = 0x08;
const ICW4_AUTO_EOI = 0x02;
const ICW4_SPECIAL_FULLY_NESTED = 0x10;
const OCW2_OR_3 = 0x18;
const OCW3 = 0x08;
const OCW3_POLL = 0x04;
const SPECIAL_MASK = 1;
const POLL = 2;
const READ_ISR = 4;

const reset: ChipState = {
  lines: 0,
  elcr: 0,
  edges: 0,
  isr: 0,
  imr: 0,
  icw1: 0,
  icw2: 0,
  icw3: 0,
  icw4: 0,
  expects: 1,
  lowest: 7,
  ocw3: 0,
  rotates: 0,
};

const masks: ChipState = {
  lines: 0xff,
  elcr: 0xff,
  edges: 0xff,
  isr: 0xff,
  imr: 0xff,
  icw1: 0x1f,
  icw2: 0xff,
  icw3: 0xff,
  icw4: 0x1f,
  expects: 7,
  lowest: 7,
  ocw3: 7,
  rotates: 1,
};

/**
 * One 8259A programmable interrupt controller, without its neighbours: see `Pic8259`. The names and the figures in the
 * comments are those of Intel's data sheet (231468).
 */
export class Chip {
  /** Its cascade line to a slave, or -1: interrupts of that line are also acknowledged by the slave. */
  readonly #cascade: number;
  #s: ChipState = { ...reset };

  /** @param cascade the line that a slave is wired to, -1 for a slave */
  constructor(cascade: number) {
    this.#cascade = cascade;
  }

  /** Interrupt requests: pending edges, and level-triggered lines that are high. */
  get irr(): number {
    const { edges, lines } = this.#s;
    return edges | (lines & this.#levelTriggered);
  }

  get isr(): number {
    return this.#s.isr;
  }

  get imr(): number {
    return this.#s.imr;
  }

  get ready(): boolean {
    return this.#s.expects === 0;
  }

  get elcr(): number {
    return this.#s.elcr;
  }

  set elcr(value: number) {
    this.#s.elcr = value;
    this.#s.edges &= ~value;
  }

  /** INT: a request that is not masked and has a higher priority than those in service. */
  get int(): boolean {
    return this.#request() >= 0;
  }

  /** Ready for a cascade: not single, and ICW3 matches the board's wires. */
  cascades(line: number, isMaster: boolean): boolean {
    const { icw1, icw3 } = this.#s;
    if (icw1 & ICW1_SINGLE) return false;
    return isMaster ? (icw3 & (1 << line)) !== 0 : (icw3 & 7) === line;
  }

  /** Would a request on `line` make INT rise? */
  opens(line: number): boolean {
    return this.ready && this.#winner(1 << line) === line;
  }

  setLine(line: number, level: boolean): void {
    const s = this.#s;
    const bit = 1 << line;
    if (level) {
      if (!(s.lines & bit) && !(this.#levelTriggered & bit)) s.edges |= bit;
      s.lines |= bit;
    } else {
      // A request that falls before it is acknowledged is lost ("must remain high until after the first INTA").
      s.lines &= ~bit;
      s.edges &= ~bit;
    }
  }

  /**
   * INTA: takes the request of highest priority into service. Line 7 without an ISR bit where there is none (spurious).
   */
  acknowledge(): number {
    const line = this.#request();
    if (line < 0) return 7;
    const s = this.#s;
    s.edges &= ~(1 << line);
    if (!(s.icw4 & ICW4_AUTO_EOI)) s.isr |= 1 << line;
    else if (s.rotates) s.lowest = line;
    return line;
  }

  vector(line: number): number {
    return (this.#s.icw2 & 0xf8) | line;
  }

  /** The next read is an acknowledge cycle. */
  get polls(): boolean {
    return (this.#s.ocw3 & POLL) !== 0;
  }

  /** Reads register A0 = 0 (IRR or ISR) or A0 = 1 (IMR), or polls. */
  read(a0: number): number {
    const s = this.#s;
    if (s.ocw3 & POLL) {
      // The read after a poll command is an INTA: bit 7 says whether there was a request, bits 2–0 which one.
      s.ocw3 &= ~POLL;
      return this.int ? 0x80 | this.acknowledge() : 0;
    }
    if (a0 === 1) return s.imr;
    return s.ocw3 & READ_ISR ? s.isr : this.irr;
  }

  write(a0: number, value: number): void {
    if (a0 === 1) this.#writeOdd(value);
    else if (value & ICW1) this.#initialize(value);
    else if ((value & OCW2_OR_3) === OCW3) this.#writeOcw3(value);
    else this.#writeOcw2(value);
  }

  /** The register of the next access. */
  reaches(a0: number, write: boolean): PicRegister {
    const { ocw3, expects } = this.#s;
    if (!write) {
      if (ocw3 & POLL) return 'poll';
      if (a0 === 1) return 'imr';
      return ocw3 & READ_ISR ? 'isr' : 'irr';
    }
    if (a0 === 0) return 'command';
    return expects >= 2 ? (`icw${expects as 2 | 3 | 4}` as const) : 'imr';
  }

  save(): ChipState {
    return { ...this.#s };
  }

  /** Checks a saved state completely. */
  static check(device: string, name: string, state: unknown): ChipState {
    const fields = stateFields(`${device}.${name}`, state, reset);
    const checked = { ...reset };
    for (const key of Object.keys(reset) as (keyof ChipState)[]) {
      checked[key] = registerField(device, `${name}.${key}`, fields[key], masks[key]);
    }
    if (checked.expects > 4) throw new DeviceStateError(device, `'${name}.expects' is ${checked.expects}`);
    return checked;
  }

  load(state: ChipState): void {
    this.#s = { ...state };
  }

  get #levelTriggered(): number {
    return this.#s.icw1 & ICW1_LEVEL ? 0xff : this.#s.elcr;
  }

  #request(): number {
    return this.ready ? this.#winner(this.irr) : -1;
  }

  /** The line of highest priority in `requests` that may interrupt now, -1 where none may. */
  #winner(requests: number): number {
    const s = this.#s;
    const open = requests & ~s.imr;
    if (open === 0) return -1;
    let serving = s.isr;
    // In special mask mode a masked line in service blocks no other (data sheet, "Special Mask Mode").
    if (s.ocw3 & SPECIAL_MASK) serving &= ~s.imr;
    const sfnm = s.icw4 & ICW4_SPECIAL_FULLY_NESTED && this.#cascade >= 0 ? 1 << this.#cascade : 0;
    for (let i = 1; i <= 8; i++) {
      const line = (s.lowest + i) & 7;
      const bit = 1 << line;
      // Special fully nested: the slave may interrupt itself, since it has its own priorities.
      if (open & bit && (!(serving & bit) || sfnm & bit)) return line;
      if (serving & bit) return -1;
    }
    return -1;
  }

  #initialize(value: number): void {
    const s = this.#s;
    // "Edge sense circuit reset, IMR cleared, IR7 lowest, special mask off, status read is IRR"; ICW4 zero without IC4.
    s.icw1 = value & 0x1f;
    s.edges = 0;
    s.isr = 0;
    s.imr = 0;
    s.lowest = 7;
    s.ocw3 = 0;
    s.rotates = 0;
    s.icw4 = 0;
    s.expects = 2;
  }

  #writeOdd(value: number): void {
    const s = this.#s;
    switch (s.expects) {
      case 2:
        s.icw2 = value;
        s.expects = s.icw1 & ICW1_SINGLE ? this.#afterIcw3() : 3;
        break;
      case 3:
        s.icw3 = value;
        s.expects = this.#afterIcw3();
        break;
      case 4:
        s.icw4 = value & 0x1f;
        s.expects = 0;
        break;
      default:
        s.imr = value;
    }
  }

  #afterIcw3(): number {
    return this.#s.icw1 & ICW1_IC4 ? 4 : 0;
  }

  /** Rotate, specific, end of interrupt: the eight commands of figure 8. */
  #writeOcw2(value: number): void {
    const s = this.#s;
    const level = value & 7;
    switch (value >> 5) {
      case 0b000:
        s.rotates = 0;
        break;
      case 0b100:
        s.rotates = 1;
        break;
      case 0b001:
      case 0b101: {
        const line = this.#inService();
        if (line < 0) break;
        s.isr &= ~(1 << line);
        if (value >> 5 === 0b101) s.lowest = line;
        break;
      }
      case 0b011:
        s.isr &= ~(1 << level);
        break;
      case 0b111:
        s.isr &= ~(1 << level);
        s.lowest = level;
        break;
      case 0b110:
        s.lowest = level;
        break;
      // 0b010 does nothing.
    }
  }

  /** The line in service with the highest priority, which a non-specific EOI ends. */
  #inService(): number {
    const { isr, imr, lowest, ocw3 } = this.#s;
    // "An IS bit that is masked will not be cleared by a non-specific EOI in special mask mode."
    const serving = ocw3 & SPECIAL_MASK ? isr & ~imr : isr;
    for (let i = 1; i <= 8; i++) {
      const line = (lowest + i) & 7;
      if (serving & (1 << line)) return line;
    }
    return -1;
  }

  #writeOcw3(value: number): void {
    const s = this.#s;
    if (value & 0x40) s.ocw3 = value & 0x20 ? s.ocw3 | SPECIAL_MASK : s.ocw3 & ~SPECIAL_MASK;
    if (value & OCW3_POLL) s.ocw3 |= POLL;
    else if (value & 0x02) s.ocw3 = value & 0x01 ? s.ocw3 | READ_ISR : s.ocw3 & ~READ_ISR;
  }
}
