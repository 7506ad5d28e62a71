// Builds the software CPU: from the opcode table it generates a decoder and a function per operation, and AssemblyScript
// compiles them and src/engine/soft/cpu to one WebAssembly program. That takes seconds, so the result is cached by a hash of
// its sources.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, root } from './paths.mjs';

const source = path.join(root, 'src/engine/soft');
/** Files are named from `source`. */
const table = '../../isa/table';
/** The files that both sides import. */
const layouts = /^layout(-\w+)?\.ts$/;
const parts = ['core', 'integer', 'simd', 'system', 'x87'];

/**
 * TERRARIUM_SOFT_LEVEL=0 is for work on the CPU: it takes a second instead of twenty, and the program runs at a third
 * of the speed.
 */
const level = process.env.TERRARIUM_SOFT_LEVEL ?? '3';

/** The start of the CPU's constants, and the maximum memory: 4 GiB. See src/engine/soft/layout.ts. */
const options =
  `--importMemory --sharedMemory --enable threads --enable simd --memoryBase 4096 --initialMemory 513 --maximumMemory 65536 --runtime stub --noAssert --noExportMemory --exportTable --disableWarning 201 -O${level}`.split(
    ' ',
  );

function inputs() {
  const files = readdirSync(source)
    .filter((file) => layouts.test(file))
    .sort();
  for (const folder of [table, 'generate', 'cpu', ...parts.map((part) => `cpu/${part}`)]) {
    for (const file of readdirSync(path.join(source, folder)).sort()) files.push(`${folder}/${file}`);
  }
  return files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
}

function digest() {
  const hash = createHash('sha256')
    .update(options.join(' '))
    .update(readFileSync(fileURLToPath(import.meta.url)));
  hash.update(readFileSync(path.join(root, 'node_modules/assemblyscript/package.json')));
  for (const file of inputs()) hash.update(file).update(readFileSync(path.join(source, file)));
  return hash.digest('hex').slice(0, 32);
}

/** The generated AssemblyScript, by the names under which cpu/ imports it. */
async function generated() {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(source, 'generate/index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    logLevel: 'warning',
  });
  const text = Buffer.from(outputFiles[0].contents).toString('base64');
  return (await import(`data:text/javascript;base64,${text}`)).generate();
}

async function compile(outFile) {
  const { files } = await generated();
  const { default: asc } = await import('assemblyscript/asc');
  let wasm;
  const messages = [];
  const { error } = await asc.main(['cpu/index.ts', '--outFile', 'soft.wasm', ...options], {
    readFile: (name, base) => {
      const made = /^cpu\/(decode-table|handlers)\.ts$/.exec(name);
      if (made) return files[made[1]];
      const file = path.resolve(base === '.' ? source : path.join(source, base), name);
      if (!existsSync(file)) return null;
      const text = readFileSync(file, 'utf8');
      if (!layouts.test(name)) return text;
      // Files of numbers for both sides: in AssemblyScript they are addresses, and its modules have no extension.
      return text
        .replace(/^(export const \w+) =/gm, '$1: usize =')
        .replace(/^(export \* from '.*)\.js'/gm, "$1'");
    },
    writeFile: (_name, data) => {
      wasm = data;
    },
    listFiles: () => [],
    stderr: { write: (text) => messages.push(text) },
  });
  if (error || wasm === undefined)
    throw new Error(`the software CPU does not compile:\n${messages.join('')}`);
  // Two builds may run at once: neither may see a part of the other's file.
  const part = `${outFile}.${process.pid}`;
  writeFileSync(part, wasm);
  renameSync(part, outFile);
}

/** Makes `dist/soft.wasm`, or copies the cached one of the same sources. */
export async function buildSoft(to = path.join(root, 'dist/soft.wasm')) {
  const file = path.join(cache, `soft-${digest()}.wasm`);
  if (!existsSync(file)) {
    if (level === '3') process.stderr.write('terrarium: building the software CPU (once, some 20 s)\n');
    mkdirSync(cache, { recursive: true });
    await compile(file);
  }
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(file, to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--print') process.stdout.write((await generated()).files[process.argv[3]]);
  else await buildSoft(process.argv[2]);
}
