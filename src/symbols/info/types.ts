/**
 * Types of C, and of languages with similar entries. Their content is read on demand, since types refer to each other in circles.
 *
 * @module
 */
import { printable } from '../printable.js';
import { Attribute, Encoding, Tag } from './names.js';
import type { Entry } from './unit.js';

/** A member of a structure or union. */
export interface Member {
  /** Undefined where it has none: its own members count as those of the outer one. */
  name: string | undefined;
  type: CType;
  /** Bytes from the beginning. */
  offset: number;
  /** Of a bit field: how many bits, and the first of them from the beginning of the structure. */
  bits?: { size: number; first: number };
}

interface Named {
  /** The name in the source; undefined for a type without a name. */
  name: string | undefined;
}

interface Sized {
  /** In bytes; 0 where the file does not have it. */
  size: number;
}

/** How the bytes of a base type are read. */
export type BaseEncoding = 'signed' | 'unsigned' | 'boolean' | 'character' | 'unsigned character' | 'float';

/** See the module's comment. */
export type CType =
  | { kind: 'void' }
  | ({ kind: 'base'; encoding: BaseEncoding } & Named & Sized)
  | ({ kind: 'pointer'; sign: '*' | '&' | '&&'; readonly to: CType } & Sized)
  | ({
      kind: 'structure';
      word: 'struct' | 'union' | 'class';
      readonly members: readonly Member[];
      declared: boolean;
    } & Named &
      Sized)
  // `count` is undefined where the file does not have it.
  | { kind: 'array'; readonly of: CType; count: number | undefined }
  | ({
      kind: 'enumeration';
      readonly values: readonly { name: string; value: bigint }[];
      signed: boolean;
    } & Named &
      Sized)
  | {
      kind: 'function';
      readonly returns: CType;
      readonly parameters: readonly CType[];
      variable: boolean;
      prototyped: boolean;
    }
  | { kind: 'typedef'; name: string | undefined; readonly of: CType }
  | { kind: 'qualified'; word: 'const' | 'volatile' | 'restrict' | '_Atomic'; readonly of: CType };

export const VOID: CType = { kind: 'void' };

/** More members, values, parameters and dimensions than any real type has. */
const MAX_MEMBERS = 1 << 12;
const MAX_DIMENSIONS = 16;
/** The largest accepted size. */
const MAX_SIZE = 0x7fff_ffffn;

const encodings: Readonly<Record<number, BaseEncoding>> = {
  [Encoding.boolean]: 'boolean',
  [Encoding.float]: 'float',
  [Encoding.signed]: 'signed',
  [Encoding.signedChar]: 'character',
  [Encoding.unsignedChar]: 'unsigned character',
  [Encoding.utf]: 'unsigned character',
};

/** The usual short forms of the full names that compilers write. */
const shortNames: Readonly<Record<string, string>> = {
  'short int': 'short',
  'short unsigned int': 'unsigned short',
  'long int': 'long',
  'long unsigned int': 'unsigned long',
  'long long int': 'long long',
  'long long unsigned int': 'unsigned long long',
};

const qualifiers: Readonly<Record<number, (CType & { kind: 'qualified' })['word']>> = {
  [Tag.constType]: 'const',
  [Tag.volatileType]: 'volatile',
  [Tag.restrictType]: 'restrict',
  [Tag.atomicType]: '_Atomic',
};

const structures: Readonly<Record<number, (CType & { kind: 'structure' })['word']>> = {
  [Tag.structureType]: 'struct',
  [Tag.unionType]: 'union',
  [Tag.classType]: 'class',
};

const signs: Readonly<Record<number, '*' | '&' | '&&'>> = {
  [Tag.pointerType]: '*',
  [Tag.referenceType]: '&',
  [Tag.rvalueReferenceType]: '&&',
};

/** The types of a file. */
export class Types {
  readonly #known = new Map<Entry, CType>();
  readonly #entryAt: (offset: number) => Entry | undefined;

  /** @param entryAt the entry at a place in `.debug_info` */
  constructor(entryAt: (offset: number) => Entry | undefined) {
    this.#entryAt = entryAt;
  }

  /** The entry that an attribute refers to. */
  follow(entry: Entry, attribute: number): Entry | undefined {
    const value = entry.value(attribute);
    return typeof value === 'object' && 'entry' in value ? this.#entryAt(value.entry) : undefined;
  }

  /** The type of an entry; void where it has none. */
  typeOf(entry: Entry): CType {
    const found = this.follow(entry, Attribute.type);
    return found === undefined ? VOID : this.typeAt(found);
  }

  /** The type that an entry describes. */
  typeAt(entry: Entry): CType {
    let type = this.#known.get(entry);
    if (type === undefined) {
      type = this.#make(entry);
      this.#known.set(entry, type);
    }
    return type;
  }

