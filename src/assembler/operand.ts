/**
 * Operands in both syntaxes, and the names of registers.
 *
 * @module
 */
import type { Expression } from './expression.js';

export type RegisterClass = 'general' | 'segment' | 'control' | 'debug' | 'x87' | 'mmx' | 'xmm' | 'ip';

export interface Register {
  readonly kind: 'register';
  readonly name: string;
  readonly class: RegisterClass;
  readonly number: number;
  /** In bytes. */
  readonly size: number;
  /** AH, CH, DH and BH: not available with a REX prefix. */
  readonly high: boolean;
  /** SPL, BPL, SIL, DIL: available only with a REX prefix. */
  readonly rex: boolean;
}

export interface Memory {
  readonly kind: 'memory';
  readonly base: Register | undefined;
  readonly index: Register | undefined;
  readonly scale: number;
  readonly displacement: Expression | undefined;
  /** The segment register that is named. */
  readonly segment: Register | undefined;
  /** In bytes, where the source says it. */
  readonly size: number | undefined;
  /** The width of the displacement, where the source gives it: `[byte bx+1]`. */
  readonly displacementSize: number | undefined;
  /** 64-bit code: relative to the next instruction. */
  readonly relative: boolean;
}

export interface Immediate {
  readonly kind: 'immediate';
  readonly value: Expression;
  /** The width that the source gives, in bytes: `push word 1`. */
  readonly size: number | undefined;
  /** It must have exactly that size, even if a byte would suffice: NASM's `strict`. */
  readonly strict?: boolean;
}

/** The target of a near branch. */
export interface Target {
  readonly kind: 'target';
  readonly value: Expression;
  readonly distance: 'short' | 'near' | undefined;
}

/** A far pointer. */
export interface Far {
  readonly kind: 'far';
  readonly selector: Expression;
  readonly offset: Expression;
}

export type AsmOperand = Register | Memory | Immediate | Target | Far;

/** An instruction as it is written, its operands in the order of the manual: destination first. */
export interface AsmInstruction {
  readonly mnemonic: string;
  readonly operands: readonly AsmOperand[];
  /** LOCK and repeat prefixes, `data16`, `addr32`, segment overrides: their bytes, in the order of the source. */
  readonly prefixes: readonly number[];
  /** The operand size that the mnemonic's suffix names, in bytes. */
  readonly size: number | undefined;
  /** An address or an immediate of 64 bits is requested: MOVABS. */
  readonly full?: boolean;
}

const all = new Map<string, Register>();

function add(name: string, type: RegisterClass, number: number, size: number, more?: 'high' | 'rex'): void {
  all.set(name, {
    kind: 'register',
    name,
    class: type,
    number,
    size,
    high: more === 'high',
    rex: more === 'rex',
  });
}

const wide = 'ax cx dx bx sp bp si di'.split(' ');
for (const [n, name] of wide.entries()) {
  add(name, 'general', n, 2);
  add(`e${name}`, 'general', n, 4);
  add(`r${name}`, 'general', n, 8);
}
for (const [n, name] of 'al cl dl bl'.split(' ').entries()) add(name, 'general', n, 1);
for (const [n, name] of 'ah ch dh bh'.split(' ').entries()) add(name, 'general', n + 4, 1, 'high');
for (const [n, name] of 'spl bpl sil dil'.split(' ').entries()) add(name, 'general', n + 4, 1, 'rex');
for (let n = 8; n < 16; n++) {
  add(`r${n}`, 'general', n, 8);
  add(`r${n}d`, 'general', n, 4);
  add(`r${n}w`, 'general', n, 2);
  add(`r${n}b`, 'general', n, 1);
}
for (let n = 0; n < 16; n++) {
  add(`cr${n}`, 'control', n, 8);
  add(`dr${n}`, 'debug', n, 8);
  add(`db${n}`, 'debug', n, 8);
  add(`xmm${n}`, 'xmm', n, 16);
}
for (let n = 0; n < 8; n++) {
  add(`mm${n}`, 'mmx', n, 8);
  add(`st${n}`, 'x87', n, 10);
  add(`st(${n})`, 'x87', n, 10);
}
add('st', 'x87', 0, 10);
add('rip', 'ip', 0, 8);
add('eip', 'ip', 0, 4);
for (const [n, name] of 'es cs ss ds fs gs'.split(' ').entries()) add(name, 'segment', n, 2);

/** The register of that name in lower case, or undefined. */
export function registerNamed(name: string): Register | undefined {
  return all.get(name);
}

/** The registers of 64-bit code alone. */
export function needsLongMode({ class: type, number, size, rex }: Register): boolean {
  return rex || number >= 8 || (type === 'general' && size === 8) || type === 'ip';
}
