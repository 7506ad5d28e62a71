import { statSync } from 'node:fs';
import path from 'node:path';
import type { SourceFile } from '../../symbols/index.js';

/**
 * Finds the files in an image's line table. Their paths are those of the compilation: maybe on another computer, or in a
 * deleted folder.
 * @param folders searched first for the image's sources
 */
export function sourceFinder(folders: readonly string[]): (file: SourceFile) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (file) => {
    const key = `${file.directory}\0${file.path}`;
    if (!known.has(key)) known.set(key, candidates(file, folders).find(isFile));
    return known.get(key);
  };
}

function candidates({ path: name, directory, name: base }: SourceFile, folders: readonly string[]): string[] {
  const absolute = path.isAbsolute(name);
  return [
    ...(absolute ? [name] : folders.map((folder) => path.resolve(folder, name))),
    ...(absolute || directory === undefined || !path.isAbsolute(directory)
      ? []
      : [path.resolve(directory, name)]),
    ...folders.map((folder) => path.resolve(folder, base)),
  ];
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
