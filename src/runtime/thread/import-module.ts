/**
 * Imports a module by its URL. A file of its own in the package too: code that V8 has compiled ahead of time cannot import
 * (see `compiled.ts`), and the command's bundles have made calls of their own imports.
 */
export function importModule(url: string): Promise<unknown> {
  return import(url);
}
