/**
 * The translations of guest code by the software CPU: a list of the functions, or one of them with each instruction, its record and its
 * WebAssembly.
 *
 * @module
 */
import type { TranslatedSummary } from '../../engine/contract/index.js';
import { disassemble } from '../../isa/index.js';
import type { CodeSubject } from './code.js';
import { columns, hex } from './words.js';

/** How many functions are listed. */
const MAX_FUNCTIONS = 200;
/** Columns for an instruction, to the left of its code. */
const LEFT = 40;

export interface TranslationView {
  /** Linear. */
  address: bigint;
  /** Bits of the code, and bytes of WebAssembly. */
  bits?: 16 | 32 | 64;
  bytes?: number;
  /** Each part as text: the instruction, its decoded record, its code. */
  parts: { address?: bigint; instruction: string; record: string; code: readonly string[] }[];
  problem?: string;
}

const NOTHING = 'nothing is translated: code that runs often is, on the software CPU without --translate off';

/** The function with the instruction at a linear address. */
export function readTranslation(subject: CodeSubject, address: bigint): TranslationView {
  const { translations, symbols, syntax = 'intel' } = subject;
  const translated = translations?.at(address);
  if (translated === undefined) {
    const none = translations === undefined || translations.functions.length === 0;
    const problem = none
      ? NOTHING
      : 'the code there is not translated: --dump translation lists the translated code';
    return { address, parts: [], problem };
  }
  const parts = translated.parts.map((part, n) => {
    const { code, record = n === 0 ? 'the function begins' : '' } = part;
    if (part.address === undefined || part.bytes === undefined) return { instruction: '', record, code };
    // A function is in one page: distances of linear addresses are those of physical ones.
    const at = (address & ~0xfffn) | BigInt(part.address & 0xfff);
    const { text } = disassemble(part.bytes, { code: translated.code, address: at, syntax });
    const symbol = symbols?.symbolAt(at);
    const name = symbol === undefined || /\+/.test(symbol) ? '' : `  <${symbol}>`;
    return { address: at, instruction: `${text}${name}`, record, code };
  });
  return { address, bits: translated.code, bytes: translated.bytes, parts };
}

/** As text: instruction and record on the left, WebAssembly on the right. */
export function formatTranslation({ address, bits, bytes, parts, problem }: TranslationView): string {
  if (problem !== undefined) return `translation at ${hex(address, 8)}\n  ! ${problem}`;
  const count = new Set(parts.map((part) => part.address).filter((at) => at !== undefined)).size;
  const head = `translation at ${hex(address, 8)}: ${count} instructions, ${bits}-bit, ${bytes} bytes of WebAssembly`;
  const rows = parts.flatMap((part) => {
    const place = part.address === undefined ? [] : [`${hex(part.address, 8)}  ${part.instruction}`];
    const left = [...place, ...wrapped(part.record)];
    // An instruction that is too long has its own line.
    const code = (left[0]?.length ?? 0) > LEFT ? ['', ...outdented(part.code)] : outdented(part.code);
    return Array.from({ length: Math.max(left.length, code.length) }, (_, n) =>
      `  ${(left[n] ?? '').padEnd(LEFT)}  ${code[n] ?? ''}`.trimEnd(),
    );
  });
  return [head, ...rows].join('\n');
}

/** Lines without their common indentation. */
function outdented(lines: readonly string[]): readonly string[] {
  const common = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(common));
}

/** A record's fields in lines that fit beside the code. */
function wrapped(record: string): string[] {
  const lines: string[] = [];
  for (const field of record.split(', ').filter((one) => one !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + field.length + 2 <= LEFT)
      lines[lines.length - 1] = `${last}, ${field}`;
    else lines.push(`    ${field}`);
  }
  return lines;
}

/** The functions, the largest first. */
export function readTranslations({ translations }: CodeSubject): TranslatedSummary[] {
  return [...(translations?.functions ?? [])].sort((a, b) => b.instructions - a.instructions);
}

export function formatTranslations(functions: readonly TranslatedSummary[]): string {
  if (functions.length === 0) return `translated functions: 0\n  ! ${NOTHING}`;
  const rows = functions
    .slice(0, MAX_FUNCTIONS)
    .map(({ address, instructions, bytes }) => [
      hex(BigInt(address), 8),
      `${instructions} instructions`,
      `${bytes} bytes of WebAssembly`,
    ]);
  const more = functions.length > MAX_FUNCTIONS ? [`  … and ${functions.length - MAX_FUNCTIONS} more`] : [];
  const title = `translated functions: ${functions.length}, by guest physical address; --dump translation:ADDRESS shows one`;
  return [title, ...columns(rows, '  '), ...more].join('\n');
}
