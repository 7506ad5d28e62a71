/**
 * Evaluates expressions of a debugger's user in a stopped guest.
 *
 * @module
 */

import { describeFlags } from '../inspect/index.js';
import { nearestNames } from '../nearest.js';
import { type SymbolTable, VOID } from '../symbols/index.js';
import type { SegmentName } from '../x86/index.js';
import { findRegister, registerViewNames } from '../x86/index.js';
import { parseC } from './c/syntax.js';
import { readSome } from './code.js';
import { DebugError } from './errors.js';
import { type Expression, type NumberType, parseExpression } from './expression-syntax.js';
import { type CodeBits, isRealAddressing, segmentBase } from './mode.js';
import { type CpuView, registerOf } from './registers.js';
import type { DebugTarget } from './target.js';
import type { Place, Value } from './value.js';

/** The context of expressions. */
export interface Scope {
  target: DebugTarget;
  symbols: SymbolTable;
  view: CpuView;
  bits: CodeBits;
}

const MASK64 = (1n << 64n) - 1n;
const MAX_SHIFT = 64n;

/**
 * Evaluates `text`; an assignment (`rax = 5`, `word [0x500] = 'A'`) writes and returns the written value.
 * @throws DebugError with a message for the user
 */
export async function evaluate(text: string, scope: Scope): Promise<Value> {
  const tree = parseExpression(text);
  if (tree.kind !== 'assignment') return new Evaluation(scope).value(tree);
  const evaluation = new Evaluation(scope);
  const { place } = await evaluation.value(tree.place);
  if (place === undefined)
    throw new DebugError('only registers and memory can be set', 'such as rax = 5 or word [0x500] = 1');
  const { value } = await evaluation.value(tree.value);
  await assign(scope, place, value);
  const after = await new Evaluation({ ...scope, view: await scope.target.view() }).value(tree.place);
  return { ...after, assigned: true };
}

/** @throws DebugError where `text` is not an expression, or would change the guest */
export function requirePure(text: string): void {
  if (treeKind(text) !== 'assignment') return;
  throw new DebugError(`'${text}' sets something, which is not allowed here`, 'to compare write ==');
}

/** Of an expression of C, or of registers and memory. */
function treeKind(text: string): string {
  try {
    // Here it does not matter which names are types.
    return parseC(text, { word: 8, type: () => VOID }).kind;
  } catch {
    return parseExpression(text).kind;
  }
}

/** Writes a register or memory; a value that does not fit is refused. */
export async function assign({ target, view }: Scope, place: Place, value: bigint): Promise<void> {
  if (place.kind === 'memory') {
    if (place.size > 8)
      throw new DebugError(`${place.size} bytes cannot be set at once`, 'set their parts one by one');
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, fitted(value, place.size * 8), true);
    return target.write(place.address, bytes.subarray(0, place.size));
  }
  const part = findRegister(place.name);
  if (part?.of === undefined) return target.setRegister(place.name, value < 0n ? value & MASK64 : value);
  const { register, shift } = part.of;
  const mask = ((1n << BigInt(part.bits)) - 1n) << BigInt(shift);
  const shifted = fitted(value, part.bits) << BigInt(shift);
  return target.setRegister(register, (view.registers[register] & ~mask) | shifted);
}

function fitted(value: bigint, bits: number): bigint {
  const limit = 1n << BigInt(bits);
  if (value >= limit || value < -(limit >> 1n))
    throw new DebugError(`${hex(value)} does not fit into ${bits} ${bits === 1 ? 'bit' : 'bits'}`);
  return BigInt.asUintN(bits, value);
}

const hex = (value: bigint) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

class Evaluation {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  async value(tree: Expression): Promise<Value> {
    switch (tree.kind) {
      case 'number':
        return this.#plain(tree.value);
      case 'name':
        return this.#named(tree.name);
      case 'register':
        return this.#register(tree.name) ?? this.#noRegister(tree.name);
      case 'addressOf':
        return this.#address(this.#symbol(tree.name).address);
      case 'unary':
        return this.#unary(tree.operator, await this.value(tree.operand));
      case 'binary':
        return this.#binary(tree.operator, await this.value(tree.left), () => this.value(tree.right));
      case 'memory':
        return this.#memory((await this.value(tree.address)).value, tree.type);
      case 'typed':
        return this.#typed(await this.value(tree.operand), tree.type);
      case 'segmented':
        return this.#segmented(tree.segment, (await this.value(tree.offset)).value);
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
    return { value, size, signed: value < 0n, text: numberText(value, size) };
  }

  #address(value: bigint): Value {
    const name = this.#scope.symbols.symbolAt(value);
    const text = name === undefined ? hex(value) : `${hex(value)} <${name}>`;
    return { value, size: this.#word, signed: false, text, isAddress: true };
  }

  /** A register; else a variable's value, where it has the size of a number; else the address of a label. */
  async #named(name: string): Promise<Value> {
    const register = this.#register(name.toLowerCase());
    if (register !== undefined) return register;
    const { address, kind, size } = this.#symbol(name);
    const bytes = Number(size);
    if (kind === 'variable' && (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8))
      return this.#memory(address, { size: bytes, signed: false });
    return this.#address(address);
  }

  #register(name: string): Value | undefined {
    const { view } = this.#scope;
    const found = findRegister(name);
    const value = found === undefined ? registerOf(view, name) : found.read(view.registers, view.system);
    if (value === undefined) return undefined;
    const size = found === undefined ? (value > MASK64 ? 16 : 8) : Math.ceil(found.bits / 8);
    return {
      value,
      size,
      signed: false,
      text: this.#registerText(name, value, size),
      place: { kind: 'register', name },
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

  async #memory(address: bigint, type: NumberType | undefined): Promise<Value> {
    const { size, signed } = type ?? { size: this.#word, signed: false };
    const at = BigInt.asUintN(64, address);
    const bytes = await readSome(this.#scope.target, at, size);
    if (bytes.length < size) throw new DebugError(`there is no memory at ${hex(at + BigInt(bytes.length))}`);
    const unsigned = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const value = signed ? BigInt.asIntN(size * 8, unsigned) : unsigned;
    const text = this.#numberText(value, size);
    return { value, size, signed, text, place: { kind: 'memory', address: at, size, signed } };
  }

  /** For memory: the same address with another size; for other values: the memory at that address. */
  #typed({ place, value }: Value, type: NumberType): Promise<Value> {
    return this.#memory(place?.kind === 'memory' ? place.address : value, type);
  }

  /** The linear address of an offset in a segment. */
  async #segmented(segment: Expression, offset: bigint): Promise<Value> {
    const { view, bits } = this.#scope;
    const { system } = view;
    const wrap = (linear: bigint) => BigInt.asUintN(bits === 64 ? 64 : 32, linear);
    if ((segment.kind === 'name' || segment.kind === 'register') && isSegment(segment.name.toLowerCase()))
      return this.#address(wrap(segmentBase(system, segment.name.toLowerCase() as SegmentName) + offset));
    const { value } = await this.value(segment);
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

  async #binary(operator: string, left: Value, rightOf: () => Promise<Value>): Promise<Value> {
    const truth = (is: boolean) => this.#plain(is ? 1n : 0n);
    // The right side is not read where the left one decides: `rbx && [rbx]`.
    if (operator === '&&') return truth(left.value !== 0n && (await rightOf()).value !== 0n);
    if (operator === '||') return truth(left.value !== 0n || (await rightOf()).value !== 0n);
    const right = await rightOf();
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
