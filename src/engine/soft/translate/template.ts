/**
 * An operation's code, written once for all records of its form. Where records differ it has holes: constants,
 * registers' locals, and exits, which the region provides.
 *
 * @module
 */
import type { Builder } from './builder.js';
import { MOST_INTEGERS, placeOf, temporaryLocal, temporaryTypes } from './locals.js';
import { Op } from './program.js';
import { type Formula, type Place, type Value, valueAt } from './values.js';
import { Writer } from './writer.js';

export const HoleKind = {
  /** A constant of 32 or 64 bits. */
  i32: 0,
  i64: 1,
  /** A register's local: get, set, or tee. */
  get: 2,
  set: 3,
  tee: 4,
  /** The function is left before the operation. */
  leave: 5,
  /** The operation continues elsewhere: at the address in `Local.target`, with a slot of its record. */
  go: 6,
  /** The interpreter's handler executes the operation. */
  perform: 7,
} as const;

/** The lazy flags' kind after an operation that does not change them. */
export const SAME_FLAGS = -1;

interface Hole {
  readonly kind: number;
  readonly at: number;
  /** The open blocks there, within the operation. */
  readonly depth: number;
  /** The constant, or the address of the register's place. */
  readonly value: Value | undefined;
  /**
   * For `go`: the slot's offset from the record's start, 0 for none. And the lazy flags' kind there, if it is known.
   */
  readonly slot: number;
  readonly flags: number | undefined;
}

export interface Template {
  readonly bytes: Uint8Array;
  readonly holes: readonly Hole[];
  /** Some path leads to the next operation. */
  readonly goesOn: boolean;
  /** The lazy flags' kind after it, if it is known, or SAME_FLAGS. */
  readonly flags: number | undefined;
  /** Bits of the places of the CPU's state that it reads or writes, and of those that it writes. */
  readonly uses: number;
  readonly writes: number;
  /** Its number of temporary locals of each type. */
  readonly temporaries: readonly number[];
  /** It writes to guest memory and then continues elsewhere, as a call does. */
  readonly calls: boolean;
  readonly performs: boolean;
}

/** Writes a template. Block levels count from the operation's own. */
export class TemplateWriter extends Writer {
  writesMemory = false;
  readonly #holes: Hole[] = [];
  readonly #taken = temporaryTypes.map(() => 0);

  constructor(flags: number | undefined) {
    super();
    this.flags = flags;
  }

  /** `i32.wrap_i64`, or nothing where the operand was a half before. */
  wrap(): void {
    if (!this.takeBack([0xac]) && !this.takeBack([0xad])) this.op(0xa7);
  }

  i32(value: number | Formula): void {
    this.bytes.byte(Op.i32Const);
    if (typeof value === 'number') this.bytes.s32(value);
    else this.#hole(HoleKind.i32, value);
  }

  i64(value: bigint | Formula): void {
    this.bytes.byte(Op.i64Const);
    if (typeof value === 'bigint') this.bytes.s64(value);
    else this.#hole(HoleKind.i64, value);
  }

  /** Reads or writes the local of a register that the record names: `address` gives its place. */
  register(opcode: number, address: Formula): void {
    this.#hole(opcode - Op.localGet + HoleKind.get, address);
  }

  leave(): void {
    this.#hole(HoleKind.leave);
  }

  perform(): void {
    this.#hole(HoleKind.perform);
  }

  go(slot: number): void {
    this.#hole(HoleKind.go, undefined, slot);
  }

  /** A local for a value of a type; undefined if there are too many. */
  temporary(type: number): number | undefined {
    const kind = temporaryTypes.indexOf(type as (typeof temporaryTypes)[number]);
    if (this.#taken[kind] === MOST_INTEGERS) return undefined;
    return temporaryLocal(kind, this.#taken[kind]!++);
  }

  finish(goesOn: boolean): Template {
    const holes = this.#holes;
    return {
      bytes: this.bytes.view().slice(),
      holes,
      goesOn,
      flags: this.flags,
      uses: this.uses,
      writes: this.writes,
      temporaries: this.#taken,
      calls: this.writesMemory && holes.some(({ kind }) => kind === HoleKind.go),
      performs: holes.some(({ kind }) => kind === HoleKind.perform),
    };
  }

  #hole(kind: number, value?: Value, slot = 0): void {
    const { depth, flags } = this;
    this.#holes.push({ kind, at: this.bytes.length, depth, value, slot, flags });
  }
}

/** The region's code where an operation does not simply continue. */
export interface Surroundings {
  leave(): void;
  /** `slot` is an address, or 0. */
  go(slot: number): void;
  /** The level of the block whose end is where the operation is performed. */
  performLevel: number;
}

/** Writes a template's code for the operation at `place`. */
export function fill(template: Template, builder: Builder, place: Place, around: Surroundings): void {
  const { bytes, holes } = template;
  const base = builder.depth;
  const before = builder.flags;
  let from = 0;
  for (const { kind, at, depth, value, slot, flags } of holes) {
    builder.bytes.copy(bytes, from, at);
    from = at;
    switch (kind) {
      case HoleKind.i32:
        builder.bytes.s32(valueAt(value!, place) as number);
        break;
      case HoleKind.i64: {
        const small = (value as Formula).small(place);
        if (small === undefined) builder.bytes.s64((value as Formula).at(place) as bigint);
        else if (small === (small | 0)) builder.bytes.s32(small);
        else builder.bytes.s64(BigInt(small));
        break;
      }
      case HoleKind.get:
      case HoleKind.set:
      case HoleKind.tee:
        builder.state(Op.localGet + kind - HoleKind.get, placeOf(valueAt(value!, place) as number)!.index);
        break;
      default:
        builder.depth = base + depth;
        builder.flags = flags === SAME_FLAGS ? before : flags;
        if (kind === HoleKind.leave) around.leave();
        else if (kind === HoleKind.go) around.go(slot === 0 ? 0 : place.record + slot);
        else builder.branch(around.performLevel);
    }
  }
  builder.bytes.copy(bytes, from, bytes.length);
  builder.depth = base;
  builder.flags = template.flags === SAME_FLAGS ? before : template.flags;
  builder.use(template.uses, template.writes, template.temporaries);
}
