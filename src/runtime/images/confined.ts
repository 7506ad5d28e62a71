/**
 * Untrusted sources: which files of this host they read.
 *
 * A compiler reads every file that a source names, and puts it into the image (`.incbin`) or into its messages (`#include`). It
 * has no mode that prevents this. So each source is compiled separately, with a list of all files that were read (gcc -MD, gas
 * --MD, nasm -MD), and an image or a message that contains a part of another file is withheld.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { languageOf } from './languages.js';
import { ToolchainError } from './toolchain-error.js';
import type { Driver } from './tools.js';

/** Languages whose compilers list the files that they read. Other languages may run code at compile time. */
const confinable = new Set(['assembler', 'c', 'c++', 'nasm']);

/** The files that a compilation may read, and its list of the files that it did read. */
export class Confinement {
  readonly #source: string;
  /**
   * Where the compiler has to run, since it lists names relative to its folder, and names of debug information (`.file "kernel.c"`)
   * beside them: in the folder of the caller, another file of that name would be taken for the one that was read.
   */
  readonly cwd: string;
  readonly #accounts: readonly [string, string];
  readonly #roots: readonly string[];

  /**
   * @param folder for temporary files
   * @throws ToolchainError for a language that cannot be confined, and for a source that is a link to another folder
   */
  constructor(source: string, folder: string, driver: Driver | undefined) {
    const language = languageOf(source);
    if (language === undefined || !confinable.has(language))
      throw new ToolchainError(
        `${source}: untrusted ${language ?? 'file'} code is not compiled: it can read files`,
      );
    const beside = realpathSync(path.dirname(path.resolve(source)));
    if (path.dirname(realpathSync(source)) !== beside)
      throw new ToolchainError(`${source}: leads to a file outside its folder`, 'put the file itself there');
    this.#source = source;
    this.cwd = folder;
    this.#accounts = [path.join(folder, 'read.c'), path.join(folder, 'read.s')];
    const common = fileURLToPath(new URL('guests/include', import.meta.resolve('#package')));
    this.#roots = [beside, realpathSync(common), realpathSync(folder), ...(driver ? ownHeaders(driver) : [])];
  }

  /** The options with which gcc and the GNU assembler write the list. */
  get gccFlags(): string[] {
    const [c, s] = this.#accounts;
    return ['-MD', '-MF', c, `-Wa,--MD,${s}`];
  }

  get nasmFlags(): string[] {
    return ['-MD', this.#accounts[0]];
  }

  /** Runs a compilation and checks what it read. @throws ToolchainError where it read a file that it may not */
  run(compile: () => string): string {
    let said: string;
    try {
      said = compile();
    } catch (error) {
      if (error instanceof ToolchainError) this.#check([...this.#read(), ...filesNamed(error.message)]);
      throw error;
    }
    this.#check([...this.#read(), ...filesNamed(said)]);
    return said;
  }

  /** The files in the lists, which are rules of make: `image: a b \`. */
  #read(): string[] {
    return this.#accounts.flatMap((account) => {
      try {
        const text = readFileSync(account, 'utf8').replace(/\\\r?\n/g, ' ');
        return text.split('\n').flatMap((rule) => rule.replace(/^.*?: /, '').match(/(?:\\ |\S)+/g) ?? []);
      } catch {
        return [];
      }
    });
  }

  #check(files: readonly string[]): void {
    for (const file of files) {
      let real: string;
      try {
        real = realpathSync(path.resolve(this.cwd, file.replaceAll('\\ ', ' ')));
      } catch {
        // No list: no files were read.
        continue;
      }
      if (this.#roots.some((root) => real.startsWith(root + path.sep))) continue;
      throw new ToolchainError(
        `${this.#source}: reads ${file}, which does not belong to it`,
        'untrusted sources may read only files beside them, named as in #include "part.h"',
      );
    }
  }
}

/** Files whose lines a message shows: `/etc/passwd:1: Error: …`, `In file included from …`. */
function filesNamed(message: string): string[] {
  return [...message.matchAll(/^(?:In file included from |\s*from )?(\/[^:\n]+|[^:\s]+):\d+[:,]/gm)].map(
    ([, file]) => file!,
  );
}

const headersOf = new Map<string, string[]>();

/** The compiler's own headers: <stdint.h> and the like. They are asked for once: thousands of submissions have the same. */
function ownHeaders(driver: Driver): string[] {
  const key = driver.command.join(' ');
  const known = headersOf.get(key) ?? askForHeaders(driver);
  headersOf.set(key, known);
  return known;
}

function askForHeaders({ command }: Driver): string[] {
  const [program, ...rest] = command;
  const folders = ['include', 'include-fixed'].flatMap((name) => {
    const { stdout = '' } = spawnSync(program!, [...rest, `-print-file-name=${name}`], { encoding: 'utf8' });
    return path.isAbsolute(stdout.trim()) ? [stdout.trim()] : [];
  });
  return folders.flatMap((folder) => {
    try {
      return [realpathSync(folder)];
    } catch {
      return [];
    }
  });
}
