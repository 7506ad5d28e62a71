/**
 * The opcode table by mnemonic: the rows that a name may mean, in the notation of Intel's manual.
 *
 * @module
 */
import { type Opcode, opcodes } from '../isa/index.js';

/** Forms of operands: for registers, and for memory. */
export interface Notation {
  readonly register: string;
  readonly memory: string;
}

/** The operand sizes that a row may have, in bits; undefined stands for a row that does not depend on it. */
export type Sizes = readonly (16 | 32 | 64 | undefined)[];

/** A row, and the properties that its name determines. */
export interface Form {
  readonly row: Opcode;
  /** Its operands in the manual's order. */
  readonly notations: readonly Notation[];
  /** By the width of the code. */
  readonly sizes: Readonly<Record<16 | 32 | 64, Sizes>>;
  /** Its place in the table: of two encodings of the same length the first wins. */
  readonly order: number;
  /** The operand size that the name determines, in bits. */
  readonly size: 16 | 32 | 64 | undefined;
  /** The address size that the name determines, in bits: for JCXZ, JECXZ and JRCXZ. */
  readonly address: 16 | 32 | 64 | undefined;
  /** A string instruction whose name contains its size; its operands are implicit. */
  readonly implied: boolean;
}

/** All names of the conditions, by their codes (SDM 1 appendix B). */
const conditions = [
  ['o'],
  ['no'],
  ['b', 'c', 'nae'],
  ['ae', 'nb', 'nc'],
  ['e', 'z'],
  ['ne', 'nz'],
  ['be', 'na'],
  ['a', 'nbe'],
  ['s'],
  ['ns'],
  ['p', 'pe'],
  ['np', 'po'],
  ['l', 'nge'],
  ['ge', 'nl'],
  ['le', 'ng'],
  ['g', 'nle'],
];

/** Second names of mnemonics. */
const aliases: Readonly<Record<string, string>> = {
  sal: 'shl',
  wait: 'fwait',
  xlatb: 'xlat',
  loopz: 'loope',
  loopnz: 'loopne',
  icebp: 'int1',
  int01: 'int1',
  int03: 'int3',
  ud2a: 'ud2',
  retn: 'ret',
  cmpxchg486: 'cmpxchg',
};

function notationsOf(row: Opcode): Notation[] {
  return (row.spelling.operands ?? row.operands)
    .filter((operand) => !/^-.?$/.test(operand))
    .map((operand) => {
      const [register = '', memory = register] = operand.split('|');
      return { register, memory };
    });
}

const variable = /^(-[vz]|s?[A-SU-Z][vzypaci]|J.)$/;

function sizesOf(row: Opcode, notations: readonly Notation[], code: 16 | 32 | 64): Sizes {
  const { mnemonic } = row.spelling;
  const all = [...notations.flatMap(({ register, memory }) => [register, memory]), ...row.operands];
  const named = !mnemonic.startsWith('@') && /[/+~]/.test(mnemonic);
  const sized = named || all.some((one) => variable.test(one));
  if (!sized || (code !== 64 && mnemonic.endsWith('~'))) return [undefined];
  const doubleOnly = all.some((one) => /^.y$/.test(one)) && !all.some((one) => /^.v$/.test(one));
  if (code !== 64) return doubleOnly ? [32] : [16, 32];
  if (row.force64) return [64];
  if (doubleOnly) return [32, 64];
  return row.default64 ? [16, 64] : [16, 32, 64];
}

const sizes = [16, 32, 64] as const;
const letters = ['w', 'd', 'q'];
const stringNames = /^(ins|outs|movs|cmps|stos|lods|scas)$/;

class Index {
  readonly names = new Map<string, Form[]>();

  add(name: string, form: Form): void {
    const forms = this.names.get(name);
    if (forms === undefined) this.names.set(name, [form]);
    else forms.push(form);
  }

  /** Adds a row under each of its names. */
  row(row: Opcode, order: number): void {
    const notations = notationsOf(row);
    const [at16, at32, at64] = sizes.map((code) => sizesOf(row, notations, code));
    const form: Form = {
      row,
      notations,
      sizes: { 16: at16!, 32: at32!, 64: at64! },
      order,
      size: undefined,
      address: undefined,
      implied: false,
    };
    const text = row.spelling.mnemonic;
    // Far branches share their names with near ones; each syntax distinguishes them in its own way.
    if (/far(ind)?$/.test(row.name) && row.name !== 'retfar') {
      this.add(`${text} far`, form);
      return;
    }
    if (text.endsWith('cc')) {
      for (const condition of conditions[row.opcode & 15]!) this.add(text.slice(0, -2) + condition, form);
      return;
    }
    if (text.startsWith('@')) {
      for (const [n, name] of text.slice(1).split('/').entries())
        this.add(name, { ...form, address: sizes[n] });
      return;
    }
    if (text.includes('/')) {
      for (const [n, name] of text.split('/').entries()) this.add(name, { ...form, size: sizes[n] });
      return;
    }
    if (text.endsWith('~')) {
      const name = text.slice(0, -1);
      for (const [word, size] of [
        ['', 32],
        ['d', 32],
        ['l', 32],
        ['q', 64],
      ] as const)
        this.add(name + word, { ...form, size });
      return;
    }
    if (text.endsWith('+')) {
      const name = text.slice(0, -1);
      this.add(name, form);
      for (const [n, letter] of letters.entries()) this.add(name + letter, { ...form, size: sizes[n] });
      return;
    }
    this.add(text, { ...form, implied: row.name === 'xlat' });
    // XCHG of the accumulator with itself (SDM 2B NOP).
    if (row.name === 'xchg' && row.opcode === 0x90) this.add('nop', { ...form, implied: true });
    if (stringNames.test(text)) this.string(text, form);
  }

  /** `movsb` and similar instructions. */
  private string(name: string, form: Form): void {
    if (form.row.operands[0] === '-b') {
      this.add(`${name}b`, { ...form, implied: true });
      return;
    }
    for (const [n, letter] of letters.entries()) {
      if (letter === 'q' && /^(ins|outs)$/.test(name)) continue;
      this.add(name + letter, { ...form, size: sizes[n], implied: true });
    }
  }
}

let index: ReadonlyMap<string, readonly Form[]> | undefined;

function build(): ReadonlyMap<string, readonly Form[]> {
  const made = new Index();
  for (const [n, row] of opcodes().entries()) {
    // Of the x87 FPU's two encodings for ST(0) with itself, D8 is used, not DC.
    const order = row.map === 0 && row.opcode >= 0xd8 && row.opcode < 0xe0 ? row.opcode : n + 0x100;
    made.row(row, order);
  }
  for (const [alias, name] of Object.entries(aliases)) {
    const forms = made.names.get(name);
    if (forms !== undefined) made.names.set(alias, forms);
  }
  return made.names;
}

/** The rows that a mnemonic of the manual may mean; empty if none. */
export function formsOf(mnemonic: string): readonly Form[] {
  index ??= build();
  return index.get(mnemonic) ?? [];
}

/** All mnemonics, for suggestions and completion. */
export function mnemonics(): readonly string[] {
  index ??= build();
  return [...index.keys()].filter((name) => !name.includes(' '));
}
