/**
 * One operation of a translated function: its handler's code, specialized for the operation's record.
 *
 * The handler is read instruction by instruction. Known values stay numbers or formulas of the record, and code is
 * written for everything else; so a register's number becomes the register's local, an `if` on the form of an operand
 * becomes one of its branches, and the interpreter's checks of memory become code. Calls are followed, except these:
 *
 * - at `enter` the operation continues elsewhere: the region provides the code.
 * - `refill` is called: it changes only the TLB.
 * - Functions that may raise an exception, or end the block, are called only in unusual cases. There the translation is left before
 *   the operation, which the interpreter executes from its start. Nothing may have been changed before that.
 * - For functions that are too large or have unsupported code, the interpreter's handler executes the whole operation
 *   (`CannotFold`); where such a function is only called on some paths, the handler executes the operation on these.
 *
 * @module
 */
import * as L from '../layout.js';
import { Accesses, type Stored } from './accesses.js';
import { Local } from './locals.js';
import { CannotFold, Operands, type Subject, zeroOf } from './operands.js';
import { type Code, Imported, Op, type ProgramCode, Type, VECTOR } from './program.js';
import { accessOf, isStore } from './state.js';
import type { Template, TemplateWriter } from './template.js';
import { Formula, type Known, plain, same } from './values.js';
import { type Call, canFollow, DEEPEST, type Frame, hasVectors, mergeInto, type Way } from './ways.js';

/**
 * The code of an operation.
 *
 * @param handler the index of its handler's function
 * @throws CannotFold; DependsOnMore, to be called again
 */
export function fold(program: ProgramCode, handler: number, subject: Subject): Template {
  return new Fold(program, subject).operation(handler);
}

class Fold {
  readonly #program: ProgramCode;
  readonly #subject: Subject;
  readonly #writer: TemplateWriter;
  readonly #stack: Operands;
  readonly #accesses: Accesses;
  readonly #enter: number;
  readonly #refill: number;
  readonly #frames: Frame[] = [];
  #changed = false;

  constructor(program: ProgramCode, subject: Subject) {
    this.#program = program;
    this.#subject = subject;
    this.#writer = subject.writer;
    this.#stack = new Operands(subject);
    this.#accesses = new Accesses(subject, this.#stack);
    this.#enter = program.exported.get('enter')!;
    this.#refill = program.exported.get('refill')!;
  }

  operation(handler: number): Template {
    const code = this.#program.code(handler);
    if (code === undefined) throw new CannotFold();
    const writer = this.#writer;
    this.#stack.push(Type.i32, Formula.record(this.#subject.place));
    const call = this.#begin(code, 0);
    const frame = this.#push('block', -1, Type.i32, writer.open(Op.block, Type.none));
    const goesOn = this.#follow(call, frame);
    writer.close();
    return writer.finish(goesOn);
  }

