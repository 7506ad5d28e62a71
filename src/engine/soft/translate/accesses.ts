/**
 * Loads and stores of an operation's code: of guest memory, of its own record, and of the CPU's state, which is in locals or
 * known by the mode.
 *
 * @module
 */
import * as L from '../layout.js';
import { Local, placeOf } from './locals.js';
import { CannotFold, DependsOnMore, type Operands, type Subject } from './operands.js';
import { type Code, Op, SATURATING, Type, VECTOR } from './program.js';
import { type Access, isStale, knownByMode, ownStates } from './state.js';
import { SAME_FLAGS } from './template.js';
import { AfterRip, Formula, hasDisplacement, isFixed, type Known, staysWithin } from './values.js';
import { vectorShape } from './vectors.js';

const I32_ADD = 0x6a;
const I32_LOAD = 0x28;

/** The result of a store. `leaves`: the instruction cannot continue, and the interpreter has to find the reason. */
export type Stored = 'state' | 'memory' | 'leaves';

export class Accesses {
  readonly #subject: Subject;
  readonly #operands: Operands;

  constructor(subject: Subject, operands: Operands) {
    this.#subject = subject;
    this.#operands = operands;
  }

  load(op: number, access: Access, offset: number): void {
    const { value } = this.#operands.pop();
    const type = access.long ? Type.i64 : Type.i32;
    if (value === undefined) {
      this.#subject.writer.access(op, offset);
      this.#operands.push(type, undefined, op === I32_LOAD && offset === L.TLB_ADDEND ? 'addend' : undefined);
    } else this.#operands.push(type, this.#loadKnown(op, access, addressOf(value, offset)));
  }

  /** A load from a known address: returns the value, or writes code for it. */
  #loadKnown(op: number, access: Access, address: number | Formula): Known | undefined {
    const { writer, place, mode } = this.#subject;
    const at = numberOf(address);
    const offset = at - place.record;
    if (offset >= -L.OP_SIZE && offset < L.OP_SIZE) return this.#recordField(op, access, offset);
    if (address instanceof Formula) {
      if (staysWithin(address, place, L.REGS, L.REGS + 128)) {
        this.#narrow(() => writer.register(Op.localGet, address), at & 7, access);
        return undefined;
      }
      if (ownStates.some(([from, to]) => staysWithin(address, place, from, to))) {
        writer.i32(address);
        writer.access(op, 0);
        return undefined;
      }
      this.#operands.decide(address);
    }
    const known = knownByMode(at, mode);
    if (known !== undefined) return access.long ? known : Number(BigInt.asIntN(32, BigInt(known)));
    if (at === L.BLOCK_RIP && access.bytes === 8) return new AfterRip(Formula.delta(place));
    if (at === L.FLAG_KIND && this.#flags() !== undefined) return writer.flags;
    const state = placeOf(at);
    if (at === L.TLB_NOW) writer.local(Op.localGet, Local.tlb);
    else if (state?.type === Type.i32) {
      if (access.bytes !== 4 || access.long || state.byte !== 0) throw new CannotFold();
      writer.state(Op.localGet, state.index);
    } else if (state !== undefined)
      this.#narrow(() => writer.state(Op.localGet, state.index), state.byte, access);
    else {
      if (isStale(at)) throw new CannotFold();
      writer.i32(0);
      writer.access(op, at);
    }
    return undefined;
  }

