/**
 * Imports a module by its URL. It stays a separate file in the package: code that V8 has compiled ahead of time cannot import
 * (see `compiled.ts`), and the command's bundles replace their own imports by calls.
 */
export function importModule(url: string): Promise<unknown> {
  return import(url);
}
