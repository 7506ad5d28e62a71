/** The house keeps its shape: who may import whom, nothing of Node where a browser has to run it, no circles. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

const src = path.resolve('src');

/** The arrows of docs/architecture.md. Every room may import itself and `errors.ts`. */
const arrows: Record<string, readonly string[]> = {
  index: ['boot', 'debug', 'devices', 'engine', 'host', 'launcher', 'machine', 'manage', 'memory', 'observe'],
  browser: ['boot', 'devices', 'engine', 'engine/soft', 'machine', 'memory', 'observe'],
  memory: [],
  isa: [],
  engine: ['memory'],
  'engine/assist': ['engine', 'memory'],
  'engine/kvm': ['engine', 'memory'],
  'engine/soft': ['engine', 'isa', 'memory'],
  devices: ['memory'],
  boot: ['memory', 'engine'],
  machine: ['boot', 'memory', 'devices', 'engine'],
  launcher: ['boot', 'memory', 'engine'],
  debug: ['devices', 'engine', 'isa', 'machine', 'memory', 'observe'],
  observe: ['boot', 'memory', 'engine', 'isa'],
  verify: ['engine', 'isa', 'memory'],
  host: [
    'boot',
    'debug',
    'devices',
    'engine',
    'engine/assist',
    'engine/kvm',
    'engine/soft',
    'launcher',
    'machine',
    'memory',
    'observe',
  ],
  manage: ['host', 'machine', 'observe'],
  course: ['devices', 'host', 'machine', 'observe'],
  cli: [
    'boot',
    'course',
    'debug',
    'devices',
    'engine',
    'engine/kvm',
    'host',
    'machine',
    'manage',
    'memory',
    'observe',
    'verify',
  ],
};

/** Rooms that a browser runs as well. */
const pure = new Set([
  'browser',
  'memory',
  'isa',
  'engine',
  'engine/assist',
  'engine/soft',
  'devices',
  'boot',
  'machine',
  'launcher',
  'observe',
  'verify',
]);

interface Import {
  file: string;
  room: string;
  target: string;
  /** Undefined for a package. */
  targetRoom: string | undefined;
}

function roomOf(file: string): string {
  const parts = path.relative(src, file).split(path.sep);
  if (parts.length === 1) return parts[0]!.replace(/\.ts$/, '');
  return parts[0] === 'engine' && parts.length > 2 ? `engine/${parts[1]}` : parts[0]!;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, target]) => {
    const local = target!.startsWith('.');
    // AssemblyScript leaves the extension out.
    const resolved = `${path.resolve(path.dirname(file), target!).replace(/\.js$/, '')}.ts`;
    return {
      file,
      room: roomOf(file),
      target: local ? resolved : target!,
      targetRoom: local ? roomOf(resolved) : undefined,
    };
  });
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('testing.ts'))
  .map((file) => path.join(src, file));
const imports = files.flatMap(importsOf);
const show = ({ file, target }: Import) => `${path.relative(src, file)} → ${path.relative(src, target)}`;

describe('the rooms of the house', () => {
  test('import only along the arrows', () => {
    const wrong = imports.filter(({ room, targetRoom }) => {
      if (targetRoom === undefined || targetRoom === room || targetRoom === 'errors') return false;
      return !(arrows[room] ?? []).includes(targetRoom);
    });
    assert.deepEqual(wrong.map(show), []);
  });

  test('know each other by their faces alone: index.ts or contract.ts', () => {
    const wrong = imports.filter(({ file, room, target, targetRoom }) => {
      if (targetRoom === undefined || targetRoom === room || targetRoom === 'errors') return false;
      // The one exception: the command starts its thread before anything else is loaded.
      if (file.endsWith('cli/main.ts') && /host\/(worker-pool|compiled)\.ts$/.test(target)) return false;
      return !['index.ts', 'contract.ts'].includes(path.basename(target));
    });
    assert.deepEqual(wrong.map(show), []);
  });

  test('import no Node where a browser runs them', () => {
    const wrong = imports.filter(({ room, targetRoom }) => pure.has(room) && targetRoom === undefined);
    assert.deepEqual(
      wrong.map(({ file, target }) => `${path.relative(src, file)} → ${target}`),
      [],
    );
  });

  test('know Node in debug/ only where it listens', () => {
    const wrong = imports.filter(
      ({ file, room, targetRoom }) =>
        room === 'debug' && targetRoom === undefined && !file.endsWith('listen.ts'),
    );
    assert.deepEqual(wrong.map(show), []);
  });

  test('hold no circle of files', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, targetRoom } of imports) {
      if (targetRoom !== undefined) graph.set(file, [...(graph.get(file) ?? []), target]);
    }
    const done = new Set<string>();
    const walk = (file: string, trail: readonly string[]): void => {
      const seen = trail.indexOf(file);
      if (seen >= 0) {
        assert.fail(`circle: ${[...trail.slice(seen), file].map((f) => path.relative(src, f)).join(' → ')}`);
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
      done.add(file);
    };
    for (const file of graph.keys()) walk(file, []);
  });
});
