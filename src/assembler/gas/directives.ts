/**
 * The directives of GNU as for a program's content (its manual, chapter 7): data, space, alignment, sections, symbols.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import { plainLines, type SourceLine } from '../cpp.js';
import type { Expression } from '../expression.js';
import type { Program } from '../program.js';
import { escapedBytes, gasName, type Scanner } from '../scanner.js';
import { type Origin, SourceError } from '../source.js';

/** The interface between directives and the reader of a source. */
export interface Reading {
  readonly program: Program;
  readonly host: {
    readonly read: (
      name: string,
      from: string,
    ) => { readonly file: string; readonly bytes: Uint8Array } | undefined;
  };
  /** The statement's place. */
  readonly origin: Origin;
  code: CodeSize;
  /** The width of the object file: GNU as fills alignments for its processors. */
  readonly objectBits: 32 | 64;
  /** Operands in Intel's syntax. */
  intel: boolean;
  /** True after `.end`. */
  ended: boolean;
  /** Sections to go back to: `.previous` and `.popsection`. */
  readonly sectionStack: string[];
  previousSection: string;
  readonly macros: { delete(name: string): boolean };
  expression(scanner: Scanner): Expression;
  /** The value of an expression now, if it is the same in every layout; undefined if that is not known. */
  readonly known: (expression: Expression) => bigint | undefined;
  /** Defines a label here. */
  label(name: string): void;
  /** Gives a name a value. */
  set(name: string, expression: Expression): void;
  /** Whether an `.org` counts from the section's start or names an address. */
  orgFrom(expression: Expression): 'section' | 'address';
  exitMacro(): void;
  /** Puts an included file's lines before the remaining ones. */
  insertFile(lines: readonly SourceLine[]): void;
}

export type Directive = (reader: Reading, scanner: Scanner, word: string) => void;

const nothing: Directive = (_, scanner) => {
  scanner.rest();
};

/** Expressions separated by commas. */
function* list(reader: Reading, scanner: Scanner): Generator<Expression> {
  if (scanner.done) return;
  do yield reader.expression(scanner);
  while (scanner.take(','));
  scanner.end();
}

/** Numbers of this many bytes. Too large ones lose their upper bits, as in GNU as. */
function numbers(size: number): Directive {
  return (reader, scanner) => {
    for (const expression of list(reader, scanner)) {
      const value = reader.known(expression);
      if (value === undefined) {
        if (size > 8) throw new SourceError('an address does not have more than 8 bytes');
        reader.program.number(expression, size, reader.origin);
      } else reader.program.data(littleEndian(value, size));
    }
  };
}

function littleEndian(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
}

/** Strings, each followed by `end`. Strings without a comma between them are one. */
function strings(end: readonly number[]): Directive {
  return (reader, scanner) => {
    while (!scanner.done) {
      const bytes: number[] = [];
      do {
        if (scanner.next !== '"') throw new SourceError('a string in double quotes is missing', scanner.at);
        bytes.push(...escapedBytes(scanner.quoted()));
      } while (scanner.next === '"');
      reader.program.data([...bytes, ...end]);
      if (!scanner.take(',')) break;
    }
    scanner.end();
  };
}

/** Floating-point numbers. */
function floats(size: 4 | 8): Directive {
  return (reader, scanner) => {
    do {
      const { at } = scanner;
      const text = scanner.match(/[-+]?(?:0[fFdD])?[-+]?(?:inf|nan|[\d.]+(?:[eE][-+]?\d+)?)/iy);
      const plain = text?.replace(/0[fFdD](?=[-+\d.])/, '').toLowerCase();
      const value =
        plain === undefined
          ? Number.NaN
          : plain.endsWith('inf')
            ? (plain.startsWith('-') ? -1 : 1) * Number.POSITIVE_INFINITY
            : Number(plain);
      if (plain === undefined || (Number.isNaN(value) && !plain.endsWith('nan')))
        throw new SourceError('a number is missing', at);
      const view = new DataView(new ArrayBuffer(size));
      if (size === 4) view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
      reader.program.data(new Uint8Array(view.buffer));
    } while (scanner.take(','));
    scanner.end();
  };
}

