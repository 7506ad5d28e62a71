/** The packed package, and a project that has it: an empty folder outside of the clone, with no `terrarium` above it. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { root, Scratch } from '../support.js';

/** The files from which the package is made. */
const sources = [
  ...['src', 'scripts', 'guests', 'templates', 'docs', 'editors', 'package.json', 'tsconfig.json'],
  ...['tsconfig.types.json', 'README.md', 'SPECIFICATION.md', 'LICENSE'],
];

const cache = path.join(root, '.cache');

/**
 * The last packed package: the tarball, and a project in which it is installed. Kept, since packing takes some 15 s.
 */
export const packed = pack();

function pack(): { tarball: string; project: string } {
  const folder = path.join(cache, `package-${digest()}`);
  if (!existsSync(folder)) {
    for (const old of readdirSync(cache).filter((name) => /^package-[0-9a-f]{16}$/.test(name)))
      rmSync(path.join(cache, old), { recursive: true, force: true });
    const part = mkdtempSync(path.join(cache, 'packing-'));
    packInto(part);
    try {
      renameSync(part, folder);
    } catch {
      // Another process has packed the same meanwhile.
      rmSync(part, { recursive: true, force: true });
    }
  }
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))!;
  return { tarball: path.join(folder, tarball), project: path.join(folder, 'project') };
}

function digest(): string {
  const hash = createHash('sha256');
  const add = (file: string): void => {
    if (statSync(file).isDirectory()) for (const name of readdirSync(file).sort()) add(path.join(file, name));
    else hash.update(file).update(readFileSync(file));
  };
  for (const source of sources) add(path.join(root, source));
  return hash.digest('hex').slice(0, 16);
}

/** `npm pack` builds the release in `dist/`, which other tests use meanwhile: so it packs a copy. */
function packInto(folder: string): void {
  const copy = path.join(folder, 'copy');
  mkdirSync(path.join(copy, '.cache'), { recursive: true });
  for (const source of sources) cpSync(path.join(root, source), path.join(copy, source), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  // The software CPU takes long to build.
  for (const file of readdirSync(cache).filter((name) => name.startsWith('soft-')))
    cpSync(path.join(cache, file), path.join(copy, '.cache', file));
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: copy, stdio: 'pipe' });
  rmSync(copy, { recursive: true });

  // A separate place: npm looks for a project in the parent folders.
  using place = new Scratch();
  writeFileSync(place.file('package.json'), '{ "name": "empty", "private": true, "type": "module" }');
  const tarball = path.join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz'))!);
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
  execFileSync('npm', install, { cwd: place.path, stdio: 'pipe' });
  cpSync(place.path, path.join(folder, 'project'), { recursive: true, verbatimSymlinks: true });
}

/** A copy of the installed project beside all others, made once, so that each of them can be hard links to its files. */
let installed: Scratch | undefined;

function linkProject(to: string): void {
  if (installed === undefined) {
    const copy = new Scratch();
    cpSync(packed.project, copy.path, { recursive: true, verbatimSymlinks: true });
    process.on('exit', () => copy[Symbol.dispose]());
    installed = copy;
  }
  execFileSync('cp', ['-al', `${installed.path}/.`, to]);
}

/** A user's project in which the package is installed; its environment is that of a new user. */
export class Project extends Scratch {
  constructor() {
    super();
    linkProject(this.path);
  }

  /** Runs a program in a folder of the project. */
  run(
    command: string,
    words: readonly string[],
    { folder = '.', input = '' } = {},
  ): SpawnSyncReturns<string> {
    // npm's own variables would make this a script of the clone.
    const env = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_)/.test(name));
    return spawnSync(command, words, {
      cwd: this.file(folder),
      encoding: 'utf8',
      input,
      env: { ...Object.fromEntries(env), NO_COLOR: '1', XDG_CACHE_HOME: this.file('.user-cache') },
    });
  }

  /** `npx terrarium-vm …`, without npx's own options. */
  terrarium(words: readonly string[], options: { folder?: string; input?: string } = {}) {
    return this.run(this.file('node_modules/.bin/terrarium'), words, options);
  }
}
