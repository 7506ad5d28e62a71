/**
 * The code of every operation once, and its number: what the decoder writes into an operation and `execute` switches on.
 *
 * @module
 */

/** An operation's number has 12 bits. Functions that are called through a table are numbered from this down. */
export const LAST_HANDLER = 0xfff;

/**
 * Cases in one `switch`. Binaryen makes a jump table of up to 1,024 of them; of more it leaves a chain of comparisons, which
 * makes an operation cost ten times as much.
 */
const CASES = 512;

/** Handler 0: an opcode that does not exist. */
const undefinedOpcode = 'ops.invalid(pc); { leave(pc); return; }';

/** Code by its text, and the instructions that have it. */
class Bodies {
  readonly names: string[][] = [];
  readonly #numbers = new Map<string, number>();

  number(body: string, name: string): number {
    const known = this.#numbers.get(body) ?? this.#numbers.size;
    this.#numbers.set(body, known);
    this.names[known] ??= [];
    if (!this.names[known].includes(name)) this.names[known].push(name);
    return known;
  }

  get count(): number {
    return this.#numbers.size;
  }

  /** Number, code and names of each. */
  *[Symbol.iterator](): Generator<[number, string, string]> {
    for (const [body, number] of this.#numbers) yield [number, body, this.names[number]!.join('; ')];
  }
}

/** The operations: those that are a part of `execute`, and those that are called. */
export class Handlers {
  readonly #inline = new Bodies();
  readonly #called = new Bodies();

  constructor() {
    this.#inline.number(undefinedOpcode, 'no such opcode');
  }

  inline(body: string, name: string): number {
    return this.#inline.number(body, name);
  }

  called(body: string, name: string): number {
    return LAST_HANDLER - this.#called.number(body, name);
  }

  get count(): number {
    return this.#inline.count + this.#called.count;
  }

  /** The functions behind the table. Nothing else calls them, so that they do not become a part of `execute`. */
  calls(): string {
    const functions = [...this.#called].map(
      ([number, body, names]) => `// ${names}\nfunction call${number}(pc: usize): void {\n  ${body}\n}`,
    );
    const names = [...this.#called].map(([number]) => `call${number}`);
    return `import * as ops from './core/operations';
import { address, immediate, reg, rm, segment, setReg, setRm } from './core/operands';
import { write } from './core/memory';
import { failed } from './core/trouble';
import { fromInteger, memory, memory16, mmx, mmxReg, mmxRm, setMemory, setMemory16, setMmxReg, setMmxRm, setUnaligned16 } from './simd/registers';
import { setXmmReg, setXmmRm, sse, sseAndMmx, unaligned16, usedMmx, xmmReg, xmmRm } from './simd/registers';

${functions.join('\n')}

export const CALLS: StaticArray<(pc: usize) => void> = [${names.join(', ')}];
`;
  }

  /** A `switch` for each CASES of the inline operations, the one that ends a block behind them. */
  #switches(): string {
    const cases = [...this.#inline].map(
      ([number, body, names]) => `      case ${number}: { // ${names}\n      ${body}\n      break;\n      }`,
    );
    cases.push(`      case ${cases.length}: { // the end of a block that ends with no branch
        pc = fall(pc); if (!pc) return; continue;
      }`);
    const groups: string[] = [];
    for (let start = 0; start < cases.length; start += CASES) {
      const group = cases.slice(start, start + CASES);
      groups.push(`if (handler < ${start + group.length}) {
      switch (handler) {
${group.join('\n')}
      default: unreachable();
      }
    } else `);
    }
    return groups.join('');
  }

  dispatch(): string {
    return `import * as ops from './core/operations';
import { address, immediate, leave, reg, rm, segment, setReg, setRm, setVex, vex } from './core/operands';
import { modifySlow, readable, readSlow, writable, writeSlow } from './core/memory';
import { failed, troubled } from './core/trouble';
import { carry, keepFlags, overflow, parity, restoreFlags, sign, zero } from './core/flags';
import { again, arrive, fall, proceed } from './core/blocks';
import { CALLS } from './calls';
import { OP_HANDLER, OP_RM, OP_SIZE, RCX } from '../layout';

export function execute(pc: usize): void {
  for (;;) {
    const handler = <i32>load<u16>(pc, OP_HANDLER);
    ${this.#switches()}{
      const call = changetype<usize>(unchecked(CALLS[${LAST_HANDLER} - handler]));
      call_indirect<void>(load<u32>(call), pc);
      if (troubled()) { leave(pc); return; }
    }
    pc += OP_SIZE;
  }
}

export const END_OF_BLOCK: u16 = ${this.#inline.count};
`;
  }
}
