/**
 * Instructions with Intel's order of operands, as GNU as takes them after `.intel_syntax noprefix` and as NASM does:
 * `mov dword [ebx+ecx*2+4], 1`. The main difference is the meaning of a bare name.
 *
 * @module
 */
import type { CodeSize } from '../isa/index.js';
import { plain } from './aliases.js';
import { type Expression, isConstant } from './expression.js';
import { formsOf } from './forms.js';
import { place, plus, sumOf, type Term, withRegisters } from './intel-address.js';
import {
  type AsmInstruction,
  type AsmOperand,
  type Memory,
  type Register,
  registerNamed,
} from './operand.js';
import { type Grammar, parseExpression } from './parse-expression.js';
import type { Scanner } from './scanner.js';
import { SourceError } from './source.js';

/** The differences between the two. */
export interface IntelStyle {
  readonly nasm: boolean;
  /** Addresses without registers are relative to the instruction: NASM's `default rel`. */
  readonly relative: boolean;
  readonly grammar: Grammar;
}

const word = /[A-Za-z_][A-Za-z0-9_.]*/y;

const sizeWords: Readonly<Record<string, number>> = {
  byte: 1,
  word: 2,
  dword: 4,
  fword: 6,
  qword: 8,
  mmword: 8,
  tbyte: 10,
  tword: 10,
  oword: 16,
  xmmword: 16,
};

const prefixWords: Readonly<Record<string, number>> = {
  lock: 0xf0,
  rep: 0xf3,
  repe: 0xf3,
  repz: 0xf3,
  repne: 0xf2,
  repnz: 0xf2,
  data16: 0x66,
  data32: 0x66,
  addr16: 0x67,
  addr32: 0x67,
};

const branch = /^(j[a-z]+|call[wdq]?|loop[a-z]*)$/;

class Reader {
  readonly #scanner: Scanner;
  readonly #style: IntelStyle;
  readonly #grammar: Grammar;
  readonly #isBranch: boolean;

  constructor(scanner: Scanner, style: IntelStyle, isBranch: boolean) {
    this.#scanner = scanner;
    this.#style = style;
    this.#grammar = withRegisters(style.grammar);
    this.#isBranch = isBranch;
  }

