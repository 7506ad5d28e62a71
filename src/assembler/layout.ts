/**
 * Gives a program its addresses: makes branches as short as possible, fills alignments, and writes all numbers that depend on addresses.
 *
 * @module
 */
import { type Encoded, EncodeError } from './encode.js';
import {
  type Expression,
  ExpressionError,
  evaluate,
  type Scope,
  type TruthValue,
  type Value,
} from './expression.js';
import { nops } from './nops.js';
import {
  type AsmSymbol,
  LARGEST_PROGRAM,
  type Pending,
  type Piece,
  type Program,
  ProgramTooLarge,
  type Section,
} from './program.js';
import { type Complaint, type Origin, SourceError } from './source.js';

export interface LayoutOptions {
  /** Address of the first byte. */
  readonly base: bigint;
  /** The order of sections, by name; others come last. */
  readonly order: readonly RegExp[];
  readonly truth: TruthValue;
  /** The width of code where an alignment is filled with instructions. */
  readonly bits: 16 | 32 | 64;
  readonly complain: (complaint: Complaint) => void;
}

/** The limit of passes: sizes must be final by then. */
const PASSES = 200;

class Layout {
  readonly #program: Program;
  readonly #options: LayoutOptions;
  readonly sections: readonly Section[];
  /** Names that are being evaluated: a symbol may be defined by others, but not by itself. */
  readonly #open = new Set<string>();

  constructor(program: Program, options: LayoutOptions) {
    this.#program = program;
    this.#options = options;
    const all = [...program.sections.values()];
    const place = (section: Section) => {
      const n = options.order.findIndex((pattern) => pattern.test(section.name));
      return n < 0 ? options.order.length : n;
    };
    this.sections = all.sort((a, b) => Number(a.empty) - Number(b.empty) || place(a) - place(b));
  }

  #address(symbol: AsmSymbol): Value | undefined {
    const { label, value, expression, name } = symbol;
    if (label !== undefined) return { number: label.piece.address + BigInt(label.at), section: undefined };
    if (value !== undefined) return value;
    if (expression === undefined) return undefined;
    if (this.#open.has(name)) throw new ExpressionError(`'${name}' is defined by itself`);
    this.#open.add(name);
    try {
      return evaluate(
        expression.value,
        this.scope(expression.here.piece, expression.here.at),
        this.#options.truth,
      );
    } finally {
      this.#open.delete(name);
    }
  }

  /** The current values of names, for a position. */
  scope(piece: Piece, at: number): Scope {
    return {
      symbol: (name) => {
        const symbol = this.#program.symbols.get(name);
        return symbol === undefined ? undefined : this.#address(symbol);
      },
      here: (what) => ({
        number: what === 'section' ? piece.section.address : piece.address + BigInt(at),
        section: undefined,
      }),
    };
  }

  /** @throws SourceError where a name has no value */
  value(expression: Expression, piece: Piece, at: number): bigint {
    try {
      const value = evaluate(expression, this.scope(piece, at), this.#options.truth);
      if (value !== undefined) return value.number;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new SourceError(error.message);
    }
    const missing = this.#missing(expression);
    throw new SourceError(`'${missing}' is not defined`, -1, 'a label or a .set of that name is missing');
  }

  #missing(expression: Expression): string {
    if (expression.kind === 'symbol') {
      const { label, value, expression: set } = this.#program.symbols.get(expression.name) ?? {};
      return label === undefined && value === undefined
        ? set === undefined
          ? expression.name
          : this.#missing(set.value)
        : '';
    }
    if (expression.kind === 'unary') return this.#missing(expression.of);
    if (expression.kind === 'binary')
      return this.#missing(expression.left) || this.#missing(expression.right);
    return '';
  }

