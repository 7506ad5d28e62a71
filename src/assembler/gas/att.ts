/**
 * Instructions in the syntax of AT&T, as GNU as takes them: `movl $1, 4(%ebx,%ecx,2)`.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import { plain } from '../aliases.js';
import { type Expression, isConstant } from '../expression.js';
import { formsOf } from '../forms.js';
import {
  type AsmInstruction,
  type AsmOperand,
  type Memory,
  type Register,
  registerNamed,
} from '../operand.js';
import { type Grammar, parseExpression } from '../parse-expression.js';
import type { Scanner } from '../scanner.js';
import { SourceError } from '../source.js';

const registerText = /%[A-Za-z][A-Za-z0-9]*(?:\([0-7]\))?/y;
const word = /[A-Za-z][A-Za-z0-9_.]*/y;

/** Prefixes that are written as words before the mnemonic. */
const prefixWords: Readonly<Record<string, number>> = {
  lock: 0xf0,
  rep: 0xf3,
  repe: 0xf3,
  repz: 0xf3,
  repne: 0xf2,
  repnz: 0xf2,
  es: 0x26,
  cs: 0x2e,
  ss: 0x36,
  ds: 0x3e,
  fs: 0x64,
  gs: 0x65,
  data16: 0x66,
  data32: 0x66,
  addr16: 0x67,
  addr32: 0x67,
};

/** Mnemonics that differ from the manual's by more than a suffix. */
const own: Readonly<Record<string, string>> = {
  cbtw: 'cbw',
  cwtl: 'cwde',
  cltq: 'cdqe',
  cwtd: 'cwd',
  cltd: 'cdq',
  cqto: 'cqo',
  lret: 'retf',
  ljmp: 'jmp far',
  lcall: 'call far',
  movslq: 'movsxd',
  fxsaveq: 'fxsave64',
  fxrstorq: 'fxrstor64',
  xsaveq: 'xsave64',
  xrstorq: 'xrstor64',
};

/** A word of a source may be that of an object's own property, such as `constructor`. */
const ownName = (mnemonic: string) => (Object.hasOwn(own, mnemonic) ? own[mnemonic] : undefined);

const suffixes: Readonly<Record<string, number>> = { b: 1, w: 2, l: 4, q: 8 };
const branch = /^(j[a-z]+|call[wlq]?|loop[a-z]*|xbegin)$/;
const extended = /^mov([sz])([bw])([wlq])$/;
const strings = /^(ins|outs|movs|cmps|stos|lods|scas)l$/;
const descriptorTables = /^[sl][gi]dt$/;

/** The manual's name for one of AT&T's own mnemonics: `cltq` is `cdqe`, `movzbl` is `movzx`; others stay. */
export function manualName(mnemonic: string): string {
  const [, kind] = extended.exec(mnemonic) ?? [];
  if (kind !== undefined) return `mov${kind}x`;
  if (mnemonic === 'movabs') return 'mov';
  return (ownName(mnemonic) ?? mnemonic).replace(/ far$/, '');
}

/** The manual's name for a mnemonic of this syntax, with the size of its suffix. */
interface Reading {
  name: string;
  size: number | undefined;
  full?: boolean;
}

/** The sizes of the x87 FPU's suffixes: for floating-point numbers, integers, and the state of 16 and 32 bits. */
const floatingSuffixes: readonly (readonly [RegExp, Readonly<Record<string, number>>])[] = [
  [/^f(ldenv|n?stenv|n?save|rstor)/, { s: 2, l: 4 }],
  [/^fi/, { ll: 8, s: 2, l: 4, q: 8 }],
  [/^f/, { s: 4, l: 8, t: 10 }],
];

function floatingSuffix(mnemonic: string): Reading | undefined {
  const [, sizes = {}] = floatingSuffixes.find(([names]) => names.test(mnemonic)) ?? [];
  for (const [suffix, size] of Object.entries(sizes)) {
    const name = mnemonic.slice(0, -suffix.length);
    if (mnemonic.endsWith(suffix) && isKnown(name)) return { name, size };
  }
  return undefined;
}

/** True for a mnemonic of the manual, and for one of the x87 FPU that waits first. */
function isKnown(name: string): boolean {
  return formsOf(name).length > 0 || (name.startsWith('f') && formsOf(`fn${name.slice(1)}`).length > 0);
}

