import { statSync } from 'node:fs';
import path from 'node:path';
import type { SourceFile } from '../../symbols/index.js';

/**
 * Finds the files in an image's line table. Their paths are those of the compilation: maybe on another computer, or in a
 * deleted folder. Another file of the same name is none of them.
 * @param folder the image's
 * @param named folders that the user names for its sources: they are searched first, and there the name is enough,
 * without its folder
 */
export function sourceFinder(
  folder: string,
  named: readonly string[] = [],
): (file: SourceFile) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (file) => {
    const key = `${file.directory ?? ''}\0${file.path}`;
    if (!known.has(key)) known.set(key, placesOf(file, folder, named).find(isFile));
    return known.get(key);
  };
}

function placesOf(file: SourceFile, folder: string, named: readonly string[]): string[] {
  return [
    ...named.flatMap((one) => samePath(file, one)),
    ...ownPlaces(file, folder),
    ...named.map((one) => path.join(one, file.name)),
  ];
}

/**
 * Where the compiler found it; or in the image's folder, by the same path, or by its name alone if it was in the compiler's own folder, or
 * in a folder of that name.
 */
function ownPlaces(file: SourceFile, folder: string): string[] {
  const { directory, path: given, name } = file;
  // DWARF before 5 does not have the compiler's folder here: then files beside the image come first. Terrarium's own images name folders
  // relative to their own.
  const ran = directory === undefined ? path.resolve('.') : path.resolve(folder, directory);
  const compiled = path.resolve(ran, given);
  const its = path.dirname(compiled);
  const moved = its === ran || path.basename(its) === path.basename(path.resolve(folder));
  const beside = [...samePath(file, folder), ...(moved ? [path.join(folder, name)] : [])];
  const isKnown = directory !== undefined || path.isAbsolute(given);
  return isKnown ? [compiled, ...beside] : [...beside, compiled];
}

function samePath({ path: given }: SourceFile, folder: string): string[] {
  return path.isAbsolute(given) ? [] : [path.resolve(folder, given)];
}

/** The image names the file: it may be a pipe, which never ends, or no name of a file at all. */
function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
