import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/**
 * Loads one of this package's CommonJS bundles with V8's code cache beside it, which the build leaves there: reading and
 * compiling the source anew takes some 10 ms a bundle. V8 refuses the cache of another version of itself; then, and where
 * there is none, the bundle is compiled as usual. What is loaded so cannot `import()` (see `import-module.ts`).
 *
 * @param file the bundle's name, beside this file's bundle
 */
export function loadCompiled<T>(file: string): T {
  const filename = path.join(path.dirname(fileURLToPath(import.meta.url)), file);
  const source = readFileSync(filename, 'latin1');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename,
    cachedData: codeCacheOf(filename),
  });
  const module = { exports: {} };
  script.runInThisContext()(
    module.exports,
    createRequire(filename),
    module,
    filename,
    path.dirname(filename),
  );
  return module.exports as T;
}

function codeCacheOf(filename: string): Buffer | undefined {
  try {
    return readFileSync(`${filename}.cache`);
  } catch {
    return undefined;
  }
}
