/**
 * Each operation's code as a function (its handler), and the handler's number, which the decoder writes into an operation. A
 * handler returns the next operation; `execute` calls the handlers through a table, and contains the code of the frequent ones,
 * as cases of a `switch`.
 *
 * That is a compromise for the JIT compiler. With all operations in one `switch`, `execute` was a function of 200 KB: V8 ran it
 * at 10 MIPS until it was optimised, which took 350 ms and up to 170 MB. Without a `switch`, optimised programs run at 0.78 of
 * the speed. Handlers that tail-call the next one, without a loop, start as quickly, but reach only 0.6 (V8 11 and 13).
 *
 * @module
 */

/** An operation's number has 12 bits in the decoder's table. */
const LAST_HANDLER = 0xfff;

/** Handler 0: an opcode that does not exist. */
const undefinedOpcode = 'ops.invalid(pc); { leave(pc); return 0; }';

/** The properties of a handler, apart from its code. */
export interface HandlerKind {
  /** The code may return in its middle, so it is a function that the handler calls. */
  called: boolean;
  /** It has a case in `execute`. */
  frequent: boolean;
}

interface Handler extends HandlerKind {
  number: number;
  body: string;
  /** The instructions that use it. */
  names: Set<string>;
}

/** All handlers. The frequent ones have the lowest numbers, without gaps: else the `switch` would not become a jump table. */
export class Handlers {
  readonly #byBody = new Map<string, Handler>();
  readonly #frequent: number;
  #nextFrequent = 0;
  #next: number;

  /** @param frequent how many numbers are reserved for frequent operations; more than enough where that is not known yet */
  constructor(frequent = LAST_HANDLER >> 1) {
    this.#frequent = frequent;
    this.#next = frequent;
    this.number(undefinedOpcode, 'no such opcode', { called: false, frequent: true });
  }

  /** The number of an operation with this code, the same for the same code. */
  number(body: string, name: string, kind: HandlerKind): number {
    const known = this.#byBody.get(body);
    if (known !== undefined) {
      known.names.add(name);
      return known.number;
    }
    const number = kind.frequent ? this.#nextFrequent++ : this.#next++;
    if (number > LAST_HANDLER || (kind.frequent && number >= this.#frequent)) {
      throw new Error(`opcode table: too many handlers: no number for ${name}`);
    }
    this.#byBody.set(body, { ...kind, number, body, names: new Set([name]) });
    return number;
  }

  /** How many numbers frequent operations have. */
  get frequent(): number {
    return this.#nextFrequent;
  }

  /** Numbers up to here are in use; the operation at the end of a block has this one. */
  get count(): number {
    return this.#next;
  }

  /** The functions, and the table of them by their numbers. */
  source(): string {
    const handlers = [...this.#byBody.values()];
    const table = handlers.map((_, number) => `h${number}`);
    return `import * as ops from './core/operations';
import { address, immediate, leave, reg, rm, segment, setReg, setRm, setVex, vex } from './core/operands';
import { modifySlow, readable, readSlow, writable, write, writeSlow } from './core/memory';
import { failed, troubled } from './core/trouble';
import { belowOrEqual, carry, keepFlags, less, lessOrEqual, overflow, parity, restoreFlags, sign, zero } from './core/flags';
import { again, arrive, fall, proceed } from './core/blocks';
import { fromInteger, memory, memory16, mmx, mmxReg, mmxRm, operand16, setMemory, setMemory16, setMmxReg, setMmxRm, setUnaligned16 } from './simd/registers';
import { setXmmReg, setXmmRm, sse, sseAndMmx, storedMmx, storesMmx, unaligned16, usedMmx, xmmReg, xmmRm } from './simd/registers';
import { FIRST_HANDLER, OP_HANDLER, OP_RM, OP_SIZE, RCX } from '../layout';

${handlers.map(functionOf).join('\n')}

// the end of a block that ends with no branch
function endOfBlock(pc: usize): usize {
  return fall(pc);
}

const HANDLERS: StaticArray<(pc: usize) => usize> = [${table.concat('endOfBlock').join(', ')}];

/** Runs operations from the one at \`pc\` on, until one gives 0. */
export function execute(pc: usize): void {
  // Named here so that the compiler makes the table of them, in this order.
  if (HANDLERS.length == 0) return;
  while (pc) {
    const handler = <u32>load<u16>(pc, OP_HANDLER);
    switch (handler - FIRST_HANDLER) {
${handlers
  .filter(({ frequent, number }) => frequent && number > 0)
  .map(caseOf)
  .join('\n')}
      default: pc = call_indirect<usize>(handler, pc);
    }
  }
}

/** Runs the one operation at \`pc\`; gives the one to go on with. */
export function perform(pc: usize): usize {
  return call_indirect<usize>(<u32>load<u16>(pc, OP_HANDLER), pc);
}
`;
  }
}

const titleOf = ({ names }: Handler) => `// ${[...names].join('; ')}`;

function functionOf(handler: Handler): string {
  const { number, body, called } = handler;
  const title = titleOf(handler);
  if (!called)
    return `${title}\nfunction h${number}(pc: usize): usize {\n  ${body}\n  return pc + OP_SIZE;\n}`;
  return `${title}
function call${number}(pc: usize): void {
  ${body}
}
function h${number}(pc: usize): usize {
  call${number}(pc);
  if (troubled()) { leave(pc); return 0; }
  return pc + OP_SIZE;
}`;
}

function caseOf(handler: Handler): string {
  const body = handler.body.replaceAll('return 0;', 'return;').replaceAll('return pc;', 'continue;');
  return `      case ${handler.number}: { ${titleOf(handler)}
      ${body}
      pc += OP_SIZE;
      continue;
      }`;
}
