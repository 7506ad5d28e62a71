// `npm run test:node -- 24`: `npm test` on another version of Node, from npm's package `node`. Further words select tests.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cache, root } from './paths.mjs';
import { say } from './setup.mjs';

const [version, ...words] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(version ?? '')) {
  say(`'${version ?? ''}' is not a version of Node; give one: npm run test:node -- 24`);
  process.exit(2);
}
const node = install(path.join(cache, `node-${version}`));
const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
const done = spawnSync(node, [path.join(root, 'scripts/test.mjs'), ...words], {
  cwd: root,
  stdio: 'inherit',
  env,
});
process.exitCode = done.status ?? 1;

/** Installs that Node into its own folder, once, and returns its program. */
function install(folder) {
  const program = path.join(
    folder,
    'node_modules/node/bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(program)) return program;
  say(`installing the npm package node@${version} into ${path.relative(root, folder)} (once, some 120 MB)`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const words = ['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${version}`];
  const { status } = spawnSync('npm', words, { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status === 0 && existsSync(program)) return program;
  say(`npm did not install node@${version}: see its messages above, and check whether this version exists`);
  process.exit(1);
}
