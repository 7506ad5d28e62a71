/**
 * A translated function under construction: its bytes, its locals, and the CPU state in them. The general registers and
 * the lazy flags that the function uses are in locals. They are stored where the function ends, and around operations
 * of the interpreter's own functions (`sync`): the used ones are only known at the end, so the places are recorded, and
 * `finish` fills them in.
 *
 * @module
 */
import { Bytes } from './bytes.js';
import { LOCAL_OF_PLACE, localTypes, places, temporaryTypes } from './locals.js';
import { Op, Type } from './program.js';
import { Writer } from './writer.js';

interface Sync {
  at: number;
  load: boolean;
}

/** The start of the code for an operation's record. */
export interface Mark {
  readonly at: number;
  readonly record: number;
}

/** A function's body, with declarations of its locals, and the places of its operations. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly marks: readonly Mark[];
}

export class Builder extends Writer {
  /** The levels of the outermost blocks: `next` or `enter` follows after them. */
  plain = 0;
  through = 0;
  readonly #temporaries = temporaryTypes.map(() => 0);
  readonly #syncs: Sync[] = [];
  readonly #marks: Mark[] = [];

  i32(value: number): void {
    this.bytes.byte(Op.i32Const);
    this.bytes.s32(value);
  }

  i64(value: bigint): void {
    this.bytes.byte(Op.i64Const);
    this.bytes.s64(value);
  }

  get(local: number): void {
    this.local(Op.localGet, local);
  }

  set(local: number): void {
    this.local(Op.localSet, local);
  }

  tee(local: number): void {
    this.local(Op.localTee, local);
  }

  /**
   * Records the needs of an added piece of code: bits of the places of state that it uses and writes, and its number of
   * temporary locals of each type.
   */
  use(uses: number, writes: number, temporaries: readonly number[]): void {
    this.uses |= uses;
    this.writes |= writes;
    for (let kind = 0; kind < temporaries.length; kind++) {
      if (temporaries[kind]! > this.#temporaries[kind]!) this.#temporaries[kind] = temporaries[kind]!;
    }
  }

  /** Stores the state in locals to memory here, or loads it. */
  sync(load: boolean): void {
    this.#syncs.push({ at: this.bytes.length, load });
  }

  /** Marks the start of an operation. */
  mark(record: number): void {
    if (this.#marks.at(-1)?.record !== record) this.#marks.push({ at: this.bytes.length, record });
  }

  /** Returns the function, with the recorded places filled in. */
  finish(): Body {
    const out = new Bytes();
    this.#declare(out);
    const marks: Mark[] = [];
    let from = 0;
    const goTo = (end: number) => {
      for (let mark = this.#marks[marks.length]; mark && mark.at < end; mark = this.#marks[marks.length])
        marks.push({ at: out.length + mark.at - from, record: mark.record });
      out.append(this.bytes.view(from, end));
      from = end;
    };
    for (const { at, load } of this.#syncs) {
      goTo(at);
      if (load) this.#loadState(out);
      else this.#storeState(out);
    }
    goTo(this.bytes.length);
    return { bytes: out.view().slice(), marks };
  }

  #declare(out: Bytes): void {
    const runs: [number, number][] = [];
    for (const type of localTypes(this.#temporaries)) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    out.u32(runs.length);
    for (const [count, type] of runs) {
      out.u32(count);
      out.byte(type);
    }
  }

  #loadState(out: Bytes): void {
    for (const [index, { at, type }] of places.entries()) {
      if ((this.uses & (1 << index)) === 0) continue;
      out.byte(Op.i32Const);
      out.s32(0);
      out.byte(type === Type.i64 ? 0x29 : 0x28);
      out.byte(0);
      out.u32(at);
      out.byte(Op.localSet);
      out.u32(LOCAL_OF_PLACE + index);
    }
  }

  #storeState(out: Bytes): void {
    for (const [index, { at, type }] of places.entries()) {
      if ((this.writes & (1 << index)) === 0) continue;
      out.byte(Op.i32Const);
      out.s32(0);
      out.byte(Op.localGet);
      out.u32(LOCAL_OF_PLACE + index);
      out.byte(type === Type.i64 ? 0x37 : 0x36);
      out.byte(0);
      out.u32(at);
    }
  }
}
