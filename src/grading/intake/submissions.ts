/**
 * The sources of submissions: folders, archives, branches, and exports of learning platforms. Each becomes a name and a function that gets
 * its files, which is called when its turn comes.
 *
 * @module
 */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.js';
import {
  type Exercise,
  FileCollector,
  type Files,
  readFolder,
  SubmissionError,
} from '../../exercises/index.js';
import { found, languageOf } from '../../runtime/index.js';
import { archiveName, expandNested, filesOf, readArchive, withFile } from './archive.js';
import { branchesOf, readBranch, shortName } from './git.js';
import { readZip } from './zip.js';

/** One student's submission. */
export interface Submission {
  /** The student, as the report names them: unique. */
  readonly id: string;
  /** The name that a platform gives in addition. */
  readonly name?: string;
  /** The platform's identifier, to return grades. */
  readonly key?: string;
  /** Its files. @throws SubmissionError */
  readonly load: () => Files;
}

/** Moodle's export: a folder or a file for each student, `Ada Lovelace_4711_assignsubmission_file_`. */
const moodle = /^(.*)_(\d+)_assignsubmission_(?:file|onlinetext)_?/;
/** Gradescope's export: a folder for each submission. */
const gradescope = /^submission_\d+$/;

/** Finds the submissions that words on a command line name. @throws ConfigError where there are none */
export function findSubmissions(exercise: Exercise, words: readonly string[]): Submission[] {
  const found = words.flatMap((word) => (word.startsWith('git:') ? fromGit(word) : fromPath(exercise, word)));
  if (found.length === 0)
    throw new ConfigError(
      `there are no submissions in ${words.join(', ')}`,
      'name folders, .zip or .tar.gz files, a folder of these, or git:REPOSITORY#PATTERN',
    );
  return unique(found);
}

/** Two students of one name become `Ada`, `Ada (2)`, always in the same order; one path that is named twice is one submission. */
function unique(found: readonly Submission[]): Submission[] {
  const seen = new Map<string, number>();
  return found
    .map((one) => {
      const count = (seen.get(one.id) ?? 0) + 1;
      seen.set(one.id, count);
      return count === 1 ? one : { ...one, id: `${one.id} (${count})` };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function fromGit(word: string): Submission[] {
  const [repository = '', pattern = '*'] = word.slice('git:'.length).split('#', 2);
  return branchesOf(repository === '' ? '.' : repository, pattern).map((ref) => ({
    id: shortName(ref),
    load: () => readBranch(repository === '' ? '.' : repository, ref),
  }));
}

function fromPath(exercise: Exercise, word: string): Submission[] {
  const there = found(word);
  if (there === undefined)
    throw new ConfigError(
      `${word}: no such file or folder`,
      'check the path; a repository’s branches are git:REPOSITORY#PATTERN',
    );
  if (there.isFile()) return fromFile(word);
  const names = readdirSync(word)
    .filter((name) => !name.startsWith('.'))
    .sort();
  if (names.some((name) => moodle.test(name))) return fromMoodle(word, names);
  if (names.some((name) => gradescope.test(name))) return fromGradescope(word, names);
  if (names.length === 0) return [];
  const isFolder = (name: string) => lstatSync(path.join(word, name)).isDirectory();
  const isOne = names.some(
    (name) => !isFolder(name) && languageOf(name) === languageOf(exercise.guest.image),
  );
  const many = names.filter((name) => isFolder(name) || archiveName.test(name));
  if (isOne || many.length === 0) return [fromFolder(word)];
  return many.map((name) => {
    const place = path.join(word, name);
    return isFolder(name) ? fromFolder(place) : fromArchive(place);
  });
}

const fromFolder = (folder: string): Submission => ({
  id: path.basename(path.resolve(folder)),
  load: () => expandNested(readFolder(folder)),
});

const fromArchive = (file: string): Submission => ({
  id: path.basename(file).replace(archiveName, ''),
  load: () => readArchive(file),
});

/** A file: an archive of one, an export of many, or a single source. */
function fromFile(file: string): Submission[] {
  if (languageOf(file) !== undefined) return [fromSource(file)];
  if (!/\.zip$/i.test(file)) return [fromArchive(file)];
  const folders = foldersOfExport(file);
  if (folders.length === 0) return [fromArchive(file)];
  return folders.map((prefix) => {
    const [, name, key] = moodle.exec(prefix) ?? [];
    const load = () =>
      withFile(file, (bytes) => {
        const entries = readZip(bytes).filter((one) => one.name.startsWith(prefix));
        const own = entries.map((one) =>
          one.name === prefix ? { ...one, name: path.posix.basename(prefix) } : one,
        );
        return expandNested(filesOf(own, own.some((one) => one.name.startsWith(prefix)) ? prefix : ''));
      });
    return name === undefined
      ? { id: prefix.replace(/\/$/, ''), load }
      : { id: `${name} ${key}`, name, key: key!, load };
  });
}

function fromSource(file: string): Submission {
  return {
    id: path.basename(file, path.extname(file)),
    load() {
      const collector = new FileCollector();
      const name = path.basename(file);
      collector.reserve(name, statSync(file).size);
      collector.add(name, readFileSync(file));
      return collector.files;
    },
  };
}

/** The prefixes of each student's files in an export's ZIP; none where it is the ZIP of one student. */
function foldersOfExport(file: string): string[] {
  let names: string[];
  try {
    names = withFile(file, (bytes) => readZip(bytes).map(({ name }) => name));
  } catch (error) {
    // The student who handed it in gets its error.
    if (error instanceof SubmissionError) return [];
    throw error;
  }
  const tops = new Set<string>();
  for (const name of names) {
    const [top = ''] = name.split('/', 1);
    if (moodle.test(top) || gradescope.test(top)) tops.add(name.includes('/') ? `${top}/` : top);
  }
  return [...tops].sort();
}

function fromMoodle(folder: string, names: readonly string[]): Submission[] {
  return names.flatMap((entry) => {
    const [, name, key] = moodle.exec(entry) ?? [];
    if (name === undefined) return [];
    const place = path.join(folder, entry);
    const one = lstatSync(place).isDirectory()
      ? fromFolder(place)
      : languageOf(place)
        ? fromSource(place)
        : fromArchive(place);
    return [{ ...one, id: `${name} ${key}`, name, key: key! }];
  });
}

function fromGradescope(folder: string, names: readonly string[]): Submission[] {
  const metadata = path.join(folder, 'submission_metadata.yml');
  const text = existsSync(metadata) ? readFileSync(metadata, 'utf8') : '';
  return names
    .filter((entry) => gradescope.test(entry))
    .map((entry) => {
      const [, block = ''] = new RegExp(`^${entry}:\\n((?:[ -].*\\n?)*)`, 'm').exec(text) ?? [];
      const name = /:name: ["']?(.*?)["']?$/m.exec(block)?.[1];
      const email = /:email: ["']?(.*?)["']?$/m.exec(block)?.[1];
      return {
        ...fromFolder(path.join(folder, entry)),
        id: email ?? entry,
        key: entry,
        ...(name !== undefined && { name }),
      };
    });
}
