/**
 * Values of C in a stopped guest: their locations, and the steps from one to the next.
 *
 * @module
 */
import { bareType, type CType, type Member, sizeOfType } from '../../symbols/index.js';
import { littleEndian } from '../code.js';
import { DebugError } from '../errors.js';
import type { Location, Machine } from './location.js';
import { typeName } from './type-names.js';

/** A value, or its location. */
export interface CValue {
  type: CType;
  location: Location;
  /** Of a bit field: its place from the beginning of `location`. */
  bits?: { size: number; first: number };
}

/** Reads the guest. */
export interface Reader extends Pick<Machine, 'word' | 'read'> {
  /** A register as it is in the function; XMM registers as well. */
  whole(name: string): bigint | undefined;
  /** The definition of a type of which only a declaration was found. */
  complete(type: CType): CType;
}

/** The largest value that is read as a whole. */
const LARGEST = 1 << 16;

/** The compiler kept no location for the value. */
export class OptimizedOut extends DebugError {
  constructor() {
    super('optimized out');
  }
}

/** The bytes of a value, or this many from its start. @throws OptimizedOut, or DebugError where there is no memory */
export async function bytesOf(
  value: CValue,
  reader: Reader,
  length = sizeOfType(value.type),
): Promise<Uint8Array> {
  if (length > LARGEST)
    throw new DebugError(`${length} bytes are too many to show at once`, 'index it: a[0]');
  return bytesAt(value.location, reader, length);
}

async function bytesAt(location: Location, reader: Reader, length: number): Promise<Uint8Array> {
  switch (location.kind) {
    case 'memory': {
      const bytes = await reader.read(location.address, length);
      if (bytes.length < length)
        throw new DebugError(
          `Cannot access memory at address 0x${(location.address + BigInt(bytes.length)).toString(16)}`,
        );
      return bytes;
    }
    case 'register': {
      const value = reader.whole(location.name);
      if (value === undefined) throw new OptimizedOut();
      return littleEndianBytes(value, length);
    }
    case 'number':
      return littleEndianBytes(location.value, length);
    case 'bytes':
      return padded(location.bytes, length);
    case 'pieces': {
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const { location: piece, size } of location.pieces) {
        if (at >= length) break;
        const part = await bytesAt(piece, reader, Math.min(size, length - at));
        bytes.set(part, at);
        at += size;
      }
      if (at < length) throw new OptimizedOut();
      return bytes;
    }
    default:
      throw new OptimizedOut();
  }
}

function littleEndianBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, left = BigInt.asUintN(128, value); i < length && i < 16; i++, left >>= 8n)
    bytes[i] = Number(left & 0xffn);
  return bytes;
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes.subarray(0, length));
  return whole;
}

/** The number of a scalar: integers, pointers, enumerations and booleans as integers. */
export async function numberOf(value: CValue, reader: Reader): Promise<bigint | number> {
  const type = bareType(value.type);
  const { bits } = value;
  if (bits !== undefined) {
    const bytes = await bytesOf(value, reader, Math.ceil((bits.first + bits.size) / 8));
    const raw = littleEndian(bytes, 0, bytes.length) >> BigInt(bits.first);
    return isSigned(type) ? BigInt.asIntN(bits.size, raw) : BigInt.asUintN(bits.size, raw);
  }
  if (type.kind === 'function' || type.kind === 'array') {
    if (value.location.kind !== 'memory') throw new DebugError('this array has no address');
    return value.location.address;
  }
  if (type.kind === 'structure' || type.kind === 'void')
    throw new DebugError(`a value of type ${typeName(value.type)} is no number`);
  return decode(await bytesOf(value, reader), type);
}

/** A scalar's number by its bytes. */
export function decode(bytes: Uint8Array, type: CType): bigint | number {
  if (type.kind === 'base' && type.encoding === 'float') return float(bytes);
  const raw = littleEndian(bytes, 0, bytes.length);
  return isSigned(type) ? BigInt.asIntN(bytes.length * 8, raw) : raw;
}

function float(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, true);
  if (bytes.length === 8) return view.getFloat64(0, true);
  if (bytes.length < 10) return Number.NaN;
  // The x87's 80 bits: a mantissa with its first bit, an exponent, a sign (SDM 1 4.2.2).
  const power = (view.getUint16(8, true) & 0x7fff) - 16_383 - 63;
  const sign = view.getUint8(9) & 0x80 ? -1 : 1;
  return sign * Number(view.getBigUint64(0, true)) * 2 ** power;
}

