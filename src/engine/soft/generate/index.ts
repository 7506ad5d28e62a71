/**
 * Makes the two AssemblyScript files that come out of the opcode table: `decode-table` and `dispatch`.
 *
 * @module
 */
import { type Opcode, opcodes } from '../../../isa/index.js';
import { bodyOf } from './body.js';
import { hasModrm, immediateOf, isEscape, operandSizes } from './operand.js';

/** Bits of a form in the decoder's table, above the handler's 12; the numbers are those of cpu/decode.ts. */
const Form = {
  immediate: 12,
  endsBlock: 1 << 17,
  lock: 1 << 18,
  protectedOnly: 1 << 19,
  default64: 1 << 20,
  force64: 1 << 21,
  namesRegister: 1 << 22,
  byteReg: 1 << 24,
  byteRm: 1 << 25,
} as const;

/** Bits of an opcode in the decoder's table, above the 16 of its first form. */
const Entry = { modrm: 1 << 16, byReg: 1 << 17, registerOnly: 1 << 18, escape: 1 << 19 } as const;

interface Generated {
  /** AssemblyScript source by the file's name. */
  files: Record<string, string>;
  handlers: number;
}

/** Handler 0: an opcode that does not exist. */
const undefinedOpcode = 'ops.invalid(pc); { leave(pc); return; }';
const blockEnds = new Set(['end', 'branch', 'transfer']);

class Generator {
  readonly #bodies = new Map<string, number>([[undefinedOpcode, 0]]);
  readonly #names: string[][] = [['no such opcode']];
  readonly #forms: number[] = [];

  #handler(body: string, name: string): number {
    const known = this.#bodies.get(body) ?? this.#bodies.size;
    this.#bodies.set(body, known);
    const names = this.#names[known] ?? [];
    this.#names[known] = names;
    if (!names.includes(name)) names.push(name);
    return known;
  }

  #form(row: Opcode | undefined, memoryForm: boolean, size: (typeof operandSizes)[number]): number {
    if (row === undefined) return 0;
    const { operands, meaning } = row;
    const first = operands[0] ?? '';
    if (operands.includes('M') && !memoryForm) return 0;
    const body = bodyOf(row, size, memoryForm);
    let form = this.#handler(body, `${row.name} ${operands.join(',')}`);
    form |= immediateOf(row) << Form.immediate;
    if (blockEnds.has(meaning.kind)) form |= Form.endsBlock;
    if (row.lock && memoryForm) form |= Form.lock;
    if (row.protectedOnly) form |= Form.protectedOnly;
    if (row.default64) form |= Form.default64;
    if (row.force64) form |= Form.force64;
    if (first.startsWith('Z')) form |= Form.namesRegister;
    if (operands.includes('Gb')) form |= Form.byteReg;
    if (operands.includes('Eb') || operands.includes('Zb')) form |= Form.byteRm;
    return form;
  }

  /** Adds the forms of one opcode and gives its entry. */
  #entry(rows: readonly Opcode[]): number {
    const [any] = rows;
    if (any === undefined) return 0;
    if (isEscape(any)) return this.#escapeEntry(rows);
    const modrm = rows.some(hasModrm);
    const byReg = any.reg >= 0;
    const start = this.#forms.length;
    for (let reg = 0; reg < (byReg ? 8 : 1); reg++) {
      const row = rows.find((one) => one.reg < 0 || one.reg === reg);
      for (const memoryForm of modrm ? [true, false] : [false]) {
        for (const size of operandSizes) this.#forms.push(this.#form(row, memoryForm, size));
      }
    }
    let entry = start;
    if (modrm) entry |= Entry.modrm;
    if (byReg) entry |= Entry.byReg;
    if (any.registerOnly) entry |= Entry.registerOnly;
    return entry;
  }

  /** The x87 FPU's opcodes: eight forms of memory, then one for each register form. No size picks among them. */
  #escapeEntry(rows: readonly Opcode[]): number {
    const start = this.#forms.length;
    for (let reg = 0; reg < 8; reg++) {
      const row = rows.find((one) => one.reg === reg && one.operands[0]?.startsWith('M'));
      this.#forms.push(this.#form(row, true, 32));
    }
    for (let low = 0; low < 64; low++) {
      const row = rows.find(
        ({ reg, rm, operands }) =>
          reg === low >> 3 && (rm === (low & 7) || (rm < 0 && !operands[0]?.startsWith('M'))),
      );
      this.#forms.push(this.#form(row, false, 32));
    }
    return start | Entry.modrm | Entry.escape;
  }

  generate(): Generated {
    // The forms of an opcode that does not exist.
    this.#forms.push(0, 0, 0);
    const entries: number[] = [];
    for (const mode64 of [false, true]) {
      for (const map of [0, 1]) {
        for (let opcode = 0; opcode < 256; opcode++) {
          const rows = opcodes.filter(
            (row) => row.map === map && row.opcode === opcode && !(mode64 ? row.no64 : row.only64),
          );
          entries.push(this.#entry(rows));
        }
      }
    }
    return {
      files: { 'decode-table': this.#decodeTable(entries), dispatch: this.#dispatch() },
      handlers: this.#bodies.size,
    };
  }

  #decodeTable(entries: readonly number[]): string {
    return `export const ENTRIES: usize = memory.data<u32>([${entries.join(',')}]);
export const FORMS: usize = memory.data<u32>([${this.#forms.join(',')}]);
`;
  }

  #dispatch(): string {
    const cases = [...this.#bodies].map(
      ([body, number]) => `    case ${number}: { // ${this.#names[number]!.join('; ')}
      ${body}
      break;
    }`,
    );
    return `import * as ops from './operations';
import { address, immediate, leave, reg, rm, segment, setReg, setRm } from './operands';
import { failed, modifySlow, readable, readSlow, troubled, writable, writeSlow } from './memory';
import { carry, keepFlags, overflow, parity, restoreFlags, sign, zero } from './flags';
import { again, arrive, fall, proceed } from './blocks';
import { OP_HANDLER, OP_RM, OP_SIZE, RCX } from '../layout';

export function execute(pc: usize): void {
  for (;;) {
    switch (<i32>load<u16>(pc, OP_HANDLER)) {
${cases.join('\n')}
    case ${this.#bodies.size}: { // the end of a block that ends with no branch
      pc = fall(pc); if (!pc) return; continue;
    }
    default: unreachable();
    }
    pc += OP_SIZE;
  }
}

export const END_OF_BLOCK: u16 = ${this.#bodies.size};
`;
  }
}

/** The two files, made anew. */
export function generate(): Generated {
  return new Generator().generate();
}
