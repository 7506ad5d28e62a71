/**
 * Code as instructions, with symbols and source lines; and all symbols of the guest's file.
 *
 * @module
 */

import { type CodeSize, disassemble, MAX_LENGTH, type Syntax } from '../../isa/index.js';
import type { SymbolTable } from '../../symbols/index.js';
import type { Registers } from '../../x86/index.js';
import { codeSizeOf } from '../instruction.js';
import { readLinear } from './linear.js';
import type { Translations } from './translations.js';
import { type CpuSubject, columns, hex } from './words.js';

/** How many instructions are shown. */
const SHOWN = 10;
/** How many names are shown. */
const MAX_NAMES = 4096;

/** The source of a guest's symbols and lines; `SymbolTable` is one. */
export type Names = Pick<SymbolTable, 'symbols' | 'symbol' | 'symbolAt' | 'lineAt'>;

/** The input of the code view: a stopped CPU, and its symbols where they are known. */
export interface CodeSubject extends CpuSubject {
  readonly registers: Registers;
  readonly symbols?: Names;
  /** The software CPU's translations, where they were requested. */
  readonly translations?: Translations;
  /** How instructions are written. Default `intel`. */
  readonly syntax?: Syntax;
}

export interface ShownInstruction {
  /** Linear. */
  address: bigint;
  bytes: readonly number[];
  text: string;
  symbol?: string;
  /** `kernel.S:12`. */
  line?: string;
}

export interface CodeView {
  bits: CodeSize;
  address: bigint;
  instructions: ShownInstruction[];
  problem?: string;
}

/** The next instructions from a linear address on; without one, from RIP on. */
export function readCode(subject: CodeSubject, from?: bigint): CodeView {
  const { system, registers, symbols, syntax = 'intel' } = subject;
  const bits = codeSizeOf(system);
  const mask = bits === 64 ? 64 : 32;
  const start = BigInt.asUintN(mask, from ?? registers.rip + (bits === 64 ? 0n : system.cs.base));
  const bytes = readLinear(subject, start, SHOWN * MAX_LENGTH);
  const instructions: ShownInstruction[] = [];
  for (let at = 0; at < bytes.length && instructions.length < SHOWN; ) {
    const address = start + BigInt(at);
    const { text, length } = disassemble(bytes.subarray(at), { code: bits, address, syntax });
    const symbol = symbols?.symbolAt(address);
    const line = symbols?.lineAt(address);
    instructions.push({
      address,
      bytes: [...bytes.subarray(at, at + length)],
      text,
      ...(symbol !== undefined && { symbol }),
      ...(line !== undefined && { line }),
    });
    at += length;
  }
  if (instructions.length > 0) return { bits, address: start, instructions };
  return { bits, address: start, instructions, problem: 'no RAM is mapped there' };
}

/** Code as text: symbol and line are written where they change. */
export function formatCode({ bits, address, instructions, problem }: CodeView): string {
  let shownName: string | undefined;
  let shownLine: string | undefined;
  const rows = instructions.map(({ address: at, bytes, text, symbol, line }) => {
    const name = symbol?.replace(/\+0x[0-9a-f]+$/, '');
    const places = [
      ...(name === undefined || name === shownName ? [] : [`<${name}>`]),
      ...(line === undefined || line === shownLine ? [] : [line]),
    ];
    shownName = name;
    shownLine = line;
    const shown = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return [hex(at, 8), shown, text, places.join('  ')];
  });
  const lines = [`code at ${hex(address, 8)}, ${bits}-bit`];
  if (problem !== undefined) lines.push(`  ! ${problem}`);
  return [...lines, ...columns(rows, '  ')].join('\n');
}

export interface NamedPlace {
  address: bigint;
  /** In bytes; 0 where the file does not give it. */
  size: bigint;
  name: string;
  kind: string;
  line?: string;
}

/** The symbols of the guest's file, by address. */
export function readNames({ symbols }: Pick<CodeSubject, 'symbols'>): NamedPlace[] {
  return (symbols?.symbols ?? []).map(({ address, size, name, kind }) => {
    const line = kind === 'variable' ? undefined : symbols?.lineAt(address);
    return { address, size, name, kind, ...(line !== undefined && { line }) };
  });
}

export function formatNames(names: readonly NamedPlace[]): string {
  const title = `symbols: ${names.length}`;
  if (names.length === 0)
    return `${title}\n  ! the guest's file has none: they come from an ELF file, or a source`;
  const rows = names
    .slice(0, MAX_NAMES)
    .map(({ address, size, name, kind, line = '' }) => [
      hex(address, 8),
      size === 0n ? kind : `${kind} of ${size} bytes`,
      name,
      line,
    ]);
  const more = names.length > MAX_NAMES ? [`  … and ${names.length - MAX_NAMES} more`] : [];
  return [title, ...columns(rows, '  '), ...more].join('\n');
}