/** Arguments separated by commas, each of which may be missing. */
function optional(reader: Reading, scanner: Scanner): (Expression | undefined)[] {
  const found: (Expression | undefined)[] = [];
  while (!scanner.done) {
    found.push(scanner.next === ',' ? undefined : reader.expression(scanner));
    if (!scanner.take(',')) break;
    if (scanner.done) found.push(undefined);
  }
  scanner.end();
  return found;
}

function known(reader: Reading, expression: Expression | undefined, otherwise: bigint): bigint {
  if (expression === undefined) return otherwise;
  const value = reader.known(expression);
  if (value === undefined) throw new SourceError('this has to be a number that is known here');
  return value;
}

const LARGEST_ALIGNMENT = 1n << 30n;

/** `.balign TO, FILL, AT MOST`; `.p2align` counts in powers of two. The fill is `size` bytes wide. */
function align(power: boolean): Directive {
  return (reader, scanner) => {
    const [to, fill, most] = optional(reader, scanner);
    const asked = known(reader, to, power ? 0n : 1n);
    if (asked < 0n || asked > LARGEST_ALIGNMENT || (power && asked > 30n)) {
      throw new SourceError(`an alignment of ${asked} is too large`);
    }
    const bytes = power ? 1n << asked : asked === 0n ? 1n : asked;
    if ((bytes & (bytes - 1n)) !== 0n) throw new SourceError(`an alignment is a power of two, not ${bytes}`);
    const inCode = /^\.(text|init|fini|start)/.test(reader.program.current.name);
    reader.program.stretch(
      {
        kind: 'align',
        to: bytes,
        fill:
          fill !== undefined
            ? Number(known(reader, fill, 0n) & 0xffn)
            : inCode
              ? { nops: reader.code === 16 ? 16 : reader.objectBits }
              : 0,
        atMost: most === undefined ? undefined : known(reader, most, 0n),
      },
      reader.origin,
    );
  };
}

/** `.skip COUNT, FILL`. */
const space: Directive = (reader, scanner) => {
  const [count, fill] = optional(reader, scanner);
  if (count === undefined) throw new SourceError('the number of bytes is missing');
  repeat(reader, count, [Number(known(reader, fill, 0n) & 0xffn)]);
};

/** `.fill COUNT, SIZE, VALUE`. */
const fill: Directive = (reader, scanner) => {
  const [count, size, value] = optional(reader, scanner);
  if (count === undefined) throw new SourceError('the number of repetitions is missing');
  const bytes = known(reader, size, 1n);
  if (bytes < 0n || bytes > 8n)
    throw new SourceError(`.fill writes numbers of 8 bytes at most, not ${bytes}`);
  // Of wider numbers the upper bytes are zero (GNU as, .fill).
  const written = littleEndian(BigInt.asUintN(32, known(reader, value, 0n)), Number(bytes));
  repeat(reader, count, written);
};

function repeat(reader: Reading, count: Expression, bytes: readonly number[]): void {
  if (bytes.length === 0) return;
  const times = reader.known(count);
  if (times === undefined) {
    reader.program.stretch({ kind: 'space', count, fill: Uint8Array.from(bytes) }, reader.origin);
    return;
  }
  if (times < 0n) throw new SourceError(`a negative number of bytes: ${times}`);
  if (times * BigInt(bytes.length) > 64n * 1024n * 1024n)
    throw new SourceError(`${times} bytes are more than a program has`);
  if (bytes.every((byte) => byte === bytes[0])) reader.program.fill(bytes[0]!, Number(times) * bytes.length);
  else for (let n = 0n; n < times; n++) reader.program.data(bytes);
}

