/**
 * Makes an image from a project of files, with Terrarium's own assembler.
 *
 * @module
 */
import {
  AssemblerError,
  assembleGuest,
  elfImage,
  flatImage,
  type SourceFile,
  toSegment,
} from '../assembler/index.js';
import { ConfigError } from '../errors.js';
import type { Built, NotBuilt, Project } from './messages.js';

/** The largest accepted source. */
const LARGEST_SOURCE = 16 * 1024 * 1024;

/** Assembles a project. @throws ConfigError where it has no file */
export function buildProject({ files, mode, load }: Project): Built | NotBuilt {
  const [main] = files;
  if (main === undefined) throw new ConfigError('there is nothing to assemble', 'give a source');
  const text = typeof main.content === 'string' ? main.content : new TextDecoder().decode(main.content);
  if (text.length > LARGEST_SOURCE)
    throw new ConfigError(`${main.name}: ${text.length} characters are too many for a source`, 'split it');
  const byName = new Map(files.map((file) => [file.name, file]));
  const read = (name: string): SourceFile | undefined => {
    const found = byName.get(name) ?? byName.get(name.replace(/^.*\//, ''));
    if (found === undefined) return undefined;
    const { content } = found;
    return {
      file: found.name,
      bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
    };
  };
  try {
    const made = assembleGuest(
      { file: main.name, text },
      { mode, read, ...(load !== undefined && { load }) },
    );
    const { program, kind, bits, base } = made;
    const flat = flatImage(program);
    if (flat.length === 0) return emptyImage(main.name);
    const entry = program.symbols.get('_start') ?? base;
    const symbols = elfImage(program, { bits: bits === 64 ? 64 : 32, entry, name: main.name, folder: '.' });
    const lines: (readonly [number, bigint, Uint8Array])[] = [];
    const own = program.lines.filter(({ origin }) => origin.file === main.name);
    for (const [i, { address, origin }] of own.entries()) {
      const from = Number(address - base);
      const to = Number((own[i + 1]?.address ?? base + BigInt(flat.length)) - base);
      if (from >= 0 && from < flat.length)
        lines.push([origin.line, address, flat.slice(from, Math.max(from, Math.min(to, from + 16)))]);
    }
    return { kind, symbols, lines, image: kind === 'flat' ? toSegment(flat, mode) : symbols };
  } catch (error) {
    if (error instanceof AssemblerError) return { complaints: error.complaints };
    throw error;
  }
}

function emptyImage(file: string): NotBuilt {
  const origin = { file, line: 1 };
  const hint = 'is there an instruction in it?';
  return { complaints: [{ origin, column: 1, message: 'the image is empty', hint }] };
}
