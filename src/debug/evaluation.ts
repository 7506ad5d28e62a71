/**
 * The value of an expression of registers and memory, which is found by reading: from a session, or at once.
 *
 * @module
 */
import { describeFlags } from '../inspect/index.js';
import { nearestNames } from '../nearest.js';
import type { SymbolTable } from '../symbols/index.js';
import type { SegmentName } from '../x86/index.js';
import { findRegister, registerViewNames } from '../x86/index.js';
import { DebugError } from './errors.js';
import type { Expression, NumberType } from './expression-syntax.js';
import { type CodeBits, isRealAddressing, segmentBase } from './mode.js';
import type { PlainValue as Value } from './plain-value.js';
import { type CpuView, registerOf } from './registers.js';
import { bytesAt, type Reading } from './wanted.js';

/** The names in an expression. */
export interface Names {
  symbols: SymbolTable;
  view: CpuView;
  bits: CodeBits;
}

/** An expression reads memory that is not mapped. */
export class NotMapped extends DebugError {}

const MASK64 = (1n << 64n) - 1n;
const MAX_SHIFT = 64n;

/** The value of an expression that sets nothing. @throws DebugError with a message for the user */
export function evaluation(tree: Expression, names: Names): Reading<Value> {
  return new Evaluation(names).value(tree);
}

const hex = (value: bigint) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

class Evaluation {
  readonly #scope: Names;

  constructor(scope: Names) {
    this.#scope = scope;
  }

  *value(tree: Expression): Reading<Value> {
    switch (tree.kind) {
      case 'number':
        return this.#plain(tree.value);
      case 'name':
        return yield* this.#named(tree.name);
      case 'register':
        return this.#register(tree.name) ?? this.#noRegister(tree.name);
      case 'addressOf':
        return this.#address(this.#symbol(tree.name).address);
      case 'unary':
        return this.#unary(tree.operator, yield* this.value(tree.operand));
      case 'binary':
        return yield* this.#binary(tree.operator, yield* this.value(tree.left), () => this.value(tree.right));
      case 'memory':
        return yield* this.#memory((yield* this.value(tree.address)).value, tree.type);
      case 'typed':
        return yield* this.#typed(yield* this.value(tree.operand), tree.type);
      case 'segmented':
        return yield* this.#segmented(tree.segment, (yield* this.value(tree.offset)).value);
      case 'assignment':
        throw new DebugError('an assignment cannot be part of an expression');
    }
  }

  /** As many bytes as a register of the code has. */
  get #word(): 2 | 4 | 8 {
    return (this.#scope.bits / 8) as 2 | 4 | 8;
  }

  #plain(value: bigint): Value {
    const size = value > 0xffff_ffffn || value < -0x8000_0000n ? 8 : Math.max(this.#word, 4);
    return {
      ...{ value, size, signed: value < 0n },
      get text() {
        return numberText(value, size);
      },
    };
  }

  #address(value: bigint): Value {
    const name = this.#scope.symbols.symbolAt(value);
    const text = name === undefined ? hex(value) : `${hex(value)} <${name}>`;
    return { value, size: this.#word, signed: false, text, isAddress: true };
  }