  #make(entry: Entry): CType {
    const { tag } = entry;
    const name = nameOf(entry);
    const size = sizeOf(entry);
    const inner = lazily(() => this.typeOf(entry));
    const sign = signs[tag];
    if (sign !== undefined)
      return lazy({ kind: 'pointer', sign, size: size || entry.unit.addressSize }, { to: inner });
    const word = structures[tag];
    if (word !== undefined)
      return lazy(
        { kind: 'structure', word, name, size, declared: entry.flag(Attribute.declaration) },
        { members: lazily(() => this.#members(entry)) },
      );
    const qualifier = qualifiers[tag];
    if (qualifier !== undefined) return lazy({ kind: 'qualified', word: qualifier }, { of: inner });
    switch (tag) {
      case Tag.baseType: {
        const encoding = encodings[Number(entry.number(Attribute.encoding) ?? 0n)] ?? 'unsigned';
        return { kind: 'base', name: name && (shortNames[name] ?? name), size, encoding };
      }
      case Tag.typedef:
        return lazy({ kind: 'typedef', name }, { of: inner });
      case Tag.arrayType:
        return this.#array(entry, inner);
      case Tag.enumerationType:
        return lazy(
          { kind: 'enumeration', name, size, signed: this.#signed(entry) },
          { values: lazily(() => valuesOf(entry)) },
        );
      case Tag.subprogram:
      case Tag.subroutineType:
        return this.#function(entry, inner);
      default:
        return VOID;
    }
  }

  #signed(entry: Entry): boolean {
    const base = this.follow(entry, Attribute.type);
    if (base !== undefined) {
      const encoding = base.number(Attribute.encoding);
      return encoding === BigInt(Encoding.signed) || encoding === BigInt(Encoding.signedChar);
    }
    return valuesOf(entry).some(({ value }) => value < 0n);
  }

  #function(entry: Entry, returns: () => CType): CType {
    const parameters = () =>
      entry.children
        .filter(({ tag }) => tag === Tag.formalParameter)
        .slice(0, MAX_MEMBERS)
        .map((one) => this.typeOf(one));
    const variable = entry.children.some(({ tag }) => tag === Tag.unspecifiedParameters);
    const prototyped = entry.flag(Attribute.prototyped) || entry.children.length > 0;
    return lazy({ kind: 'function', variable, prototyped }, { returns, parameters: lazily(parameters) });
  }

  /** An array of several dimensions is an array of arrays. */
  #array(entry: Entry, of: () => CType): CType {
    const counts = entry.children
      .filter(({ tag }) => tag === Tag.subrangeType)
      .slice(0, MAX_DIMENSIONS)
      .map(countOf);
    if (counts.length === 0) counts.push(undefined);
    let made = of;
    for (const count of counts.reverse()) {
      const inner = made;
      made = lazily(() => lazy({ kind: 'array', count }, { of: inner }));
    }
    return made();
  }

  #members(entry: Entry): Member[] {
    return entry.children
      .filter(({ tag }) => tag === Tag.member || tag === Tag.inheritance)
      .filter((one) => !one.flag(Attribute.external))
      .slice(0, MAX_MEMBERS)
      .map((one) => this.#member(one));
  }

  #member(entry: Entry): Member {
    const type = this.typeOf(entry);
    const offset = bounded(entry.number(Attribute.dataMemberLocation));
    const name = nameOf(entry);
    const size = bounded(entry.number(Attribute.bitSize));
    if (size === 0 || size > 64) return { name, type, offset };
    const plain = entry.number(Attribute.dataBitOffset);
    if (plain !== undefined) return { name, type, offset, bits: { size, first: bounded(plain) } };
    // Until DWARF 3 bits were counted from the upper end of a unit of storage.
    const above = entry.number(Attribute.bitOffset);
    if (above === undefined) return { name, type, offset, bits: { size, first: offset * 8 } };
    const storage = bounded(entry.number(Attribute.byteSize)) || sizeOfType(type);
    const first = offset * 8 + storage * 8 - bounded(above) - size;
    return { name, type, offset, bits: { size, first: Math.max(0, first) } };
  }
}

/** The size of a type in bytes; 0 where the file does not have it. */
export function sizeOfType(type: CType, depth = 0): number {
  if (depth > 64) return 0;
  switch (type.kind) {
    case 'void':
    case 'function':
      return 1;
    case 'array': {
      const size = (type.count ?? 0) * sizeOfType(type.of, depth + 1);
      return size <= Number(MAX_SIZE) ? size : 0;
    }
    case 'typedef':
    case 'qualified':
      return sizeOfType(type.of, depth + 1);
    default:
      return type.size;
  }
}

/** A type without its typedefs and qualifiers. */
export function bareType(type: CType): CType {
  let bare = type;
  // A file may make a circle of them.
  for (let depth = 0; bare.kind === 'typedef' || bare.kind === 'qualified'; depth++) {
    if (depth > 64) return VOID;
    bare = bare.of;
  }
  return bare;
}

function nameOf(entry: Entry): string | undefined {
  const { name } = entry;
  return name === undefined || name === '' ? undefined : printable(name);
}

function bounded(value: bigint | undefined): number {
  return value === undefined || value < 0n || value > MAX_SIZE ? 0 : Number(value);
}

function sizeOf(entry: Entry): number {
  return bounded(entry.number(Attribute.byteSize));
}

function countOf(entry: Entry): number | undefined {
  const count = entry.number(Attribute.count);
  if (count !== undefined) return bounded(count);
  const last = entry.number(Attribute.upperBound);
  return last === undefined ? undefined : bounded(BigInt.asIntN(64, last) + 1n);
}

function valuesOf(entry: Entry): { name: string; value: bigint }[] {
  return entry.children
    .filter(({ tag }) => tag === Tag.enumerator)
    .slice(0, MAX_MEMBERS)
    .map((one) => ({ name: nameOf(one) ?? '', value: one.number(Attribute.constValue) ?? 0n }));
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** An object with getters beside its fields. */
function lazy(fields: object, getters: Readonly<Record<string, () => unknown>>): CType {
  const made = { ...fields };
  for (const [name, get] of Object.entries(getters))
    Object.defineProperty(made, name, { get, enumerable: true });
  return made as CType;
}
