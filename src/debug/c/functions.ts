/**
 * The functions of a call stack as in the source: inlined functions are separate frames.
 *
 * @module
 */
import type { DebugInfo, Scope, SymbolTable } from '../../symbols/index.js';
import { readSome } from '../code.js';
import { DebugError } from '../errors.js';
import type { Frame } from '../frames.js';
import { segmentBase } from '../mode.js';
import type { State } from '../state.js';
import type { DebugTarget } from '../target.js';
import type { Value } from '../value.js';
import { FunctionView, type Shown } from './function-view.js';
import type { CValue } from './values.js';

/** A frame of the call stack, or of a function that was inlined into it. */
export interface SourceFrame extends Frame {
  /** The function is part of the code of the next frame. */
  inlined?: true;
}

/** The part of the debugger that is needed. */
export interface FunctionsParts {
  target: DebugTarget;
  symbols: SymbolTable;
  state(): Promise<State>;
  frames(limit: number): Promise<Frame[]>;
}

/** A frame with its function in the source. */
interface Place {
  frame: Frame;
  scope: Scope | undefined;
  /** The number of the frame of the stack. */
  level: number;
}

/** The most callers that are asked for their arguments, one after the other. */
const DEEPEST = 32;

const calls: ReadonlySet<Frame['by']> = new Set(['rule', 'entry', 'frame pointer', 'stack']);

/** An address in the current instruction: a caller's is in its CALL. */
const asked = ({ pc, by }: Frame): bigint => (calls.has(by) ? pc - 1n : pc);

/** See the module's comment. */
export class Functions {
  readonly #parts: FunctionsParts;

  constructor(parts: FunctionsParts) {
    this.#parts = parts;
  }

  /** The call stack with its inlined functions, the innermost first. */
  async backtrace(limit: number): Promise<SourceFrame[]> {
    const places = await this.#places(limit);
    return places.map(({ frame, scope }, i): SourceFrame => {
      const inner = places[i - 1];
      // An outer function continues at the line of the inlined call.
      const called = inner?.frame === frame ? inner.scope?.called : undefined;
      const file = scope && this.#parts.symbols.lines.at(scope.from)?.file;
      const source = called !== undefined && file !== undefined ? { file, line: called.line } : frame.source;
      const inlined = scope?.called !== undefined;
      return {
        ...frame,
        ...(source && { source }),
        ...(inlined && { inlined, symbol: scope.name ?? '?' }),
      };
    });
  }

  /** The parameters and variables of a frame's function. @param index from 0, as `backtrace` lists them */
  async locals(index: number): Promise<Shown[]> {
    return (await this.#view(index))?.locals() ?? [];
  }

  /** An expression's value, where it is one of C; `set` carries out its assignment. */
  async evaluate(
    text: string,
    index: number,
    set: (place: NonNullable<Value['place']>, value: bigint) => Promise<void>,
  ): Promise<Value | undefined> {
    const view = await this.#view(index);
    const tree = view?.parse(text);
    if (view === undefined || tree === undefined) return undefined;
    if (tree.kind !== 'assignment') return valueFor(view, text, await view.evaluate(tree), index);
    const place = await view.evaluate(tree.place);
    const there = placeOf(place, await view.show(text, place), index);
    if (there === undefined) throw new DebugError(`${text.split('=')[0]!.trim()} cannot be set`);
    await set(there, await view.assigned(place, tree.value));
    const after = await this.#view(index);
    const [left = ''] = text.split(/=(?!=)/);
    return {
      ...(await valueFor(after!, left.trim(), await after!.evaluate(tree.place), index)),
      assigned: true,
    };
  }

  /** A type, or the type of an expression, with its members. */
  async describe(text: string, index: number): Promise<string> {
    const view = await this.#view(index);
    if (view === undefined) throw new DebugError('this image has no types', 'compile it with -g');
    return view.describe(text);
  }

  get #info(): DebugInfo | undefined {
    return this.#parts.symbols.debugInfo;
  }

  async #places(limit: number): Promise<Place[]> {
    const places: Place[] = [];
    for (const [level, frame] of (await this.#parts.frames(limit)).entries()) {
      const scopes = this.#info?.scopesAt(asked(frame)) ?? [];
      if (scopes.length === 0) places.push({ frame, scope: undefined, level });
      for (const scope of scopes) places.push({ frame, scope, level });
    }
    return places.slice(0, limit);
  }

  async #view(index: number): Promise<FunctionView | undefined> {
    const info = this.#info;
    if (info === undefined) return undefined;
    const { pc } = await this.#parts.state();
    // The innermost function does not need the stack.
    const place =
      index === 0
        ? { frame: { pc, by: 'here' } as Frame, scope: info.scopesAt(pc)[0], level: 0 }
        : (await this.#places(index + 2))[index];
    if (place === undefined) throw new DebugError(`there is no frame ${index}`);
    return this.#viewOf(info, place, await this.#parts.state());
  }

  #viewOf(info: DebugInfo, { frame, scope, level }: Place, state: State): FunctionView {
    const { target, symbols } = this.#parts;
    const { view, bits } = state;
    const registers = frame.registers ?? view.registers;
    return new FunctionView({
      symbols,
      info,
      pc: asked(frame),
      scope,
      view: { ...view, registers },
      cfa: async () => {
        const rule = symbols.callFrames?.ruleAt(asked(frame));
        if (rule === undefined) return frame.base ?? (await this.#parts.frames(level + 2))[level]?.base;
        const offset = BigInt.asUintN(rule.word * 8, registers[rule.register] + rule.offset);
        return segmentBase(view.system, 'ss') + offset;
      },
      read: (address, length) => readSome(target, address, length),
      atCall: async (register) => {
        if (level >= DEEPEST) return undefined;
        const caller = (await this.#parts.frames(level + 2))[level + 1];
        const value = caller && info.valueAtCall(caller.pc, register);
        if (caller === undefined || value === undefined) return undefined;
        const [outer] = info.scopesAt(asked(caller)).slice(-1);
        return {
          caller: this.#viewOf(info, { frame: caller, scope: outer, level: level + 1 }, state),
          value,
        };
      },
      word: bits === 64 ? 8 : 4,
    });
  }
}

async function valueFor(view: FunctionView, text: string, value: CValue, index: number): Promise<Value> {
  const shown = await view.show(text, value);
  const place = placeOf(value, shown, index);
  const number = await numberOrZero(view, value);
  return {
    value: number,
    size: shown.size ?? 8,
    signed: number < 0n,
    text: shown.text,
    c: shown,
    ...(place && { place }),
  };
}

/** A variable without a value is shown, and counts as 0. */
async function numberOrZero(view: FunctionView, value: CValue): Promise<bigint> {
  try {
    return await view.number(value);
  } catch (error) {
    if (error instanceof DebugError) return 0n;
    throw error;
  }
}

/** The locations that can be set: memory, or a register of the current function. */
function placeOf({ location }: CValue, { address, size }: Shown, index: number): Value['place'] {
  if (address !== undefined && size) return { kind: 'memory', address, size, signed: false };
  return location.kind === 'register' && index === 0 ? { kind: 'register', name: location.name } : undefined;
}
