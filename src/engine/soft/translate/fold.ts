/**
 * One operation of a translated function: its handler's code with the operation's record known.
 *
 * The handler is read instruction by instruction. What is known stays a number, and everything else is written out; so a
 * register's number becomes the register's local, an `if` about the form of an operand becomes one of its halves, and what
 * the interpreter asks of memory is asked here as well. Calls are followed, but for three kinds:
 *
 * - `enter` is where the operation goes on elsewhere: the region knows how.
 * - What may raise an exception, or end the block, is called only where something is not as usual. There the function is left
 *   before the operation, which the interpreter does from its start. Nothing may have been changed by then.
 * - What is too large, or has code that is not understood, makes the whole operation one that the interpreter's handler does
 *   (`CannotFold`).
 *
 * @module
 */
import * as L from '../layout.js';
import { foldOne, foldTwo, type Known, keepsFirst, mayExchange, shapeOf } from './arithmetic.js';
import { type Builder, Local, placeOf } from './builder.js';
import { type Code, Op, type ProgramCode, Type } from './program.js';
import { type Access, accessOf, isOwnState, isStale, isStore, knownByMode, readNow } from './state.js';

/** The operation is the interpreter's to do. */
export class CannotFold extends Error {}

/** Instructions of a function that is followed, and how deep calls are. */
const MOST_FOLLOWED = 500;
const DEEPEST = 5;

/** What the region does for an operation. */
export interface Surroundings {
  /** The operation goes on at `slot` of its record: true if that is in the region, and the code for it was written. */
  edge(slot: number): boolean;
  /** Leaves before the operation. */
  leave(): void;
  /** Goes on at the address in `Local.target`, by way of `enter`. */
  goThrough(slot: number): void;
}

/** What holds on one way through the code. */
interface Way {
  known: (Known | undefined)[];
  kind: number | undefined;
  changed: boolean;
}

interface Frame {
  /** `if`: the half behind `else` is still to come. `half`: it was chosen, and needs no label. */
  form: 'block' | 'if' | 'half';
  at: number;
  type: number;
  level: number;
  height: number;
  /** Where all ways that came to the end so far agree. */
  merged: Way | undefined;
  /** For the second half of an `if`. */
  before: Way | undefined;
  /** Not every way comes here. */
  uncertain: boolean;
}

interface Entry {
  type: number;
  /** Undefined where it is on WebAssembly's own stack. */
  value: Known | undefined;
}

/** A function that is followed: its locals. */
interface Call {
  code: Code;
  known: (Known | undefined)[];
  locals: Int32Array;
  depth: number;
}

export class Fold {
  readonly #builder: Builder;
  readonly #program: ProgramCode;
  readonly #view: DataView;
  readonly #mode: number;
  readonly #enter: number;
  #around!: Surroundings;
  #record = 0;
  #delta = 0n;
  #stack: Entry[] = [];
  #frames: Frame[] = [];
  #changed = false;

  constructor(builder: Builder, program: ProgramCode, view: DataView, mode: number) {
    this.#builder = builder;
    this.#program = program;
    this.#view = view;
    this.#mode = mode;
    this.#enter = program.exported.get('enter')!;
  }

  /**
   * Writes the operation at `record`, whose block lies `delta` bytes behind that which the function was entered for.
   *
   * @returns true if the operation behind it comes next on some way
   * @throws CannotFold, with half of the code written
   */
  operation(record: number, delta: bigint, around: Surroundings): boolean {
    this.#record = record;
    this.#delta = delta;
    this.#around = around;
    this.#changed = false;
    const handler = this.#program.handlers[this.#view.getUint16(record, true) - L.FIRST_HANDLER];
    const code = handler === undefined ? undefined : this.#program.code(handler);
    if (code === undefined) throw new CannotFold();
    const builder = this.#builder;
    builder.release();
    const call = this.#begin(code, [{ type: Type.i32, value: record }], 0);
    const frame = this.#push('block', -1, Type.i32, builder.open(Op.block, Type.none));
    const goesOn = this.#follow(call, frame);
    builder.close();
    return goesOn;
  }

