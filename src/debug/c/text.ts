/**
 * Values of C as text, as gdb writes them: `{a = 1, next = 0x0}`, `"abc", '\000' <repeats 12 times>`, `(struct node *) 0x1000`.
 *
 * @module
 */
import { bareType, type CType, sizeOfType } from '../../symbols/index.js';
import { DebugError } from '../errors.js';
import { quoted } from './strings.js';
import { typeName } from './type-names.js';
import { bytesOf, type CValue, elementOf, numberOf, OptimizedOut, partOf, type Reader } from './values.js';

/** The context of texts, in addition to the memory. */
export interface Names {
  symbolAt(address: bigint): string | undefined;
}

/** Elements of an array and characters of a string that are shown; more equal ones in a row than `REPEATED` are counted. */
const MOST = 200;
const REPEATED = 10;
const DEEPEST = 20;
/** The most bytes of an array that are read, and of nested values that are shown. */
const LONGEST = 1 << 14;
const MOST_VALUES = 5000;

/** @param typed a pointer shows its type, as in gdb's `print` */
export async function valueText(value: CValue, reader: Reader, names: Names, typed = false): Promise<string> {
  return new Writer(reader, names).text(value, typed, 0);
}

class Writer {
  readonly #reader: Reader;
  readonly #names: Names;
  #left = MOST_VALUES;

  constructor(reader: Reader, names: Names) {
    this.#reader = reader;
    this.#names = names;
  }

  async text(value: CValue, typed: boolean, depth: number): Promise<string> {
    try {
      return await this.#text(value, typed, depth);
    } catch (error) {
      if (error instanceof OptimizedOut) return '<optimized out>';
      if (error instanceof DebugError) return `<error: ${error.message}>`;
      throw error;
    }
  }

