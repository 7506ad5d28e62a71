/**
 * The view of a C function, where it is stopped or waits for its callee.
 *
 * @module
 */
import {
  bareType,
  type DebugInfo,
  type Scope,
  type SymbolTable,
  sizeOfType,
  type Variable,
} from '../../symbols/index.js';
import { findRegister } from '../../x86/index.js';
import { DebugError } from '../errors.js';
import { type CpuView, registerOf } from '../registers.js';
import { CEvaluation, type CNames } from './evaluate.js';
import { GONE, type Location, locate, type Machine } from './location.js';
import { type CExpression, parseC, parseType } from './syntax.js';
import { valueText } from './text.js';
import { describeType, typeName } from './type-names.js';
import { type CValue, elementOf, numberOf, partOf, pointedBy, type Reader } from './values.js';

/** Where a function is stopped. */
export interface FunctionPlace {
  symbols: SymbolTable;
  info: DebugInfo;
  /** An address in the current instruction: for a caller, in its CALL. */
  pc: bigint;
  /** The function, or one that is inlined at `pc`; undefined outside of known functions. */
  scope: Scope | undefined;
  /** The CPU, with the registers that the function had. */
  view: CpuView;
  /** Linear address on the stack after the return address; undefined where it is not known. */
  cfa(): Promise<bigint | undefined>;
  read(address: bigint, length: number): Promise<Uint8Array>;
  /** The function that called this one, and the expression in it for what a register had at the call. */
  atCall(register: Uint8Array): Promise<{ caller: FunctionView; value: Uint8Array } | undefined>;
  /** Bytes of an address in its code. */
  word: 4 | 8;
}

/** A value for an editor's tree. */
export interface Shown {
  name: string;
  /** As C writes it. */
  type: string;
  /** As gdb writes it. */
  text: string;
  /** The expression for this value. */
  expression: string;
  /** Of a value in memory. */
  address?: bigint;
  /** In bytes. */
  size: number;
  parameter?: true;
  /** Of structures, arrays and pointers. */
  children?: () => Promise<Shown[]>;
}

/** The most elements of an array that a tree shows. */
const MOST_CHILDREN = 1000;

