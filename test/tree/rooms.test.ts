/** The structure of the source: which rooms may import which, no Node where a browser runs the room, no cycles. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

const src = path.resolve('src');

interface Room {
  /** The rooms that it may import; `errors.ts`, `command.ts`, `globals.ts`, `nearest.ts` and `random.ts` are for all. */
  readonly imports: readonly string[];
  /** Files that may import Node's modules and packages: none (a browser runs the room), all, or those that are named. */
  readonly node?: 'all' | readonly string[];
}

const contracts = ['devices', 'engine', 'memory', 'time', 'x86'];

/** The arrows of docs/architecture.md, lowest room first. */
const rooms: Record<string, Room> = {
  x86: { imports: [] },
  isa: { imports: ['x86'] },
  assembler: { imports: ['isa'] },
  memory: { imports: [] },
  time: { imports: [] },
  engine: { imports: ['memory', 'x86'] },
  'engine/assist': { imports: ['engine', 'memory', 'x86'] },
  'engine/kvm': { imports: ['engine', 'memory', 'x86'], node: 'all' },
  'engine/soft': { imports: ['engine', 'isa', 'memory', 'x86'] },
  net: { imports: [] },
  devices: { imports: ['memory', 'net', 'time'] },
  machine: { imports: ['boot', ...contracts] },
  boot: { imports: ['memory', 'x86'] },
  symbols: { imports: ['boot', 'x86'] },
  inspect: { imports: ['engine', 'isa', 'memory', 'symbols', 'x86'] },
  trace: { imports: ['engine', 'inspect', 'isa', 'memory', 'x86'] },
  explain: { imports: ['engine', 'inspect', 'isa', 'x86'] },
  debug: {
    imports: ['explain', 'inspect', 'isa', 'machine', 'symbols', ...contracts],
    node: ['listen.ts'],
  },
  profile: { imports: ['debug', 'engine', 'inspect', 'symbols'] },
  config: { imports: ['boot', 'devices', 'engine', 'machine', 'memory', 'x86'] },
  pc: { imports: ['boot', 'config', 'machine', ...contracts] },
  // A link is compressed by a package that runs in browsers.
  terra: { imports: ['boot', 'config', 'machine'], node: ['link.ts'] },
  launcher: { imports: ['boot', 'engine', 'memory'] },
  verify: { imports: ['engine', 'isa', 'memory', 'x86'] },
  runtime: {
    imports: [
      'assembler',
      'boot',
      'config',
      'debug',
      'engine/assist',
      'engine/kvm',
      'engine/soft',
      'inspect',
      'launcher',
      'machine',
      'net',
      'pc',
      'profile',
      'symbols',
      'trace',
      ...contracts,
    ],
    node: 'all',
  },
  manage: { imports: ['config', 'machine', 'runtime'], node: 'all' },
  linux: { imports: ['config', 'inspect', 'machine', 'runtime'], node: 'all' },
  course: { imports: ['config', 'explain', 'inspect', 'machine', 'runtime', 'symbols'], node: 'all' },
  exercises: {
    imports: [
      'boot',
      'config',
      'devices',
      'engine',
      'explain',
      'inspect',
      'machine',
      'memory',
      'runtime',
      'symbols',
      'terra',
      'x86',
    ],
    node: 'all',
  },
  grading: { imports: ['exercises', 'runtime'], node: 'all' },
  'apps/frontend': {
    imports: [
      'boot',
      'symbols',
      'config',
      'debug',
      'explain',
      'inspect',
      'machine',
      'net',
      'runtime',
      'terra',
      'trace',
      ...contracts,
    ],
    node: 'all',
  },
  'apps/tui': {
    imports: ['apps/frontend', 'debug', 'explain', 'inspect', 'machine', 'runtime', 'symbols', ...contracts],
    node: 'all',
  },
  'apps/dap': {
    imports: ['apps/frontend', 'config', 'debug', 'inspect', 'pc', 'runtime', 'symbols', 'x86'],
    node: 'all',
  },
  // The page: it runs in a browser, which the bundler checks.
  'apps/lab': { imports: ['browser'], node: 'all' },
  'apps/lab-server': { imports: ['boot', 'linux', 'runtime'], node: 'all' },
  'apps/cli': {
    imports: [
      'apps/dap',
      'apps/frontend',
      'apps/lab-server',
      'apps/tui',
      'boot',
      'config',
      'course',
      'debug',
      'exercises',
      'explain',
      'grading',
      'inspect',
      'machine',
      'manage',
      'pc',
      'profile',
      'runtime',
      'symbols',
      'terra',
      'trace',
      'verify',
      ...contracts,
    ],
    node: 'all',
  },
  browser: {
    imports: [
      'assembler',
      'boot',
      'config',
      'debug',
      'engine/assist',
      'engine/soft',
      'explain',
      'inspect',
      'isa',
      'machine',
      'pc',
      'profile',
      'symbols',
      'terra',
      'trace',
      ...contracts,
    ],
  },
  index: {
    imports: [
      'boot',
      'config',
      'debug',
      'exercises',
      'explain',
      'inspect',
      'launcher',
      'machine',
      'manage',
      'pc',
      'profile',
      'runtime',
      'symbols',
      'terra',
      'trace',
      ...contracts,
    ],
  },
};