  #push(form: Frame['form'], at: number, type: number, level: number): Frame {
    const frame: Frame = {
      ...{ form, at, type, level },
      height: this.#stack.length,
      merged: undefined,
      before: undefined,
      uncertain: false,
      passed: false,
      value: undefined,
      isPlace: true,
    };
    this.#frames.push(frame);
    return frame;
  }

  /** A call's locals, with its arguments from the stack. */
  #begin(code: Code, depth: number): Call {
    if (!canFollow(code) || depth > DEEPEST) throw new CannotFold();
    const known: (Known | undefined)[] = code.locals.map(zeroOf);
    const call: Call = { code, known, locals: new Int32Array(code.locals.length).fill(-1), depth };
    for (let index = code.params - 1; index >= 0; index--) {
      const { value } = this.#stack.pop();
      if (value === undefined) this.#writer.local(Op.localSet, this.#local(call, index));
      else if (code.writes[index] !== 0) this.#write(call, index, value);
      known[index] = value;
    }
    for (const index of code.zeroed) {
      const type = code.locals[index]!;
      if (zeroOf(type) === undefined) this.#clear(type);
      else this.#stack.constant(zeroOf(type)!);
      this.#writer.local(Op.localSet, this.#local(call, index));
    }
    return call;
  }

  /** A zero of a type that is not an integer. */
  #clear(type: number): void {
    const writer = this.#writer;
    writer.op(type === Type.f32 ? Op.f32Const : type === Type.f64 ? Op.f64Const : VECTOR + 12);
    writer.bytes.append(new Uint8Array(type === Type.f32 ? 4 : type === Type.f64 ? 8 : 16));
  }

  #local(call: Call, index: number): number {
    if (call.locals[index] === -1) call.locals[index] = this.#stack.temporary(call.code.locals[index]!);
    return call.locals[index]!;
  }

  #write(call: Call, index: number, value: Known): void {
    this.#stack.constant(value);
    this.#writer.local(Op.localSet, this.#local(call, index));
  }

  /** Follows a function to its end; `base` is the frame that its `return` leaves. True if some path reaches the end. */
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
          if (code.target[at] === 1) this.#push('block', at, code.a[at]!, this.#writer.open(op, code.a[at]!));
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
          this.#writer.op(Op.else);
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
          this.#leftBy(base);
          this.#writer.branch(base.level);
          reachable = false;
          break;
        case Op.br: {
          const frame = this.#frames[this.#frames.length - 1 - code.a[at]!]!;
          this.#arrive(call, frame, false);
          this.#leftBy(frame);
          this.#writer.branch(frame.level);
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
      this.#writer.op(Op.unreachable);
      return false;
    }
    this.#resume(undefined, base.merged);
    return true;
  }

  /** A path reaches the end of a frame, with its value on top of the stack. */
  #arrive(call: Call, frame: Frame, falls: boolean): void {
    if (frame.at === -1 && call.depth === 0) {
      // The end of the operation: the next record follows.
      const { value } = this.#stack.top();
      const next = this.#subject.place.record + L.OP_SIZE;
      if (!(value instanceof Formula) || plain(value) !== next) throw new CannotFold();
      if (falls) this.#stack.pop();
    } else if (frame.type !== Type.none) {
      const { value, is } = this.#stack.top();
      if (frame.merged === undefined) frame.value = value;
      else if (!same(frame.value, value)) frame.value = undefined;
      frame.isPlace &&= is === 'place';
      this.#stack.realise(1);
    }
    const way = this.#way(frame.at === -1 ? undefined : call);
    if (frame.merged === undefined) frame.merged = way;
    else mergeInto(frame.merged, way);
  }

  #way(call: Call | undefined): Way {
    return {
      known: call === undefined ? [] : [...call.known],
      flags: this.#writer.flags,
      changed: this.#changed,
    };
  }

  #resume(call: Call | undefined, way: Way): void {
    if (call !== undefined) call.known = [...way.known];
    this.#writer.flags = way.flags;
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
    // An `if` without `else`: the path that does not enter it.
    if (frame.form === 'if' && frame.before !== undefined) {
      if (frame.merged === undefined) frame.merged = frame.before;
      else mergeInto(frame.merged, frame.before);
    }
    this.#writer.close();
    this.#stack.length = frame.height;
    if (frame.merged === undefined) {
      this.#writer.op(Op.unreachable);
      return false;
    }
    this.#resume(call, frame.merged);
    this.#give(frame);
    return true;
  }

  /** The value of a frame that has reached its end, on WebAssembly's stack. */
  #give({ type, value, isPlace }: Frame): void {
    if (type === Type.none) return;
    if (value !== undefined) this.#writer.op(Op.drop);
    this.#stack.push(type, value, isPlace ? 'place' : undefined);
  }

  /** An `if`: where its condition is known, only the taken branch follows. */
  #choose(call: Call, at: number): number {
    const { code } = call;
    const { value, is } = this.#stack.pop();
    if (is === 'place') this.#writer.op(Op.drop);
    const condition = is === 'place' ? 1 : this.#stack.decide(value);
    const type = code.a[at]!;
    const hasElse = code.other[at] !== code.end[at];
    if (condition !== undefined) {
      const taken = condition !== 0;
      if (!taken && !hasElse) return code.end[at]!;
      if (code.target[at] === 1 && hasElse) throw new CannotFold();
      if (code.target[at] === 1) this.#push('block', at, type, this.#writer.open(Op.block, type));
      else this.#push('half', at, type, -1);
      return taken ? at : code.other[at]!;
    }
    const frame = this.#push('if', at, type, this.#writer.open(Op.if, type));
    frame.before = this.#way(call);
    frame.uncertain = true;
    return at;
  }

  #branchIf(call: Call, depth: number): boolean {
    const frame = this.#frames[this.#frames.length - 1 - depth]!;
    const condition = this.#stack.decide(this.#stack.top().value);
    if (condition === 0) {
      this.#stack.pop();
      return true;
    }
    if (condition !== undefined) {
      this.#stack.pop();
      this.#arrive(call, frame, false);
      this.#writer.branch(frame.level);
      return false;
    }
    if (frame.at === -1 && call.depth === 0) throw new CannotFold();
    if (frame.type !== Type.none) this.#stack.realise(2);
    this.#stack.pop();
    this.#arrive(call, frame, false);
    this.#writer.branch(frame.level, Op.brIf);
    frame.uncertain = true;
    return true;
  }

  /** Everything else. False where no path continues after it. */
  #instruction(call: Call, op: number, at: number): boolean {
    const { code } = call;
    const stack = this.#stack;
    if (op >= 0x45 && op <= 0xc4) {
      stack.numeric(op);
      return true;
    }
    switch (op) {
      case Op.nop:
        return true;
      case Op.i32Const:
        stack.push(Type.i32, code.a[at]!);
        return true;
      case Op.i64Const:
        stack.push(Type.i64, code.wide[code.a[at]!]!);
        return true;
      case Op.localGet: {
        const index = code.a[at]!;
        const value = call.known[index];
        if (value === undefined) this.#writer.local(Op.localGet, this.#local(call, index));
        stack.push(code.locals[index]!, value);
        return true;
      }
      case Op.localSet:
      case Op.localTee:
        this.#assign(call, code.a[at]!, op === Op.localTee);
        return true;
      case Op.drop:
        if (stack.pop().value === undefined) this.#writer.op(Op.drop);
        return true;
      case Op.select:
        stack.select();
        return true;
      case Op.call:
        return this.#call(call, code.a[at]!);
      case Op.unreachable:
        throw new CannotFold();
      case Op.foreign:
        return this.#performs();
    }
    if (op >= 0x28 && op <= 0x3e) return this.#access(op, code.a[at]!);
    if (this.#accesses.other(code, op, at)) this.#changed = true;
    return true;
  }

  #access(op: number, offset: number): boolean {
    const access = accessOf(op);
    if (access !== undefined && !isStore(op)) this.#accesses.load(op, access, offset);
    else if (access !== undefined) return this.#stored(this.#accesses.store(op, access, offset));
    else if (isStore(op)) {
      this.#stored(this.#accesses.storeOther((at) => this.#writer.access(op, at), offset));
      this.#stack.length -= 2;
    } else {
      this.#accesses.loadOther((at) => this.#writer.access(op, at), offset, 1);
      this.#stack.pop();
      this.#stack.push(op === 0x2a ? Type.f32 : Type.f64);
    }
    return true;
  }

  #stored(stored: Stored): boolean {
    if (stored === 'leaves') return this.#leave();
    this.#changed = true;
    return true;
  }

  #assign(call: Call, index: number, keep: boolean): void {
    const { code } = call;
    const { value } = this.#stack.top();
    call.known[index] = value;
    // A local that is written once has this value at every read.
    const once = code.writes[index] === 1 && index >= code.params && !code.zeroed.includes(index);
    if (value === undefined) this.#writer.local(keep ? Op.localTee : Op.localSet, this.#local(call, index));
    else if (!once) this.#write(call, index, value);
    if (!keep) this.#stack.pop();
  }

  #leave(): boolean {
    if (this.#changed) throw new CannotFold();
    this.#writer.leave();
    return false;
  }

  /** A path branches to a frame's end. If it comes from an `if`, the rest of the frame is not for every path. */
  #leftBy(frame: Frame): void {
    const inner = this.#frames.slice(this.#frames.indexOf(frame) + 1);
    if (inner.some(({ uncertain, passed }) => uncertain || passed)) frame.passed = true;
  }

  #isUncertain(): boolean {
    return this.#frames.some(({ uncertain }) => uncertain);
  }

  /** On this path, which is not always taken, the interpreter's handler executes the operation. */
  #performs(): boolean {
    const isAlways = !this.#isUncertain() && !this.#frames.some(({ passed }) => passed);
    if (this.#changed || isAlways) throw new CannotFold();
    this.#writer.perform();
    return false;
  }

  #call(call: Call, index: number): boolean {
    if (index === this.#enter) {
      this.#goOn();
      return false;
    }
    const code = this.#program.code(index);
    if (code === undefined) throw new CannotFold();
    if (index === this.#refill && this.#subject.leaves && !this.#changed) return this.#leave();
    if (index === this.#refill) {
      this.#stack.realise(code.params);
      this.#stack.length -= code.params;
      this.#writer.call(Imported.refill);
      this.#stack.push(code.result);
      return true;
    }
    const goesElsewhere = this.#program.reaches(index, this.#enter);
    const isUnusual = this.#isUncertain() && this.#program.mayFail(index) && !hasVectors(code);
    if (!goesElsewhere && isUnusual) return this.#leave();
    if (!canFollow(code) || call.depth === DEEPEST) return this.#performs();
    const inner = this.#begin(code, call.depth + 1);
    const frame = this.#push('block', -1, code.result, this.#writer.open(Op.block, code.result));
    const returns = this.#follow(inner, frame);
    this.#writer.close();
    if (!returns) {
      this.#writer.op(Op.unreachable);
      return false;
    }
    this.#give(frame);
    return true;
  }

  /** A call of `enter`: its arguments are the address and the slot that may cache its block. */
  #goOn(): void {
    const slot = this.#stack.pop().value;
    if (slot === undefined) throw new CannotFold();
    this.#stack.realise(1);
    this.#stack.pop();
    this.#writer.local(Op.localSet, Local.target);
    this.#writer.go(slot instanceof Formula ? (slot.value as number) - this.#subject.place.record : 0);
  }
}
