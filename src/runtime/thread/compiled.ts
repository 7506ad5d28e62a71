/**
 * Loads this package's CommonJS bundles without compiling them anew at each start: V8's compiled code is kept in a folder of the
 * user's, where the first start leaves it. The package cannot bring it along: V8 refuses what another version of itself compiled.
 *
 * Node does that by itself from 22.8 on (`module.enableCompileCache`). When Node 20 goes, {@link loadByScript} and all below it go,
 * and with them what they ask of the build: no `import()` in these bundles, and no character beyond ASCII.
 *
 * @module
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { codeCacheFolder } from './code-cache.js';

/**
 * Gives what a bundle exports.
 * @param file the bundle's name, beside this file's bundle
 */
export function loadCompiled<T>(file: string): T {
  const filename = path.join(path.dirname(fileURLToPath(import.meta.url)), file);
  const require = nodeModule.createRequire(filename);
  const folder = codeCacheFolder();
  // Not in Node 20's types.
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => void };
  if (folder === undefined) return require(filename) as T;
  if (enableCompileCache === undefined) return loadByScript(filename, folder, require) as T;
  enableCompileCache(folder);
  return require(filename) as T;
}

/** What V8 compiled of a bundle, and has yet to be kept. */
interface Unsaved {
  script: Script;
  file: string;
  key: Buffer;
}

const unsaved: Unsaved[] = [];

/** Those that another bundle requires. */
const bundles = new Set(['./program.cjs']);

/** What bundles export that were loaded by script, by their names. */
const loaded = new Map<string, unknown>();

function loadByScript(filename: string, folder: string, require: NodeJS.Require): unknown {
  if (loaded.has(filename)) return loaded.get(filename);
  const { file, key } = entryFor(filename, folder);
  const cachedData = read(file, key);
  // Half the time of utf8; the build sees to it that they are ASCII.
  const source = readFileSync(filename, 'latin1');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename,
    cachedData,
  });
  if (cachedData === undefined || script.cachedDataRejected) unsaved.push({ script, file, key });
  const module = { exports: {} };
  loaded.set(filename, module.exports);
  // Bundles that load each other are loaded so too.
  const load = (name: string) => (bundles.has(name) ? loadCompiled(name) : require(name));
  script.runInThisContext()(
    module.exports,
    Object.assign(load, require),
    module,
    filename,
    path.dirname(filename),
  );
  loaded.set(filename, module.exports);
  return module.exports;
}

/**
 * Keeps what V8 has compiled so far of bundles that it had to compile: once they have done their work, so that the functions are
 * there that it takes.
 */
export function saveCompiled(): void {
  for (const { script, file, key } of unsaved.splice(0)) {
    // Several processes may start at once: each writes a file of its own, and the last one stays.
    const part = `${file}.${process.pid}`;
    try {
      writeFileSync(part, Buffer.concat([key, script.createCachedData()]), { mode: 0o600 });
      renameSync(part, file);
    } catch {
      // The next start compiles once more.
      rmSync(part, { force: true });
    }
  }
}

/**
 * Where a bundle's compiled code is kept, and what it begins with there. The name says by which V8; the beginning says of which file,
 * since V8 compares no more of a source than its length. That its flags and the processor are the same V8 looks itself.
 */
function entryFor(filename: string, folder: string): { file: string; key: Buffer } {
  const { size, mtimeMs } = statSync(filename);
  const key = Buffer.from(`${filename}\n${size}\n${mtimeMs}\n`);
  const name = `${path.basename(filename)}-${hash(filename)}-${process.arch}-${process.versions.v8}`;
  return { file: path.join(folder, name), key };
}

/** FNV-1a, 32 bits: enough for a name; the key tells two files of one name apart. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (const byte of Buffer.from(text)) h = Math.imul(h ^ byte, 0x01000193);
  return (h >>> 0).toString(16);
}

function read(file: string, key: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.subarray(0, key.length).equals(key) ? bytes.subarray(key.length) : undefined;
  } catch {
    return undefined;
  }
}