/** The purpose of each rule, and the fix where it fails. */
const rules = {
  arrows: `A room imports only the rooms that this test lists for it, so that lower rooms can be read, tested and bundled
without the upper ones. Move the code down to where both can reach it, or hand it in as an argument. If the arrow is right,
add it here and to docs/architecture.md.`,
  faces: `A room is entered by its index.ts (engines and devices also by contract/index.ts), so that the rest of it can change
freely. Export the name there and import it from there.`,
  node: `This room also runs in a browser: it may import neither Node's modules nor packages. Take what you need of the host as
an argument, and let runtime/ hand it in.`,
  circles: `Files that import each other in a circle cannot be understood or loaded one by one. Move what both need into a
third file.`,
  unknown: `A folder below src/ is a room with one job. Add it to this test with the rooms that it may import, and to
docs/architecture.md with its job.`,
};

interface Import {
  file: string;
  room: string;
  target: string;
  /** Undefined for a package. */
  targetRoom: string | undefined;
}

function roomOf(file: string): string {
  const [room, part, ...below] = path.relative(src, file).split(path.sep);
  if (part === undefined) return room!.replace(/\.ts$/, '');
  const divided = (room === 'engine' || room === 'apps') && part !== 'contract' && below.length > 0;
  return divided ? `${room}/${part}` : room!;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, target]) => {
    const local = target!.startsWith('.');
    // AssemblyScript leaves the extension out.
    const plain = path.resolve(path.dirname(file), target!).replace(/\.js$/, '');
    const resolved = existsSync(`${plain}.tsx`) ? `${plain}.tsx` : `${plain}.ts`;
    return {
      file,
      room: roomOf(file),
      target: local ? resolved : target!,
      targetRoom: local ? roomOf(resolved) : undefined,
    };
  });
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts') && !file.endsWith('testing.ts'))
  .map((file) => path.join(src, file));
const imports = files.flatMap(importsOf);
const short = (file: string) => (path.isAbsolute(file) ? path.relative(src, file) : file);

function refuse(rule: keyof typeof rules, wrong: readonly string[]): void {
  assert.equal(wrong.length, 0, `\n  ${wrong.join('\n  ')}\n${rules[rule]}`);
}

/** Files at the top that every room may import. */
const everybodys = new Set(['errors', 'command', 'globals', 'nearest', 'random']);

function crossing({ room, targetRoom }: Import): boolean {
  return targetRoom !== undefined && targetRoom !== room && !everybodys.has(targetRoom);
}

describe('the rooms of the house', () => {
  test('are all known', () => {
    const unknown = new Set(files.map(roomOf).filter((room) => !(room in rooms) && !everybodys.has(room)));
    refuse('unknown', [...unknown]);
  });

  test('import only along the arrows', () => {
    const wrong = imports.filter(
      (one) => crossing(one) && !rooms[one.room]?.imports.includes(one.targetRoom!),
    );
    refuse(
      'arrows',
      wrong.map(({ file, target }) => `${short(file)} → ${short(target)}`),
    );
  });

  test('keep KVM’s API apart from the engine that runs guests with it', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        short(file).startsWith('engine/kvm/api/') && short(target).startsWith('engine/kvm/run/'),
    );
    refuse(
      'arrows',
      wrong.map(({ file, target }) => `${short(file)} → ${short(target)}`),
    );
  });

  test('import each other only by their index files', () => {
    const wrong = imports.filter((one) => {
      if (!crossing(one) || path.basename(one.target) === 'index.ts') return false;
      // The parts of apps/ are files that commands load one by one, when they are needed.
      if (one.targetRoom!.startsWith('apps/')) return false;
      // The command starts its thread before anything else is loaded.
      return !(
        one.file.endsWith('cli/main.ts') && /runtime\/thread\/(worker-pool|compiled)\.ts$/.test(one.target)
      );
    });
    refuse(
      'faces',
      wrong.map(({ file, target }) => `${short(file)} → ${short(target)}`),
    );
  });

  test('import no Node where a browser runs them', () => {
    const wrong = imports.filter(({ file, room, targetRoom }) => {
      const { node = [] } = rooms[room] ?? {};
      return targetRoom === undefined && node !== 'all' && !node.includes(path.basename(file));
    });
    refuse(
      'node',
      wrong.map(({ file, target }) => `${short(file)} → ${target}`),
    );
  });

  test('have no import cycles', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target, targetRoom } of imports) {
      if (targetRoom !== undefined) graph.set(file, [...(graph.get(file) ?? []), target]);
    }
    const done = new Set<string>();
    const walk = (file: string, trail: readonly string[]): void => {
      const seen = trail.indexOf(file);
      if (seen >= 0) refuse('circles', [[...trail.slice(seen), file].map(short).join(' → ')]);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) walk(next, [...trail, file]);
      done.add(file);
    };
    for (const file of graph.keys()) walk(file, []);
  });
});
