/**
 * BTF, a compact description of a kernel's types that stock kernels have in memory (`Documentation/bpf/btf.rst`).
 *
 * @module
 */
import { stringAt } from '../../symbols/index.js';

const MAGIC = 0xeb9f;
const MOST_TYPES = 1 << 20;
/** Structures in structures, and names of names. */
const DEEPEST = 16;

/** The kinds of types, by their numbers. */
const Kind = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  variable: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Where a member is in its structure. */
export interface Field {
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
  /** Of a bit field: its first bit in the byte at `offset`, and how many. */
  readonly bits?: { readonly first: number; readonly count: number };
}

interface Found {
  /** In bits, from the structure's beginning. */
  readonly at: number;
  readonly type: number;
  readonly bits: number;
}

/** See the module's comment. */
export class Btf {
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  /** The offset of each type; type 0 is void. */
  readonly #types: readonly number[];
  readonly #structs = new Map<string, number>();

  private constructor(view: DataView, strings: Uint8Array, types: readonly number[]) {
    this.#view = view;
    this.#strings = strings;
    this.#types = types;
    for (let id = 1; id < types.length; id++) {
      const { kind, name } = this.#type(id);
      if (kind === Kind.struct && name !== 0) {
        const text = stringAt(strings, name);
        if (!this.#structs.has(text)) this.#structs.set(text, id);
      }
    }
  }

  /** @returns undefined for bytes that are no BTF, or broken */
  static parse(bytes: Uint8Array): Btf | undefined {
    if (bytes.length < 24) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== 1) return undefined;
    const [header, typeAt, typeSize, stringAt, stringSize] = [4, 8, 12, 16, 20].map((at) =>
      view.getUint32(at, true),
    ) as [number, number, number, number, number];
    const from = header + typeAt;
    const to = from + typeSize;
    if (to > bytes.length || header + stringAt + stringSize > bytes.length) return undefined;
    const strings = bytes.subarray(header + stringAt, header + stringAt + stringSize);
    const types = [0];
    for (let at = from; at < to; ) {
      if (at + 12 > to || types.length >= MOST_TYPES) return undefined;
      const info = view.getUint32(at + 4, true);
      const extra = extraSize((info >>> 24) & 0x1f, info & 0xffff);
      if (extra === undefined || at + 12 + extra > to) return undefined;
      types.push(at);
      at += 12 + extra;
    }
    return new Btf(view, strings, types);
  }

  /** A structure's size in bytes. */
  sizeOf(struct: string): number | undefined {
    const id = this.#structs.get(struct);
    return id === undefined ? undefined : this.#type(id).size;
  }

  /** A member, such as `pid`, `se.sum_exec_runtime`, of a structure; undefined where this kernel does not have it. */
  field(struct: string, path: string): Field | undefined {
    let type = this.#structs.get(struct);
    let at = 0;
    let bits = 0;
    for (const name of path.split('.')) {
      const found = type === undefined ? undefined : this.#member(this.#bare(type), name, 0);
      if (found === undefined) return undefined;
      at += found.at;
      ({ type, bits } = found);
    }
    const size = this.#sizeOf(type!, 0);
    const first = at % 8;
    const count = bits || (first !== 0 ? 8 * size : 0);
    return { offset: (at - first) / 8, size, ...(count > 0 && { bits: { first, count } }) };
  }

  #type(id: number) {
    const at = this.#types[id]!;
    const info = this.#view.getUint32(at + 4, true);
    return {
      at,
      name: this.#view.getUint32(at, true),
      kind: (info >>> 24) & 0x1f,
      members: info & 0xffff,
      bitFields: info >>> 31 === 1,
      /** Or the type that it refers to. */
      size: this.#view.getUint32(at + 8, true),
    };
  }

  /** Without typedef, const, volatile. */
  #bare(id: number): number {
    let bare = id;
    for (let depth = 0; depth < DEEPEST && this.#has(bare); depth++) {
      const { kind, size } = this.#type(bare);
      const refers = (kind >= Kind.typedef && kind <= Kind.restrict) || kind === Kind.typeTag;
      if (!refers) return bare;
      bare = size;
    }
    return 0;
  }

  #has(id: number): boolean {
    return id > 0 && id < this.#types.length;
  }

  /** Also a member of a structure or union without a name in this one. */
  #member(id: number, name: string, depth: number): Found | undefined {
    if (!this.#has(id) || depth > DEEPEST) return undefined;
    const { at, kind, members, bitFields } = this.#type(id);
    if (kind !== Kind.struct && kind !== Kind.union) return undefined;
    for (let n = 0; n < members; n++) {
      const [nameAt, type, place] = [0, 4, 8].map((inside) =>
        this.#view.getUint32(at + 12 + 12 * n + inside, true),
      ) as [number, number, number];
      const offset = bitFields ? place & 0xff_ffff : place;
      if (nameAt === 0) {
        const found = this.#member(this.#bare(type), name, depth + 1);
        if (found !== undefined) return { ...found, at: offset + found.at };
      } else if (stringAt(this.#strings, nameAt) === name)
        return { at: offset, type, bits: bitFields ? place >>> 24 : 0 };
    }
    return undefined;
  }

  #sizeOf(id: number, depth: number): number {
    const bare = this.#bare(id);
    if (!this.#has(bare) || depth > DEEPEST) return 0;
    const { at, kind, size } = this.#type(bare);
    if (kind === Kind.ptr) return 8;
    if (kind !== Kind.array) return size;
    const [element, count] = [12, 20].map((inside) => this.#view.getUint32(at + inside, true));
    return this.#sizeOf(element!, depth + 1) * count!;
  }
}

/** How many bytes follow a type's first 12. */
function extraSize(kind: number, count: number): number | undefined {
  switch (kind) {
    case Kind.int:
    case Kind.variable:
    case Kind.declTag:
      return 4;
    case Kind.array:
      return 12;
    case Kind.struct:
    case Kind.union:
    case Kind.datasec:
    case Kind.enum64:
      return 12 * count;
    case Kind.enum:
    case Kind.funcProto:
      return 8 * count;
    case Kind.ptr:
    case Kind.fwd:
    case Kind.typedef:
    case Kind.volatile:
    case Kind.const:
    case Kind.restrict:
    case Kind.func:
    case Kind.float:
    case Kind.typeTag:
      return 0;
    default:
      return undefined;
  }
}
