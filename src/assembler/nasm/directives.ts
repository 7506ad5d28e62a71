/**
 * NASM's directives (its manual, chapters 3.2 and 7): data, space, sections, alignment, structures.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import type { Expression } from '../expression.js';
import type { Piece, Program } from '../program.js';
import { nasmName, type Scanner } from '../scanner.js';
import { type Origin, SourceError } from '../source.js';
import { isQuote, stringBytes } from './grammar.js';

/** The interface between directives and the reader of a source. */
export interface Reading {
  readonly program: Program;
  readonly host: {
    readonly read: (
      name: string,
      from: string,
    ) => { readonly file: string; readonly bytes: Uint8Array } | undefined;
  };
  /** The statement's place, and where its bytes begin. */
  readonly origin: Origin;
  readonly start: { piece: Piece; at: number };
  code: CodeSize;
  /** Addresses without registers are relative to the instruction: `default rel`. */
  relative: boolean;
  /** The program's address: `org`. */
  org: bigint | undefined;
  /** The address in `absolute` and `struc`; undefined in a section. */
  absolute: bigint | undefined;
  /** The structure that is being described. */
  structure: string | undefined;
  expression(scanner: Scanner): Expression;
  /** An expression that has to be known here. */
  constant(scanner: Scanner, what: string): bigint;
  /** The value of an expression now, if it is the same in every layout; undefined if that is not known. */
  readonly known: (expression: Expression) => bigint | undefined;
  /** Defines a label here. */
  label(name: string): void;
}

export type Directive = (reader: Reading, scanner: Scanner, word: string) => void;

const unit: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8, t: 10, o: 16 };

const nothing: Directive = (_, scanner) => {
  scanner.rest();
};

const floating = /[-+]?\d[\d_]*\.(?:\d[\d_]*)?(?:[eE][-+]?\d+)?(?![\w.])|[-+]?\d[\d_]*[eE][-+]?\d+(?![\w.])/y;

function emit(reader: Reading, bytes: ArrayLike<number>): void {
  if (reader.absolute !== undefined)
    throw new SourceError('only space is allowed here', -1, 'resb and similar');
  reader.program.data(bytes);
}

const littleEndian = (value: bigint, size: number) =>
  Array.from({ length: size }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));

/** A string fills whole units. */
function padded(bytes: readonly number[], size: number): number[] {
  const rest = (size - (bytes.length % size)) % size;
  return [...bytes, ...new Array<number>(rest).fill(0)];
}

function float(text: string, size: number): Uint8Array {
  const value = Number(text.replaceAll('_', ''));
  const view = new DataView(new ArrayBuffer(size));
  if (size === 4) view.setFloat32(0, value, true);
  else if (size === 8) view.setFloat64(0, value, true);
  else throw new SourceError(`a number with a point takes dd or dq`);
  return new Uint8Array(view.buffer);
}

/** `db`, `dw` and similar. */
const data: Directive = (reader, scanner, word) => {
  const size = unit[word[1]!]!;
  const here = reader.start.at;
  reader.program.line(reader.origin);
  do {
    if (scanner.peek(/\?\s*(?:,|$)/y) !== undefined) {
      scanner.take('?');
      emit(reader, new Uint8Array(size));
      continue;
    }
    const { at } = scanner;
    if (isQuote(scanner.next)) {
      const bytes = stringBytes(scanner);
      if (scanner.peek(/,|$/y) !== undefined) {
        emit(reader, padded(bytes, size));
        continue;
      }
      scanner.at = at;
    }
    const number = size === 4 || size === 8 ? scanner.match(floating) : undefined;
    if (number !== undefined) emit(reader, float(number, size));
    else integer(reader, reader.expression(scanner), size, here);
  } while (scanner.take(',') && !scanner.done);
  scanner.end();
};

function integer(reader: Reading, expression: Expression, size: number, here: number): void {
  const value = reader.known(expression);
  if (value !== undefined) emit(reader, littleEndian(value, size));
  else if (size > 8) throw new SourceError('an address does not have more than 8 bytes');
  else if (reader.start.piece !== reader.program.here.piece) throw new SourceError('this line is too long');
  else reader.program.number(expression, size, reader.origin, here);
}

const reserve: Directive = (reader, scanner, word) => {
  const size = BigInt(unit[word[3]!]!);
  const count = reader.constant(scanner, 'the room');
  scanner.end();
  if (count < 0n || count * size > 64n * 1024n * 1024n) throw new SourceError(`${count}: no such room`);
  if (reader.absolute !== undefined) reader.absolute += count * size;
  else reader.program.fill(0, Number(count * size));
};

const bits: Directive = (reader, scanner, word) => {
  const width = word.startsWith('use') ? BigInt(word.slice(3)) : reader.constant(scanner, 'the width');
  scanner.end();
  if (width !== 16n && width !== 32n && width !== 64n)
    throw new SourceError(`code has 16, 32 or 64 bits, not ${width}`);
  reader.code = Number(width) as 16 | 32 | 64;
};

