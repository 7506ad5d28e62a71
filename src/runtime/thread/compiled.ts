/**
 * Loads this package's CommonJS bundles without compiling them at each start: the first start stores V8's compiled code in a
 * folder of the user. The package cannot contain it: V8 refuses code that another version compiled.
 *
 * From 22.8 on, Node has a cache of its own (`module.enableCompileCache`). It stores a module's code as it was before the module ran,
 * without the functions that V8 compiles when they are first called: on Node 24 `run guests/hello` then compiles 1,200 functions at each
 * start, which takes a quarter of its time. When Node stores these too, remove this file's cache and its demands on the build: no
 * `import()` in these bundles, and no character beyond ASCII.
 *
 * @module
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';
import { codeCacheFolder } from './code-cache.js';

/**
 * Returns a bundle's exports.
 * @param file the bundle's name, beside this file's bundle
 * @param require that of this file's bundle
 */
export function loadCompiled<T>(file: string, require: NodeJS.Require): T {
  const filename = path.join(import.meta.dirname, file);
  const known = loaded.get(filename);
  if (known !== undefined) return known as T;
  const folder = codeCacheFolder();
  if (folder === undefined) return require(filename) as T;
  return loadByScript(filename, folder, require) as T;
}

/** A bundle whose compiled code is not stored yet. */
interface Unsaved {
  script: Script;
  file: string;
  key: Buffer;
}

const unsaved: Unsaved[] = [];

/** The bundles that another bundle requires. */
const bundles = new Set(['./program.cjs', './soft.cjs', './kvm.cjs', './pc.cjs']);

/** The exports of bundles that were loaded by script, by their names. */
const loaded = new Map<string, unknown>();

function loadByScript(filename: string, folder: string, require: NodeJS.Require): unknown {
  const { file, key } = entryFor(filename, folder);
  const cachedData = read(file, key);
  // Takes half the time of utf8; the build ensures that they are ASCII.
  const source = readFileSync(filename, 'latin1');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename,
    cachedData,
  });
  if (cachedData === undefined || script.cachedDataRejected) unsaved.push({ script, file, key });
  const module = { exports: {} };
  loaded.set(filename, module.exports);
  // Bundles that load each other are loaded so too.
  const load = (name: string) => (bundles.has(name) ? loadCompiled(name, require) : require(name));
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
 * Stores the code of bundles that V8 had to compile: after they have done their work, so that it includes the functions that
 * were used.
 */
export function saveCompiled(): void {
  for (const { script, file, key } of unsaved.splice(0)) {
    // Several processes may start at once: each writes its own file, and the last rename wins.
    const part = `${file}.${process.pid}`;
    try {
      writeFileSync(part, Buffer.concat([key, script.createCachedData()]), { mode: 0o600 });
      renameSync(part, file);
    } catch {
      // The next start compiles again.
      rmSync(part, { force: true });
    }
  }
}

/**
 * The file of a bundle's compiled code, and its header. The name contains V8's version; the header identifies the bundle, since
 * V8 compares only a source's length. V8 itself checks its flags and the processor.
 */
function entryFor(filename: string, folder: string): { file: string; key: Buffer } {
  // npm gives each file of each version the same time of modification.
  const { size, mtimeMs, ctimeMs } = statSync(filename);
  const key = Buffer.from(`${filename}\n${size}\n${mtimeMs} ${ctimeMs}\n`);
  const name = `${path.basename(filename)}-${hash(filename)}-${process.arch}-${process.versions.v8}`;
  return { file: path.join(folder, name), key };
}

/** FNV-1a, 32 bits: enough for a name; the key distinguishes two files of the same name. */
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
