import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourceFile } from '../../symbols/index.js';
import { readSource } from '../frontend/source-list.js';

/** The files of an image as the editor names them: by their paths on this computer. */
export class SourceMap {
  readonly #byPath = new Map<string, SourceFile>();
  readonly #find: (file: SourceFile) => string | undefined;

  constructor(files: readonly SourceFile[], find: (file: SourceFile) => string | undefined) {
    this.#find = find;
    for (const file of files) {
      const place = find(file);
      if (place !== undefined && !this.#byPath.has(realPath(place))) this.#byPath.set(realPath(place), file);
    }
  }

  /** The image's file at a path; undefined where no code comes from it. */
  fileAt(place: string): SourceFile | undefined {
    return this.#byPath.get(realPath(place));
  }

  /** A file in the editor's form; undefined where it is not on this computer. */
  sourceOf(file: SourceFile): DebugProtocol.Source | undefined {
    const place = this.#find(file);
    return place === undefined ? undefined : { name: file.name, path: place };
  }

  /** The lines of a file; undefined where it is not on this computer. */
  textOf(file: SourceFile): readonly string[] | undefined {
    const place = this.#find(file);
    return place === undefined ? undefined : readSource(place);
  }

  get all(): DebugProtocol.Source[] {
    return [...this.#byPath.values()].flatMap((file) => this.sourceOf(file) ?? []);
  }
}

function realPath(place: string): string {
  try {
    return realpathSync(place);
  } catch {
    return path.resolve(place);
  }
}