const org: Directive = (reader, scanner) => {
  const [to, value] = optional(reader, scanner);
  if (to === undefined) throw new SourceError('the new position is missing');
  const byte = Number(known(reader, value, 0n) & 0xffn);
  reader.program.stretch({ kind: 'org', to, from: reader.orgFrom(to), fill: byte }, reader.origin);
};

/** Continues in another section. */
function enter(reader: Reading, name: string, empty?: boolean): void {
  reader.previousSection = reader.program.current.name;
  reader.program.current = reader.program.section(name, empty);
}

const section: Directive = (reader, scanner, word) => {
  const name = scanner.next === '"' ? scanner.quoted() : scanner.match(/[\w.$-]+/y);
  if (name === undefined) throw new SourceError('the section has no name', scanner.at);
  if (word === '.pushsection') reader.sectionStack.push(reader.program.current.name);
  const rest = scanner.rest();
  enter(reader, name, /[@%]nobits\b/.test(rest) || undefined);
};

const set: Directive = (reader, scanner, word) => {
  const name = scanner.match(gasName);
  if (name === undefined) throw new SourceError('the name is missing', scanner.at, `${word} NAME, VALUE`);
  scanner.expect(',', `after ${name}`);
  const symbol = reader.program.symbols.get(name);
  if (
    word === '.equiv' &&
    symbol !== undefined &&
    (symbol.value ?? symbol.expression ?? symbol.label) !== undefined
  ) {
    throw new SourceError(`'${name}' is defined already`);
  }
  reader.set(name, reader.expression(scanner));
  scanner.end();
};

const global: Directive = (reader, scanner) => {
  do {
    const name = scanner.match(gasName);
    if (name === undefined) throw new SourceError('a name is missing', scanner.at);
    reader.program.symbol(name, reader.origin).isGlobal = true;
  } while (scanner.take(','));
  scanner.end();
};

/** `.comm NAME, SIZE, ALIGNMENT`: room in `.bss`. */
const common: Directive = (reader, scanner) => {
  const name = scanner.match(gasName);
  scanner.expect(',', 'after the name');
  const [size, alignment] = optional(reader, scanner);
  if (name === undefined || size === undefined)
    throw new SourceError('a name and a size are needed', -1, '.comm NAME, SIZE');
  const { current } = reader.program;
  reader.program.current = reader.program.section('.bss');
  const to = known(reader, alignment, 1n);
  if (to > 1n && (to & (to - 1n)) === 0n && to <= LARGEST_ALIGNMENT) {
    reader.program.stretch({ kind: 'align', to, fill: 0, atMost: undefined }, reader.origin);
  }
  reader.label(name);
  repeat(reader, size, [0]);
  reader.program.current = current;
};

function file(reader: Reading, scanner: Scanner) {
  if (scanner.next !== '"') throw new SourceError('a file name in double quotes is missing', scanner.at);
  const name = scanner.quoted();
  const found = reader.host.read(name, reader.origin.file);
  if (found === undefined)
    throw new SourceError(`there is no file ${name}`, -1, 'names count from the source that names them');
  return found;
}

const incbin: Directive = (reader, scanner) => {
  const { bytes } = file(reader, scanner);
  scanner.take(',');
  const [skip, count] = optional(reader, scanner);
  const from = Number(known(reader, skip, 0n));
  const length = Number(known(reader, count, BigInt(Math.max(bytes.length - from, 0))));
  if (from < 0 || length < 0 || from + length > bytes.length) {
    throw new SourceError(`the file has ${bytes.length} bytes, not ${from + length}`);
  }
  reader.program.data(bytes.subarray(from, from + length));
};

const include: Directive = (reader, scanner) => {
  const { file: name, bytes } = file(reader, scanner);
  reader.insertFile(plainLines(new TextDecoder().decode(bytes), name));
};

const code =
  (width: 16 | 32 | 64): Directive =>
  (reader) => {
    reader.code = width;
  };