  /** The lazy flags' kind, if it is known: the code depends on it. */
  #flags(): number | undefined {
    const { writer, form } = this.#subject;
    if (writer.flags !== SAME_FLAGS) return writer.flags;
    form.readsFlags = true;
    throw new DependsOnMore();
  }

  #recordField(op: number, access: Access, offset: number): Known {
    const { view, record } = this.#subject.place;
    // The blocks of a branch's last targets are handled by the region.
    if (op === I32_LOAD && (offset === L.OP_TAKEN || offset === L.OP_NOT_TAKEN)) return 0;
    const field = Formula.load(this.#subject.place, offset, access);
    const none = offset === L.OP_DISPLACEMENT && access.bytes === 8 && !hasDisplacement(view, record);
    return none || isFixed(offset, access, field.value) ? field.value : field;
  }

  /** Reads a part of a 64-bit place. */
  #narrow(get: () => void, byte: number, { bytes, signed, long }: Access): void {
    const { writer } = this.#subject;
    if (byte + bytes > 8) throw new CannotFold();
    get();
    if (byte > 0) {
      writer.i64(BigInt(8 * byte));
      writer.op(0x88); // i64.shr_u
    }
    if (!long) writer.op(0xa7); // i32.wrap_i64
    if (bytes === 8 || (!long && bytes === 4)) return;
    if (signed) {
      // i64.extend8_s and so on.
      writer.op(long ? [0xc2, 0xc3, 0, 0xc4][bytes - 1]! : [0xc0, 0xc1][bytes - 1]!);
    } else if (long) {
      writer.i64((1n << BigInt(8 * bytes)) - 1n);
      writer.op(0x83); // i64.and
    } else {
      writer.i32((1 << (8 * bytes)) - 1);
      writer.op(0x71); // i32.and
    }
  }

  store(op: number, access: Access, offset: number): Stored {
    const { value: base } = this.#operands.entries.at(-2)!;
    if (base === undefined) {
      this.#storeRealised(op, offset);
      this.#subject.writer.writesMemory = true;
      return 'memory';
    }
    const { writer, place } = this.#subject;
    const address = addressOf(base, offset);
    const at = numberOf(address);
    if (address instanceof Formula) {
      if (staysWithin(address, place, L.REGS, L.REGS + 128)) {
        this.#storePart((opcode) => writer.register(opcode, address), at & 7, access);
        return 'state';
      }
      if (ownStates.some(([from, to]) => staysWithin(address, place, from, to))) {
        this.#storeRealised(op, offset);
        return 'state';
      }
      this.#operands.decide(address);
    }
    const state = placeOf(at);
    if (state?.type === Type.i32) {
      if (access.bytes !== 4 || access.long || state.byte !== 0) throw new CannotFold();
      const { value } = this.#operands.pop();
      this.#operands.pop();
      if (value !== undefined) this.#operands.constant(value);
      writer.state(Op.localSet, state.index);
      if (at === L.FLAG_KIND) writer.flags = this.#operands.decide(value) as number | undefined;
      return 'state';
    }
    if (state !== undefined) {
      this.#storePart((opcode) => writer.state(opcode, state.index), state.byte, access);
      return 'state';
    }
    if (ownStates.some(([from, to]) => at >= from && at < to)) {
      this.#storeRealised(op, offset);
      return 'state';
    }
    // An exception, or the mark of an operation that cannot continue.
    if (at === L.CURRENT || at === L.FAULT_VECTOR || at === L.FAULT_CODE || at === L.TROUBLE) return 'leaves';
    throw new CannotFold();
  }

  #storeRealised(op: number, offset: number): void {
    this.#operands.realise(2);
    this.#operands.length -= 2;
    this.#subject.writer.access(op, offset);
  }

  /** Writes a 64-bit place, or a part of it. */
  #storePart(local: (opcode: number) => void, byte: number, { bytes, long }: Access): void {
    const { writer } = this.#subject;
    if (byte + bytes > 8) throw new CannotFold();
    const { value } = this.#operands.pop();
    // The address is known, so it is not on WebAssembly's stack.
    this.#operands.pop();
    if (value !== undefined) this.#operands.constant(value);
    if (bytes < 8) {
      const mask = (1n << BigInt(8 * bytes)) - 1n;
      if (!long) writer.op(0xad); // i64.extend_i32_u
      writer.i64(mask);
      writer.op(0x83); // i64.and
      if (byte > 0) {
        writer.i64(BigInt(8 * byte));
        writer.op(0x86); // i64.shl
      }
      local(Op.localGet);
      writer.i64(BigInt.asIntN(64, ~(mask << BigInt(8 * byte))));
      writer.op(0x83);
      writer.op(0x84); // i64.or
    }
    local(Op.localSet);
  }

  /** Floating-point constants, conversions that saturate, and SIMD. True for a store. */
  other(code: Code, op: number, at: number): boolean {
    const operands = this.#operands;
    const { writer } = this.#subject;
    if (op === Op.f32Const || op === Op.f64Const) {
      writer.op(op);
      writer.bytes.append(code.raw[code.a[at]!]!);
      operands.push(op === Op.f32Const ? Type.f32 : Type.f64);
      return false;
    }
    if (op < VECTOR) throw new CannotFold();
    if (op >= SATURATING) {
      operands.realise(1);
      operands.pop();
      writer.op(op);
      operands.push(op < SATURATING + 4 ? Type.i32 : Type.i64);
      return false;
    }
    const { takes, gives, immediate } = vectorShape(op - VECTOR);
    const write = (offset: number) => {
      if (immediate === 'memory' || immediate === 'memory and lane') writer.access(op, offset);
      else writer.op(op);
      if (immediate === 'lane') writer.bytes.byte(code.a[at]!);
      else if (immediate === 'memory and lane') writer.bytes.byte(code.other[at]!);
      else if (immediate === 'bytes') writer.bytes.append(code.raw[code.a[at]!]!);
    };
    const isAccess = immediate === 'memory' || immediate === 'memory and lane';
    if (!isAccess) {
      operands.realise(takes.length);
      write(0);
    } else if (gives === Type.none) this.storeOther(write, code.a[at]!);
    else this.loadOther(write, code.a[at]!, takes.length);
    operands.length -= takes.length;
    if (gives !== Type.none) operands.push(gives);
    return isAccess && gives === Type.none;
  }

  /** A load of a vector or a floating-point number, which are never in locals; its address is known or not. */
  loadOther(write: (offset: number) => void, offset: number, depth: number): void {
    const known = this.#operands.entries.at(-depth)!.value;
    if (known !== undefined) this.#checkState(addressOf(known, offset), true);
    this.#operands.realise(depth);
    write(offset);
  }

  /** True for a store to guest memory. */
  storeOther(write: (offset: number) => void, offset: number): Stored {
    const known = this.#operands.entries.at(-2)!.value;
    if (known !== undefined) this.#checkState(addressOf(known, offset), false);
    else this.#subject.writer.writesMemory = true;
    this.#operands.realise(2);
    write(offset);
    return known === undefined ? 'memory' : 'state';
  }

  #checkState(address: number | Formula, reads: boolean): void {
    const { place } = this.#subject;
    if (address instanceof Formula) {
      if (ownStates.some(([from, to]) => staysWithin(address, place, from, to))) return;
      this.#operands.decide(address);
    }
    const at = numberOf(address);
    if (ownStates.some(([from, to]) => at >= from && at < to)) return;
    const isPlain = at >= L.STATIC_DATA && !isStale(at) && placeOf(at) === undefined;
    if (!reads || !isPlain) throw new CannotFold();
  }
}

function addressOf(base: Known, offset: number): number | Formula {
  if (base instanceof AfterRip) throw new CannotFold();
  return Formula.two(I32_ADD, base, offset) as number | Formula;
}

function numberOf(address: number | Formula): number {
  return ((address instanceof Formula ? address.value : address) as number) >>> 0;
}