  /** A word, if one of these is next. */
  #word(words: Readonly<Record<string, unknown>> | readonly string[]): string | undefined {
    const found = this.#scanner.peek(word)?.toLowerCase() ?? '';
    const has = Array.isArray(words) ? words.includes(found) : Object.hasOwn(words, found);
    if (!has) return undefined;
    this.#scanner.match(word);
    return found;
  }

  #register(): Register | undefined {
    const text = this.#scanner.peek(/%?[A-Za-z][A-Za-z0-9]*(?:\([0-7]\))?/y);
    if (text === undefined) return undefined;
    const register =
      registerNamed(text.replace('%', '').toLowerCase()) ??
      registerNamed(text.replace(/%|\(.*/g, '').toLowerCase());
    if (register === undefined) return undefined;
    const written =
      registerNamed(text.replace('%', '').toLowerCase()) === undefined ? text.replace(/\(.*/, '') : text;
    // A longer name that begins like a register is a symbol.
    const whole = this.#scanner.peek(word);
    if (whole !== undefined && !text.startsWith('%') && whole !== written.replace(/\(.*/, ''))
      return undefined;
    this.#scanner.take(written);
    return register;
  }

  operand(): AsmOperand {
    const scanner = this.#scanner;
    let size: number | undefined;
    let distance: 'short' | 'near' | undefined;
    let isFar = false;
    let strict = false;
    let offset = false;
    for (;;) {
      const sized = this.#word(sizeWords);
      if (sized !== undefined) {
        size = sizeWords[sized];
        this.#word(['ptr']);
        continue;
      }
      const kind = this.#word(
        this.#isBranch
          ? ['short', 'near', 'far', 'ptr', 'strict']
          : this.#style.nasm
            ? ['strict']
            : ['offset', 'flat'],
      );
      if (kind === undefined) break;
      if (kind === 'short' || kind === 'near') distance = kind;
      if (kind === 'far') isFar = true;
      if (kind === 'strict') strict = true;
      if (kind === 'offset') offset = true;
      scanner.take(':');
    }
    if (scanner.next === '[') return this.memory(undefined, undefined, size, isFar);
    const register = this.#register();
    if (register !== undefined) {
      if (register.class === 'segment' && scanner.take(':')) return this.#overridden(register, size, isFar);
      if (scanner.next !== '[') return register;
    }
    const value = parseExpression(scanner, this.#style.grammar);
    if (scanner.take(':')) {
      return { kind: 'far', selector: value, offset: parseExpression(scanner, this.#style.grammar) };
    }
    if (scanner.next === '[') return this.memory(undefined, value, size, isFar);
    if (this.#isBranch) return { kind: 'target', value, distance };
    if (this.#style.nasm || offset || isConstant(value))
      return { kind: 'immediate', value, size, ...(strict && { strict }) };
    // GNU as: a bare name is the memory at it.
    return { ...none, displacement: value, size };
  }

  #overridden(segment: Register, size: number | undefined, isFar: boolean): Memory {
    const scanner = this.#scanner;
    if (scanner.next === '[') return this.memory(segment, undefined, size, isFar);
    const value = parseExpression(scanner, this.#style.grammar);
    if (scanner.next === '[') return this.memory(segment, value, size, isFar);
    return { ...none, segment, displacement: value, size };
  }

  /** `[...]`, and the forms that GNU as allows before it. */
  memory(
    segment: Register | undefined,
    before: Expression | undefined,
    size: number | undefined,
    isFar: boolean,
  ): Memory {
    const scanner = this.#scanner;
    let override = segment;
    let displacement = before;
    let displacementSize: number | undefined;
    let relative: boolean | undefined;
    const registers: Term[] = [];
    while (scanner.take('[')) {
      for (;;) {
        const kind = this.#word(
          this.#style.nasm ? ['rel', 'abs', 'nosplit', 'byte', 'word', 'dword', 'qword'] : [],
        );
        if (kind === undefined) break;
        if (kind === 'rel' || kind === 'abs') relative = kind === 'rel';
        else if (kind !== 'nosplit') displacementSize = sizeWords[kind];
      }
      const start = scanner.at;
      const first = this.#register();
      if (first?.class === 'segment' && scanner.take(':')) override = first;
      else if (first !== undefined) {
        scanner.at = start;
      }
      const sum = sumOf(parseExpression(scanner, this.#grammar));
      registers.push(...sum.registers);
      displacement = plus(displacement, sum.rest);
      scanner.expect(']', 'after an address');
    }
    const placed = place(registers, this.#style.nasm);
    const bare = placed.base === undefined && placed.index === undefined;
    const isIp = placed.base?.class === 'ip';
    const isRelative = isIp
      ? displacement !== undefined && !isConstant(displacement)
      : bare && (relative ?? (this.#style.relative && (override === undefined || override.number < 4)));
    return {
      ...none,
      ...placed,
      displacement:
        displacement !== undefined && displacement.kind === 'number' && displacement.value === 0n && !bare
          ? undefined
          : displacement,
      displacementSize,
      relative: isRelative,
      segment: override,
      size: isFar && size !== undefined ? size + 2 : size,
    };
  }
}

const none: Memory = {
  kind: 'memory',
  base: undefined,
  index: undefined,
  scale: 1,
  displacement: undefined,
  segment: undefined,
  size: undefined,
  displacementSize: undefined,
  relative: false,
};

/** Parses an instruction, or prefixes alone. */
export type IntelCandidates = readonly AsmInstruction[] | { readonly prefixes: readonly number[] };

function readPrefixes(scanner: Scanner, code: CodeSize, nasm: boolean): number[] {
  const prefixes: number[] = [];
  for (;;) {
    const name = scanner.peek(word)?.toLowerCase() ?? '';
    let byte = prefixWords[name];
    const width = nasm ? /^([oa])(16|32|64)$/.exec(name) : null;
    if (width !== null) {
      const isDefault = Number(width[2]) === (code === 64 && width[1] === 'o' ? 32 : code);
      scanner.match(word);
      if (!isDefault && width[2] !== '64') prefixes.push(width[1] === 'o' ? 0x66 : 0x67);
      continue;
    }
    if (byte === undefined && /^[c-gs]s$/.test(name)) {
      // A segment's name before a mnemonic is an override.
      const rest = scanner.text.slice(scanner.at + 2);
      if (/^\s+[A-Za-z]/.test(rest)) byte = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][registerNamed(name)!.number];
    }
    if (byte === undefined) return prefixes;
    scanner.match(word);
    prefixes.push(byte);
  }
}

/** Reads an instruction. @throws SourceError, EncodeError */
export function intelInstruction(scanner: Scanner, style: IntelStyle, code: CodeSize): IntelCandidates {
  const prefixes = readPrefixes(scanner, code, style.nasm);
  const { at } = scanner;
  const mnemonic = scanner.match(word)?.toLowerCase();
  if (mnemonic === undefined) {
    if (prefixes.length > 0 && scanner.done) return { prefixes };
    throw new SourceError('an instruction is missing', at);
  }
  const isBranch = branch.test(mnemonic);
  const reader = new Reader(scanner, style, isBranch);
  const operands: AsmOperand[] = [];
  const far = isBranch && scanner.peek(/(?:[a-z]+\s+)*far\b/iy) !== undefined;
  // `jmp word 8:x`, `jmp dword 8:x`: the size is the offset's.
  const [, sizeWord = ''] = /^\s*(?:far\s+)?(word|dword|qword)\b/i.exec(scanner.text.slice(scanner.at)) ?? [];
  // `fadd to st3`: the result goes there.
  const to = style.nasm && mnemonic.startsWith('f') && scanner.match(/to\b/iy) !== undefined;
  while (!scanner.done) {
    operands.push(reader.operand());
    if (!scanner.take(',')) break;
    if (scanner.done) throw new SourceError('an operand is missing after the comma', scanner.at);
  }
  scanner.end();
  if (to) operands.push(registerNamed('st')!);
  const size = sizeWords[sizeWord.toLowerCase()];
  // NASM: a far pointer in memory has an offset as wide as the code.
  const wide = far && style.nasm && code === 64 && size === undefined && operands[0]?.kind === 'memory';
  return variants(mnemonic, operands, prefixes, far, wide ? 8 : size, isBranch, style.nasm);
}

function variants(
  mnemonic: string,
  operands: readonly AsmOperand[],
  prefixes: readonly number[],
  far: boolean,
  size: number | undefined,
  isBranch: boolean,
  nasm: boolean,
): AsmInstruction[] {
  const [first] = operands;
  const base = { operands, prefixes, size: undefined };
  const isFar = far || first?.kind === 'far' || (isBranch && first?.kind === 'memory' && first.size === 6);
  if (isFar && /^(jmp|call)$/.test(mnemonic)) {
    return [
      { ...base, mnemonic: `${mnemonic} far`, size: first?.kind === 'far' || size === 8 ? size : undefined },
    ];
  }
  if (isBranch && first?.kind === 'target' && size !== undefined) {
    return [plain({ ...base, mnemonic, size, operands: [{ ...first, distance: first.distance ?? 'near' }] })];
  }
  if (mnemonic === 'movabs') return [{ ...base, mnemonic: 'mov', full: true }];
  // Of two registers NASM puts the first into ModRM.reg.
  const [, second] = operands;
  const swaps = nasm && mnemonic === 'xchg' && first?.kind === 'register' && second?.kind === 'register';
  const known = plain({ ...base, operands: swaps ? [second, first] : operands, mnemonic });
  if (formsOf(known.mnemonic).length === 0) return [];
  // MOVSD and CMPSD are string instructions without operands, SSE's with them; MOVSXD may be written MOVSX.
  if (mnemonic === 'movsx' && operands[1]?.kind !== 'immediate')
    return [known, { ...known, mnemonic: 'movsxd' }];
  return [known];
}