  /** A register; else a variable's value, where it has the size of a number; else the address of a label. */
  *#named(name: string): Reading<Value> {
    const register = this.#register(name.toLowerCase());
    if (register !== undefined) return register;
    const { address, kind, size } = this.#symbol(name);
    const bytes = Number(size);
    if (kind === 'variable' && (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8))
      return yield* this.#memory(address, { size: bytes, signed: false });
    return this.#address(address);
  }

  #register(name: string): Value | undefined {
    const { view } = this.#scope;
    const found = findRegister(name);
    const value = found === undefined ? registerOf(view, name) : found.read(view.registers, view.system);
    if (value === undefined) return undefined;
    const size = found === undefined ? (value > MASK64 ? 16 : 8) : Math.ceil(found.bits / 8);
    const textOf = () => this.#registerText(name, value, size);
    return {
      ...{ value, size, signed: false, place: { kind: 'register', name } },
      get text() {
        return textOf();
      },
    };
  }

  #registerText(name: string, value: bigint, size: number): string {
    const { symbols, view } = this.#scope;
    if (/^[re]?flags$/.test(name)) return `${hex(value)} (${describeFlags(value)})`;
    if (/^[re]?ip$/.test(name)) {
      const place = symbols.locate(registerOf(view, 'pc')!);
      return place === undefined ? hex(value) : `${hex(value)} ${place}`;
    }
    return this.#numberText(value, size);
  }

  /** A number, and the symbol that it may point to, where that is likely: small numbers are addresses as well. */
  #numberText(value: bigint, size: number): string {
    const { symbols } = this.#scope;
    const text = numberText(value, size);
    const name = size < 2 || value <= 0xffn ? undefined : symbols.symbolAt(value);
    if (name === undefined) return text;
    const likely = symbols.symbol(name)?.address === value || symbols.lines.at(value) !== undefined;
    return likely ? `${text} <${name}>` : text;
  }

  #symbol(name: string) {
    const found = this.#scope.symbols.symbol(name);
    if (found !== undefined) return found;
    const names = [...registerViewNames, ...this.#scope.symbols.symbols.map((symbol) => symbol.name)];
    const near = nearestNames(name, names.slice(0, 10_000));
    throw new DebugError(
      `'${name}' is neither a register nor a symbol here`,
      near.length > 0 ? `meant: ${near.join(', ')}?` : 'symbols come from an ELF file or a source',
    );
  }

  #noRegister(name: string): never {
    const near = nearestNames(name, registerViewNames);
    throw new DebugError(
      `there is no register '${name}'`,
      near.length > 0 ? `meant: ${near.join(', ')}?` : undefined,
    );
  }

  *#memory(address: bigint, type: NumberType | undefined): Reading<Value> {
    const { size, signed } = type ?? { size: this.#word, signed: false };
    const at = BigInt.asUintN(64, address);
    const bytes = yield* bytesAt(at, size);
    if (bytes.length < size) throw new NotMapped(`there is no memory at ${hex(at + BigInt(bytes.length))}`);
    const unsigned = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const value = signed ? BigInt.asIntN(size * 8, unsigned) : unsigned;
    const textOf = () => this.#numberText(value, size);
    return {
      ...{ value, size, signed, place: { kind: 'memory', address: at, size, signed } },
      get text() {
        return textOf();
      },
    };
  }

  /** For memory: the same address with another size; for other values: the memory at that address. */
  #typed({ place, value }: Value, type: NumberType): Reading<Value> {
    return this.#memory(place?.kind === 'memory' ? place.address : value, type);
  }

  /** The linear address of an offset in a segment. */
  *#segmented(segment: Expression, offset: bigint): Reading<Value> {
    const { view, bits } = this.#scope;
    const { system } = view;
    const wrap = (linear: bigint) => BigInt.asUintN(bits === 64 ? 64 : 32, linear);
    if ((segment.kind === 'name' || segment.kind === 'register') && isSegment(segment.name.toLowerCase()))
      return this.#address(wrap(segmentBase(system, segment.name.toLowerCase() as SegmentName) + offset));
    const { value } = yield* this.value(segment);
    if (!isRealAddressing(view))
      throw new DebugError(
        `${hex(value)}: is a selector, whose base the descriptor table has`,
        'outside real mode use the segment register (es:di), or a linear address',
      );
    return this.#address(wrap(((value & 0xffffn) << 4n) + offset));
  }

  #unary(operator: '-' | '~' | '!', { value, size }: Value): Value {
    if (operator === '-') return this.#plain(-value);
    if (operator === '!') return this.#plain(value === 0n ? 1n : 0n);
    return this.#plain(BigInt.asUintN(size * 8, ~value));
  }

  *#binary(operator: string, left: Value, rightOf: () => Reading<Value>): Reading<Value> {
    const truth = (is: boolean) => this.#plain(is ? 1n : 0n);
    // The right side is not read where the left one decides: `rbx && [rbx]`.
    if (operator === '&&') return truth(left.value !== 0n && (yield* rightOf()).value !== 0n);
    if (operator === '||') return truth(left.value !== 0n || (yield* rightOf()).value !== 0n);
    const right = yield* rightOf();
    const [a, b] = comparable(left, right);
    switch (operator) {
      case '==':
        return truth(a === b);
      case '!=':
        return truth(a !== b);
      case '<':
        return truth(a < b);
      case '<=':
        return truth(a <= b);
      case '>':
        return truth(a > b);
      case '>=':
        return truth(a >= b);
    }
    const value = BigInt.asUintN(64, arithmetic(operator, left.value, right.value));
    const isAddress = (left.isAddress || right.isAddress) && (operator === '+' || operator === '-');
    return isAddress ? this.#address(value) : this.#plain(value);
  }
}

function arithmetic(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
    case '>>':
      if (b < 0n || b > MAX_SHIFT) throw new DebugError(`cannot shift by ${b} bits`);
      return operator === '<<' ? a << b : a >> b;
    default:
      if (b === 0n) throw new DebugError('cannot divide by 0');
      return operator === '/' ? a / b : a % b;
  }
}

/** `eax == -1` is true where EAX is FFFFFFFF: a negative number has the width of the other side. */
function comparable(left: Value, right: Value): [bigint, bigint] {
  const widen = (one: Value, other: Value) =>
    one.value < 0n && !other.signed ? BigInt.asUintN(other.size * 8, one.value) : one.value;
  return [widen(left, right), widen(right, left)];
}

const segments: ReadonlySet<string> = new Set(['cs', 'ds', 'es', 'fs', 'gs', 'ss']);

const isSegment = (name: string): name is SegmentName => segments.has(name);

function numberText(value: bigint, size: number): string {
  if (value >= 0n && value < 10n) return `${value}`;
  const signed = size < 16 && value >= 1n << BigInt(size * 8 - 1) ? BigInt.asIntN(size * 8, value) : value;
  const letter =
    size === 1 && value >= 0x20n && value < 0x7fn ? ` '${String.fromCharCode(Number(value))}'` : '';
  const decimal = signed > -1_000_000n && signed < 1_000_000_000n ? ` (${signed})` : '';
  return `${hex(value)}${decimal}${letter}`;
}
