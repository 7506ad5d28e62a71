/**
 * The functions of `soft.wasm`, read back: the meaning of each operation is defined there, and nowhere else.
 *
 * @module
 */
import { TROUBLE } from '../layout.js';
import { skipImmediates } from './lengths.js';
import { type Cursor, readS32, readS64, readU32, Section, sectionsOf } from './reader.js';
import { Type } from './types.js';
import { vectorShape } from './vectors.js';

export { Type } from './types.js';

export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  /** The prefix of a SIMD instruction, which is stored as VECTOR plus its number. */
  vector: 0xfd,
  /** The prefix of a saturating conversion, which is stored as SATURATING plus its number; or of a copy. */
  saturating: 0xfc,
  /** Replaces each instruction that the translator leaves to the interpreter. */
  foreign: 0xff,
} as const;

export const VECTOR = 0x100;
export const SATURATING = 0x300;
/** Their number: the first half have 32-bit results. */
const CONVERSIONS = 8;

/** The functions that a module of translations imports, by their index. */
export const Imported = { goOn: 0, perform: 1, refill: 2, callThrough: 3, leaveAt: 4, count: 5 } as const;

/** A function's code, one element per instruction. */
export interface Code {
  params: number;
  /** Types of parameters and locals. */
  locals: number[];
  /** `Type.none` where it returns nothing. */
  result: number;
  op: Uint16Array;
  /** How many instructions it has. */
  length: number;
  /** The immediate: a local, a label's depth, an offset, a function, a constant, a block's type. */
  a: Int32Array;
  /** Of a block, the index of its end. */
  end: Int32Array;
  /** Of an `if`, the index of its `else`, or of its end. */
  other: Int32Array;
  /** True where a branch targets the block. */
  target: Uint8Array;
  wide: bigint[];
  /** Immediates that are bytes. */
  raw: Uint8Array[];
  /** Locals that may be read before they are written: then their value is 0. */
  zeroed: number[];
  calls: number[];
  hasLoop: boolean;
  /** How often each local is written. */
  writes: Uint16Array;
  /** It reads or writes the word for that. */
  failsItself: boolean;
}

interface Signature {
  params: number[];
  result: number;
}

/** The module's functions, each decoded on first use. */
export class ProgramCode {
  readonly #bytes: Uint8Array;
  readonly #types: Signature[];
  readonly #imported: number;
  readonly #typeOf: number[];
  readonly #bodies: { start: number; end: number }[];
  readonly #codes = new Map<number, Code>();
  readonly #reaches = new Map<number, boolean>();
  readonly #fails = new Map<number, boolean>();
  /** The functions of the table from `FIRST_HANDLER` on. */
  readonly handlers: number[];
  /** Indexes of exported functions. */
  readonly exported: Map<string, number>;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const sections = sectionsOf(bytes);
    const open = (id: number): Cursor => ({ bytes, at: sections.get(id)! });
    this.#types = readTypes(open(Section.type));
    this.#imported = countImportedFunctions(open(Section.import));
    this.#typeOf = readNumbers(open(Section.function));
    this.#bodies = readBodies(open(Section.code));
    this.handlers = readTable(open(Section.element));
    this.exported = readExports(open(Section.export));
  }

  /** A function by its index; undefined for an imported one. */
  code(index: number): Code | undefined {
    const own = index - this.#imported;
    if (own < 0) return undefined;
    let code = this.#codes.get(index);
    if (code === undefined) {
      code = decodeBody(this.#bytes, this.#bodies[own]!, this.#types[this.#typeOf[own]!]!);
      this.#codes.set(index, code);
    }
    return code;
  }

  /** True if the function may find that its instruction cannot continue. `refill` only queries. */
  mayFail(index: number): boolean {
    if (index === this.exported.get('refill')) return false;
    const known = this.#fails.get(index);
    if (known !== undefined) return known;
    this.#fails.set(index, false);
    const code = this.code(index);
    const fails = code === undefined || code.failsItself || code.calls.some((called) => this.mayFail(called));
    this.#fails.set(index, fails);
    return fails;
  }

  /** True if the function calls `goal`, directly or not. */
  reaches(index: number, goal: number): boolean {
    if (index === goal) return true;
    const known = this.#reaches.get(index);
    if (known !== undefined) return known;
    this.#reaches.set(index, false);
    const found = this.code(index)?.calls.some((called) => this.reaches(called, goal)) ?? false;
    this.#reaches.set(index, found);
    return found;
  }
}

