// Builds Terrarium: `dist/` is what the package ships (bundles, and with --types the declarations); with --tests also
// `build/`, every source and test file transpiled one to one, which is what the tests run.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAhead, forgetCompiled } from './code-cache.mjs';
import { root } from './paths.mjs';
import { buildSoft } from './soft.mjs';

/** Every TypeScript file below the folders, tests included. */
function sources(...folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)),
  );
}

const common = {
  absWorkingDir: root,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  logLevel: 'warning',
  metafile: true,
};

/** Modules that stay files of their own: there must be one pool of threads, and one real `import()`. */
const ownFiles = {
  name: 'own files',
  setup(build) {
    build.onResolve({ filter: /\/(worker-pool|import-module)\.js$/ }, ({ path: file }) => ({
      path: `./${path.basename(file, '.js')}.cjs`,
      external: true,
    }));
    // What editors talk to is loaded for them alone.
    build.onResolve({ filter: /\/dap\/serve\.js$/ }, () => ({ path: './dap.cjs', external: true }));
  },
};

/** What ES modules have as `import.meta`, for CommonJS. package.json's "imports" are looked up here, which costs nothing. */
const importMeta = `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;
const importMetaResolve = (name) => new URL({ '#worker': 'worker.cjs', '#package': '../package.json' }[name], importMetaUrl).href;`;

const commonJs = {
  format: 'cjs',
  // Half the bytes to read and compile before the guest starts: 2 ms.
  minifyWhitespace: true,
  minifySyntax: true,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  external: ['koffi', 'pngjs', '@vscode/debugadapter', '#*'],
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.resolve': 'importMetaResolve' },
  banner: { js: importMeta },
};

/** @param soft make the software CPU too, which takes 20 s the first time; without it, one of older sources is removed */
export async function build({ tests = false, types = false, soft = true } = {}) {
  const esbuild = await import('esbuild');
  forgetCompiled(root);
  const work = [
    // The library: ES modules that share their chunks.
    esbuild.build({
      ...common,
      entryPoints: { index: 'src/index.ts', kvm: 'src/engine/kvm/index.ts' },
      outdir: 'dist',
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: ['koffi', '#*'],
    }),
    // The command and the machine's thread: CommonJS, which Node loads 10 ms faster. The command's first file is small, so
    // that the thread starts before the rest is read.
    esbuild.build({
      ...common,
      ...commonJs,
      entryPoints: {
        cli: 'src/apps/cli/main.ts',
        program: 'src/apps/cli/program.ts',
        dap: 'src/apps/dap/serve.ts',
        'worker-pool': 'src/runtime/thread/worker-pool.ts',
      },
      plugins: [ownFiles],
      supported: { 'dynamic-import': false },
    }),
    // For browsers: all in one file, in which an import of Node is an error. Not every browser has Symbol.dispose.
    esbuild.build({
      ...common,
      entryPoints: { browser: 'src/browser.ts' },
      outdir: 'dist',
      bundle: true,
      platform: 'browser',
      target: 'es2022',
      banner: { js: "Symbol.dispose ??= Symbol.for('Symbol.dispose');" },
    }),
    esbuild.build({
      ...common,
      ...commonJs,
      entryPoints: {
        worker: 'src/runtime/thread/worker-start.ts',
        'machine-thread': 'src/runtime/thread/worker.ts',
        'import-module': 'src/runtime/thread/import-module.ts',
      },
      plugins: [ownFiles],
    }),
  ];
  if (tests) {
    work.push(
      esbuild.build({
        ...common,
        entryPoints: sources('src', 'test', 'bench'),
        outdir: 'build',
        outbase: '.',
        bundle: false,
      }),
    );
  }
  const [results] = await Promise.all([Promise.all(work), soft && buildSoft()]);
  const written = new Set(results.flatMap(({ metafile }) => Object.keys(metafile.outputs)));
  if (soft) written.add('dist/soft.wasm');
  for (const file of compileAhead(root)) written.add(file);
  // Commander is bundled, 5 ms faster than as a package of its own; its licence goes where its code goes.
  copyFileSync(path.join(root, 'node_modules/commander/LICENSE'), path.join(root, 'dist/commander.LICENSE'));
  written.add('dist/commander.LICENSE');
  sweep('dist', written, (file) => file.startsWith('dist/types/'));
  if (tests) sweep('build', written, () => false);
  if (types) {
    rmSync(path.join(root, 'dist/types'), { recursive: true, force: true });
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  }
}

/** Removes what an earlier build left. Files are written over, not removed first: a program that runs still finds them. */
function sweep(folder, written, keep) {
  for (const entry of readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
    const file = path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name));
    if (entry.isFile() && entry.name !== '.stamp' && !written.has(file) && !keep(file))
      rmSync(path.join(root, file));
  }
}

/** Builds only where a source is newer than what was built last. */
export async function buildIfStale({ tests = false, soft = tests } = {}) {
  const stamp = path.join(root, tests ? 'build/.stamp' : 'dist/.stamp');
  const inputs = [
    ...sources('src', ...(tests ? ['test', 'bench'] : [])),
    path.join(root, 'package.json'),
    path.join(root, 'scripts/build.mjs'),
    path.join(root, 'scripts/soft.mjs'),
  ];
  const names = inputs.join('\n');
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  try {
    if (statSync(stamp).mtimeMs >= newest && readFileSync(stamp, 'utf8') === names) {
      statSync(path.join(root, 'dist/cli.cjs'));
      if (soft && !existsSync(path.join(root, 'dist/soft.wasm'))) await buildSoft();
      return;
    }
  } catch {
    // never built
  }
  await build({ tests, soft });
  writeFileSync(stamp, names);
  if (tests)
    writeFileSync(path.join(root, 'dist/.stamp'), sources('src').concat(inputs.slice(-3)).join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({ tests: process.argv.includes('--tests'), types: process.argv.includes('--types') });
}