export function isSigned(type: CType): boolean {
  if (type.kind === 'enumeration') return type.signed;
  return type.kind === 'base' && (type.encoding === 'signed' || type.encoding === 'character');
}

/** The object that a pointer points to; the first element of an array. */
export async function pointedBy(value: CValue, reader: Reader): Promise<CValue> {
  const type = bareType(value.type);
  if (type.kind === 'array') return { type: type.of, location: value.location };
  if (type.kind === 'function') return value;
  if (type.kind !== 'pointer')
    throw new DebugError(`${typeName(value.type)} is no pointer`, 'cast it: *(int *) 0x1000');
  if (value.location.kind === 'nothing to point to') throw new OptimizedOut();
  if (bareType(type.to).kind === 'void')
    throw new DebugError('a void pointer has no type to point to', 'cast it: *(int *) p');
  const address = (await numberOf(value, reader)) as bigint;
  return { type: reader.complete(type.to), location: { kind: 'memory', address } };
}

/** A member of a structure, also of its members without names. @throws DebugError where there is none */
export function memberOf(value: CValue, name: string, reader: Reader): CValue {
  const type = reader.complete(bareType(value.type));
  if (type.kind !== 'structure')
    throw new DebugError(`${typeName(value.type)} has no members`, `so there is no .${name} in it`);
  const found = findMember(type, name, reader, 0);
  if (found === undefined)
    throw new DebugError(
      `there is no member named ${name} in ${typeName(type)}`,
      `it has ${type.members
        .map((one) => one.name ?? '…')
        .slice(0, 20)
        .join(', ')}`,
    );
  return partOf(value, found);
}

function findMember(type: CType, name: string, reader: Reader, depth: number): Member | undefined {
  if (type.kind !== 'structure' || depth > 16) return undefined;
  for (const member of type.members) {
    if (member.name === name) return member;
    if (member.name !== undefined) continue;
    const inner = findMember(reader.complete(bareType(member.type)), name, reader, depth + 1);
    if (inner !== undefined)
      return {
        ...inner,
        offset: member.offset + inner.offset,
        ...(inner.bits && { bits: { ...inner.bits, first: member.offset * 8 + inner.bits.first } }),
      };
  }
  return undefined;
}

/** A part of a value, by its offset. */
export function partOf(
  value: CValue,
  { type, offset, bits }: Pick<Member, 'type' | 'offset' | 'bits'>,
): CValue {
  const from = bits === undefined ? offset : Math.floor(bits.first / 8);
  const location = shifted(value.location, from, bits === undefined ? sizeOfType(type) : 8);
  return { type, location, ...(bits && { bits: { size: bits.size, first: bits.first - from * 8 } }) };
}

function shifted(location: Location, offset: number, size: number): Location {
  switch (location.kind) {
    case 'memory':
      return { kind: 'memory', address: BigInt.asUintN(64, location.address + BigInt(offset)) };
    case 'bytes':
      return { kind: 'bytes', bytes: location.bytes.subarray(offset, offset + size) };
    case 'number':
      return { kind: 'bytes', bytes: littleEndianBytes(location.value, 16).subarray(offset, offset + size) };
    case 'register':
      return offset === 0 ? location : { kind: 'optimized out' };
    case 'pieces':
      return within(location.pieces, offset, size);
    default:
      return location;
  }
}

/** The pieces of `size` bytes from an offset on. */
function within(pieces: Pieces, offset: number, size: number): Location {
  const found: { location: Location; size: number }[] = [];
  let at = 0;
  for (const { location, size: length } of pieces) {
    const from = Math.max(offset, at);
    const part = Math.min(offset + size, at + length) - from;
    if (part > 0) found.push({ location: shifted(location, from - at, part), size: part });
    at += length;
  }
  const [first, ...more] = found;
  if (first === undefined) return { kind: 'optimized out' };
  return more.length === 0 && first.size >= size ? first.location : { kind: 'pieces', pieces: found };
}

type Pieces = (Location & { kind: 'pieces' })['pieces'];

/** An element of an array. */
export function elementOf(value: CValue, of: CType, index: number): CValue {
  return partOf(value, { type: of, offset: index * sizeOfType(of) });
}