const syntax =
  (intel: boolean): Directive =>
  (reader, scanner) => {
    reader.intel = intel;
    const word = scanner.rest();
    if (intel && word === 'prefix')
      throw new SourceError('.intel_syntax prefix is not known here', -1, 'write .intel_syntax noprefix');
    if (!intel && word === 'noprefix')
      throw new SourceError('.att_syntax noprefix is not known here', -1, 'write % before registers');
  };

/** LEB128 (DWARF 7.6) of a number that is known. */
const leb =
  (signed: boolean): Directive =>
  (reader, scanner) => {
    for (const expression of list(reader, scanner)) {
      let value = known(reader, expression, 0n);
      if (value < 0n && !signed) throw new SourceError(`${value} has a sign`);
      for (;;) {
        const low = Number(value & 0x7fn);
        value >>= 7n;
        const last = signed
          ? (value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)
          : value === 0n;
        reader.program.data([last ? low : low | 0x80]);
        if (last) break;
      }
    }
  };

const named = (names: string, directive: Directive) =>
  names.split(' ').map((name) => [`.${name}`, directive] as const);

/** By their names, with the dot. */
export const directives: Readonly<Record<string, Directive>> = Object.fromEntries([
  ...named('byte', numbers(1)),
  ...named('word short hword 2byte value', numbers(2)),
  ...named('long int 4byte', numbers(4)),
  ...named('quad 8byte', numbers(8)),
  ...named('octa', numbers(16)),
  ...named('ascii', strings([])),
  ...named('asciz string', strings([0])),
  ...named('float single', floats(4)),
  ...named('double', floats(8)),
  ...named('uleb128', leb(false)),
  ...named('sleb128', leb(true)),
  ...named('align balign', align(false)),
  ...named('p2align', align(true)),
  ...named('skip space zero', space),
  ...named('fill', fill),
  ...named('org', org),
  ...named('set equ equiv eqv', set),
  ...named('globl global', global),
  ...named('comm lcomm', common),
  ...named('section pushsection', section),
  ...named('incbin', incbin),
  ...named('include', include),
  ...named('code16', code(16)),
  ...named('code32', code(32)),
  ...named('code64', code(64)),
  ...named('intel_syntax', syntax(true)),
  ...named('att_syntax', syntax(false)),
  ...named('text', (reader, scanner) => {
    scanner.rest();
    enter(reader, '.text');
  }),
  ...named('data', (reader, scanner) => {
    scanner.rest();
    enter(reader, '.data');
  }),
  ...named('bss', (reader, scanner) => {
    scanner.rest();
    enter(reader, '.bss');
  }),
  ...named('previous', (reader) => {
    enter(reader, reader.previousSection);
  }),
  ...named('popsection', (reader) => {
    const name = reader.sectionStack.pop();
    if (name === undefined) throw new SourceError('.popsection without .pushsection');
    enter(reader, name);
  }),
  ...named('exitm', (reader) => {
    reader.exitMacro();
  }),
  ...named('purgem', (reader, scanner) => {
    reader.macros.delete(scanner.rest().toLowerCase());
  }),
  ...named('end', (reader) => {
    reader.ended = true;
  }),
  ...named('error err abort', (_, scanner, word) => {
    throw new SourceError(scanner.next === '"' ? scanner.quoted() : `${word} ${scanner.rest()}`.trim());
  }),
  ...named('code16gcc', () => {
    throw new SourceError('.code16gcc is for compilers', -1, 'use gcc for this source: --as gcc');
  }),
  // Directives for linkers, debuggers and listings, which change no byte.
  ...named(
    'extern local weak hidden protected internal type size file ident loc line title sbttl list nolist eject psize arch',
    nothing,
  ),
  ...named(
    'cfi_startproc cfi_endproc cfi_def_cfa cfi_def_cfa_offset cfi_def_cfa_register cfi_offset cfi_adjust_cfa_offset cfi_rel_offset cfi_restore cfi_undefined cfi_sections cfi_remember_state cfi_restore_state cfi_signal_frame',
    nothing,
  ),
  ...named('print warning subsection func endfunc version symver', nothing),
]);
