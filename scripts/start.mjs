// `npm start` sets up and runs a guest; `npm start -- run FILE …` runs any command.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setup } from './setup.mjs';

await setup();
const cli = path.join(root, 'dist/cli.cjs');
const given = process.argv.slice(2);
process.argv = [
  process.argv[0],
  cli,
  ...(given.length > 0 ? given : ['run', path.join(root, 'guests/hello')]),
];
await import(pathToFileURL(cli).href);
