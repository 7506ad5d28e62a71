/**
 * The compiler's information about functions, variables and types: `.debug_info` of DWARF 4 and 5. Broken units, and those of other
 * versions, are ignored.
 *
 * @module
 */
import { printable } from '../printable.js';
import type { AddressRange } from '../source-lines.js';
import { locationAt, rangesOf } from './lists.js';
import { Attribute, Tag } from './names.js';
import { Units } from './read-units.js';
import type { DebugSections } from './sections.js';
import { type CType, Types } from './types.js';
import type { Entry, Unit } from './unit.js';

/** A variable or a parameter that is visible at an address. */
export interface Variable {
  name: string;
  type: CType;
  parameter: boolean;
  /** The expression of its location; its value where it is a constant; undefined where it was optimised out. */
  where: { expression: Uint8Array } | { constant: bigint | Uint8Array } | undefined;
  /** Bytes of an address. */
  word: 4 | 8;
}

/** A function whose code an address is in, or one that was inlined there. */
export interface Scope {
  name: string | undefined;
  entry: Entry;
  /** Where it begins. */
  from: bigint;
  /** For one that was inlined: where the outer function called it. */
  called?: { line: number };
  /** What its frame base is. */
  frameBase: Uint8Array | undefined;
  word: 4 | 8;
}

/** Deeper than any function. */
const DEEPEST = 64;
const MAX_VARIABLES = 1 << 10;

/** See the module's comment. */
export class DebugInfo {
  readonly #units: Units;
  readonly #types: Types;
  readonly #bias: bigint;
  #ranges: { unit: Unit; ranges: readonly AddressRange[] }[] | undefined;
  readonly #functions = new Map<Unit, { entry: Entry; ranges: readonly AddressRange[] }[]>();
  readonly #sites = new Map<Unit, Entry[]>();
  readonly #globals = new Map<Unit, ReadonlyMap<string, Entry>>();
  readonly #named = new Map<Unit, ReadonlyMap<string, Entry>>();

  /** @param bias the offset to add to the file's addresses */
  constructor(sections: DebugSections, bias = 0n) {
    this.#units = new Units(sections);
    this.#types = new Types((offset) => this.#units.entryAt(offset));
    this.#bias = bias;
  }

  /** It has no unit in a supported language. */
  get isEmpty(): boolean {
    return this.#units.list.length === 0;
  }

  /** The offset to add to addresses in expressions. */
  get bias(): bigint {
    return this.#bias;
  }