const org: Directive = (reader, scanner) => {
  const to = reader.constant(scanner, 'the origin');
  scanner.end();
  if (reader.org !== undefined && reader.org !== to)
    throw new SourceError('org is allowed only once', -1, 'use times to fill up to an offset');
  reader.org = to;
};

const section: Directive = (reader, scanner) => {
  const name = scanner.match(/[^\s,]+/y);
  if (name === undefined) throw new SourceError('the section has no name', scanner.at);
  const rest = scanner.rest();
  const known = reader.program.sections.has(name);
  const found = reader.program.section(name, /\bnobits\b/i.test(rest) || /^\.bss/.test(name));
  if (/\b(vstart|follows|vfollows|start)\s*=/i.test(rest)) {
    throw new SourceError(
      'sections with addresses of their own are not known here',
      -1,
      'use nasm: --as nasm',
    );
  }
  const [, align] = /\balign\s*=\s*(\d+)/i.exec(rest) ?? [];
  if (!known && name !== '.text') found.align = 4n;
  if (align !== undefined) found.align = BigInt(align);
  reader.program.current = found;
  reader.absolute = undefined;
};

/** `align TO, WHAT`: NOPs in code, elsewhere the given bytes. */
const align: Directive = (reader, scanner, word) => {
  const to = reader.constant(scanner, 'the alignment');
  const inSpace = word === 'alignb';
  let fill = inSpace ? 0 : 0x90;
  if (scanner.take(',')) {
    const [, value] = /^\s*(?:db|resb)\s+(\S+)/i.exec(scanner.rest()) ?? [];
    fill = value === undefined || inSpace ? 0 : Number(value);
  }
  if (to <= 0n || (to & (to - 1n)) !== 0n || to > 1n << 30n)
    throw new SourceError(`an alignment is a power of two, not ${to}`);
  if (reader.absolute !== undefined) reader.absolute += (to - (reader.absolute % to)) % to;
  else reader.program.stretch({ kind: 'align', to, fill, atMost: undefined }, reader.origin);
};

const rel: Directive = (reader, scanner) => {
  const word = scanner.rest().toLowerCase();
  if (!/^(rel|abs)$/.test(word))
    throw new SourceError(`default ${word} is not known here`, -1, 'default rel, default abs');
  reader.relative = word === 'rel';
};

const global: Directive = (reader, scanner) => {
  for (const name of scanner.rest().split(','))
    reader.program.symbol(name.trim().split(/[\s:]/)[0]!, reader.origin).isGlobal = true;
};

const structure: Directive = (reader, scanner) => {
  const name = scanner.match(nasmName);
  if (name === undefined) throw new SourceError('the structure has no name', scanner.at);
  reader.structure = name;
  reader.absolute = scanner.take(',') ? reader.constant(scanner, 'the first offset') : 0n;
  reader.label(name);
};

const endStructure: Directive = (reader) => {
  if (reader.structure === undefined || reader.absolute === undefined)
    throw new SourceError('endstruc without struc');
  const symbol = reader.program.symbol(`${reader.structure}_size`, reader.origin);
  symbol.value = { number: reader.absolute, section: undefined };
  reader.structure = undefined;
  reader.absolute = undefined;
};

const absolute: Directive = (reader, scanner) => {
  reader.absolute = reader.constant(scanner, 'the address');
  scanner.end();
};

const incbin: Directive = (reader, scanner) => {
  if (!isQuote(scanner.next)) throw new SourceError('a file name in quotes is missing', scanner.at);
  const name = new TextDecoder().decode(Uint8Array.from(stringBytes(scanner)));
  const found = reader.host.read(name, reader.origin.file);
  if (found === undefined)
    throw new SourceError(`there is no file ${name}`, -1, 'names count from the source that names them');
  const from = scanner.take(',') ? Number(reader.constant(scanner, 'the start')) : 0;
  const length = scanner.take(',')
    ? Number(reader.constant(scanner, 'the length'))
    : Math.max(found.bytes.length - from, 0);
  scanner.end();
  if (from < 0 || length < 0 || from + length > found.bytes.length) {
    throw new SourceError(`the file has ${found.bytes.length} bytes, not ${from + length}`);
  }
  emit(reader, found.bytes.subarray(from, from + length));
};

const named = (names: string, directive: Directive) =>
  names.split(' ').map((name) => [name, directive] as const);

/** By their names. */
export const directives: Readonly<Record<string, Directive>> = Object.fromEntries([
  ...named('db dw dd dq dt do', data),
  ...named('resb resw resd resq rest reso', reserve),
  ...named('bits use16 use32 use64', bits),
  ...named('org', org),
  ...named('section segment', section),
  ...named('align alignb', align),
  ...named('default', rel),
  ...named('global static', global),
  ...named('struc', structure),
  ...named('endstruc', endStructure),
  ...named('absolute', absolute),
  ...named('incbin', incbin),
  ...named('cpu warning extern required float sectalign list', nothing),
  ...named('istruc iend common', () => {
    throw new SourceError('this directive is not known here', -1, 'use nasm: --as nasm');
  }),
]);
