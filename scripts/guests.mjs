// `npm run guests`: builds every guest's image from its source and says which of them changed.
// Words select guests: `npm run guests -- hello khw-long`.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { root } from './paths.mjs';

await buildIfStale({ tests: true });
const { compileSource } = await import('../build/src/runtime/images/toolchain.js');

const words = process.argv.slice(2);
const folders = readdirSync(path.join(root, 'guests'), { withFileTypes: true })
  .filter((entry) => existsSync(path.join(root, 'guests', entry.name, 'guest.json')))
  .map((entry) => entry.name)
  .filter((name) => words.length === 0 || words.includes(name));

let failed = false;
for (const name of folders) {
  const folder = path.join(root, 'guests', name);
  const { source, image, mode, load } = JSON.parse(readFileSync(path.join(folder, 'guest.json'), 'utf8'));
  const file = path.join(folder, image);
  try {
    const { bytes, warnings } = compileSource(path.join(folder, source), { mode, load, strip: true });
    const before = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    const same = before.equals(bytes);
    if (!same) writeFileSync(file, bytes);
    console.log(`${name.padEnd(14)} ${image}  ${bytes.length} bytes${same ? '' : ', changed'}`);
    if (warnings !== '') console.log(warnings);
  } catch (error) {
    failed = true;
    console.error(`${name}: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}`);
  }
}
process.exit(failed ? 1 : 0);
