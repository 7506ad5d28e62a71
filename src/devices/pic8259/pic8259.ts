/**
 * The interrupt controllers of a PC: two 8259A, the second one's output on line 2 of the first, and the two registers of
 * the south bridge that say which lines are level-triggered (ELCR). Behaviour and names: Intel's 8259A data sheet
 * (231468) and, for ELCR, that of the 82371 (290562, 2.5).
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  InterruptController,
  PinWatcher,
  PortRange,
} from '../contract/index.js';
import { stateFields } from '../state.js';
import { Chip, type ChipState } from './chip.js';
import { picWords } from './words.js';

const MASTER = 0x20;
const SLAVE = 0xa0;
const ELCR_MASTER = 0x4d0;
const ELCR_SLAVE = 0x4d1;
/** Timer, keyboard, cascade, clock and coprocessor are always edge-triggered (82371, 2.5.2). */
const ELCR_MASTER_MASK = 0xf8;
const ELCR_SLAVE_MASK = 0xde;
/** The master's line that the slave is on. */
const CASCADE = 2;
/** The vector that the CPU reads in an acknowledge cycle without an answer. */
const FLOATING = 0xff;

export interface PicState {
  master: ChipState;
  slave: ChipState;
}

/** Both controllers of a PC: 15 interrupt lines. Until a guest has initialized them they pass no interrupt. */
export class Pic8259 implements Device, InterruptController {
  readonly name = 'pic';
  readonly ports: readonly PortRange[] = [
    { first: MASTER, count: 2, width: 1 },
    { first: SLAVE, count: 2, width: 1 },
    { first: ELCR_MASTER, count: 2, width: 1 },
  ];
  readonly pins = 16;
  readonly #master = new Chip(CASCADE);
  readonly #slave = new Chip(-1);
  /** False while a local APIC between INT and the CPU blocks it. */
  readonly #passes: () => boolean;
  #watcher: PinWatcher | undefined;

  /** The master's INT: always current, since the run loop reads it before every VM entry. */
  #pending = false;

  /**
   * @param passes called for each query: does INT reach the CPU now?
   * @param levels the lines that are level-triggered from the start, a bit for each, as a firmware sets them for PCI
   */
  constructor(passes: () => boolean = () => true, levels = 0) {
    this.#passes = passes;
    this.#master.elcr = levels & ELCR_MASTER_MASK;
    this.#slave.elcr = (levels >> 8) & ELCR_SLAVE_MASK;
  }

  get controller(): InterruptController {
    return this;
  }

  /** INT is wired only to the first CPU. */
  pending(cpu: number): boolean {
    return cpu === 0 && this.#pending && this.#passes();
  }

  /** Pins 0 to 15; pin 2 is the cascade and not for devices. */
  setPin(pin: number, level: boolean): void {
    if (pin === CASCADE) return;
    if (pin < 8) this.#master.setLine(pin, level);
    else this.#slave.setLine(pin - 8, level);
    this.#update();
  }

  acknowledge(_cpu = 0): number {
    const line = this.#master.acknowledge();
    const spurious = line === 7 && !this.#pending;
    if (line !== CASCADE || !this.#master.cascades(CASCADE, true)) {
      this.#update();
      if (!spurious) this.#watcher?.acknowledged(line);
      return this.#master.vector(line);
    }
    // A slave with another number ignores the acknowledge cycle, so there is no answer.
    if (!this.#slave.cascades(CASCADE, false)) {
      this.#update();
      return FLOATING;
    }
    const request = this.#slave.int;
    const behind = this.#slave.acknowledge();
    this.#dropCascade();
    if (request) this.#watcher?.acknowledged(8 + behind);
    return this.#slave.vector(behind);
  }

  opens(pin: number): boolean {
    if (pin === CASCADE || !this.#passes()) return false;
    if (pin < 8) return this.#master.opens(pin);
    return this.#slave.opens(pin - 8) && this.#master.opens(CASCADE);
  }

  describe(): string {
    const [master, slave] = [this.#master, this.#slave];
    if (!this.#passes()) return 'the local APIC lets nothing of the 8259A through (LINT0)';
    if (!master.ready) return 'the interrupt controller was not initialized (ICW1 to ICW4)';
    const open = ~(master.imr | (slave.imr << 8) | (master.imr & (1 << CASCADE) ? 0xff00 : 0)) & 0xfffb;
    if (open === 0) return 'every line of the interrupt controller is masked';
    const serving = master.isr & ~(1 << CASCADE) ? master.isr : slave.isr << 8;
    if (serving !== 0) {
      const irq = 31 - Math.clz32(serving & -serving);
      return `IRQ ${irq} is still in service, since its handler sent no EOI`;
    }
    return 'no device on an unmasked line is going to interrupt';
  }

  watch(watcher: PinWatcher): void {
    this.#watcher = watcher;
  }

  readPort(port: number): number {
    if (port === ELCR_MASTER) return this.#master.elcr;
    if (port === ELCR_SLAVE) return this.#slave.elcr;
    const slave = port >= SLAVE;
    const chip = slave ? this.#slave : this.#master;
    if (!chip.polls) return chip.read(port & 1);
    const value = chip.read(port & 1);
    if (slave) this.#dropCascade();
    else this.#update();
    if (value & 0x80) this.#watcher?.acknowledged((value & 7) + (slave ? 8 : 0));
    return value;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    const before = this.#masked();
    const byte = value & 0xff;
    if (port === ELCR_MASTER) this.#master.elcr = byte & ELCR_MASTER_MASK;
    else if (port === ELCR_SLAVE) this.#slave.elcr = byte & ELCR_SLAVE_MASK;
    else (port >= SLAVE ? this.#slave : this.#master).write(port & 1, byte);
    this.#update();
    if (this.#watcher === undefined) return;
    const unmasked = before & ~this.#masked();
    for (let pin = 0; pin < this.pins; pin++) if (unmasked & (1 << pin)) this.#watcher.unmasked(pin);
  }

  describeAccess({ address, write }: Access): AccessWords {
    if (address === ELCR_MASTER) return picWords.master.elcr;
    if (address === ELCR_SLAVE) return picWords.slave.elcr;
    const slave = address >= SLAVE;
    const register = (slave ? this.#slave : this.#master).reaches(address & 1, write);
    return picWords[slave ? 'slave' : 'master'][register];
  }

  save(): PicState {
    return { master: this.#master.save(), slave: this.#slave.save() };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const master = Chip.check(this.name, 'master', fields.master);
    const slave = Chip.check(this.name, 'slave', fields.slave);
    this.#master.load(master);
    this.#slave.load(slave);
    this.#update();
  }

  /** Both mask registers; a chip that is not initialized counts as masked. */
  #masked(): number {
    const [master, slave] = [this.#master, this.#slave];
    return (master.ready ? master.imr : 0xff) | ((slave.ready ? slave.imr : 0xff) << 8);
  }

  /**
   * After the slave was acknowledged its output falls, and rises again if another request is pending: the master needs
   * an edge.
   */
  #dropCascade(): void {
    this.#master.setLine(CASCADE, false);
    this.#update();
  }

  #update(): void {
    this.#master.setLine(CASCADE, this.#slave.int);
    this.#pending = this.#master.int;
  }
}
