/**
 * Assembles sources with Terrarium's own assembler: for hosts without gcc and NASM, and on request.
 *
 * @module
 */

import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Assembled,
  AssemblerError,
  assemble,
  elfImage,
  flatImage,
  NOT_LOADED,
  placesItself,
  type SourceFile,
} from '../../assembler/index.js';
import { found } from './found.js';
import type { Language } from './languages.js';
import { ToolchainError } from './toolchain-error.js';

/** The assemblers that `--as` can name. */
export const assemblers = ['builtin', 'gcc', 'nasm'] as const;
export type AssemblerName = (typeof assemblers)[number];

/** The most bytes of an included file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface BuiltinTarget {
  readonly bits: 16 | 32 | 64;
  readonly kind: 'flat' | 'elf';
  readonly load: number;
  /** An ELF file instead of a flat image, for its symbols. */
  readonly symbols: boolean;
  readonly strip: boolean;
  /** Only files beside the source and the shared headers. */
  readonly confined: boolean;
  readonly cflags: readonly string[];
}

/** Why a source is not suitable for an assembler. */
export function refuseBuiltin(file: string, why: string | undefined, hint: string): ToolchainError {
  return new ToolchainError(
    why === undefined
      ? `${file}: this is no source for that assembler`
      : `${file}: the built-in assembler ${why}`,
    hint,
  );
}

/** Assembles a source. @throws ToolchainError with the assembler's own words */
export function assembleBuiltin(
  { file, text, language }: { file: string; text: string; language: Language },
  target: BuiltinTarget,
): { bytes: Uint8Array; kind: 'flat' | 'elf'; command: string; warnings: string } {
  const base = BigInt(target.load);
  const program = assembled(file, text, language, target, base);
  const start = program.symbols.get('_start');
  const first = program.sections.find(({ bytes }) => bytes.length > 0)?.address ?? base;
  if (flatImage(program).length === 0) {
    throw new ToolchainError(`${file}: the image is empty`, 'is there an instruction in it?');
  }
  if (target.kind === 'flat') {
    const size = flatImage(program).length;
    if (start !== undefined && start !== first && size <= 0xfff0) {
      throw new ToolchainError(`${file}: _start is not the first byte of a flat image`, 'put it first');
    }
  }
  const made = { command: `the built-in assembler on ${file}`, warnings: '' };
  if (target.kind === 'flat' && !target.symbols) return { ...made, bytes: flatImage(program), kind: 'flat' };
  const named = target.strip ? { ...program, symbols: new Map<string, bigint>(), lines: [] } : program;
  const bytes = elfImage(named, {
    bits: target.bits === 64 ? 64 : 32,
    entry: start ?? first,
    name: path.basename(file),
    folder: path.dirname(path.resolve(file)),
  });
  return { ...made, bytes, kind: 'elf' };
}

function assembled(
  file: string,
  text: string,
  language: Language,
  target: BuiltinTarget,
  base: bigint,
): Assembled {
  const syntax = language === 'nasm' ? 'nasm' : file.endsWith('.s') ? 'gas' : 'gas-cpp';
  const itself = language === 'nasm' && placesItself(text);
  const read = reader(file, target.confined);
  const defines = new Map(
    target.cflags.flatMap((word) => {
      const [, name, value = '1'] = /^-D([A-Za-z_]\w*)(?:=(.*))?$/.exec(word) ?? [];
      return name === undefined ? [] : [[name, value] as const];
    }),
  );
  try {
    return assemble(text, {
      file,
      syntax,
      base,
      ...(!itself && { bits: target.bits }),
      read,
      defines,
      discard: NOT_LOADED,
    });
  } catch (error) {
    if (error instanceof AssemblerError) throw new ToolchainError(error.message, undefined, error);
    throw error;
  }
}

/** Finds the files that a source names: beside it, beside the file that names them, and among the headers that all guests share. */
function reader(source: string, confined: boolean): (name: string, from: string) => SourceFile | undefined {
  const beside = path.dirname(path.resolve(source));
  const common = fileURLToPath(new URL('guests/include', import.meta.resolve('#package')));
  const folders = [beside, common];
  return (name, from) => {
    for (const folder of [path.dirname(path.resolve(from)), ...folders]) {
      const file = path.resolve(folder, name);
      const there = found(file);
      if (!there?.isFile() || there.size > MAX_FILE_BYTES) continue;
      if (confined && !folders.some((one) => isInside(file, one))) {
        throw new ToolchainError(
          `${source}: it reads ${name}, which is not beside it`,
          'put the file itself there',
        );
      }
      return { file: shown(file), bytes: readFileSync(file) };
    }
    return undefined;
  };
}

/** True for a file in a folder, links followed. */
function isInside(file: string, folder: string): boolean {
  const relative = path.relative(realpathSync(folder), realpathSync(file));
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}

/** A path in its usual short form. */
function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}