  /** How many bytes a stretch takes at its piece's current address. */
  #stretch(piece: Piece): number {
    const { stretch } = piece;
    if (stretch === undefined) return 0;
    const end = piece.address + BigInt(piece.bytes.length);
    switch (stretch.kind) {
      case 'branch':
        return stretch.forms[stretch.chosen]!.bytes.length;
      case 'instruction':
        return stretch.made?.bytes.length ?? 0;
      case 'align': {
        const rest = (stretch.to - (end % stretch.to)) % stretch.to;
        return stretch.atMost !== undefined && rest > stretch.atMost ? 0 : Number(rest);
      }
      case 'org': {
        const to = this.value(stretch.to, piece, piece.bytes.length);
        const target = stretch.from === 'section' ? piece.section.address + to : to;
        if (target < end) {
          const [wanted, reached] = [target, end].map(
            (one) => `0x${(one - piece.section.address).toString(16)}`,
          );
          throw new SourceError(`.org goes back to ${wanted}, and there are ${reached} bytes already`);
        }
        return this.#bounded(target - end);
      }
      case 'space':
        return this.#bounded(this.value(stretch.count, piece, piece.bytes.length)) * stretch.fill.length;
    }
  }

  #bounded(count: bigint): number {
    if (count < 0n) throw new SourceError(`a negative number of bytes: ${count}`);
    if (count > LARGEST_PROGRAM) throw new ProgramTooLarge(`${count} bytes are more than a program has`);
    return Number(count);
  }

  /** Makes a branch longer that does not reach, and an instruction whose numbers have become larger. @returns true if so */
  #grow(piece: Piece): boolean {
    const { stretch } = piece;
    if (stretch?.kind === 'instruction') {
      const made = stretch.encode();
      const before = stretch.made?.bytes.length ?? -1;
      // A long form stays long, so that sizes converge.
      if (made.bytes.length >= before) stretch.made = made;
      return made.bytes.length > before;
    }
    if (stretch?.kind !== 'branch') return false;
    const { forms, target, chosen } = stretch;
    const form = forms[chosen]!;
    const [fixup] = form.fixups;
    if (chosen === forms.length - 1 || fixup === undefined) return false;
    const end = piece.address + BigInt(piece.bytes.length + form.bytes.length);
    const distance = this.value(target, piece, piece.bytes.length) - end;
    if (BigInt.asIntN(fixup.size * 8, distance) === distance) return false;
    stretch.chosen++;
    return true;
  }

  /** Gives every piece its address with the current sizes. @returns true if a piece moved */
  #place(): boolean {
    let moved = false;
    let address = this.#options.base;
    for (const section of this.sections) {
      address += (section.align - (address % section.align)) % section.align;
      section.address = address;
      for (const piece of section.pieces) {
        moved ||= piece.address !== address;
        piece.address = address;
        const stretched = this.#safely(piece.stretchOrigin, () => this.#stretch(piece)) ?? 0;
        moved ||= stretched !== piece.stretched;
        piece.stretched = stretched;
        address += BigInt(piece.bytes.length + stretched);
      }
      section.size = address - section.address;
      if (section.size > LARGEST_PROGRAM)
        throw new ProgramTooLarge(`${section.name} has ${section.size} bytes`);
    }
    return moved;
  }

  /**
   * Branches begin short. Each round checks all of them with the same addresses, and a branch that has grown stays long: so each is as
   * short as possible, and the rounds end.
   */
  settle(): void {
    const changing = this.sections.flatMap(({ pieces }) =>
      pieces.filter(({ stretch }) => stretch?.kind === 'branch' || stretch?.kind === 'instruction'),
    );
    for (let grown = true; grown; ) {
      for (let pass = 0; this.#place(); pass++) {
        if (pass > PASSES) throw new SourceError('sizes and addresses depend on each other without end');
      }
      grown = false;
      for (const piece of changing) {
        if (this.#safely(piece.stretchOrigin, () => this.#grow(piece)) === true) grown = true;
      }
    }
  }

  /** Each error is reported once, though each pass finds it again. */
  readonly #said = new Set<string>();

  #safely<T>(origin: Origin | undefined, what: () => T): T | undefined {
    try {
      return what();
    } catch (error) {
      const known = error instanceof SourceError || error instanceof EncodeError;
      if (!known || origin === undefined) throw error;
      const key = `${origin.file}:${origin.line}:${error.message}`;
      if (!this.#said.has(key)) {
        this.#said.add(key);
        this.#options.complain({ origin, column: 1, message: error.message, hint: error.hint });
      }
      return undefined;
    }
  }

  /** The bytes of a section. */
  bytes(section: Section): Uint8Array {
    const all = new Uint8Array(section.empty ? 0 : Number(section.size));
    if (section.empty) return all;
    for (const piece of section.pieces) {
      const at = Number(piece.address - section.address);
      all.set(piece.bytes.all, at);
      for (const pending of piece.pending) this.#put(all, at, pending, piece);
      this.#fill(all, at + piece.bytes.length, piece);
    }
    return all;
  }

  #fill(all: Uint8Array, at: number, piece: Piece): void {
    const { stretch, stretched, stretchOrigin } = piece;
    if (stretch === undefined || stretchOrigin === undefined) return;
    switch (stretch.kind) {
      case 'branch':
        this.#encoded(all, at, stretch.forms[stretch.chosen]!, piece, stretchOrigin);
        return;
      case 'instruction':
        if (stretch.made !== undefined) this.#encoded(all, at, stretch.made, piece, stretchOrigin);
        return;
      case 'align':
        if (typeof stretch.fill !== 'number') all.set(nops(stretched, stretch.fill.nops), at);
        else all.fill(stretch.fill, at, at + stretched);
        return;
      case 'org':
        all.fill(stretch.fill, at, at + stretched);
        return;
      case 'space':
        for (let n = 0; n < stretched; n += stretch.fill.length) all.set(stretch.fill, at + n);
    }
  }

  #encoded(all: Uint8Array, at: number, { bytes, fixups }: Encoded, piece: Piece, origin: Origin): void {
    all.set(bytes, at);
    const start = piece.bytes.length;
    const base = at - start;
    for (const fixup of fixups) {
      const from = fixup.relative ? start + bytes.length : undefined;
      const { size, value, signed } = fixup;
      this.#put(all, base, { at: start + fixup.at, size, value, from, signed, origin, here: start }, piece);
    }
  }

  /** Writes a number. */
  #put(
    all: Uint8Array,
    base: number,
    { at, size, value, from, signed, origin, here }: Pending,
    piece: Piece,
  ): void {
    const found = this.#safely(origin, () => {
      const worth = this.value(value, piece, here);
      const result = from === undefined ? worth : worth - (piece.address + BigInt(from));
      const bits = size * 8;
      const fits =
        BigInt.asIntN(bits, result) === result ||
        (!signed && from === undefined && BigInt.asUintN(bits, result) === result);
      // Offsets of 16 and 32 bits wrap where code does.
      const wraps =
        signed &&
        from === undefined &&
        bits < 64 &&
        BigInt.asUintN(bits, result) === result &&
        this.#options.bits !== 64;
      const near = from !== undefined && size * 8 >= 16 && this.#options.bits !== 64;
      if (!fits && !wraps && !near) {
        throw new SourceError(
          from === undefined
            ? `${result} does not fit into ${size === 1 ? 'a byte' : `${size} bytes`}`
            : `${worth} is ${result} bytes away: too far for a branch of ${bits} bits`,
        );
      }
      return result;
    });
    if (found === undefined) return;
    for (let n = 0; n < size; n++) all[base + at + n] = Number((found >> BigInt(8 * n)) & 0xffn);
  }

  /** The value of each name. */
  symbols(): Map<string, bigint> {
    const values = new Map<string, bigint>();
    for (const symbol of this.#program.symbols.values()) {
      const value = this.#safely(symbol.origin, () => {
        try {
          return this.#address(symbol);
        } catch (error) {
          if (error instanceof ExpressionError) throw new SourceError(error.message);
          throw error;
        }
      });
      if (value !== undefined) values.set(symbol.name, value.number);
    }
    return values;
  }
}

/** A section with its address and bytes. */
export interface Placed {
  readonly name: string;
  readonly address: bigint;
  /** In memory, in bytes. */
  readonly size: bigint;
  /** Empty for `.bss`. */
  readonly bytes: Uint8Array;
}

/** Which line the code at an address comes from. */
export interface PlacedLine {
  readonly address: bigint;
  readonly origin: Origin;
}

export interface Laid {
  readonly sections: readonly Placed[];
  readonly symbols: ReadonlyMap<string, bigint>;
  /** By address. */
  readonly lines: readonly PlacedLine[];
}

/** Lays a program out. `complain` gets the errors. */
export function layOut(program: Program, options: LayoutOptions): Laid {
  const layout = new Layout(program, options);
  layout.settle();
  const sections = layout.sections.map((section) => ({
    name: section.name,
    address: section.address,
    size: section.size,
    bytes: layout.bytes(section),
  }));
  const lines = layout.sections.flatMap(({ pieces }) =>
    pieces.flatMap(({ address, lines: found }) =>
      found.map(({ at, origin }) => ({ address: address + BigInt(at), origin })),
    ),
  );
  return { sections, symbols: layout.symbols(), lines };
}
