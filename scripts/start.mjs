// `npm start` sets up and runs a guest; `npm start -- run FILE …` runs any command.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setup } from './setup.mjs';

const given = process.argv.slice(2);
// The software CPU takes its time to build, so it is built for those who ask for it.
await setup({ soft: given.some((word) => /^(--engine=)?soft$/.test(word)) });
const cli = path.join(root, 'dist/cli.cjs');
process.argv = [
  process.argv[0],
  cli,
  ...(given.length > 0 ? given : ['run', path.join(root, 'guests/hello')]),
];
await import(pathToFileURL(cli).href);