  #push(form: Frame['form'], at: number, type: number, level: number): Frame {
    const frame: Frame = {
      form,
      at,
      type,
      level,
      height: this.#stack.length,
      merged: undefined,
      before: undefined,
      uncertain: false,
    };
    this.#frames.push(frame);
    return frame;
  }

  /** A call's locals, with its arguments. Those that are known are written too: ways that meet may not agree. */
  #begin(code: Code, args: readonly Entry[], depth: number): Call {
    if (code.hasLoop || code.op.length > MOST_FOLLOWED * 4 || depth > DEEPEST) throw new CannotFold();
    const known: (Known | undefined)[] = code.locals.map((type) => zeroOf(type));
    const call: Call = { code, known, locals: new Int32Array(code.locals.length).fill(-1), depth };
    for (let index = args.length - 1; index >= 0; index--) {
      const { value } = args[index]!;
      if (value === undefined) this.#builder.set(this.#local(call, index));
      else if (code.writesParams || depth > 0) this.#write(call, index, value);
      known[index] = value;
    }
    for (const index of code.zeroed) this.#write(call, index, zeroOf(code.locals[index]!));
    return call;
  }

  #local(call: Call, index: number): number {
    if (call.locals[index] === -1) call.locals[index] = this.#builder.temporary(call.code.locals[index]!);
    return call.locals[index]!;
  }

  #write(call: Call, index: number, value: Known | undefined): void {
    this.#constant(value);
    this.#builder.set(this.#local(call, index));
  }

  #constant(value: Known | undefined): void {
    if (typeof value === 'bigint') this.#builder.i64(value);
    else if (typeof value === 'number') this.#builder.i32(value);
    else throw new CannotFold();
  }

  /** Follows a function to its end; `base` is the frame that its `return` leaves. True if some way comes there. */
  #follow(call: Call, base: Frame): boolean {
    const { code } = call;
    const floor = this.#frames.length - 1;
    let at = 0;
    let reachable = true;
    for (;;) {
      if (!reachable) {
        const frame = this.#frames.at(-1)!;
        if (frame === base) break;
        at = frame.form === 'if' && frame.before !== undefined ? code.other[frame.at]! : code.end[frame.at]!;
      }
      const op = code.op[at]!;
      switch (op) {
        case Op.block:
          if (code.target[at] === 1)
            this.#push('block', at, code.a[at]!, this.#builder.open(op, code.a[at]!));
          else this.#push('half', at, code.a[at]!, -1);
          break;
        case Op.if:
          at = this.#choose(call, at);
          break;
        case Op.else: {
          const frame = this.#frames.at(-1)!;
          if (frame.form === 'half') {
            at = code.end[frame.at]! - 1;
            break;
          }
          if (reachable) this.#arrive(call, frame, true);
          this.#builder.op(Op.else);
          this.#resume(call, frame.before!);
          frame.before = undefined;
          this.#stack.length = frame.height;
          reachable = true;
          break;
        }
        case Op.end: {
          const frame = this.#frames.at(-1)!;
          if (frame === base) {
            if (reachable) this.#arrive(call, frame, true);
            reachable = false;
            break;
          }
          reachable = this.#end(call, frame, reachable);
          break;
        }
        case Op.return:
          this.#arrive(call, base, this.#frames.at(-1) === base);
          this.#builder.branch(base.level);
          reachable = false;
          break;
        case Op.br: {
          const frame = this.#frames[this.#frames.length - 1 - code.a[at]!]!;
          this.#arrive(call, frame, false);
          this.#builder.branch(frame.level);
          reachable = false;
          break;
        }
        case Op.brIf:
          reachable = this.#branchIf(call, code.a[at]!);
          break;
        default:
          reachable = this.#instruction(call, op, at);
      }
      at++;
    }
    this.#frames.length = floor;
    this.#stack.length = base.height;
    if (base.merged === undefined) {
      this.#builder.op(Op.unreachable);
      return false;
    }
    this.#resume(undefined, base.merged);
    return true;
  }

  /** A way comes to the end of a frame, with its value on top of the stack. */
  #arrive(call: Call, frame: Frame, falls: boolean): void {
    if (frame.at === -1 && call.depth === 0) {
      // The operation's end: the next record follows.
      const top = this.#stack.at(-1);
      if (top?.value !== this.#record + L.OP_SIZE) throw new CannotFold();
      if (falls) this.#stack.pop();
    } else if (frame.type !== Type.none) {
      this.#realise(1);
    }
    const way = this.#way(frame.at === -1 ? undefined : call);
    if (frame.merged === undefined) frame.merged = way;
    else mergeInto(frame.merged, way);
  }

  #way(call: Call | undefined): Way {
    return {
      known: call === undefined ? [] : [...call.known],
      kind: this.#builder.kind,
      changed: this.#changed,
    };
  }

  #resume(call: Call | undefined, way: Way): void {
    if (call !== undefined) call.known = [...way.known];
    this.#builder.kind = way.kind;
    this.#changed = way.changed;
  }

  #end(call: Call, frame: Frame, reachable: boolean): boolean {
    this.#frames.pop();
    if (frame.form === 'half') return reachable;
    if (reachable) {
      this.#frames.push(frame);
      this.#arrive(call, frame, true);
      this.#frames.pop();
    }
    // An `if` without `else`: the way that does not enter it.
    if (frame.form === 'if' && frame.before !== undefined) {
      if (frame.merged === undefined) frame.merged = frame.before;
      else mergeInto(frame.merged, frame.before);
    }
    this.#builder.close();
    this.#stack.length = frame.height;
    if (frame.merged === undefined) {
      this.#builder.op(Op.unreachable);
      return false;
    }
    this.#resume(call, frame.merged);
    if (frame.type !== Type.none) this.#stack.push({ type: frame.type, value: undefined });
    return true;
  }

  /** An `if`: where its condition is known, the half that is taken comes next. */
  #choose(call: Call, at: number): number {
    const { code } = call;
    const condition = this.#stack.at(-1)!;
    const type = code.a[at]!;
    const hasElse = code.other[at] !== code.end[at];
    if (condition.value !== undefined) {
      this.#stack.pop();
      const taken = condition.value !== 0;
      if (!taken && !hasElse) return code.end[at]!;
      if (code.target[at] === 1) this.#push('block', at, type, this.#builder.open(Op.block, type));
      else this.#push('half', at, type, -1);
      if (code.target[at] === 1 && hasElse) throw new CannotFold();
      return taken ? at : code.other[at]!;
    }
    this.#stack.pop();
    const frame = this.#push('if', at, type, this.#builder.open(Op.if, type));
    frame.before = this.#way(call);
    frame.uncertain = true;
    return at;
  }

  #branchIf(call: Call, depth: number): boolean {
    const frame = this.#frames[this.#frames.length - 1 - depth]!;
    const condition = this.#stack.at(-1)!;
    if (condition.value === 0) {
      this.#stack.pop();
      return true;
    }
    if (condition.value !== undefined) {
      this.#stack.pop();
      this.#arrive(call, frame, false);
      this.#builder.branch(frame.level);
      return false;
    }
    if (frame.at === -1 && call.depth === 0) throw new CannotFold();
    if (frame.type !== Type.none) this.#realise(2);
    this.#stack.pop();
    const value = this.#stack.at(-1);
    this.#arrive(call, frame, false);
    if (frame.type !== Type.none) value!.value = undefined;
    this.#builder.branch(frame.level, Op.brIf);
    frame.uncertain = true;
    return true;
  }

  /** Everything else. False where no way goes on behind it. */
  #instruction(call: Call, op: number, at: number): boolean {
    const { code } = call;
    const builder = this.#builder;
    const stack = this.#stack;
    switch (op) {
      case Op.nop:
        return true;
      case Op.i32Const:
        stack.push({ type: Type.i32, value: code.a[at]! });
        return true;
      case Op.i64Const:
        stack.push({ type: Type.i64, value: code.wide[code.a[at]!]! });
        return true;
      case Op.localGet: {
        const index = code.a[at]!;
        const value = call.known[index];
        if (value === undefined) builder.get(this.#local(call, index));
        stack.push({ type: code.locals[index]!, value });
        return true;
      }
      case Op.localSet:
      case Op.localTee:
        this.#assign(call, code.a[at]!, op === Op.localTee);
        return true;
      case Op.drop:
        if (stack.pop()!.value === undefined) builder.op(Op.drop);
        return true;
      case Op.select:
        this.#select();
        return true;
      case Op.call:
        return this.#call(call, code.a[at]!);
    }
    const access = op >= 0x28 && op <= 0x3e ? accessOf(op) : undefined;
    if (access !== undefined)
      return isStore(op) ? this.#store(op, access, code.a[at]!) : this.#load(op, access, code.a[at]!);
    if (op < 0x45 || op > 0xc4) throw new CannotFold();
    this.#numeric(op);
    return true;
  }

  #assign(call: Call, index: number, keep: boolean): void {
    const builder = this.#builder;
    const { value, type } = this.#stack.at(-1)!;
    call.known[index] = value;
    const local = this.#local(call, index);
    if (value !== undefined) {
      this.#constant(value);
      builder.set(local);
    } else if (keep) builder.tee(local);
    else builder.set(local);
    if (!keep) this.#stack.pop();
    else this.#stack[this.#stack.length - 1] = { type, value };
  }

  #select(): void {
    const condition = this.#stack.at(-1)!;
    const [a, b] = this.#stack.slice(-3);
    if (condition.value !== undefined && a!.value !== undefined && b!.value !== undefined) {
      this.#stack.length -= 3;
      this.#stack.push(condition.value !== 0 ? a! : b!);
      return;
    }
    this.#realise(3);
    this.#builder.op(Op.select);
    this.#stack.length -= 3;
    this.#stack.push({ type: a!.type, value: undefined });
  }

  #numeric(op: number): void {
    const shape = shapeOf(op);
    if (shape === undefined) throw new CannotFold();
    const stack = this.#stack;
    const b = stack.at(-1)!;
    if (shape.operands === 1) {
      const value = b.value === undefined ? undefined : foldOne(op, b.value);
      if (value === undefined) {
        this.#realise(1);
        this.#builder.op(op);
      }
      stack[stack.length - 1] = { type: shape.to, value };
      return;
    }
    const a = stack.at(-2)!;
    const value = a.value === undefined || b.value === undefined ? undefined : foldTwo(op, a.value, b.value);
    stack.length -= 2;
    if (value === undefined) {
      if (b.value !== undefined && a.value === undefined && keepsFirst(op, b.value)) {
        stack.push(a);
        return;
      }
      stack.push(a, b);
      if (a.value !== undefined && b.value === undefined && mayExchange(op)) this.#constant(a.value);
      else this.#realise(2);
      stack.length -= 2;
      this.#builder.op(op);
    }
    stack.push({ type: shape.to, value });
  }

  /** Puts the top entries onto WebAssembly's stack, in their order. */
  #realise(count: number): void {
    const entries = this.#stack.slice(-count);
    const first = entries.findIndex(({ value }) => value !== undefined);
    if (first === -1) return;
    const builder = this.#builder;
    const aside: number[] = [];
    for (let n = count - 1; n > first; n--) {
      if (entries[n]!.value !== undefined) continue;
      aside[n] = builder.temporary(entries[n]!.type);
      builder.set(aside[n]!);
    }
    for (let n = first; n < count; n++) {
      if (aside[n] === undefined) this.#constant(entries[n]!.value);
      else builder.get(aside[n]!);
    }
    for (let n = 0; n < count; n++) {
      this.#stack[this.#stack.length - count + n] = { type: entries[n]!.type, value: undefined };
    }
  }

  #load(op: number, access: Access, offset: number): boolean {
    const entry = this.#stack.pop()!;
    const type = access.long ? Type.i64 : Type.i32;
    if (entry.value === undefined) {
      this.#builder.access(op, offset);
      this.#stack.push({ type, value: undefined });
      return true;
    }
    const address = (((entry.value as number) + offset) >>> 0) as number;
    this.#stack.push({ type, value: this.#constantLoad(op, access, address) });
    return true;
  }

  /** A load from a constant address: gives the value, or writes code for it. */
  #constantLoad(op: number, access: Access, address: number): Known | undefined {
    const builder = this.#builder;
    // The blocks that a branch went to last are the region's business.
    if (op === 0x28 && (address === this.#record + L.OP_TAKEN || address === this.#record + L.OP_NOT_TAKEN))
      return 0;
    if (address >= this.#record - L.OP_SIZE && address < this.#record + L.OP_SIZE)
      return readNow(this.#view, address, access);
    const known = knownByMode(address, this.#mode);
    if (known !== undefined) return access.long ? known : Number(BigInt.asIntN(32, BigInt(known)));
    if (address === L.BLOCK_RIP && access.bytes === 8) {
      builder.get(Local.rip);
      if (this.#delta !== 0n) {
        builder.i64(this.#delta);
        builder.op(0x7c);
      }
      return undefined;
    }
    if (address === L.TLB_NOW) {
      builder.get(Local.tlb);
      return undefined;
    }
    if (address === L.FLAG_KIND && builder.kind !== undefined) return builder.kind;
    const place = placeOf(address);
    if (place !== undefined) {
      this.#loadPlace(place, access);
      return undefined;
    }
    if (isStale(address)) throw new CannotFold();
    builder.i32(0);
    builder.access(op, address);
    return undefined;
  }

  #loadPlace(place: { index: number; byte: number; type: number }, { bytes, signed, long }: Access): void {
    const builder = this.#builder;
    builder.get(builder.state(place.index, false));
    if (place.type === Type.i32) {
      if (bytes !== 4 || long || place.byte !== 0) throw new CannotFold();
      return;
    }
    if (place.byte + bytes > 8) throw new CannotFold();
    if (place.byte > 0) {
      builder.i64(BigInt(8 * place.byte));
      builder.op(0x88);
    }
    if (!long) builder.op(0xa7);
    if (bytes === 8 || (!long && bytes === 4)) return;
    if (signed) builder.op(long ? [0xc2, 0xc3, 0, 0xc4][bytes - 1]! : [0xc0, 0xc1][bytes - 1]!);
    else if (long) {
      builder.i64((1n << BigInt(8 * bytes)) - 1n);
      builder.op(0x83);
    } else {
      builder.i32((1 << (8 * bytes)) - 1);
      builder.op(0x71);
    }
  }

  #store(op: number, access: Access, offset: number): boolean {
    const { value: base } = this.#stack.at(-2)!;
    if (base === undefined) {
      this.#realise(2);
      this.#stack.length -= 2;
      this.#builder.access(op, offset);
      this.#changed = true;
      return true;
    }
    const address = ((base as number) + offset) >>> 0;
    const place = placeOf(address);
    if (place !== undefined) {
      this.#storePlace(address, place, access);
      this.#changed = true;
      return true;
    }
    if (isOwnState(address)) {
      this.#realise(2);
      this.#stack.length -= 2;
      this.#builder.access(op, offset);
      this.#changed = true;
      return true;
    }
    // An exception, or the note of an operation that cannot go on.
    const leaves =
      address === L.CURRENT ||
      address === L.FAULT_VECTOR ||
      address === L.FAULT_CODE ||
      address === L.TROUBLE;
    if (!leaves) throw new CannotFold();
    return this.#leave();
  }

  #storePlace(
    address: number,
    place: { index: number; byte: number; type: number },
    { bytes, long }: Access,
  ): void {
    const builder = this.#builder;
    const { value } = this.#stack.pop()!;
    // The address was known, so it is not on WebAssembly's stack.
    this.#stack.pop();
    if (value !== undefined) this.#constant(value);
    if (place.type === Type.i32) {
      if (bytes !== 4 || long || place.byte !== 0) throw new CannotFold();
      builder.set(builder.state(place.index, true));
      if (address === L.FLAG_KIND) builder.kind = value as number | undefined;
      return;
    }
    if (place.byte + bytes > 8) throw new CannotFold();
    const local = builder.state(place.index, true);
    if (bytes < 8) {
      const mask = (1n << BigInt(8 * bytes)) - 1n;
      if (!long) builder.op(0xad);
      builder.i64(mask);
      builder.op(0x83);
      if (place.byte > 0) {
        builder.i64(BigInt(8 * place.byte));
        builder.op(0x86);
      }
      builder.get(local);
      builder.i64(BigInt.asIntN(64, ~(mask << BigInt(8 * place.byte))));
      builder.op(0x83);
      builder.op(0x84);
    }
    builder.set(local);
  }

  #leave(): boolean {
    if (this.#changed) throw new CannotFold();
    this.#around.leave();
    return false;
  }

  #call(call: Call, index: number): boolean {
    if (index === this.#enter) {
      this.#goOn();
      return false;
    }
    const code = this.#program.code(index);
    if (code === undefined) throw new CannotFold();
    const goesElsewhere = this.#program.reaches(index, this.#enter);
    const uncertain = this.#frames.some((frame) => frame.uncertain);
    if (!goesElsewhere && uncertain && this.#program.mayFail(index)) return this.#leave();
    const args = this.#stack.splice(this.#stack.length - code.params);
    const inner = this.#begin(code, args, call.depth + 1);
    const frame = this.#push('block', -1, code.result, this.#builder.open(Op.block, code.result));
    const returns = this.#follow(inner, frame);
    this.#builder.close();
    if (!returns) {
      this.#builder.op(Op.unreachable);
      return false;
    }
    if (code.result !== Type.none) this.#stack.push({ type: code.result, value: undefined });
    return true;
  }

  /** A call of `enter`: its arguments are the address and the slot that may know the block there. */
  #goOn(): void {
    const slot = this.#stack.pop()!;
    const target = this.#stack.pop()!;
    if (slot.value === undefined) throw new CannotFold();
    if (target.value !== undefined) this.#constant(target.value);
    this.#builder.set(Local.target);
    if (slot.value !== 0) {
      // What is written there has temporary locals of its own, and this operation keeps its.
      const taken = this.#builder.temporaries();
      const written = this.#around.edge(slot.value as number);
      this.#builder.restoreTemporaries(taken);
      if (written) return;
    }
    this.#around.goThrough(slot.value as number);
  }
}

function zeroOf(type: number): Known | undefined {
  return type === Type.i32 ? 0 : type === Type.i64 ? 0n : undefined;
}

function mergeInto(merged: Way, way: Way): void {
  for (const [index, value] of merged.known.entries()) {
    if (value !== way.known[index]) merged.known[index] = undefined;
  }
  if (merged.kind !== way.kind) merged.kind = undefined;
  merged.changed ||= way.changed;
}
