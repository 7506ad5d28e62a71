/**
 * A program before it has addresses: sections of bytes, with parts whose size depends on addresses.
 *
 * A section is a list of pieces: bytes of fixed size, then at most one part of variable size (a branch that may be short, an alignment, an
 * `.org`). The distance between two labels in one piece is known at once; all others wait for the layout.
 *
 * @module
 */
import type { Encoded } from './encode.js';
import type { Expression, Value } from './expression.js';
import { type Origin, SourceError } from './source.js';

/** A number in the bytes that is known after the layout. */
export interface Pending {
  /** From the piece's start. */
  readonly at: number;
  readonly size: number;
  readonly value: Expression;
  /** The base of a relative number, in bytes from the piece's start; undefined for an absolute one. */
  readonly from: number | undefined;
  readonly signed: boolean;
  readonly origin: Origin;
  /** The value of `.` and `$` in the expression, in bytes from the piece's start. */
  readonly here: number;
}

/** The part of a piece whose size depends on addresses. */
export type Stretch =
  /** One of several encodings: the shortest that reaches its target. */
  | {
      readonly kind: 'branch';
      readonly forms: readonly Encoded[];
      chosen: number;
      readonly target: Expression;
    }
  | {
      readonly kind: 'align';
      readonly to: bigint;
      readonly fill: number | { readonly nops: 16 | 32 | 64 };
      readonly atMost: bigint | undefined;
    }
  | {
      readonly kind: 'org';
      readonly to: Expression;
      /** `to` counts from the section's start, or is an address. */
      readonly from: 'section' | 'address';
      readonly fill: number;
    }
  | { readonly kind: 'space'; readonly count: Expression; readonly fill: Uint8Array }
  /** An instruction whose form depends on the values of symbols. */
  | { readonly kind: 'instruction'; readonly encode: () => Encoded; made: Encoded | undefined };

/** Where a line's code begins. */
export interface Line {
  /** From the piece's start. */
  readonly at: number;
  readonly origin: Origin;
}

/** A growing sequence of bytes. */
class Bytes {
  #data = new Uint8Array(64);
  length = 0;

  #room(count: number): void {
    if (this.length + count <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(this.#data.length * 2, this.length + count));
    larger.set(this.#data.subarray(0, this.length));
    this.#data = larger;
  }

  push(bytes: ArrayLike<number>): void {
    this.#room(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
  }

  fill(byte: number, count: number): void {
    this.#room(count);
    this.#data.fill(byte, this.length, this.length + count);
    this.length += count;
  }

  get all(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }
}

/** A run of bytes of fixed size, and the part of variable size after it. */
export class Piece {
  readonly section: Section;
  readonly bytes = new Bytes();
  readonly pending: Pending[] = [];
  readonly lines: Line[] = [];
  stretch: Stretch | undefined;
  stretchOrigin: Origin | undefined;
  /** Set by the layout: where the piece begins, and how many bytes its stretch takes. */
  address = 0n;
  stretched = 0;

  constructor(section: Section) {
    this.section = section;
  }
}

export class Section {
  readonly name: string;
  /** Takes no space in the image: `.bss`. */
  readonly empty: boolean;
  readonly pieces: Piece[] = [];
  /** The largest alignment inside. */
  align = 1n;
  address = 0n;
  size = 0n;

  constructor(name: string, empty: boolean) {
    this.name = name;
    this.empty = empty;
    this.pieces.push(new Piece(this));
  }

  get last(): Piece {
    return this.pieces.at(-1)!;
  }
}

/** A name, and its value. */
export interface AsmSymbol {
  readonly name: string;
  /** A label: its piece and the distance from its start. */
  label: { readonly piece: Piece; readonly at: number } | undefined;
  /** Set to an expression, evaluated where it was set. */
  value: Value | undefined;
  /** Set to an expression that waits for the layout. */
  expression:
    | { readonly value: Expression; readonly here: { readonly piece: Piece; readonly at: number } }
    | undefined;
  readonly origin: Origin;
  isGlobal: boolean;
}

/** The largest size of a program in bytes: more than any real one has. */
export const LARGEST_PROGRAM = 64 * 1024 * 1024;

/** A program that is too large. */
export class ProgramTooLarge extends Error {}

export class Program {
  readonly sections = new Map<string, Section>();
  readonly symbols = new Map<string, AsmSymbol>();
  current: Section;
  #total = 0;

  constructor() {
    this.current = this.section('.text');
  }

  /** The section of that name, made if there is none. */
  section(name: string, empty = /^\.(bss|lbss|tbss)(\.|$)/.test(name)): Section {
    let section = this.sections.get(name);
    if (section === undefined) {
      section = new Section(name, empty);
      this.sections.set(name, section);
    }
    return section;
  }

  /** Where the next byte goes. */
  get here(): { piece: Piece; at: number } {
    const piece = this.current.last;
    return { piece, at: piece.bytes.length };
  }

  #count(bytes: number): void {
    this.#total += bytes;
    if (this.#total > LARGEST_PROGRAM) {
      throw new ProgramTooLarge(`more than ${LARGEST_PROGRAM / 1024 / 1024} MiB of program`);
    }
  }

  /** Notes that a statement's code begins here. */
  line(origin: Origin): void {
    const { piece, at } = this.here;
    piece.lines.push({ at, origin });
  }

  /** Sections that take no space in the image contain zeros. */
  #refuse(isZero: boolean): void {
    if (isZero || !this.current.empty) return;
    throw new SourceError(`${this.current.name} takes no contents but zeros`, -1, 'put it into .data');
  }

  data(bytes: ArrayLike<number>): void {
    this.#refuse(!this.current.empty || Array.from(bytes).every((byte) => byte === 0));
    this.#count(bytes.length);
    this.current.last.bytes.push(bytes);
  }

  fill(byte: number, count: number): void {
    this.#refuse(byte === 0);
    this.#count(count);
    this.current.last.bytes.fill(byte, count);
  }

  /** A number that is not known yet, `size` bytes wide; `here` is the position of `.`, from the piece's start. */
  number(value: Expression, size: number, origin: Origin, here = this.here.at): void {
    this.#refuse(false);
    const { piece, at } = this.here;
    piece.pending.push({ at, size, value, from: undefined, signed: false, origin, here });
    this.fill(0, size);
  }

  /** An instruction of final size. */
  code({ bytes, fixups }: Encoded, origin: Origin): void {
    const { piece, at } = this.here;
    this.data(bytes);
    for (const fixup of fixups) {
      const from = fixup.relative ? at + bytes.length : undefined;
      piece.pending.push({
        at: at + fixup.at,
        size: fixup.size,
        value: fixup.value,
        from,
        signed: fixup.signed,
        origin,
        here: at,
      });
    }
  }

  /** A part whose size the layout decides; the following bytes are in a new piece. */
  stretch(stretch: Stretch, origin: Origin): void {
    const piece = this.current.last;
    if (stretch.kind === 'align' && stretch.to > this.current.align) this.current.align = stretch.to;
    this.#count(16);
    piece.stretch = stretch;
    piece.stretchOrigin = origin;
    this.current.pieces.push(new Piece(this.current));
  }

  /** The symbol of that name, made if there is none. */
  symbol(name: string, origin: Origin): AsmSymbol {
    let symbol = this.symbols.get(name);
    if (symbol === undefined) {
      symbol = { name, label: undefined, value: undefined, expression: undefined, origin, isGlobal: false };
      this.symbols.set(name, symbol);
    }
    return symbol;
  }
}