/** All meanings of a mnemonic; exact ones come first. */
function readings(mnemonic: string): Reading[] {
  const known = ownName(mnemonic);
  if (known !== undefined) return [{ name: known, size: undefined }];
  if (strings.test(mnemonic)) return [{ name: `${mnemonic.slice(0, -1)}d`, size: undefined }];
  const found: Reading[] = [];
  if (isKnown(mnemonic) || mnemonic.startsWith('cmp')) found.push({ name: mnemonic, size: undefined });
  if (mnemonic.startsWith('f')) {
    const floating = floatingSuffix(mnemonic);
    return floating === undefined ? found : [...found, floating];
  }
  const suffix = suffixes[mnemonic.at(-1)!];
  const stem = mnemonic.slice(0, -1);
  const stemOwn = ownName(stem) ?? stem;
  if (mnemonic === 'movabs') return [{ name: 'mov', size: undefined, full: true }];
  if (stem === 'movabs') return [{ name: 'mov', size: suffix, full: true }];
  if (suffix !== undefined && formsOf(stemOwn).length > 0) {
    found.push({ name: stemOwn, size: suffix });
  }
  return found;
}

class Reader {
  readonly #scanner: Scanner;
  readonly #grammar: Grammar;

  constructor(scanner: Scanner, grammar: Grammar) {
    this.#scanner = scanner;
    this.#grammar = grammar;
  }

  register(): Register | undefined {
    const scanner = this.#scanner;
    const { at } = scanner;
    const text = scanner.match(registerText);
    if (text === undefined) return undefined;
    const register = registerNamed(text.slice(1).toLowerCase());
    if (register === undefined) throw new SourceError(`there is no register ${text}`, at);
    return register;
  }

  /** One operand; `bare` names without `$` and `%` are memory. */
  operand(): { operand: AsmOperand; indirect: boolean } {
    const scanner = this.#scanner;
    const indirect = scanner.take('*');
    if (scanner.next === '$') {
      scanner.take('$');
      return { operand: { kind: 'immediate', value: this.expression(), size: undefined }, indirect };
    }
    const register = this.register();
    if (register !== undefined) {
      if (register.class !== 'segment' || !scanner.take(':')) return { operand: register, indirect };
      return { operand: this.memory(register), indirect };
    }
    return { operand: this.memory(undefined), indirect };
  }

