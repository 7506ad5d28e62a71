/**
 * From a submission's files to an image: in a temporary folder with the exercise's own `guest.json`, compiled where it cannot read
 * this host.
 *
 * @module
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Image } from '../boot/index.js';
import type { MachineSpec } from '../config/index.js';
import { isTerrariumError } from '../errors.js';
import { changeSources, type SourceChange } from '../inspect/index.js';
import { findSandbox, type LoadedImage, languageOf, loadImage, type SandboxName } from '../runtime/index.js';
import type { Exercise } from './exercise.js';
import { type Files, SubmissionError, shownName } from './files.js';

/** A source as the checks see it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** The result of compiling a submission: plain data, which a cache can store. */
export interface Compiled {
  readonly ok: true;
  readonly image: Image;
  readonly spec: MachineSpec;
  readonly sources: readonly Source[];
  /** The headers for the sources. */
  readonly headers: readonly Source[];
  /** The compiler's warnings, and assumptions about names. */
  readonly warnings: string;
}

export interface NotCompiled {
  readonly ok: false;
  readonly message: string;
  readonly hint?: string;
}

/** Bytes of the compiler's messages that a report shows. */
const SHOWN_MESSAGES = 8000;

let sandbox: SandboxName | undefined;

/** Where submissions are compiled on this host. */
export function sandboxHere(): SandboxName {
  if (sandbox !== undefined) return sandbox;
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-sandbox-'));
  try {
    // For tests, and for hosts where one of them does not work.
    const asked = process.env.TERRARIUM_SANDBOX as SandboxName | undefined;
    sandbox = findSandbox(() => mkdtempSync(path.join(folder, 'try-')), asked);
    return sandbox;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Compiles a submission. Every mistake of the student is a `NotCompiled`. */
export function buildSubmission(exercise: Exercise, files: Files): Compiled | NotCompiled {
  return staged(exercise, files, ({ image, spec, sources, warnings }, folder, note) => ({
    ok: true,
    image,
    spec,
    sources: sources.map((file) => ({ name: path.relative(folder, file), text: readFileSync(file, 'utf8') })),
    headers: readdirSync(folder)
      .filter((name) => /\.(?:h|inc)$/.test(name) && statSync(path.join(folder, name)).isFile())
      .sort()
      .map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') })),
    warnings: [note, warnings]
      .filter((text) => text !== '')
      .join('\n')
      .slice(0, SHOWN_MESSAGES),
  }));
}

/** The files with a change in their sources; undefined where nothing matches. */
export function changeFiles(files: Files, change: SourceChange): Files | undefined {
  const sources = [...files].filter(([name]) => languageOf(name) !== undefined);
  const texts = sources.map(([, bytes]) => Buffer.from(bytes).toString('latin1'));
  const changed = changeSources(texts, change);
  if (changed === undefined) return undefined;
  return new Map([
    ...files,
    ...sources.map(([name], i) => [name, Buffer.from(changed[i]!, 'latin1')] as const),
  ]);
}

/** Compiles it again for its names; undefined where that is not possible. */
export function buildSymbols(exercise: Exercise, files: Files): Image | undefined {
  const built = staged(exercise, files, ({ symbols }) => symbols?.());
  return built !== undefined && 'segments' in built ? built : undefined;
}

function staged<T>(
  exercise: Exercise,
  files: Files,
  use: (loaded: LoadedImage, folder: string, note: string) => T,
): T | NotCompiled {
  const stage = mkdtempSync(path.join(tmpdir(), 'terrarium-stage-'));
  // The same path length for all submissions: compilers break lines and name files by it.
  const folder = path.join(stage, 'submission');
  try {
    const { main, root, note } = findMain(exercise, files);
    mkdirSync(folder);
    const begin = path.join(exercise.folder, 'start');
    if (existsSync(begin)) {
      for (const name of readdirSync(begin)) {
        const file = path.join(begin, name);
        if (name !== exercise.guest.image && statSync(file).isFile())
          writeFileSync(path.join(folder, name), readFileSync(file));
      }
    }
    for (const [name, bytes] of files) {
      if (!name.startsWith(root)) continue;
      const file = path.join(folder, name.slice(root.length));
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
    writeFileSync(path.join(folder, 'guest.json'), JSON.stringify({ ...exercise.guest, image: main }));
    const loaded = loadImage(folder, {}, { confined: true, sandbox: sandboxHere() });
    return use(loaded, folder, note);
  } catch (error) {
    if (error instanceof SubmissionError || isTerrariumError(error)) {
      const { hint } = error;
      return { ok: false, message: plain(error.message, stage), ...(hint !== undefined && { hint }) };
    }
    const { code } = error as NodeJS.ErrnoException;
    // Two names that are the same on this file system, a file where a folder is named: errors of the submission.
    if (
      code !== undefined &&
      ['EISDIR', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ'].includes(code)
    )
      return { ok: false, message: `its files cannot be written to a folder: ${code}` };
    throw error;
  } finally {
    rmSync(stage, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Messages without this host's folders. */
function plain(message: string, stage: string): string {
  const short = message
    .replaceAll(`${path.join(stage, 'submission')}/`, '')
    .replaceAll(path.join(stage, 'submission'), '.')
    .replace(/\/\S*\/terrarium-[A-Za-z0-9]{6}\//g, '');
  return short.length > SHOWN_MESSAGES
    ? `${short.slice(0, SHOWN_MESSAGES)}\n… (${short.length} characters)`
    : short;
}

/** Where in a submission the source is: at its top, in a folder, or under another name. */
function findMain(
  { guest: { image } }: Exercise,
  files: Files,
): { main: string; root: string; note: string } {
  if (files.size === 0) throw new SubmissionError('the submission is empty', `hand in ${image}`);
  const byDepth = [...files.keys()].sort(
    (a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1),
  );
  const exact = byDepth.find((name) => path.posix.basename(name) === image);
  if (exact !== undefined) return { main: image, root: exact.slice(0, -image.length), note: '' };
  const language = languageOf(image);
  const alike = byDepth.filter((name) => languageOf(name) === language && language !== undefined);
  const [only] = alike;
  if (only !== undefined && alike.length === 1) {
    const main = path.posix.basename(only);
    const note = `There is no ${image}: ${shownName(main)}, the only source, was taken for it.`;
    return { main, root: only.slice(0, -main.length), note };
  }
  const names = byDepth.slice(0, 8).map(shownName).join(', ');
  throw new SubmissionError(
    `there is no ${image} in the submission, which has ${names}${files.size > 8 ? ' and others' : ''}`,
    `name the source ${image}`,
  );
}
