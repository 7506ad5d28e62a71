/**
 * Bochs' display interface ("VBE_DISPI", as QEMU's `-vga std` has it too): an index at port 1CE and a word at 1CF set
 * the size of the picture, its depth, and the part of video memory that it shows.
 *
 * @module
 */
import { DeviceStateError, stateFields } from '../state.js';

/** The registers. */
export const Dispi = {
  id: 0,
  width: 1,
  height: 2,
  bits: 3,
  enable: 4,
  bank: 5,
  virtualWidth: 6,
  virtualHeight: 7,
  x: 8,
  y: 9,
  memory: 10,
} as const;
const COUNT = 10;
/** Bits of the enable register. */
export const Enable = {
  on: 0x01,
  capabilities: 0x02,
  wideColours: 0x20,
  linear: 0x40,
  keepMemory: 0x80,
} as const;

/** The newest version, and the oldest: a guest may write any of them, and reads it back. */
const ID = { first: 0xb0c0, last: 0xb0c5 } as const;
/** The values that a guest reads in capability mode. */
const MOST = { width: 16000, height: 12000, bits: 32 } as const;
/** The unit of the video memory size and of banks. */
export const BANK = 0x1_0000;
const DEPTHS = [4, 8, 15, 16, 24, 32];

export interface DispiState {
  index: number;
  registers: number[];
}

/** The registers; sizes that do not fit into video memory are reduced as soon as the picture is on. */
export class DisplayInterface {
  /** Bytes of video memory. */
  readonly memory: number;
  readonly registers = new Uint16Array(COUNT);
  index = 0;

  constructor(memory: number) {
    this.memory = memory;
    this.registers[Dispi.id] = ID.last;
  }

  get on(): boolean {
    return (this.registers[Dispi.enable]! & Enable.on) !== 0;
  }
  get width(): number {
    return this.registers[Dispi.width]!;
  }
  get height(): number {
    return this.registers[Dispi.height]!;
  }
  /** 4 (planes), 8, 15, 16, 24 or 32. */
  get bits(): number {
    return this.registers[Dispi.bits]!;
  }
  /** Colours have 8 bits a part, not 6. */
  get wideColours(): boolean {
    return (this.registers[Dispi.enable]! & Enable.wideColours) !== 0;
  }
  /** Bytes from one line to the next, of all planes together where there are planes. */
  get pitch(): number {
    return (this.registers[Dispi.virtualWidth]! * stored(this.bits)) / 8;
  }
  /** Where the picture begins in video memory, in bytes. */
  get start(): number {
    const { registers } = this;
    return Math.floor((registers[Dispi.x]! * stored(this.bits)) / 8) + registers[Dispi.y]! * this.pitch;
  }
  /** Where the window at A0000 begins in video memory, in bytes (of one plane, where there are planes). */
  get bank(): number {
    return this.on ? this.registers[Dispi.bank]! * BANK : 0;
  }

  /** The value of the register at `index`. */
  read(): number {
    const { index, registers } = this;
    if (index === Dispi.memory) return this.memory / BANK;
    if (index >= COUNT) return 0;
    if (registers[Dispi.enable]! & Enable.capabilities) {
      if (index === Dispi.width) return MOST.width;
      if (index === Dispi.height) return MOST.height;
      if (index === Dispi.bits) return MOST.bits;
    }
    return registers[index]!;
  }

  /** Writes the register at `index`. @returns true where the picture has just been switched on with empty memory */
  write(value: number): boolean {
    const { index, registers } = this;
    switch (index) {
      case Dispi.id:
        if (value >= ID.first && value <= ID.last) registers[index] = value;
        return false;
      case Dispi.bank:
        registers[index] = value & (this.memory / BANK - 1);
        return false;
      case Dispi.enable:
        return this.#enable(value);
      case Dispi.width:
      case Dispi.height:
      case Dispi.bits:
      case Dispi.virtualWidth:
      case Dispi.x:
      case Dispi.y:
        registers[index] = value;
        this.#fit();
    }
    return false;
  }

  #enable(value: number): boolean {
    const { registers } = this;
    const begins = (value & Enable.on) !== 0 && !this.on;
    registers[Dispi.enable] = value;
    if (!begins) return false;
    for (const register of [Dispi.virtualWidth, Dispi.x, Dispi.y]) registers[register] = 0;
    this.#fit();
    return (value & Enable.keepMemory) === 0;
  }

  #fit(): void {
    if (!this.on) return;
    const { registers, memory } = this;
    if (!DEPTHS.includes(this.bits)) registers[Dispi.bits] = 8;
    registers[Dispi.width] = Math.min(Math.max(this.width & ~7, 8), MOST.width);
    registers[Dispi.virtualWidth] = Math.min(
      Math.max(registers[Dispi.virtualWidth]! & ~7, this.width),
      MOST.width,
    );
    const lines = Math.floor(memory / this.pitch);
    registers[Dispi.height] = Math.min(Math.max(this.height, 1), MOST.height, lines);
    registers[Dispi.virtualHeight] = lines;
    registers[Dispi.x] = Math.min(registers[Dispi.x]!, MOST.width);
    registers[Dispi.y] = Math.min(registers[Dispi.y]!, MOST.height);
    const shown = this.height * this.pitch;
    if (this.start + shown > memory) registers[Dispi.y] = 0;
    if (this.start + shown > memory) registers[Dispi.x] = 0;
  }

  save(): DispiState {
    return { index: this.index, registers: [...this.registers] };
  }

  /** @throws DeviceStateError for values that no guest could have set */
  load(device: string, state: unknown): void {
    const { index, registers } = stateFields(device, state, this.save());
    const word = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff;
    if (!word(index)) throw new DeviceStateError(device, `'display.index' is ${String(index)}`);
    if (!Array.isArray(registers) || registers.length !== COUNT || !registers.every(word))
      throw new DeviceStateError(device, `'display.registers' are not ${COUNT} words`);
    this.index = index as number;
    this.registers.set(registers as number[]);
    // As if a guest had written it: nothing leaves video memory.
    this.registers[Dispi.bank]! &= this.memory / BANK - 1;
    this.#fit();
  }
}

/** Bits that a pixel takes in memory. */
function stored(bits: number): number {
  return bits === 15 ? 16 : bits;
}
