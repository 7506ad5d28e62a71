/**
 * From a source to sections with addresses.
 *
 * @module
 */
import type { CodeSize } from '../isa/index.js';
import { plainLines, preprocess } from './cpp.js';
import { GasReader } from './gas/reader.js';
import { type Laid, layOut } from './layout.js';
import { nasmLines } from './nasm/lines.js';
import { NasmPreprocessor } from './nasm/preprocessor.js';
import { NasmReader } from './nasm/reader.js';
import { Program, ProgramTooLarge } from './program.js';
import { Scanner } from './scanner.js';
import { AssemblerError, type Complaint, SourceError } from './source.js';

/** A file that a source names. */
export interface SourceFile {
  /** Its name for messages, and for files that it includes. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** How a source is written. `gas-cpp` is for `.S` files: C's preprocessor, then GNU as. */
export type SourceSyntax = 'gas' | 'gas-cpp' | 'nasm';

export interface AssembleOptions {
  /** The source's name in messages. */
  readonly file: string;
  readonly syntax: SourceSyntax;
  /** Address of the first byte. Default 0. */
  readonly base?: bigint;
  /** How wide code is until a directive says otherwise. Default 64. */
  readonly bits?: CodeSize;
  /** Returns a file that the source includes; undefined where it does not exist. Default: no files. */
  readonly read?: (name: string, from: string, system: boolean) => SourceFile | undefined;
  /** Names for the preprocessor. */
  readonly defines?: ReadonlyMap<string, string>;
  /** Which sections come first in memory. Default: those with the start, code, constants, data. */
  readonly order?: readonly RegExp[];
  /** Sections that are left out of the program. Default: none. */
  readonly discard?: readonly RegExp[];
}

export interface Assembled extends Laid {
  /** The symbols that are `.globl`. */
  readonly globals: ReadonlySet<string>;
}

/** The order of Terrarium's own linker scripts. */
export const usualOrder: readonly RegExp[] = [
  /^\.(start|text\.start|init|text\._start)$/,
  /^\.text(\.|$)/,
  /^\.rodata(\.|$)/,
  /^\.data(\.|$)/,
];

/** The most errors before reading stops. */
const MAX_COMPLAINTS = 50;

class TooMany extends Error {}

/**
 * Assembles a source. @throws AssemblerError with all of its errors
 */
export function assemble(text: string, options: AssembleOptions): Assembled {
  const complaints: Complaint[] = [];
  const complain = (complaint: Complaint) => {
    complaints.push(complaint);
    if (complaints.length >= MAX_COMPLAINTS) throw new TooMany();
  };
  try {
    const assembled = run(text, options, complain);
    if (complaints.length === 0 && assembled !== undefined) return assembled;
  } catch (error) {
    if (error instanceof TooMany) {
      const { origin } = complaints.at(-1)!;
      complaints.push({
        origin,
        column: 1,
        message: 'too many errors: the rest is not read',
        hint: undefined,
      });
    } else if (error instanceof SourceError || error instanceof ProgramTooLarge) {
      const hint = error instanceof SourceError ? error.hint : undefined;
      complaints.push({ origin: { file: options.file, line: 1 }, column: 1, message: error.message, hint });
    } else throw error;
  }
  throw new AssemblerError(complaints);
}

function run(
  text: string,
  options: AssembleOptions,
  complain: (complaint: Complaint) => void,
): Assembled | undefined {
  const {
    file,
    syntax,
    base = 0n,
    bits = 64,
    read = () => undefined,
    defines = new Map(),
    order = usualOrder,
  } = options;
  const program = new Program();
  let failed = false;
  const note = (complaint: Complaint) => {
    failed = true;
    complain(complaint);
  };
  const source = { program, read: (name: string, from: string) => read(name, from, false), complain: note };
  let start = base;
  let first: CodeSize = bits;
  if (syntax === 'nasm') {
    const reader = new NasmReader(source);
    if (options.bits !== undefined) reader.code = options.bits;
    const value = (asked: string) => reader.constant(new Scanner(asked), 'this');
    const preprocessor = new NasmPreprocessor({ ...source, value }, defines);
    for (const line of preprocessor.run(nasmLines(text, file))) reader.line(line);
    start = reader.org ?? base;
    first = reader.code;
  } else {
    const lines =
      syntax === 'gas-cpp'
        ? preprocess(text, file, { include: read, defines, complain: note })
        : plainLines(text, file);
    new GasReader(source, bits).read(lines);
  }
  for (const name of [...program.sections.keys()]) {
    if (options.discard?.some((pattern) => pattern.test(name))) program.sections.delete(name);
  }
  // Statements with errors have no address: the layout would only report them again.
  if (failed) return undefined;
  const truth = syntax === 'nasm' ? 1n : -1n;
  const laid = layOut(program, {
    base: start,
    order: syntax === 'nasm' ? [/^\.text$/] : order,
    truth,
    bits: first,
    complain: note,
  });
  const globals = [...program.symbols.values()].filter(({ isGlobal }) => isGlobal).map(({ name }) => name);
  return { ...laid, globals: new Set(globals) };
}

/** The bytes of memory from the first section's address to the last byte that is not `.bss`. */
export function flatImage({ sections }: Pick<Assembled, 'sections'>): Uint8Array {
  const full = sections.filter(({ bytes }) => bytes.length > 0);
  const [first] = full;
  if (first === undefined) return new Uint8Array();
  const end = full.reduce(
    (most, { address, bytes }) =>
      address + BigInt(bytes.length) > most ? address + BigInt(bytes.length) : most,
    first.address,
  );
  const image = new Uint8Array(Number(end - first.address));
  for (const { address, bytes } of full) image.set(bytes, Number(address - first.address));
  return image;
}
