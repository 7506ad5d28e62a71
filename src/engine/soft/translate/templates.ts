/**
 * The templates of all operations so far, by their forms. They are valid for every machine.
 *
 * @module
 */
import * as L from '../layout.js';
import { fold } from './fold.js';
import { CannotFold, DependsOnMore } from './operands.js';
import type { ProgramCode } from './program.js';
import { SAME_FLAGS, type Template, TemplateWriter } from './template.js';
import { type Place, RecordForm } from './values.js';

interface Known {
  readonly form: RecordForm;
  /** Null for an operation that cannot be folded. */
  readonly byKey: Map<string, Template | null>;
}

/** The most templates of one handler: a guest may have an instruction with every possible immediate. */
const MOST_OF_ONE = 512;

export class Templates {
  readonly #program: ProgramCode;
  readonly #known = new Map<number, Known>();

  /** How many were made. */
  made = 0;

  constructor(program: ProgramCode) {
    this.#program = program;
  }

  /**
   * The code of the operation at `place`, or null where the interpreter's handler has to execute it. @param flags the
   * lazy flags' kind before it, if it is known @param leaves true if it leaves at a TLB miss: faster, where misses are
   * rare
   */
  get(place: Place, mode: number, flags: number | undefined, leaves: boolean): Template | null {
    const { view, record } = place;
    const number = view.getUint16(record, true);
    let known = this.#known.get(number);
    if (known === undefined) {
      known = { form: new RecordForm(), byKey: new Map() };
      this.#known.set(number, known);
    }
    const { form, byKey } = known;
    for (;;) {
      const key = `${leaves},${form.keyOf(view, record, mode, flags)}`;
      const found = byKey.get(key);
      if (found !== undefined) return found;
      try {
        const writer = new TemplateWriter(form.readsFlags ? flags : SAME_FLAGS);
        const made = this.#make(number, { writer, place, form, mode, leaves });
        if (byKey.size === MOST_OF_ONE) byKey.clear();
        byKey.set(key, made);
        this.made++;
        return made;
      } catch (error) {
        if (!(error instanceof DependsOnMore)) throw error;
        // The others may also depend on it: their keys were too short.
        byKey.clear();
      }
    }
  }

  #make(number: number, subject: Parameters<typeof fold>[2]): Template | null {
    const handler = this.#program.handlers[number - L.FIRST_HANDLER];
    if (handler === undefined) return null;
    try {
      return fold(this.#program, handler, subject);
    } catch (error) {
      if (error instanceof CannotFold) return null;
      throw error;
    }
  }
}
