/** `npm run docs`: the API's reference, made from the comments of the package's exports. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root, Scratch } from '../support.js';

test('the reference is made without a warning, with a page for each entry’s exports', () => {
  using scratch = new Scratch();
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  assert.equal(scripts.docs, 'typedoc');
  const typedoc = path.join(root, 'node_modules/typedoc/bin/typedoc');
  const made = spawnSync(process.execPath, [typedoc, '--out', scratch.path], { cwd: root, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stdout + made.stderr);
  assert.doesNotMatch(made.stdout + made.stderr, /warning/i);
  const pages = readdirSync(scratch.path, { recursive: true, encoding: 'utf8' });
  for (const name of [
    'index.hostMachine',
    'index._internal_.BootReport',
    'browser.createMachine',
    'engine_kvm.Kvm',
  ])
    assert.ok(
      pages.some((page) => path.basename(page) === `${name}.html`),
      `${name} has no page`,
    );
});
