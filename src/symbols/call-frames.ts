/**
 * Call frame information of DWARF 2 to 5: where each function keeps its return address and the registers that it will
 * restore (DWARF 5, 6.4). Broken information, and rules that are expressions, are ignored.
 *
 * @module
 */
import type { RegisterName } from '../x86/index.js';
import { DwarfReader } from './dwarf-reader.js';
import { dwarfRegisters } from './registers.js';

/** The rule that leads from a function's registers to those of its caller. */
export interface FrameRule {
  /** The canonical frame address (CFA) is this register plus `offset`: the caller's stack pointer after the return. */
  register: RegisterName;
  offset: bigint;
  /** The offset of the return address from the CFA. */
  returnAt: bigint;
  /** Registers that were saved, with their places from the CFA. */
  saved: ReadonlyMap<RegisterName, bigint>;
  /** Bytes of an address. */
  word: 4 | 8;
}

/** More functions, and more common information entries, than any kernel has. */
const MAX_ENTRIES = 1 << 18;
const MAX_COMMONS = 1 << 16;
const DEEPEST_STATES = 64;
/** More instructions than the table of any function has; a debugger runs them at each step. */
const MAX_INSTRUCTIONS = 1 << 16;

/** The common information of several functions (CIE). */
interface Common {
  codeFactor: bigint;
  dataFactor: bigint;
  returnRegister: number;
  first: { from: number; to: number };
}

/** One function's entry (FDE). */
interface Entry {
  common: Common;
  from: bigint;
  to: bigint;
  program: { from: number; to: number };
}

/** The rules of a `.debug_frame` section. */
export class CallFrames {
  readonly #section: Uint8Array;
  readonly #wide: boolean;
  readonly #bias: bigint;
  readonly #entries: Entry[] = [];

