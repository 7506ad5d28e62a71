/**
 * The files of a submission in memory, from a folder, an archive or a Git branch. Names and sizes are untrusted: each is checked before it
 * is used.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TerrariumError } from '../errors.js';

/** Paths with `/`, and contents. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A kernel of a course has a few files of some KiB. */
export const submissionLimits = {
  /** Bytes of all files. */
  bytes: 16 * 1024 * 1024,
  files: 1000,
  /** Characters of a path. */
  path: 200,
  depth: 12,
} as const;

/** A submission that cannot be accepted: its message is for the student. */
export class SubmissionError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('ESUBMISSION', message, hint === undefined ? {} : { hint });
  }
}

/** Folders and files that tools make, and that no compiler reads. */
const ignored = /^(?:\.git|\.svn|\.hg|__MACOSX|node_modules|\.DS_Store|Thumbs\.db)$/;

/** Collects files within the limits. */
export class FileCollector {
  readonly files = new Map<string, Uint8Array>();
  #bytes = 0;

  /** Room for one more file. @throws SubmissionError before the file is read or unpacked */
  reserve(name: string, size: number): void {
    this.#bytes += size;
    if (this.#bytes > submissionLimits.bytes)
      throw new SubmissionError(
        `the submission is larger than ${submissionLimits.bytes / 2 ** 20} MiB (at '${shownName(name)}')`,
        'submit only the sources, without images and tools',
      );
    if (this.files.size >= submissionLimits.files)
      throw new SubmissionError(`the submission has more than ${submissionLimits.files} files`);
  }

  /** True for a file of the submission; false for files that tools leave. @throws SubmissionError for a name that leads outside */
  wants(name: string): boolean {
    const parts = name.split('/');
    const leads = parts.some((part) => part === '..' || part === '.' || part === '');
    if (
      leads ||
      name.includes('\0') ||
      name.includes('\\') ||
      path.isAbsolute(name) ||
      /^[A-Za-z]:/.test(name)
    )
      throw new SubmissionError(
        `the file name '${shownName(name)}' leads outside of the submission, and was refused`,
      );
    if (name.length > submissionLimits.path || parts.length > submissionLimits.depth)
      throw new SubmissionError(`the file name '${shownName(name)}' is too long or too deep`);
    return !parts.some((part) => ignored.test(part));
  }

  add(name: string, bytes: Uint8Array): void {
    if (this.files.has(name))
      throw new SubmissionError(`the submission has two files with the name '${shownName(name)}'`);
    this.files.set(name, bytes);
  }
}

/** An untrusted name for messages: short, and without control characters. */
export function shownName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  const plain = name.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
  return plain.length > 100 ? `${plain.slice(0, 100)}…` : plain;
}

/** Reads a folder. Links are not followed: they could lead to any file of this host. @throws SubmissionError */
export function readFolder(folder: string): Files {
  const collector = new FileCollector();
  const walk = (below: string) => {
    const entries = readdirSync(path.join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!collector.wants(name)) continue;
      if (entry.isSymbolicLink())
        throw new SubmissionError(
          `'${shownName(name)}' is a link, which is not followed`,
          'hand in the file itself',
        );
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) {
        const file = path.join(folder, name);
        collector.reserve(name, lstatSync(file).size);
        collector.add(name, readFileSync(file));
      }
    }
  };
  walk('');
  return collector.files;
}

/** A hash of names and contents. */
export function digestOf(files: Files): string {
  const hash = createHash('sha256');
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, bytes.length]));
    hash.update(bytes);
  }
  return hash.digest('hex');
}