function readTypes(cursor: Cursor): Signature[] {
  const list = () => Array.from({ length: readU32(cursor) }, () => cursor.bytes[cursor.at++]!);
  return Array.from({ length: readU32(cursor) }, () => {
    if (cursor.bytes[cursor.at++] !== 0x60) throw new Error('a type of soft.wasm is no function type');
    const params = list();
    return { params, result: list()[0] ?? Type.none };
  });
}

function countImportedFunctions(cursor: Cursor): number {
  let functions = 0;
  for (let left = readU32(cursor); left > 0; left--) {
    for (let name = 0; name < 2; name++) {
      const length = readU32(cursor);
      cursor.at += length;
    }
    const kind = cursor.bytes[cursor.at++];
    if (kind === 0) {
      functions++;
      readU32(cursor);
    } else if (kind === 2) {
      const limits = cursor.bytes[cursor.at++]!;
      readU32(cursor);
      if ((limits & 1) === 1) readU32(cursor);
    } else throw new Error(`soft.wasm imports something of kind ${kind}`);
  }
  return functions;
}

function readNumbers(cursor: Cursor): number[] {
  return Array.from({ length: readU32(cursor) }, () => readU32(cursor));
}

function readBodies(cursor: Cursor): { start: number; end: number }[] {
  return Array.from({ length: readU32(cursor) }, () => {
    const size = readU32(cursor);
    const start = cursor.at;
    cursor.at += size;
    return { start, end: cursor.at };
  });
}

/** The single element segment, at a constant place. */
function readTable(cursor: Cursor): number[] {
  const segments = readU32(cursor);
  const kind = readU32(cursor);
  cursor.at++;
  readS32(cursor);
  cursor.at++;
  if (segments !== 1 || kind !== 0) throw new Error('the table of soft.wasm has no single plain segment');
  return readNumbers(cursor);
}

function readExports(cursor: Cursor): Map<string, number> {
  const found = new Map<string, number>();
  for (let left = readU32(cursor); left > 0; left--) {
    const length = readU32(cursor);
    const name = String.fromCharCode(...cursor.bytes.subarray(cursor.at, cursor.at + length));
    cursor.at += length;
    const kind = cursor.bytes[cursor.at++];
    const index = readU32(cursor);
    if (kind === 0) found.set(name, index);
  }
  return found;
}