  /**
   * @param wide whether addresses have 8 bytes
   * @param bias the offset to add to the section's addresses
   */
  constructor(section: Uint8Array, wide: boolean, bias = 0n) {
    this.#section = section;
    this.#wide = wide;
    this.#bias = bias;
    unlessBroken(() => this.#read());
  }

  /** The rule that is valid before the instruction at an address; undefined where there is none. */
  ruleAt(place: bigint): FrameRule | undefined {
    const address = place - this.#bias;
    const entry = this.#entries.find(({ from, to }) => address >= from && address < to);
    return entry && unlessBroken(() => this.#run(entry, address));
  }

  #read(): void {
    const reader = new DwarfReader(this.#section);
    const commons = new Map<number, Common>();
    while (reader.left > 4 && this.#entries.length < MAX_ENTRIES) {
      const at = reader.at;
      const length = reader.u32();
      // The 64-bit format is for sections of more than 4 GiB.
      if (length === 0xffff_ffff) return;
      const end = reader.at + length;
      if (end > this.#section.length) return;
      const id = reader.u32();
      if (id === 0xffff_ffff) {
        const common = this.#readCommon(reader, end);
        if (commons.size >= MAX_COMMONS) return;
        if (common !== undefined) commons.set(at, common);
      } else {
        const common = commons.get(id);
        const from = this.#address(reader);
        const size = this.#address(reader);
        if (common !== undefined)
          this.#entries.push({ common, from, to: from + size, program: { from: reader.at, to: end } });
      }
      reader.at = end;
    }
  }

  #readCommon(reader: DwarfReader, end: number): Common | undefined {
    const version = reader.u8();
    if (version !== 1 && version !== 3 && version !== 4) return undefined;
    if (reader.string() !== '') return undefined;
    // Sizes of addresses and of selectors.
    if (version === 4) reader.skip(2);
    const codeFactor = reader.uleb();
    const dataFactor = reader.sleb();
    const returnRegister = version === 1 ? reader.u8() : Number(reader.uleb());
    return { codeFactor, dataFactor, returnRegister, first: { from: reader.at, to: end } };
  }

  #address(reader: DwarfReader): bigint {
    return this.#wide ? reader.u64() : BigInt(reader.u32());
  }

  #run({ common, from, program }: Entry, address: bigint): FrameRule | undefined {
    const names = dwarfRegisters(this.#wide);
    const rows = new Rows(common, from, address, names.length);
    rows.run(this.#section, common.first, this.#wide);
    rows.settled();
    rows.run(this.#section, program, this.#wide);
    const { register, offset, saved } = rows.row;
    const name = names[register];
    const returnAt = saved.get(common.returnRegister);
    if (name === undefined || returnAt === undefined) return undefined;
    const named = [...saved].flatMap(([number, place]): [RegisterName, bigint][] => {
      const one = names[number];
      return one === undefined || one === 'rip' ? [] : [[one, place]];
    });
    return { register: name, offset, returnAt, saved: new Map(named), word: this.#wide ? 8 : 4 };
  }
}

interface Row {
  register: number;
  offset: bigint;
  saved: Map<number, bigint>;
}

const copyOf = (row: Row): Row => ({ ...row, saved: new Map(row.saved) });

/** Runs the instructions of a table's rows up to the row of an address (DWARF 5, 6.4.2). */
class Rows {
  row: Row = { register: -1, offset: 0n, saved: new Map() };
  #first: Row = this.row;
  readonly #kept: Row[] = [];
  readonly #common: Common;
  readonly #wanted: bigint;
  readonly #registers: number;
  #at: bigint;
  #instructions = 0;

  /** @param registers rules are kept for registers below this number; the table may name any */
  constructor(common: Common, from: bigint, wanted: bigint, registers: number) {
    this.#registers = registers;
    this.#common = common;
    this.#at = from;
    this.#wanted = wanted;
  }

  /** DW_CFA_restore restores the rules so far. */
  settled(): void {
    this.#first = copyOf(this.row);
  }

  run(section: Uint8Array, { from, to }: { from: number; to: number }, wide: boolean): void {
    const reader = new DwarfReader(section.subarray(0, to));
    reader.at = from;
    while (reader.left > 0) {
      if (++this.#instructions > MAX_INSTRUCTIONS) throw new RangeError('too many instructions');
      const opcode = reader.u8();
      const low = opcode & 0x3f;
      if (opcode >> 6 === 1) {
        if (this.#advance(BigInt(low))) return;
      } else if (opcode >> 6 === 2) this.#save(low, reader.uleb());
      else if (opcode >> 6 === 3) this.#restore(low);
      else if (this.#extended(opcode, reader, wide)) return;
    }
  }

  /** True where the requested row is complete. */
  #extended(opcode: number, reader: DwarfReader, wide: boolean): boolean {
    const { row } = this;
    switch (opcode) {
      case 0x00: // DW_CFA_nop
        return false;
      case 0x01: // DW_CFA_set_loc
        return this.#advance((wide ? reader.u64() : BigInt(reader.u32())) - this.#at, 1n);
      case 0x02: // DW_CFA_advance_loc1
        return this.#advance(BigInt(reader.u8()));
      case 0x03: // DW_CFA_advance_loc2
        return this.#advance(BigInt(reader.u16()));
      case 0x04: // DW_CFA_advance_loc4
        return this.#advance(BigInt(reader.u32()));
      case 0x05: // DW_CFA_offset_extended
        this.#save(Number(reader.uleb()), reader.uleb());
        return false;
      case 0x06: // DW_CFA_restore_extended
        this.#restore(Number(reader.uleb()));
        return false;
      case 0x07: // DW_CFA_undefined
      case 0x08: // DW_CFA_same_value
        row.saved.delete(Number(reader.uleb()));
        return false;
      case 0x0a: // DW_CFA_remember_state
        if (this.#kept.length >= DEEPEST_STATES) throw new RangeError('too many states');
        this.#kept.push(copyOf(row));
        return false;
      case 0x0b: // DW_CFA_restore_state
        this.row = this.#kept.pop() ?? row;
        return false;
      case 0x0c: // DW_CFA_def_cfa
        row.register = Number(reader.uleb());
        row.offset = reader.uleb();
        return false;
      case 0x0d: // DW_CFA_def_cfa_register
        row.register = Number(reader.uleb());
        return false;
      case 0x0e: // DW_CFA_def_cfa_offset
        row.offset = reader.uleb();
        return false;
      case 0x11: // DW_CFA_offset_extended_sf
        this.#save(Number(reader.uleb()), reader.sleb());
        return false;
      case 0x12: // DW_CFA_def_cfa_sf
        row.register = Number(reader.uleb());
        row.offset = reader.sleb() * this.#common.dataFactor;
        return false;
      case 0x13: // DW_CFA_def_cfa_offset_sf
        row.offset = reader.sleb() * this.#common.dataFactor;
        return false;
      case 0x2e: // DW_CFA_GNU_args_size
        reader.uleb();
        return false;
      default:
        throw new RangeError('a rule that is an expression, or none');
    }
  }

  #advance(steps: bigint, factor = this.#common.codeFactor): boolean {
    const next = this.#at + steps * factor;
    if (next > this.#wanted) return true;
    this.#at = next;
    return false;
  }

  #save(register: number, offset: bigint): void {
    if (register < this.#registers) this.row.saved.set(register, offset * this.#common.dataFactor);
  }

  #restore(register: number): void {
    const before = this.#first.saved.get(register);
    if (before === undefined) this.row.saved.delete(register);
    else this.row.saved.set(register, before);
  }
}

function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
