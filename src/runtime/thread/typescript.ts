/**
 * User modules in TypeScript: Node strips their types where it can, else esbuild where it is installed.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '../../errors.js';
import { importModule } from './import-module.js';

/** The part of esbuild that is used here. */
interface Esbuild {
  build(options: object): Promise<{ outputFiles: readonly { text: string }[] }>;
}

/** Imports a module by its URL; one in TypeScript too. @throws ConfigError where neither can strip its types */
export async function importUserModule(url: string): Promise<unknown> {
  const strips = (process.features as { typescript?: string | false }).typescript;
  if (!/^file:.*\.m?ts$/.test(url) || strips) return importModule(url);
  const file = fileURLToPath(url);
  const esbuild = await findEsbuild(url);
  if (esbuild === undefined)
    throw new ConfigError(
      `${file} is TypeScript, which Node ${process.versions.node} does not run`,
      'use Node 22.18 or newer, install esbuild beside the module (npm install esbuild), or compile it to JavaScript',
    );
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    platform: 'node',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'silent',
    write: false,
  });
  const text = outputFiles[0]?.text ?? '';
  return importModule(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

/** The esbuild that the module would import itself, else the one beside this package. */
async function findEsbuild(url: string): Promise<Esbuild | undefined> {
  const file = resolveFrom(url) ?? resolveFrom(import.meta.url);
  if (file === undefined) return undefined;
  const loaded = (await importModule(pathToFileURL(file).href)) as Esbuild & { default?: Esbuild };
  return loaded.default ?? loaded;
}

function resolveFrom(url: string): string | undefined {
  try {
    return createRequire(url).resolve('esbuild');
  } catch {
    return undefined;
  }
}
