/**
 * Evaluates expressions of C by the types of the debug information.
 *
 * @module
 */
import { bareType, type CType, sizeOfType } from '../../symbols/index.js';
import { littleEndian } from '../code.js';
import { DebugError } from '../errors.js';
import type { CExpression } from './syntax.js';
import { typeName } from './type-names.js';
import { type CValue, isSigned, memberOf, numberOf, OptimizedOut, pointedBy, type Reader } from './values.js';

/** The context in which names are resolved. */
export interface CNames {
  /** A variable, a parameter or a function; undefined where there is none. */
  variable(name: string): Promise<CValue | undefined>;
  /** A register's value, and its bytes. */
  register(name: string): { value: bigint; size: number } | undefined;
}

type BaseType = CType & { kind: 'base' };

const INT: BaseType = { kind: 'base', name: 'int', size: 4, encoding: 'signed' };
const DOUBLE: BaseType = { kind: 'base', name: 'double', size: 8, encoding: 'float' };
const CHAR: BaseType = { kind: 'base', name: 'char', size: 1, encoding: 'character' };

/** An operand of arithmetic. */
interface Operand {
  type: CType;
  value: bigint | number;
}

/** See the module's comment. */
export class CEvaluation {
  readonly #names: CNames;
  readonly #reader: Reader;

  constructor(names: CNames, reader: Reader) {
    this.#names = names;
    this.#reader = reader;
  }