export class FunctionView {
  readonly #place: FunctionPlace;
  readonly #reader: Reader;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #names: CNames = {
    variable: async (name) => this.variable(name),
    register: (name) => this.#register(name),
  };

  constructor(place: FunctionPlace) {
    this.#place = place;
    const { info, scope, pc } = place;
    const known = new Map<string, Variable>();
    // Of variables with the same name the innermost comes first.
    if (scope !== undefined)
      for (const one of info.variablesOf(scope, pc)) if (!known.has(one.name)) known.set(one.name, one);
    this.#variables = known;
    this.#reader = {
      word: place.word,
      read: (address, length) => place.read(BigInt.asUintN(place.word * 8, address), length),
      whole: (name) =>
        registerOf(place.view, name) ?? findRegister(name)?.read(place.view.registers, place.view.system),
      complete: (type) => info.complete(type, pc),
    };
  }

  /** The parameters and variables of the function, in the order of declaration. */
  async locals(): Promise<Shown[]> {
    const { info, scope, pc } = this.#place;
    if (scope === undefined) return [];
    const shown: Shown[] = [];
    for (const one of info.variablesOf(scope, pc)) {
      const value = await this.#valueOf(one);
      shown.push({
        ...(await this.#show(one.name, one.name, value)),
        ...(one.parameter && { parameter: true }),
      });
    }
    return shown;
  }

  /** A variable, a parameter or a function. */
  async variable(name: string): Promise<CValue | undefined> {
    const { info, pc } = this.#place;
    const known = this.#variables.get(name) ?? info.global(name, pc);
    if (known !== undefined) return this.#valueOf(known);
    const called = info.function(name, pc);
    return called && { type: called.type, location: { kind: 'memory', address: called.from } };
  }

  /** Whether an expression names a variable or a type of C, and not only registers, labels and numbers. */
  parse(text: string): CExpression | undefined {
    let tree: CExpression;
    try {
      tree = parseC(text, this.#types);
    } catch (error) {
      if (error instanceof DebugError) return undefined;
      throw error;
    }
    return this.#isOfC(tree) ? tree : undefined;
  }

  async evaluate(tree: CExpression): Promise<CValue> {
    return new CEvaluation(this.#names, this.#reader).value(tree);
  }

  /** The number that is stored when a location of a type is set to an expression's value. */
  async assigned(place: CValue, tree: CExpression): Promise<bigint> {
    const evaluation = new CEvaluation(this.#names, this.#reader);
    return evaluation.converted(await evaluation.value(tree), place.type);
  }

  /** The number of a scalar; the address of an aggregate. */
  async number(value: CValue): Promise<bigint> {
    const { kind } = bareType(value.type);
    if ((kind === 'structure' || kind === 'array' || kind === 'function') && value.location.kind === 'memory')
      return value.location.address;
    const number = await numberOf(value, this.#reader);
    if (typeof number === 'bigint') return number;
    return Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n;
  }

  /** @param typed pointers show their type */
  text(value: CValue, typed = true): Promise<string> {
    return valueText(value, this.#reader, this.#place.symbols, typed);
  }

  /** The value of an expression of the debug information here. */
  async calculate(expression: Uint8Array): Promise<bigint | undefined> {
    const found = await locate(expression, await this.#machine(this.#place.word));
    if (found.kind === 'number') return found.value;
    return found.kind === 'memory' ? found.address : undefined;
  }

  /** A value for a tree. */
  show(text: string, value: CValue): Promise<Shown> {
    return this.#show(text, text, value, true);
  }

  /** A type with its members: of an expression, or by its name. */
  async describe(text: string): Promise<string> {
    const type = parseType(text, this.#types) ?? (await this.evaluate(parseC(text, this.#types))).type;
    const { info, pc } = this.#place;
    const bare = bareType(type);
    return describeType(bare.kind === 'structure' ? info.complete(bare, pc) : type);
  }

  get #types() {
    const { info, pc, word } = this.#place;
    return { word, type: (name: string) => info.type(name, pc) };
  }

  #isOfC(tree: CExpression): boolean {
    switch (tree.kind) {
      case 'name':
        return (
          this.#variables.has(tree.name) || this.#place.info.global(tree.name, this.#place.pc) !== undefined
        );
      case 'cast':
      case 'float':
        return true;
      case 'size':
        return true;
      case 'unary':
        return this.#isOfC(tree.operand);
      case 'binary':
        return this.#isOfC(tree.left) || this.#isOfC(tree.right);
      case 'choice':
        return [tree.condition, tree.yes, tree.no].some((one) => this.#isOfC(one));
      case 'member':
        return this.#isOfC(tree.of);
      case 'index':
        return this.#isOfC(tree.of) || this.#isOfC(tree.index);
      case 'assignment':
        return this.#isOfC(tree.place);
      default:
        return false;
    }
  }

  #register(name: string): { value: bigint; size: number } | undefined {
    const value = this.#reader.whole(name.toLowerCase());
    if (value === undefined) return undefined;
    const bits = findRegister(name.toLowerCase())?.bits ?? 64;
    return { value, size: bits > 32 ? 8 : bits > 16 ? 4 : bits > 8 ? 2 : 1 };
  }

  async #valueOf({ type, where, word }: Variable): Promise<CValue> {
    if (where === undefined) return { type, location: GONE };
    if ('constant' in where) {
      const { constant } = where;
      const location: Location =
        typeof constant === 'bigint'
          ? { kind: 'number', value: constant }
          : { kind: 'bytes', bytes: constant };
      return { type, location };
    }
    return { type, location: await locate(where.expression, await this.#machine(word)) };
  }

  async #machine(word: 4 | 8): Promise<Machine> {
    const { info, scope, view } = this.#place;
    const cfa = await this.#place.cfa();
    const { atCall } = this.#place;
    const machine: Machine = {
      word,
      bias: info.bias,
      register: (name) => registerOf(view, name),
      read: this.#reader.read,
      cfa: () => cfa,
      atEntry: async (register) => {
        const known = await atCall(register);
        return known?.caller.calculate(known.value);
      },
      frameBase: async () => {
        const base = scope?.frameBase;
        if (base === undefined) return undefined;
        const found = await locate(base, { ...machine, frameBase: async () => undefined });
        if (found.kind === 'register') return registerOf(view, found.name);
        return found.kind === 'memory' ? found.address : undefined;
      },
    };
    return machine;
  }

  async #show(name: string, expression: string, value: CValue, typed = false): Promise<Shown> {
    const { location, bits } = value;
    const children = this.#childrenOf(expression, value);
    return {
      name,
      type: typeName(value.type),
      text: await this.text(value, typed),
      expression,
      size: sizeOfType(this.#reader.complete(bareType(value.type))),
      ...(location.kind === 'memory' && bits === undefined && { address: location.address }),
      ...(children && { children }),
    };
  }

  #childrenOf(expression: string, value: CValue): (() => Promise<Shown[]>) | undefined {
    const type = this.#reader.complete(bareType(value.type));
    if (value.location.kind === 'optimized out' || value.location.kind === 'nothing to point to')
      return undefined;
    const inner =
      /^[\w.$[\]]+$/.test(expression) || expression.endsWith(']') ? expression : `(${expression})`;
    const show = async (parts: readonly (readonly [name: string, expression: string, value: CValue])[]) => {
      const shown: Shown[] = [];
      // One after the other: a debugger's target takes one call at a time.
      for (const part of parts) shown.push(await this.#show(...part));
      return shown;
    };
    if (type.kind === 'structure' && !type.declared && type.members.length > 0)
      return () =>
        show(
          type.members.slice(0, MOST_CHILDREN).map((member) => {
            // The members of a structure without a name are members of the outer one.
            const { name = '' } = member;
            return [name, name === '' ? inner : `${inner}.${name}`, partOf(value, member)];
          }),
        );
    if (type.kind === 'array' && (type.count ?? 0) > 0)
      return () =>
        show(
          Array.from({ length: Math.min(type.count!, MOST_CHILDREN) }, (_, i) => [
            `[${i}]`,
            `${inner}[${i}]`,
            elementOf(value, type.of, i),
          ]),
        );
    if (type.kind !== 'pointer') return undefined;
    const to = bareType(type.to).kind;
    if (to === 'void' || to === 'function') return undefined;
    return async () => {
      const target = await pointedBy(value, this.#reader);
      const shown = await this.#show(`*${expression}`, `*${inner}`, target);
      // Users look for the members of the object that it points to.
      if (bareType(target.type).kind === 'structure' && shown.children !== undefined) {
        const members = await shown.children();
        return members.map((one) =>
          one.name === '' ? one : { ...one, expression: `${inner}->${one.name}` },
        );
      }
      return [shown];
    };
  }
}
