// `npm run bench`: sets up and measures. Words select benchmarks: `npm run bench -- exits stop`.
import { spawnSync } from 'node:child_process';
import { root } from './paths.mjs';
import { setup } from './setup.mjs';

await setup({ tests: true });
const done = spawnSync(
  process.execPath,
  ['--enable-source-maps', 'build/bench/main.js', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exit(done.status ?? 1);