  async #text(value: CValue, typed: boolean, depth: number): Promise<string> {
    if (depth > DEEPEST || this.#left-- <= 0) return '{...}';
    const type = this.#reader.complete(bareType(value.type));
    switch (type.kind) {
      case 'void':
        return 'void';
      case 'structure':
        return this.#structure({ ...value, type }, type, depth);
      case 'array':
        return this.#array(value, type, depth);
      case 'function': {
        const address = (await numberOf(value, this.#reader)) as bigint;
        return `{${typeName(value.type)}} ${this.#address(address)}`;
      }
      case 'pointer':
        return this.#pointer(value, type, typed);
      case 'enumeration':
        return enumerationText((await numberOf(value, this.#reader)) as bigint, type);
      case 'base': {
        const number = await numberOf(value, this.#reader);
        return scalarText(number, type);
      }
      default:
        return '';
    }
  }

  async #structure(value: CValue, type: CType & { kind: 'structure' }, depth: number): Promise<string> {
    if (type.declared) return '<incomplete type>';
    if (type.members.length === 0) return '{<No data fields>}';
    if (value.location.kind === 'optimized out') throw new OptimizedOut();
    const texts: string[] = [];
    for (const member of type.members.slice(0, MOST)) {
      const text = await this.text(partOf(value, member), false, depth + 1);
      texts.push(member.name === undefined ? text : `${member.name} = ${text}`);
    }
    return `{${texts.join(', ')}${type.members.length > MOST ? '...' : ''}}`;
  }

  async #array(value: CValue, type: CType & { kind: 'array' }, depth: number): Promise<string> {
    const { of, count = 0 } = type;
    const size = sizeOfType(of);
    if (isCharacter(of) && size === 1) {
      const bytes = await bytesOf(value, this.#reader, Math.min(count, MOST + 1));
      const whole = count <= MOST;
      // The final zero is not part of the text.
      const end = whole && bytes.at(-1) === 0 ? bytes.length - 1 : Math.min(bytes.length, MOST);
      return `${quoted(bytes.subarray(0, end))}${whole ? '' : '...'}`;
    }
    // An array of unknown length is shown as a pointer.
    if (count === 0 || size === 0) return this.#address((await numberOf(value, this.#reader)) as bigint);
    // Some of its elements may be optimised out.
    if (value.location.kind === 'pieces') return this.#each(value, of, count, depth);
    return this.#elements(value, of, count, depth);
  }

  async #each(value: CValue, of: CType, count: number, depth: number): Promise<string> {
    const texts: string[] = [];
    for (let at = 0; at < Math.min(count, MOST); at++)
      texts.push(await this.text(elementOf(value, of, at), false, depth + 1));
    return `{${texts.join(', ')}${count > MOST ? '...' : ''}}`;
  }

  async #elements(value: CValue, of: CType, count: number, depth: number): Promise<string> {
    const size = sizeOfType(of);
    const seen = Math.max(1, Math.min(count, Math.floor(LONGEST / size)));
    const bytes = await bytesOf(value, this.#reader, seen * size);
    const element = (at: number) => bytes.subarray(at * size, (at + 1) * size);
    const texts: string[] = [];
    let printed = 0;
    let at = 0;
    while (at < seen && printed < MOST) {
      let same = 1;
      while (at + same < seen && equal(element(at), element(at + same))) same++;
      const location = elementOf(value, of, at).location;
      const text = await this.text({ type: of, location }, false, depth + 1);
      const counted = same > REPEATED - 1;
      const shown = counted ? 1 : Math.min(same, MOST - printed);
      for (let n = 0; n < shown; n++) texts.push(counted ? `${text} <repeats ${same} times>` : text);
      printed += counted ? REPEATED : same;
      at += same;
    }
    return `{${texts.join(', ')}${at < count || printed > MOST ? '...' : ''}}`;
  }

  async #pointer(value: CValue, type: CType & { kind: 'pointer' }, typed: boolean): Promise<string> {
    if (value.location.kind === 'nothing to point to') return `(${typeName(value.type)}) <synthetic pointer>`;
    const address = (await numberOf(value, this.#reader)) as bigint;
    const target = bareType(type.to);
    const characters = isCharacter(type.to) && sizeOfType(type.to) === 1;
    const string = characters && address !== 0n ? ` ${await this.#string(address)}` : '';
    const text = `${this.#address(address)}${string}`;
    const plain = unqualified(value.type).kind === 'pointer' && characters && baseName(type.to) === 'char';
    if (type.sign !== '*') return `@${this.#address(address)}`;
    const told = typed && !plain ? `(${typeName(value.type)}) ` : '';
    return target.kind === 'function' && !typed ? text : `${told}${text}`;
  }

  #address(address: bigint): string {
    const name = this.#names.symbolAt(address);
    return `0x${address.toString(16)}${name === undefined ? '' : ` <${name}>`}`;
  }

  async #string(address: bigint): Promise<string> {
    const bytes = await this.#reader.read(address, MOST + 1);
    if (bytes.length === 0) return `<error: Cannot access memory at address 0x${address.toString(16)}>`;
    const end = bytes.indexOf(0);
    if (end >= 0) return quoted(bytes.subarray(0, end));
    return `${quoted(bytes.subarray(0, MOST))}...`;
  }
}

const equal = (one: Uint8Array, other: Uint8Array) => one.every((byte, i) => byte === other[i]);

function isCharacter(type: CType): boolean {
  const bare = bareType(type);
  return bare.kind === 'base' && (bare.encoding === 'character' || bare.encoding === 'unsigned character');
}

/** A type whether it is constant or not; a name for it stays. */
function unqualified(type: CType): CType {
  let plain = type;
  for (let depth = 0; plain.kind === 'qualified' && depth < 8; depth++) plain = plain.of;
  return plain;
}

function baseName(type: CType): string | undefined {
  const plain = unqualified(type);
  return plain.kind === 'base' || plain.kind === 'typedef' ? plain.name : undefined;
}

/** Numbers, characters, truth. */
export function scalarText(number: bigint | number, type: CType & { kind: 'base' }): string {
  if (typeof number === 'number') return floatText(number, type.size === 4 ? 9 : 17);
  if (type.encoding === 'boolean' && number < 2n) return number === 0n ? 'false' : 'true';
  if ((type.encoding === 'character' || type.encoding === 'unsigned character') && type.size === 1)
    return `${number} ${quoted(Uint8Array.of(Number(BigInt.asUintN(8, number))), "'")}`;
  return String(number);
}

/** As C's `%g` with this many digits. */
function floatText(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan(0x8000000000000)';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', power = '0'] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${short}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const fixed = value.toFixed(Math.min(100, Math.max(0, digits - 1 - exponent)));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** A name; where the values are bits, the names of the set bits. */
function enumerationText(value: bigint, { values }: CType & { kind: 'enumeration' }): string {
  const exact = values.find((one) => one.value === value);
  if (exact !== undefined) return exact.name;
  if (!areBits(values.map((one) => one.value))) return String(value);
  const set = values.filter((one) => one.value !== 0n && (value & one.value) === one.value);
  const rest = set.reduce((left, one) => left & ~one.value, value);
  if (set.length === 0 && rest === 0n) return '0';
  const unknown = rest === 0n ? [] : [`unknown: 0x${rest.toString(16)}`];
  return `(${[...set.map(({ name }) => name), ...unknown].join(' | ')})`;
}

/** No two values share a bit, and the bits of each lie together. */
function areBits(values: readonly bigint[]): boolean {
  let seen = 0n;
  for (const value of values) {
    if (value < 0n || (seen & value) !== 0n) return false;
    const lowest = value & -value;
    if (value !== 0n && ((value + lowest) & value) !== 0n) return false;
    seen |= value;
  }
  return true;
}