  expression(): Expression {
    return parseExpression(this.#scanner, this.#grammar);
  }

  memory(segment: Register | undefined): Memory {
    const scanner = this.#scanner;
    const parts = /\([ \t]*[%,]/y;
    const displacement = scanner.peek(parts) === undefined ? this.expression() : undefined;
    let base: Register | undefined;
    let index: Register | undefined;
    let scale = 1;
    if (scanner.peek(parts) !== undefined) {
      scanner.take('(');
      base = this.register();
      if (scanner.take(',')) {
        index = this.register();
        if (index === undefined || scanner.take(',')) scale = this.#scale();
      }
      scanner.expect(')', 'after the registers of an address');
    }
    const isIp = base?.class === 'ip';
    return {
      kind: 'memory',
      base,
      index,
      scale,
      displacement,
      segment,
      size: undefined,
      displacementSize: undefined,
      // A plain number is the displacement itself; a symbol is the target.
      relative: isIp && displacement !== undefined && !isConstant(displacement),
    };
  }

  #scale(): number {
    const { at } = this.#scanner;
    const text = this.#scanner.digits();
    if (text === undefined && this.#scanner.next === ')') return 1;
    const scale = Number(text);
    if (![1, 2, 4, 8].includes(scale))
      throw new SourceError(`a scale is 1, 2, 4 or 8, not ${text ?? ''}`, at);
    return scale;
  }
}

/** A branch without `*` names its target. */
function target(operand: AsmOperand): AsmOperand {
  if (operand.kind !== 'memory' || operand.displacement === undefined) return operand;
  if (operand.base !== undefined || operand.index !== undefined) return operand;
  return { kind: 'target', value: operand.displacement, distance: undefined };
}

/** FSUB and FDIV with a result in ST(i) have their names exchanged: an old error that GNU as kept. */
function swapped(mnemonic: string, operands: readonly AsmOperand[]): string {
  const found = /^(fsub|fdiv)(r?)(p?)$/.exec(mnemonic);
  if (found === null) return mnemonic;
  const [to] = operands;
  const other =
    found[3] === 'p' ||
    operands.length === 0 ||
    (operands.length === 2 && to?.kind === 'register' && to.number !== 0);
  return other ? `${found[1]}${found[2] === 'r' ? '' : 'r'}${found[3]}` : mnemonic;
}

/** `(%dx)` is a way to write the port. */
function port(operand: AsmOperand): AsmOperand {
  const isPort =
    operand.kind === 'memory' && operand.base?.name === 'dx' && operand.displacement === undefined;
  return isPort ? operand.base : operand;
}

/** Prefixes at the start of a statement: their bytes. */
function readPrefixes(scanner: Scanner, code: CodeSize): number[] {
  const prefixes: number[] = [];
  for (;;) {
    const name = scanner.peek(word)?.toLowerCase();
    const byte = name === undefined ? undefined : prefixWords[name];
    if (name === undefined || byte === undefined) return prefixes;
    const width = /^(data|addr)(16|32)$/.exec(name);
    if (width !== null && Number(width[2]) === (width[1] === 'addr' && code === 64 ? 64 : code)) {
      throw new SourceError(`${name} is what ${code}-bit code has anyway`, scanner.at);
    }
    scanner.match(word);
    prefixes.push(byte);
  }
}

/** The possible meanings of an instruction, the likeliest first; or prefixes alone. */
export type Candidates = readonly AsmInstruction[] | { readonly prefixes: readonly number[] };

function finish(
  reading: Reading,
  mnemonic: string,
  operands: readonly AsmOperand[],
  prefixes: readonly number[],
  code: CodeSize,
): AsmInstruction {
  let { name, size } = reading;
  let used = operands;
  let more = prefixes;
  if (descriptorTables.test(name) && size !== undefined) {
    if (size * 8 !== code && size < 8) more = [...prefixes, 0x66];
    size = undefined;
  }
  if (/^(in|out|ins|outs)$/.test(name.replace(/[bwd]$/, ''))) {
    used = used.map(port);
    const accumulator = registerNamed({ 1: 'al', 2: 'ax' }[size ?? 4] ?? 'eax')!;
    if (used.length === 1 && size !== undefined)
      used = name === 'in' ? [accumulator, ...used] : [...used, accumulator];
  }
  if (name === 'int' && used[0]?.kind === 'immediate') {
    const { value } = used[0];
    if (value.kind === 'number' && value.value === 3n)
      return { mnemonic: 'int3', operands: [], prefixes: more, size: undefined };
  }
  if (mnemonic.startsWith('f')) name = swapped(name, used);
  return plain({ mnemonic: name, operands: used, prefixes: more, size, ...(reading.full && { full: true }) });
}

/** Reads an instruction. @throws SourceError */
export function attInstruction(scanner: Scanner, grammar: Grammar, code: CodeSize): Candidates {
  const prefixes = readPrefixes(scanner, code);
  const { at } = scanner;
  const mnemonic = scanner.match(word)?.toLowerCase();
  if (mnemonic === undefined) {
    if (prefixes.length > 0 && scanner.done) return { prefixes };
    throw new SourceError('an instruction is missing', at);
  }
  // `jne,pn` and `jne,pt` are hints to processors of long ago.
  scanner.match(/,p[nt]\b/y);
  const reader = new Reader(scanner, grammar);
  const operands: AsmOperand[] = [];
  const isBranch = branch.test(mnemonic);
  while (!scanner.done) {
    const { operand, indirect } = reader.operand();
    operands.push(isBranch && !indirect ? target(operand) : operand);
    if (!scanner.take(',')) break;
    if (scanner.done) throw new SourceError('an operand is missing after the comma', scanner.at);
  }
  scanner.end();
  const far = /^l(jmp|call)[wlq]?$/.test(mnemonic);
  const [selector, offset] = operands;
  let ordered: AsmOperand[] = /^(enter|bound)/.test(mnemonic) ? operands : operands.reverse();
  if (far && operands.length === 2 && selector !== undefined && offset !== undefined) {
    // Reversed above: the selector is written first.
    const [to, segment] = ordered;
    if (to?.kind === 'immediate' && segment?.kind === 'immediate') {
      ordered = [{ kind: 'far', selector: segment.value, offset: to.value }];
    }
  }
  const extension = extended.exec(mnemonic);
  if (extension !== null && ordered.length === 2 && !strings.test(mnemonic)) {
    const [, kind, from, to] = extension;
    const source = ordered[1]!;
    const sized = source.kind === 'memory' ? { ...source, size: suffixes[from!] } : source;
    return [{ mnemonic: `mov${kind}x`, operands: [ordered[0]!, sized], prefixes, size: suffixes[to!] }];
  }
  const found = readings(mnemonic);
  return found.map((reading) => finish(reading, mnemonic, ordered, prefixes, code));
}