  async value(tree: CExpression): Promise<CValue> {
    switch (tree.kind) {
      case 'number':
        return this.#made(tree.value, this.#literalType(tree));
      case 'character':
        return this.#made(tree.value, CHAR);
      case 'float':
        return this.#made(tree.value, DOUBLE);
      case 'name':
        return this.#named(tree.name);
      case 'register':
        return this.#register(tree.name) ?? this.#unknown(`$${tree.name}`);
      case 'unary':
        return this.#unary(tree.operator, await this.value(tree.operand));
      case 'binary':
        return this.#binary(tree);
      case 'choice':
        return this.value((await this.#isTrue(tree.condition)) ? tree.yes : tree.no);
      case 'member': {
        const of = await this.value(tree.of);
        const whole =
          tree.arrow || bareType(of.type).kind === 'pointer' ? await pointedBy(of, this.#reader) : of;
        return memberOf(whole, tree.name, this.#reader);
      }
      case 'index': {
        const left = await this.value(tree.of);
        return pointedBy(await this.#add(left, await this.value(tree.index), 1n), this.#reader);
      }
      case 'cast':
        return this.#cast(await this.value(tree.operand), tree.type);
      case 'size': {
        const type =
          'kind' in tree.of && isTree(tree.of) ? (await this.value(tree.of)).type : (tree.of as CType);
        return this.#made(BigInt(sizeOfType(this.#reader.complete(bareType(type)))), this.#long('unsigned'));
      }
      case 'assignment':
        throw new DebugError('an assignment cannot be part of an expression');
    }
  }

  /** A value as the type of a place would hold it. */
  async converted(value: CValue, type: CType): Promise<bigint> {
    const made = await this.#cast(value, type);
    if (made.location.kind === 'number') return made.location.value;
    if (made.location.kind === 'bytes')
      return littleEndian(made.location.bytes, 0, made.location.bytes.length);
    throw new DebugError(`a value of type ${typeName(type)} cannot be set`, 'set its members one by one');
  }

  #long(encoding: 'signed' | 'unsigned'): BaseType {
    const name = encoding === 'unsigned' ? 'unsigned long' : 'long';
    return { kind: 'base', name, size: this.#reader.word, encoding };
  }

  #literalType({ value, unsigned, long }: { value: bigint; unsigned: boolean; long: boolean }): BaseType {
    const small = value < 0x8000_0000n && !long;
    if (small) return unsigned ? { ...INT, name: 'unsigned int', encoding: 'unsigned' } : INT;
    if (value < 0x1_0000_0000n && !long) return { ...INT, name: 'unsigned int', encoding: 'unsigned' };
    const wide = this.#long(unsigned || value >= 1n << 63n ? 'unsigned' : 'signed');
    return value >> BigInt(wide.size * 8) === 0n ? wide : { ...wide, size: 8 };
  }

  /** A number truncated to the size of its type. */
  #made(value: bigint | number, type: CType): CValue {
    const bare = bareType(type);
    if (bare.kind === 'base' && bare.encoding === 'float')
      return { type, location: floatLocation(Number(value), bare.size) };
    const whole = typeof value === 'number' ? BigInt(Math.trunc(value)) : value;
    return { type, location: { kind: 'number', value: BigInt.asUintN(sizeOfType(type) * 8, whole) } };
  }

  async #named(name: string): Promise<CValue> {
    return (await this.#names.variable(name)) ?? this.#register(name) ?? this.#unknown(name);
  }

  #register(name: string): CValue | undefined {
    const found = this.#names.register(name);
    if (found === undefined) return undefined;
    const size = Math.min(found.size, 8);
    const type: BaseType = { kind: 'base', name: `uint${size * 8}_t`, size, encoding: 'unsigned' };
    return { type, location: { kind: 'register', name } };
  }

  #unknown(name: string): never {
    throw new DebugError(`there is no '${name}' here`, 'neither a variable of this place nor a register');
  }

  async #operand(value: CValue): Promise<Operand> {
    if (value.location.kind === 'optimized out' || value.location.kind === 'nothing to point to')
      throw new OptimizedOut();
    const number = await numberOf(value, this.#reader);
    const type = bareType(value.type);
    if (type.kind === 'array') return { type: this.#pointerTo(type.of), value: number };
    if (type.kind === 'function') return { type: this.#pointerTo(type), value: number };
    return { type: value.type, value: number };
  }

  #pointerTo(type: CType): CType {
    return { kind: 'pointer', sign: '*', size: this.#reader.word, to: type };
  }

  async #isTrue(tree: CExpression): Promise<boolean> {
    const { value } = await this.#operand(await this.value(tree));
    return typeof value === 'number' ? value !== 0 : value !== 0n;
  }

  async #unary(operator: string, operand: CValue): Promise<CValue> {
    if (operator === '*') {
      const type = bareType(operand.type);
      // As in gdb: a number is the address of an `int`-like word.
      if (type.kind === 'base' && type.encoding !== 'float') {
        const address = BigInt.asUintN(
          this.#reader.word * 8,
          (await numberOf(operand, this.#reader)) as bigint,
        );
        return { type: this.#long('signed'), location: { kind: 'memory', address } };
      }
      return pointedBy(operand, this.#reader);
    }
    if (operator === '&') return this.#addressOf(operand);
    const { type, value } = promoted(await this.#operand(operand));
    if (operator === '!') return this.#made(value === 0n || value === 0 ? 1n : 0n, INT);
    if (operator === '-') return this.#made(-value, type);
    if (typeof value === 'number') throw new DebugError('~ needs an integer');
    return this.#made(~value, type);
  }

  #addressOf({ type, location, bits }: CValue): CValue {
    if (bits !== undefined) throw new DebugError('a bit field has no address');
    if (location.kind === 'register')
      throw new DebugError(`this value is in a register, ${location.name}, and has no address`);
    if (location.kind !== 'memory') throw new DebugError('this value is not in memory and has no address');
    return this.#made(location.address, this.#pointerTo(type));
  }

  async #cast(value: CValue, type: CType): Promise<CValue> {
    const bare = bareType(type);
    if (bare.kind === 'structure' || bare.kind === 'array' || bare.kind === 'function') {
      if (value.location.kind !== 'memory') throw new DebugError(`this cannot be cast to ${typeName(type)}`);
      return { type, location: value.location };
    }
    if (bare.kind === 'void') return { type, location: { kind: 'number', value: 0n } };
    const { value: number } = await this.#operand(value);
    if (bare.kind === 'base' && bare.encoding === 'boolean')
      return this.#made(number === 0n || number === 0 ? 0n : 1n, type);
    return this.#made(number, type);
  }

  async #binary({ operator, left, right }: CExpression & { kind: 'binary' }): Promise<CValue> {
    const truth = (is: boolean) => this.#made(is ? 1n : 0n, INT);
    if (operator === '&&') return truth((await this.#isTrue(left)) && (await this.#isTrue(right)));
    if (operator === '||') return truth((await this.#isTrue(left)) || (await this.#isTrue(right)));
    const [a, b] = [await this.value(left), await this.value(right)];
    if (operator === '+') return this.#add(a, b, 1n);
    if (operator === '-') return this.#subtract(a, b);
    const [one, other] = [await this.#operand(a), await this.#operand(b)];
    const pointers = isPointer(one.type) || isPointer(other.type);
    const common = pointers ? this.#long('unsigned') : commonType(one.type, other.type);
    const [x, y] = [as(one.value, common), as(other.value, common)];
    const compared = compare(operator, x, y);
    if (compared !== undefined) return truth(compared);
    if (operator === '<<' || operator === '>>') {
      const { type, value } = promoted(one);
      return this.#made(calculate(operator, value, as(other.value, INT)), type);
    }
    return this.#made(calculate(operator, x, y), common);
  }

  /** @param sign -1 for a number that is subtracted */
  async #add(a: CValue, b: CValue, sign: bigint): Promise<CValue> {
    const [one, other] = [await this.#operand(a), await this.#operand(b)];
    if (isPointer(one.type)) return this.#moved(one, other, sign);
    if (isPointer(other.type) && sign === 1n) return this.#moved(other, one, sign);
    const common = commonType(one.type, other.type);
    const [x, y] = [as(one.value, common), as(other.value, common)];
    return this.#made(calculate(sign === 1n ? '+' : '-', x, y), common);
  }

  #moved(pointer: Operand, by: Operand, sign: bigint): CValue {
    const type = bareType(pointer.type) as CType & { kind: 'pointer' };
    if (typeof by.value === 'number' || isPointer(by.type))
      throw new DebugError('a pointer can be moved by an integer only');
    const size = BigInt(sizeOfType(this.#reader.complete(bareType(type.to))) || 1);
    return this.#made((pointer.value as bigint) + sign * size * by.value, pointer.type);
  }

  async #subtract(a: CValue, b: CValue): Promise<CValue> {
    const [one, other] = [await this.#operand(a), await this.#operand(b)];
    if (!isPointer(one.type) || !isPointer(other.type)) return this.#add(a, b, -1n);
    const { to } = bareType(one.type) as CType & { kind: 'pointer' };
    const size = BigInt(sizeOfType(this.#reader.complete(bareType(to))) || 1);
    return this.#made(((one.value as bigint) - (other.value as bigint)) / size, this.#long('signed'));
  }
}

const trees: ReadonlySet<string> = new Set([
  ...['number', 'float', 'character', 'name', 'register', 'unary', 'binary', 'choice', 'member', 'index'],
  ...['cast', 'size', 'assignment'],
]);

const isTree = (one: CExpression | CType): one is CExpression => trees.has(one.kind);

const isPointer = (type: CType) => bareType(type).kind === 'pointer';

function floatLocation(value: number, size: number): CValue['location'] {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return { kind: 'bytes', bytes: bytes.subarray(0, size) };
}

/** Small integers become `int` (C17 6.3.1.1). */
function promoted({ type, value }: Operand): Operand {
  const bare = bareType(type);
  if (bare.kind === 'base' && (bare.encoding === 'float' || bare.size >= 4)) return { type: bare, value };
  return { type: bare.kind === 'enumeration' || bare.kind === 'base' ? INT : bare, value };
}

/** The usual arithmetic conversions (C17 6.3.1.8). */
function commonType(one: CType, other: CType): BaseType {
  const [a, b] = [promoted({ type: one, value: 0n }).type, promoted({ type: other, value: 0n }).type];
  const float = [a, b].filter((type): type is BaseType => type.kind === 'base' && type.encoding === 'float');
  if (float.length > 0) return float.some(({ size }) => size > 4) ? DOUBLE : float[0]!;
  const [x, y] = [asBase(a), asBase(b)];
  if (x.size !== y.size) return x.size > y.size ? x : y;
  return isSigned(x) ? y : x;
}

function asBase(type: CType): BaseType {
  if (type.kind === 'base') return type;
  throw new DebugError(`a value of type ${typeName(type)} is no number`);
}

/** A number converted to a type. */
function as(value: bigint | number, type: BaseType): bigint | number {
  if (type.encoding === 'float') return Number(value);
  const whole = typeof value === 'number' ? BigInt(Math.trunc(value)) : value;
  return isSigned(type) ? BigInt.asIntN(type.size * 8, whole) : BigInt.asUintN(type.size * 8, whole);
}

function compare(operator: string, x: bigint | number, y: bigint | number): boolean | undefined {
  switch (operator) {
    case '==':
      return x === y;
    case '!=':
      return x !== y;
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
    default:
      return undefined;
  }
}

function calculate(operator: string, x: bigint | number, y: bigint | number): bigint | number {
  if (typeof x === 'number' || typeof y === 'number') {
    const [a, b] = [Number(x), Number(y)];
    if (operator === '+') return a + b;
    if (operator === '-') return a - b;
    if (operator === '*') return a * b;
    if (operator === '/') return a / b;
    throw new DebugError(`${operator} needs integers`);
  }
  if ((operator === '/' || operator === '%') && y === 0n) throw new DebugError('Division by zero');
  if ((operator === '<<' || operator === '>>') && (y < 0n || y > 64n))
    throw new DebugError(`cannot shift by ${y} bits`);
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
    case '%':
      return x % y;
    case '&':
      return x & y;
    case '|':
      return x | y;
    case '^':
      return x ^ y;
    case '<<':
      return x << y;
    default:
      return x >> y;
  }
}