  /** The function at an address and what was inlined into it there: the innermost first. */
  scopesAt(place: bigint): Scope[] {
    const pc = place - this.#bias;
    const found = this.#functionAt(pc);
    if (found === undefined) return [];
    const scopes = [this.#scope(found)];
    let inner: Entry | undefined = found;
    for (let depth = 0; inner !== undefined && depth < DEEPEST; depth++) {
      inner = inner.children.find(
        (child) =>
          (child.tag === Tag.inlinedSubroutine || child.tag === Tag.lexicalBlock) && covers(child, pc),
      );
      if (inner?.tag === Tag.inlinedSubroutine) scopes.unshift(this.#scope(inner, scopes[0]!.frameBase));
    }
    return scopes;
  }

  /** The parameters of a function, then its variables that are visible at an address, those of the innermost block first. */
  variablesOf(scope: Scope, place: bigint): Variable[] {
    const pc = place - this.#bias;
    const blocks = [scope.entry];
    for (let depth = 0; depth < DEEPEST; depth++) {
      const inner = blocks[0]!.children.find((one) => one.tag === Tag.lexicalBlock && covers(one, pc));
      if (inner === undefined) break;
      blocks.unshift(inner);
    }
    const parameters = scope.entry.children.filter(({ tag }) => tag === Tag.formalParameter);
    const locals = blocks.flatMap(({ children }) => children.filter(({ tag }) => tag === Tag.variable));
    return [...parameters, ...locals, ...this.#lost(scope.entry)]
      .slice(0, MAX_VARIABLES)
      .flatMap((entry) => this.#variable(entry, pc) ?? []);
  }

  /**
   * The expression for a register's value at a function's start, in terms of its caller. @param returnsTo the call's return address
   * @param register an expression that names the register
   */
  valueAtCall(returnsTo: bigint, register: Uint8Array): Uint8Array | undefined {
    const pc = returnsTo - this.#bias;
    const site = this.#callSites(pc - 1n).find(
      (entry) => (entry.address(Attribute.callReturnPc) ?? entry.address(Attribute.lowPc)) === pc,
    );
    for (const one of site?.children ?? []) {
      if (one.tag !== Tag.callSiteParameter && one.tag !== Tag.oldCallSiteParameter) continue;
      const where = one.value(Attribute.location);
      if (!(where instanceof Uint8Array) || !isSame(where, register)) continue;
      const value = one.value(Attribute.callValue) ?? one.value(Attribute.oldCallValue);
      return value instanceof Uint8Array ? value : undefined;
    }
    return undefined;
  }

  /** A variable outside of functions. @param near an address whose source file is searched first */
  global(name: string, near?: bigint): Variable | undefined {
    for (const unit of this.#unitsFrom(near)) {
      const entry = this.#globalsOf(unit).get(name);
      const found = entry && this.#variable(entry, 0n);
      if (found?.where !== undefined) return found;
    }
    return undefined;
  }

  /** A type by its name: `int`, `struct node`, `node_t`. @param near as for `global` */
  type(name: string, near?: bigint): CType | undefined {
    let declared: CType | undefined;
    for (const unit of this.#unitsFrom(near)) {
      const entry = this.#namedOf(unit).get(name);
      if (entry === undefined) continue;
      const type = this.#types.typeAt(entry);
      if (type.kind !== 'structure' || !type.declared) return type;
      declared ??= type;
    }
    return declared;
  }

  /** The definition of a structure that is only declared where it was met. */
  complete(type: CType, near?: bigint): CType {
    if (type.kind !== 'structure' || !type.declared || type.name === undefined) return type;
    return this.type(`${type.word} ${type.name}`, near) ?? type;
  }

  /** A function by its name: its type and its address. */
  function(name: string, near?: bigint): { type: CType; from: bigint } | undefined {
    for (const unit of this.#unitsFrom(near)) {
      const found = this.#functionsOf(unit).find(({ entry }) => this.#nameOf(entry) === name);
      if (found === undefined) continue;
      return {
        type: this.#types.typeAt(this.#origin(found.entry)),
        from: (found.entry.address(Attribute.lowPc) ?? found.ranges[0]!.from) + this.#bias,
      };
    }
    return undefined;
  }

  #unitAt(pc: bigint): Unit | undefined {
    this.#ranges ??= this.#units.list.map((unit) => ({ unit, ranges: rangesOf(unit.root) }));
    return this.#ranges.find(({ ranges }) => inside(ranges, pc))?.unit;
  }

  *#unitsFrom(near: bigint | undefined): Generator<Unit> {
    const first = near === undefined ? undefined : this.#unitAt(near - this.#bias);
    if (first !== undefined) yield first;
    for (const unit of this.#units.list) if (unit !== first) yield unit;
  }

  #functionAt(pc: bigint): Entry | undefined {
    const unit = this.#unitAt(pc);
    return unit && this.#functionsOf(unit).find(({ ranges }) => inside(ranges, pc))?.entry;
  }

  #functionsOf(unit: Unit): { entry: Entry; ranges: readonly AddressRange[] }[] {
    let functions = this.#functions.get(unit);
    if (functions === undefined) {
      functions = [...this.#units.entriesOf(unit).values()]
        .filter(({ tag }) => tag === Tag.subprogram)
        .map((entry) => ({ entry, ranges: rangesOf(entry) }))
        .filter(({ ranges }) => ranges.length > 0);
      this.#functions.set(unit, functions);
    }
    return functions;
  }

  #globalsOf(unit: Unit): ReadonlyMap<string, Entry> {
    let globals = this.#globals.get(unit);
    if (globals === undefined) {
      const named = new Map<string, Entry>();
      for (const entry of this.#units.entriesOf(unit).values()) {
        if (entry.tag !== Tag.variable || !isOutside(entry)) continue;
        const name = this.#nameOf(entry);
        // One that is only declared here may be defined elsewhere, and its definition may follow.
        if (name !== undefined && (!named.has(name) || entry.value(Attribute.location) !== undefined))
          named.set(name, entry);
      }
      globals = named;
      this.#globals.set(unit, globals);
    }
    return globals;
  }

