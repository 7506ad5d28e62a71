/** Everything in the lab's catalogue works in the lab: every guest, every mistake, every lesson. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Catalogue, isAssembler, projectOf } from '../../src/apps/lab/projects.js';
import { buildProject } from '../../src/browser/build.js';
import { readSpec } from '../../src/browser/index.js';
import { readGuestImage, readGuests } from '../guests/catalogue.js';
import { root } from '../support.js';

const folder = path.join(root, 'dist/lab');
const catalogue = JSON.parse(readFileSync(path.join(folder, 'catalogue.json'), 'utf8')) as Catalogue;
const guests = new Map(readGuests().map((guest) => [guest.name, guest]));

describe('the lab’s catalogue', () => {
  for (const project of [...catalogue.examples, ...catalogue.lessons.map(projectOf)]) {
    test(`${project.id} can be opened`, () => {
      readSpec(project.spec, `${project.id}: `);
      const [main] = project.files;
      if (project.image !== undefined) assert.ok(existsSync(path.join(folder, project.image)), project.image);
      if (!isAssembler(main!.name)) {
        assert.ok(
          project.image !== undefined || project.lesson?.needsCompiler,
          'it needs an image, or says that it needs a compiler',
        );
        return;
      }
      if (project.image !== undefined) return;
      const files = [...project.files, ...catalogue.headers].map(({ name, text }) => ({
        name,
        content: text,
      }));
      const { mode = 'auto', load } = project.spec;
      const built = buildProject({ files, mode, ...(load !== undefined && { load }) });
      if ('complaints' in built)
        assert.fail(built.complaints.map(({ origin, message }) => `${origin.line}: ${message}`).join('\n'));
      const guest = guests.get(project.id);
      // The result of gcc and binutils.
      if (guest !== undefined && built.kind === 'flat')
        assert.deepEqual(Buffer.from(built.image), Buffer.from(readGuestImage(guest)));
    });
  }

  test('has all fourteen lessons, with their pages', () => {
    assert.deepEqual(
      catalogue.lessons.map(({ number }) => number),
      Array.from({ length: 14 }, (_, i) => i + 1),
    );
    for (const { page, id } of catalogue.lessons) assert.ok(page.includes('<h2>'), id);
  });

  test('has nothing in its pages that runs or loads', () => {
    for (const { page } of catalogue.lessons)
      assert.doesNotMatch(page, /<script|<img|<iframe|javascript:|\son\w+=/i);
  });
});

test('the lab’s code takes less than 1 MiB compressed, the software CPU included', () => {
  const sizes = ['index.html', 'start.js', 'lab.js', 'lab.css', 'worker.js', 'soft.wasm'].map(
    (name) => gzipSync(readFileSync(path.join(folder, name)), { level: 9 }).length,
  );
  const size = sizes.reduce((sum, one) => sum + one, 0);
  assert.ok(size < 2 ** 20, `${size} bytes: ${sizes}`);
});
