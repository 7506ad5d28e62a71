/**
 * A translated function's body as lines of WebAssembly's text format, without its parentheses: one instruction per
 * line, indented by its enclosing blocks. Locals and functions have the translator's names.
 *
 * @module
 */
import { LOCAL_OF_PLACE, Local, places } from '../locals.js';
import { Imported, Op } from '../program.js';
import { type Cursor, readS32, readS64, readU32 } from '../reader.js';
import { Type } from '../types.js';
import { vectorShape } from '../vectors.js';
import { plainNames, prefixedNames, vectorNames } from './mnemonics.js';

/** An instruction, and the offset of its bytes in the body. */
export interface WatLine {
  readonly at: number;
  readonly text: string;
}

const REGISTERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');
const FLAGS = ['flagKind', 'flagCarry', 'flagA', 'flagB', 'flagResult'];
const placeNames = [...REGISTERS, ...FLAGS];

const localNames: readonly string[] = [
  ...Object.entries(Local)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name),
  ...placeNames.slice(0, places.length),
];
const functionNames = Object.entries(Imported).filter(([name]) => name !== 'count');

const typeNames = new Map<number, string>(Object.entries(Type).map(([name, type]) => [type, name]));

const localName = (n: number) => `$${localNames[n] ?? `t${n - LOCAL_OF_PLACE - places.length}`}`;
const functionName = (n: number) => `$${functionNames.find(([, index]) => index === n)?.[0] ?? n}`;

/** A number that is probably an address or a mask is hexadecimal. */
function numberText(value: bigint): string {
  if (value > -1024n && value < 1024n) return String(value);
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** The lines of a body, which begins with the declarations of its locals. */
export function watOf(body: Uint8Array): WatLine[] {
  const cursor: Cursor = { bytes: body, at: 0 };
  for (let runs = readU32(cursor); runs > 0; runs--) {
    readU32(cursor);
    cursor.at++;
  }
  const lines: WatLine[] = [];
  let depth = 0;
  while (cursor.at < body.length) {
    const { at } = cursor;
    const opcode = body[cursor.at++]!;
    const text = textOf(cursor, opcode);
    if (opcode === Op.end || opcode === Op.else) depth--;
    lines.push({ at, text: `${'  '.repeat(Math.max(0, depth))}${text}` });
    if (opcode === Op.block || opcode === Op.loop || opcode === Op.if || opcode === Op.else) depth++;
  }
  return lines;
}

function textOf(cursor: Cursor, opcode: number): string {
  if (opcode === Op.vector) return vectorText(cursor);
  if (opcode === Op.saturating) {
    const number = readU32(cursor);
    if (number > 7) cursor.at += number === 10 ? 2 : 1;
    return prefixedNames[number] ?? `fc ${number}`;
  }
  const name = plainNames[opcode] ?? `0x${opcode.toString(16)}`;
  switch (opcode) {
    case Op.block:
    case Op.loop:
    case Op.if: {
      const type = cursor.bytes[cursor.at++]!;
      return type === Type.none ? name : `${name} (result ${typeNames.get(type) ?? type})`;
    }
    case Op.br:
    case Op.brIf:
      return `${name} ${readU32(cursor)}`;
    case Op.call:
      return `${name} ${functionName(readU32(cursor))}`;
    case Op.localGet:
    case Op.localSet:
    case Op.localTee:
      return `${name} ${localName(readU32(cursor))}`;
    case Op.i32Const:
      return `${name} ${numberText(BigInt(readS32(cursor)))}`;
    case Op.i64Const:
      return `${name} ${numberText(readS64(cursor))}`;
    case Op.f32Const:
    case Op.f64Const: {
      const bytes = opcode === Op.f32Const ? 4 : 8;
      const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + cursor.at, bytes);
      cursor.at += bytes;
      return `${name} ${bytes === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)}`;
    }
  }
  // Loads and stores.
  if (opcode >= 0x28 && opcode <= 0x3e) return `${name}${offsetText(cursor)}`;
  return name;
}

/** An alignment, which our own code leaves at 0, and an offset. */
function offsetText(cursor: Cursor): string {
  readU32(cursor);
  const offset = readU32(cursor);
  return offset === 0 ? '' : ` offset=${numberText(BigInt(offset))}`;
}

function vectorText(cursor: Cursor): string {
  const number = readU32(cursor);
  const name = vectorNames[number] ?? `fd ${number}`;
  const { immediate } = vectorShape(number);
  const bytes = (count: number) => {
    cursor.at += count;
    return [...cursor.bytes.subarray(cursor.at - count, cursor.at)].join(' ');
  };
  switch (immediate) {
    case 'memory':
      return `${name}${offsetText(cursor)}`;
    case 'memory and lane':
      return `${name}${offsetText(cursor)} ${bytes(1)}`;
    case 'lane':
      return `${name} ${bytes(1)}`;
    case 'bytes':
      return number === 12 ? `${name} i8x16 ${bytes(16)}` : `${name} ${bytes(16)}`;
    case 'none':
      return name;
  }
}
