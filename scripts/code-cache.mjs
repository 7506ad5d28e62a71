// Leaves V8's code cache beside the bundles that the command loads before a guest runs (see src/runtime/thread/compiled.ts). It is
// taken after a run, so that it holds what a run needs, compiled.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The bundles that have one. */
const bundles = ['dist/program.cjs', 'dist/machine-thread.cjs'];

const caches = bundles.map((file) => `${file}.cache`);

/** To be called before the bundles change: V8 knows a source by its length, and would take the old one's code. */
export function forgetCompiled(root) {
  for (const file of caches) rmSync(path.join(root, file), { force: true });
}

/** They are read as latin1, which is faster; esbuild escapes what is not ASCII in strings, and leaves it in regular expressions. */
function checkAscii(root) {
  for (const file of bundles) {
    const [odd] = /.{0,30}[^\0-\x7f].{0,10}/.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
    if (odd !== undefined) throw new Error(`${file} is not ASCII: write '${odd}' with \\u escapes`);
  }
}

/** Gives the files that it made: none where this host cannot run the guest, which costs nothing but time. */
export function compileAhead(root) {
  checkAscii(root);
  const hook = fileURLToPath(new URL('code-cache-hook.cjs', import.meta.url));
  const hello = path.join(root, 'guests/hello');
  for (const run of [
    [path.join(root, 'dist/cli.cjs'), 'run', hello, '--quiet'],
    [fileURLToPath(new URL('code-cache-run.mjs', import.meta.url)), hello],
  ])
    spawnSync(process.execPath, ['--require', hook, ...run], { stdio: 'ignore', timeout: 20_000 });
  return caches.filter((file) => existsSync(path.join(root, file)));
}
