/**
 * The decoder's tables: from an opcode, by mandatory prefix and ModRM, to an instruction's forms, one for each operand size.
 *
 * ENTRIES has a word for each opcode, NODES the choices for opcodes that need more, FORMS three words at the end of each path:
 * for operands of 16, 32 and 64 bits.
 *
 * @module
 */
import {
  candidates,
  hasModrm,
  type InstructionFeature,
  instructionFeatures,
  type Opcode,
  type OpcodeMap,
  rowFor,
  type Selection,
} from '../../../isa/index.js';
import { operandSizes } from './operand.js';

/** Bits of an entry, above the 20 of an index into FORMS or NODES; the numbers are those of cpu/decode.ts. */
const Entry = { modrm: 1 << 24, registerOnly: 1 << 25 } as const;
/** The selector of an entry's choices. 0: none, and the index is that of its forms. */
const Split = { prefix: 1 << 26, form: 2 << 26, formAndReg: 3 << 26, rm: 4 << 26 } as const;

/** The sets of opcodes in their order in ENTRIES, 256 each; then the same for 64-bit code. */
export const opcodeSets: readonly { map: OpcodeMap; vex: boolean }[] = [
  { map: 0, vex: false },
  { map: 1, vex: false },
  { map: 2, vex: false },
  { map: 3, vex: false },
  { map: 1, vex: true },
  { map: 2, vex: true },
  { map: 3, vex: true },
];

const prefixes = ['none', '66', 'f3', 'f2'] as const;
const eight = [0, 1, 2, 3, 4, 5, 6, 7];

/** Sequences of words; equal sequences are stored once. */
class Pool {
  readonly words: number[] = [];
  readonly #known = new Map<string, number>();

  /** The start of the sequence. */
  index(words: readonly number[]): number {
    const key = words.join();
    const known = this.#known.get(key) ?? this.words.length;
    if (known === this.words.length) this.words.push(...words);
    this.#known.set(key, known);
    return known;
  }
}

/** A feature's number in a form: 0 is none. Bit number - 1 of FEATURES tells whether the CPU has it. */
export const featureNumber = (feature: InstructionFeature): number =>
  instructionFeatures.indexOf(feature) + 1;

/** The word of a form: a row's handler and the decoder's flags. 0 where there is no row. */
type FormOf = (
  row: Opcode | undefined,
  memory: boolean,
  size: (typeof operandSizes)[number],
  code: 32 | 64,
) => number;

class DecodeTable {
  readonly nodes = new Pool();
  readonly forms = new Pool();
  readonly #formOf: FormOf;
  /** The code size of the entries being made. */
  code: 32 | 64 = 32;

  constructor(formOf: FormOf) {
    this.#formOf = formOf;
    this.forms.index([0, 0, 0]);
  }

  #leaf(rows: readonly Opcode[], selection: Selection): number {
    const row = rowFor(rows, selection);
    return this.forms.index(operandSizes.map((size) => this.#formOf(row, selection.memory, size, this.code)));
  }

  /** A word for each choice, or a single word where all are equal. */
  #split(by: number, words: readonly number[]): number {
    return words.every((word) => word === words[0]) ? words[0]! : by | this.nodes.index(words);
  }

  #byForm(rows: readonly Opcode[], selection: Selection): number {
    const forms = [true, false];
    if (rows.every(({ reg }) => reg < 0)) {
      return this.#split(
        Split.form,
        forms.map((memory) => this.#leaf(rows, { ...selection, memory })),
      );
    }
    const byRm = (reg: number) =>
      this.#split(
        Split.rm,
        eight.map((rm) => this.#leaf(rows, { ...selection, reg, rm })),
      );
    const words = forms.flatMap((memory) =>
      eight.map((reg) => (memory ? this.#leaf(rows, { ...selection, memory, reg }) : byRm(reg))),
    );
    return this.#split(Split.formAndReg, words);
  }

  entry(rows: readonly Opcode[]): number {
    const [any] = rows;
    if (any === undefined) return 0;
    const modrm = rows.some(hasModrm);
    const words = prefixes.map((prefix) => {
      const selection = { prefix, memory: false, reg: 0, rm: 0 };
      return modrm ? this.#byForm(rows, selection) : this.#leaf(rows, selection);
    });
    const entry = this.#split(Split.prefix, words);
    return entry | (modrm ? Entry.modrm : 0) | (any.registerOnly ? Entry.registerOnly : 0);
  }
}

/** The AssemblyScript source of the tables. */
export function decodeTable(formOf: FormOf, find = candidates): string {
  const table = new DecodeTable(formOf);
  const entries: number[] = [];
  for (const code of [32, 64] as const) {
    table.code = code;
    for (const set of opcodeSets) {
      for (let opcode = 0; opcode < 256; opcode++) {
        entries.push(table.entry(find(set, opcode, code)));
      }
    }
  }
  const data = (words: readonly number[]) =>
    `memory.data<u32>([${words.map((word) => word >>> 0).join(',')}])`;
  return `export const ENTRIES: usize = ${data(entries)};
export const NODES: usize = ${data(table.nodes.words)};
export const FORMS: usize = ${data(table.forms.words)};
export const ABM: u32 = ${featureNumber('abm')};
export const BMI1: u32 = ${featureNumber('bmi1')};
`;
}