  #namedOf(unit: Unit): ReadonlyMap<string, Entry> {
    let named = this.#named.get(unit);
    if (named === undefined) {
      const made = new Map<string, Entry>();
      const alone = plainNames.has(unit.root.number(Attribute.language));
      for (const entry of this.#units.entriesOf(unit).values()) {
        const prefix = prefixes[entry.tag];
        const { name } = entry;
        if (prefix === undefined || !name) continue;
        for (const key of [`${prefix}${name}`, ...(alone ? [name] : [])]) {
          const before = made.get(key);
          if (before === undefined || before.flag(Attribute.declaration)) made.set(key, entry);
        }
      }
      named = made;
      this.#named.set(unit, named);
    }
    return named;
  }

  #callSites(pc: bigint): Entry[] {
    const unit = this.#unitAt(pc);
    if (unit === undefined) return [];
    let sites = this.#sites.get(unit);
    if (sites === undefined) {
      sites = [...this.#units.entriesOf(unit).values()].filter(
        ({ tag }) => tag === Tag.callSite || tag === Tag.oldCallSite,
      );
      this.#sites.set(unit, sites);
    }
    return sites;
  }

  /** Declarations of an inlined or copied function that the copy lacks. */
  #lost(entry: Entry): Entry[] {
    const origin = this.#origin(entry);
    if (origin === entry) return [];
    const kept = new Set(entry.children.map((child) => this.#types.follow(child, Attribute.abstractOrigin)));
    return origin.children.filter(
      (child) => (child.tag === Tag.formalParameter || child.tag === Tag.variable) && !kept.has(child),
    );
  }

  #scope(entry: Entry, outer?: Uint8Array): Scope {
    const name = this.#nameOf(entry);
    const line = Number(entry.number(Attribute.callLine) ?? 0n);
    const base = entry.value(Attribute.frameBase);
    const [first] = rangesOf(entry);
    return {
      name,
      entry,
      from: (entry.address(Attribute.lowPc) ?? first?.from ?? 0n) + this.#bias,
      ...(entry.tag === Tag.inlinedSubroutine && { called: { line } }),
      frameBase: base instanceof Uint8Array ? base : outer,
      word: entry.unit.addressSize,
    };
  }

  #variable(entry: Entry, pc: bigint): Variable | undefined {
    const origin = this.#origin(entry);
    const name = this.#nameOf(entry);
    if (name === undefined) return undefined;
    const own = entry.value(Attribute.location) === undefined ? origin : entry;
    const expression = locationAt(own, pc);
    const constant = entry.value(Attribute.constValue) ?? origin.value(Attribute.constValue);
    const isConstant = typeof constant === 'bigint' || constant instanceof Uint8Array;
    // An external variable of another file that a block names.
    if (origin.flag(Attribute.declaration) && expression === undefined && !isConstant) return undefined;
    return {
      name,
      type: this.#types.typeOf(entry.value(Attribute.type) === undefined ? origin : entry),
      parameter: entry.tag === Tag.formalParameter,
      where: expression ? { expression } : isConstant ? { constant } : undefined,
      word: entry.unit.addressSize,
    };
  }

  /** The entry of the function of which this is an inlined or out-of-line copy. */
  #origin(entry: Entry): Entry {
    let found = entry;
    for (let depth = 0; depth < DEEPEST; depth++) {
      const next =
        this.#types.follow(found, Attribute.abstractOrigin) ??
        this.#types.follow(found, Attribute.specification);
      if (next === undefined) return found;
      found = next;
    }
    return found;
  }

  #nameOf(entry: Entry): string | undefined {
    const name = entry.name ?? this.#origin(entry).name;
    return name === undefined || name === '' ? undefined : printable(name);
  }
}

/** DW_LANG of C++ and Rust, in which the name of a structure is a type without `struct`. */
const plainNames: ReadonlySet<bigint | undefined> = new Set([0x04n, 0x1an, 0x21n, 0x2bn, 0x1cn]);
const prefixes: Readonly<Record<number, string>> = {
  [Tag.baseType]: '',
  [Tag.typedef]: '',
  [Tag.structureType]: 'struct ',
  [Tag.classType]: 'class ',
  [Tag.unionType]: 'union ',
  [Tag.enumerationType]: 'enum ',
};

const inside = (ranges: readonly AddressRange[], pc: bigint) =>
  ranges.some(({ from, to }) => pc >= from && pc < to);

const isSame = (one: Uint8Array, other: Uint8Array) =>
  one.length === other.length && one.every((byte, i) => byte === other[i]);

const covers = (entry: Entry, pc: bigint) => inside(rangesOf(entry), pc);

/** Outside of functions: in the file itself, or in a namespace. */
function isOutside({ parent }: Entry): boolean {
  return parent?.tag === Tag.compileUnit || parent?.tag === Tag.namespace || parent?.tag === Tag.partialUnit;
}
