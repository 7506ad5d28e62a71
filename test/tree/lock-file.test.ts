/** `npm ci` works on every system that we name: npm 11 refuses a lock file that lacks another system's packages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../support.js';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const text = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
const packages = Object.entries((JSON.parse(text) as { packages: Record<string, Locked> }).packages);
const locked = new Map(packages);

/** How Node finds a package from another one's folder: in its node_modules, then in those of the parent folders. */
function resolve(from: string, name: string): Locked | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const found = locked.get(`${folder === '' ? '' : `${folder}/`}node_modules/${name}`);
    if (found !== undefined || folder === '') return found;
  }
}

const advice = 'run: npm install --package-lock-only';

describe('package-lock.json', () => {
  test('has every optional package that another one names, with its integrity', () => {
    const missing = packages.flatMap(([from, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => resolve(from, name)?.integrity === undefined)
        .map((name) => `${name}, which ${from} names`),
    );
    assert.deepEqual(missing, [], advice);
  });

  // The packages whose programs are built for one system each: `@scope/name-<system>` by their own naming.
  for (const prefix of ['@esbuild/', '@biomejs/cli-', '@koromix/koffi-', '@typescript/typescript-']) {
    test(`has ${prefix}… for Linux, macOS and Windows, on x64 and arm64`, () => {
      const built = packages.filter(([name]) => name.includes(`node_modules/${prefix}`));
      for (const os of ['linux', 'darwin', 'win32']) {
        for (const cpu of ['x64', 'arm64']) {
          const found = built.some(([, entry]) => entry.os?.includes(os) && entry.cpu?.includes(cpu));
          assert.ok(found, `${prefix}… for ${os} on ${cpu}: ${advice}`);
        }
      }
    });
  }

  test('holds the content of every package and names no host', () => {
    for (const [name, { integrity, resolved }] of packages) {
      if (name === '') continue;
      assert.match(integrity ?? '', /^sha(256|384|512)-/, name);
      assert.equal(resolved, undefined, `${name}: .npmrc asks npm to leave this out`);
    }
  });
});
