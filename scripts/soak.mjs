// `npm run soak`: the long tests, test/soak/*.soak.ts, one after the other: ten minutes each, or `npm run soak -- --minutes 1`.
// Words select tests as in `npm test`: `npm run soak -- lifecycle`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runNode } from './paths.mjs';
import { select, testFiles } from './select-tests.mjs';
import { say, setup } from './setup.mjs';

const { values, positionals: words } = parseArgs({
  options: { minutes: { type: 'string', default: '10' } },
  allowPositionals: true,
});
const seconds = 60 * Number(values.minutes);
if (!(seconds > 0)) {
  say(`--minutes is ${values.minutes}: give a number above 0`);
  process.exit(2);
}
await setup({ tests: true });
const { files, patterns } = select(words, testFiles('.soak.ts'));
const alone = files.map((file) => path.join('build', file.replace(/\.ts$/, '.js')));
say(`${files.length} soak tests, ${values.minutes} min each`);
// Twice the time, so that started work can end cleanly.
const plan = JSON.stringify({ shared: [], alone, patterns, patienceMs: 2000 * seconds + 120_000 });
const env = { ...process.env, TERRARIUM_SOAK_SECONDS: String(seconds) };
process.exitCode = await runNode(['--enable-source-maps', 'scripts/run-tests.mjs', plan], { env });
