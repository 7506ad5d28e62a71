// The imports among our sources, and so the tests that a change affects.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

/** Each source by its path from the root, with the files that it imports. */
function readImports() {
  const graph = new Map();
  for (const folder of ['src', 'test', 'bench']) {
    for (const name of readdirSync(path.join(root, folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const file = path.join(folder, name);
      const text = readFileSync(path.join(root, file), 'utf8');
      const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(([, target]) =>
        // AssemblyScript leaves the extension out.
        path.join(path.dirname(file), `${target.replace(/\.[jt]s$/, '')}.ts`),
      );
      graph.set(file, targets);
    }
  }
  return graph;
}

/** The files with this ending that changed or import a changed file, the nearest first. */
export function reachedBy(changed, ending = '.test.ts') {
  const importers = new Map();
  for (const [file, targets] of readImports())
    for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), file]);
  // A set is iterated in insertion order, also over elements added meanwhile.
  const reached = new Set(changed);
  for (const file of reached) for (const importer of importers.get(file) ?? []) reached.add(importer);
  return [...reached].filter((file) => file.endsWith(ending));
}