/** Decodes instructions up to the body's end. Unknown instructions become `Op.foreign`. */
function decodeBody(
  bytes: Uint8Array,
  body: { start: number; end: number },
  { params, result }: Signature,
): Code {
  const cursor: Cursor = { bytes, at: body.start };
  const locals = [...params];
  for (let groups = readU32(cursor); groups > 0; groups--) {
    const count = readU32(cursor);
    const type = bytes[cursor.at++]!;
    for (let n = 0; n < count; n++) locals.push(type);
  }
  const size = body.end - cursor.at;
  const code: Code = {
    params: params.length,
    locals,
    result,
    op: new Uint16Array(size),
    length: 0,
    a: new Int32Array(size),
    end: new Int32Array(size),
    other: new Int32Array(size),
    target: new Uint8Array(size),
    wide: [],
    raw: [],
    zeroed: [],
    calls: [],
    hasLoop: false,
    writes: new Uint16Array(locals.length),
    failsItself: false,
  };
  const open: number[] = [];
  const seen = new Uint8Array(locals.length);
  const zeroed = new Set<number>();
  let at = 0;
  for (; cursor.at < body.end; at++) {
    const opcode = bytes[cursor.at++]!;
    code.op[at] = opcode;
    if (opcode >= 0x45 && opcode <= 0xc4) continue;
    if (opcode >= 0x28 && opcode <= 0x3e) {
      readU32(cursor);
      code.a[at] = readU32(cursor);
      continue;
    }
    switch (opcode) {
      case Op.loop:
      case Op.block:
      case Op.if:
        if (opcode === Op.loop) code.hasLoop = true;
        code.a[at] = bytes[cursor.at++]!;
        open.push(at);
        break;
      case Op.else:
        code.other[open.at(-1)!] = at;
        break;
      case Op.end: {
        const begin = open.pop();
        if (begin === undefined) break;
        code.end[begin] = at;
        if (code.other[begin] === 0) code.other[begin] = at;
        else code.end[code.other[begin]!] = at;
        break;
      }
      case Op.br:
      case Op.brIf: {
        const depth = readU32(cursor);
        code.a[at] = depth;
        const block = open[open.length - 1 - depth];
        if (block !== undefined) code.target[block] = 1;
        break;
      }
      case Op.call: {
        const called = readU32(cursor);
        code.a[at] = called;
        code.calls.push(called);
        break;
      }
      case Op.localGet:
      case Op.localSet:
      case Op.localTee: {
        const local = readU32(cursor);
        code.a[at] = local;
        if (opcode !== Op.localGet) code.writes[local]!++;
        if (seen[local] === 0 && (opcode === Op.localGet || open.length > 0)) zeroed.add(local);
        seen[local] = 1;
        break;
      }
      case Op.i32Const:
        code.a[at] = readS32(cursor);
        if (code.a[at] === TROUBLE) code.failsItself = true;
        break;
      case Op.i64Const:
        code.a[at] = code.wide.push(readS64(cursor)) - 1;
        break;
      case Op.f32Const:
      case Op.f64Const: {
        const length = opcode === Op.f32Const ? 4 : 8;
        code.a[at] = code.raw.push(bytes.slice(cursor.at, cursor.at + length)) - 1;
        cursor.at += length;
        break;
      }
      case Op.vector:
        decodeVector(cursor, code, at);
        break;
      case Op.saturating: {
        const start = cursor.at;
        const number = readU32(cursor);
        code.op[at] = number < CONVERSIONS ? SATURATING + number : Op.foreign;
        if (number >= CONVERSIONS) {
          cursor.at = start;
          skipImmediates(cursor, opcode);
        }
        break;
      }
      case Op.unreachable:
      case Op.nop:
      case Op.return:
      case Op.drop:
      case Op.select:
        break;
      default:
        code.op[at] = Op.foreign;
        skipImmediates(cursor, opcode);
    }
  }
  code.length = at;
  code.zeroed = [...zeroed].filter((local) => local >= params.length);
  return code;
}

/** The immediates of a SIMD instruction: offset or lane in `a`, a lane besides an offset in `other`, bytes in `raw`. */
function decodeVector(cursor: Cursor, code: Code, at: number): void {
  const number = readU32(cursor);
  const { immediate } = vectorShape(number);
  code.op[at] = VECTOR + number;
  if (immediate === 'bytes') {
    code.a[at] = code.raw.push(cursor.bytes.slice(cursor.at, cursor.at + 16)) - 1;
    cursor.at += 16;
  } else if (immediate === 'lane') code.a[at] = cursor.bytes[cursor.at++]!;
  else if (immediate !== 'none') {
    readU32(cursor);
    code.a[at] = readU32(cursor);
    if (immediate === 'memory and lane') code.other[at] = cursor.bytes[cursor.at++]!;
  }
}
