/**
 * The package's types in users' programs: the strictest settings, without the DOM and with it, in both kinds of
 * modules.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { root } from '../support.js';
import { Project } from './project.js';

/** The compilers that users have. */
const compilers = {
  'TypeScript 7': path.join(root, 'node_modules/@typescript/native/bin/tsc'),
  'TypeScript 6': path.join(root, 'node_modules/typescript/bin/tsc'),
};

/** All entries, so that each declaration is checked. */
const all = `
import * as terrarium from 'terrarium-vm';
import * as kvm from 'terrarium-vm/kvm';
import * as browser from 'terrarium-vm/browser';
console.log(terrarium.createMachine, kvm.Kvm, browser.createMachine);`;

function compile(
  project: Project,
  files: readonly string[],
  options: object,
  tsc = compilers['TypeScript 7'],
) {
  const strict = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true,
    target: 'es2022',
  };
  const config = { files, compilerOptions: { ...strict, ...options } };
  writeFileSync(project.file('tsconfig.json'), JSON.stringify(config));
  return project.run(process.execPath, [tsc, '--project', '.']);
}

/** The programs in TypeScript that pages show. */
function shownPrograms(project: Project): string[] {
  const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`)];
  return pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => {
      const blocks = readFileSync(path.join(root, page), 'utf8').matchAll(/^```ts\n(import [\s\S]*?)^```/gm);
      return [...blocks].map(([, text], n) => {
        const file = `${path.basename(page, '.md')}-${n}.ts`;
        writeFileSync(project.file(file), text!);
        return file;
      });
    });
}

describe('the types of the package', () => {
  const project = new Project();
  after(() => project[Symbol.dispose]());

  for (const [compiler, lib, module, moduleResolution] of [
    ['TypeScript 7', ['es2022'], 'nodenext', 'nodenext'],
    ['TypeScript 7', ['es2022', 'dom'], 'esnext', 'bundler'],
    ['TypeScript 7', ['esnext', 'dom', 'dom.iterable'], 'nodenext', 'nodenext'],
    ['TypeScript 6', ['es2022'], 'nodenext', 'nodenext'],
  ] as const) {
    test(`compile by ${compiler} with lib ${lib} and modules as ${moduleResolution} has them`, () => {
      writeFileSync(project.file('all.ts'), all);
      const options = { lib, module, moduleResolution, types: [] };
      const { status, stdout } = compile(project, ['all.ts'], options, compilers[compiler]);
      assert.equal(status, 0, stdout);
    });
  }

  test('fit the programs that the pages show', () => {
    const programs = shownPrograms(project);
    assert.ok(programs.length >= 5, `${programs.length}`);
    const strictest = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
    const libraries = { lib: ['es2023', 'esnext.disposable'], module: 'nodenext', types: ['node'] };
    const { status, stdout } = compile(project, programs, { ...libraries, ...strictest });
    assert.equal(status, 0, stdout);
  });
});
