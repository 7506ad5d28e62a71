/**
 * A listing of code around an address. Forwards is easy; backwards, the start of x86 instructions must be guessed, from a known
 * start of an instruction, or only from bytes.
 *
 * @module
 */
import { decode, MAX_LENGTH } from '../isa/index.js';
import type { SourceLine, SymbolTable } from '../symbols/index.js';
import { type CodeLine, type DecodeOptions, decodeAt, readSome } from './code.js';
import { knownStarts } from './known-starts.js';
import type { CodeBits } from './mode.js';
import type { DebugTarget } from './target.js';

/** One line of a listing. */
export interface ListingLine {
  /** Linear. */
  address: bigint;
  /** None where nothing is mapped. */
  bytes: Uint8Array;
  /** The instruction; `(bad)` for invalid bytes, and `??` where nothing is mapped. */
  text: string;
  /** The name that begins at this address. */
  label?: string;
  source?: SourceLine;
}

/** The most lines that are made at once. */
export const LONGEST_LISTING = 4096;

/**
 * `before` lines before the instruction at `address`, that one, and `after` lines after it. Fewer come where nothing is mapped.
 */
export async function listing(
  target: DebugTarget,
  symbols: SymbolTable,
  address: bigint,
  options: DecodeOptions & { before: number; after: number },
): Promise<ListingLine[]> {
  const before = limit(options.before);
  const after = limit(options.after);
  const earlier = before > 0 ? await linesBefore(target, symbols, address, before, options) : [];
  const bytes = await readSome(target, address, (after + 1) * MAX_LENGTH);
  const lines: CodeLine[] = [];
  for (let at = 0; lines.length <= after && at < bytes.length; ) {
    const line = decodeAt(bytes.subarray(at), address + BigInt(at), options);
    lines.push(line);
    at += line.instruction.length;
  }
  return [...earlier, ...lines].map((line) => present(line, symbols));
}

const limit = (count: number) => Math.min(Math.max(Math.trunc(count) || 0, 0), LONGEST_LISTING);

function present({ address, bytes, instruction }: CodeLine, symbols: SymbolTable): ListingLine {
  const name = symbols.symbolAt(address);
  const source = symbols.lines.at(address);
  return {
    address,
    bytes,
    text: instruction.text,
    ...(name !== undefined && !/\+0x[\da-f]+$/.test(name) && { label: name }),
    ...(source && { source }),
  };
}

async function linesBefore(
  target: DebugTarget,
  symbols: SymbolTable,
  address: bigint,
  count: number,
  options: DecodeOptions,
): Promise<CodeLine[]> {
  const span = BigInt(count * MAX_LENGTH);
  const from = address > span ? address - span : 0n;
  const { bytes, start } = await readBefore(target, from, address);
  if (bytes.length === 0) return [];
  const anchors = knownStarts(symbols, start, address);
  const chain =
    anchors.length > 0 ? fromAnchors(bytes, start, anchors, options) : guess(bytes, start, options);
  return chain.slice(-count);
}

/** The mapped bytes right before `to`, at most back to `from`. */
async function readBefore(target: DebugTarget, from: bigint, to: bigint) {
  const bytes = await readSome(target, from, Number(to - from));
  if (bytes.length === Number(to - from)) return { bytes, start: from };
  // There is an unmapped page between: only bytes after it count.
  const start = (from + BigInt(bytes.length) + 4096n) & ~4095n;
  if (start >= to) return { bytes: new Uint8Array(0), start: to };
  const rest = await readSome(target, start, Number(to - start));
  return rest.length === Number(to - start)
    ? { bytes: rest, start }
    : { bytes: new Uint8Array(0), start: to };
}

/**
 * Decodes from one known start to the next, so that data in between does not affect later instructions; guesses before the
 * first.
 */
function fromAnchors(
  bytes: Uint8Array,
  start: bigint,
  anchors: readonly bigint[],
  options: DecodeOptions,
): CodeLine[] {
  const end = start + BigInt(bytes.length);
  const head =
    anchors[0]! > start ? guess(bytes.subarray(0, Number(anchors[0]! - start)), start, options) : [];
  const rest = anchors.flatMap((from, i) => decodeRange(bytes, start, from, anchors[i + 1] ?? end, options));
  return [...head, ...rest];
}

/** All instructions from `from` to `to`; one that would go beyond is a line with the remaining bytes. */
function decodeRange(
  bytes: Uint8Array,
  start: bigint,
  from: bigint,
  to: bigint,
  options: DecodeOptions,
): CodeLine[] {
  const lines: CodeLine[] = [];
  for (let at = from; at < to; ) {
    const line = decodeAt(bytes.subarray(Number(at - start), Number(to - start)), at, options);
    lines.push(line);
    at += BigInt(line.instruction.length);
  }
  return lines;
}

/**
 * Without a known start: x86 code decoded from a wrong byte usually gets into step with the right decoding after a few
 * instructions, so most starts agree on the last instructions. Takes the earliest start that reaches the end with the fewest
 * invalid bytes.
 */
function guess(bytes: Uint8Array, start: bigint, options: DecodeOptions): CodeLine[] {
  let best = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let skip = 0; skip < Math.min(bytes.length, MAX_LENGTH); skip++) {
    const bad = badBytes(bytes.subarray(skip), options.bits);
    if (bad < fewest) {
      best = skip;
      fewest = bad;
    }
  }
  return decodeRange(bytes, start, start + BigInt(best), start + BigInt(bytes.length), options);
}

/** The number of invalid bytes, decoded from the first on. */
function badBytes(bytes: Uint8Array, bits: CodeBits): number {
  let bad = 0;
  for (let at = 0; at < bytes.length; ) {
    const found = decode(bytes.subarray(at, at + MAX_LENGTH), bits);
    if (found === undefined) bad++;
    at += found?.length ?? 1;
  }
  return bad;
}
