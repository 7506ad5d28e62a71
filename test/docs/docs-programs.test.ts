/**
 * The documentation's programs in TypeScript have the results that their pages show. `test/package/types.test.ts`
 * compiles them all.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { transformSync } from 'esbuild';
import { noKvm, root, Scratch } from '../support.js';

/** Programs are the blocks that import something; the others are parts of one. */
const programs = ['README.md', ...readdirSync('docs').map((file) => `docs/${file}`)]
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)]
      .map(([, text]) => ({ page, text: text! }))
      .filter(({ text }) => text.startsWith('import ')),
  );

describe('the programs in the documentation', () => {
  for (const [page, says, nth = 0] of [
    ['docs/simvirtio.md', [/name: 'shout'/, /phase: 'ready'/, /transmitted: 13/]],
    [
      'docs/manage.md',
      [/name: 'echo'/, /state: 'running'/, /hello/, /printed: 5/, /kind: 'stopped'/, /status: 130/],
    ],
    ['docs/forks.md', [/^one\ntwo\n$/]],
    ['docs/forks.md', [/^input 88: limit\n$/], 1],
    ['docs/forks.md', [/^true\n$/], 2],
  ] as [string, RegExp[], number?][]) {
    test(`${page}: does what the page says, program ${nth + 1}`, { skip: noKvm }, () => {
      using scratch = new Scratch();
      const { text } = programs.filter((program) => program.page === page)[nth]!;
      const { code } = transformSync(text, { loader: 'ts', target: 'node20.19', format: 'esm' });
      // Inside the package, so that it finds it by its name.
      const file = path.join(root, `build/shown-${path.basename(page)}.mjs`);
      writeFileSync(file, code);
      const done = spawnSync(process.execPath, [file], {
        cwd: root,
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, XDG_RUNTIME_DIR: scratch.path },
      });
      rmSync(file);
      assert.equal(done.status, 0, done.stderr);
      for (const pattern of says) assert.match(done.stdout, pattern);
    });
  }
});
