// Builds Terrarium: `dist/` is the content of the package (bundles, and with --types the declarations); with --tests also
// `build/`, every source and test file transpiled one to one, which the tests run. With --release `dist/` is the published
// version: with declarations, and without source maps, which would double its size.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLab } from './lab.mjs';
import { cache, root, tsc } from './paths.mjs';
import { buildSoft } from './soft.mjs';

/** Every TypeScript file below the folders, including tests. */
function sources(...folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)),
  );
}

/** The lab's files other than TypeScript. */
function pageSources() {
  return readdirSync(path.join(root, 'src/apps/lab'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** The bundles' options; `options` are those of `build`. */
const common = ({ release = false }) => ({
  absWorkingDir: root,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: !release,
  logLevel: 'warning',
  metafile: true,
});

/** A module whose exports are looked up when they are used. @param from the expression for the module */
function lateModule(names, from) {
  const getters = names.map((name) => `get ${name}() { return ${from}.${name}; }`);
  return { contents: `module.exports = { ${getters.join(', ')} };`, resolveDir: root };
}

/** Modules that stay separate files: there must be one pool of threads, and one real `import()`. They are loaded when used. */
const ownFiles = {
  name: 'own files',
  setup(build) {
    build.onResolve({ filter: /\/(worker-pool|import-module)\.js$/ }, ({ path: file, resolveDir }) => ({
      // The bundle names it by its path in the project, not on this machine.
      path: path.relative(root, path.join(resolveDir, file.replace(/js$/, 'ts'))),
      namespace: 'own-file',
    }));
    build.onLoad({ filter: /.*/, namespace: 'own-file' }, ({ path: file }) => {
      const names = readFileSync(path.join(root, file), 'utf8').matchAll(
        /^export (?:async )?function (\w+)/gm,
      );
      const from = `require('./${path.basename(file, '.ts')}.cjs')`;
      return lateModule(
        Array.from(names, ([, name]) => name),
        from,
      );
    });
    build.onResolve({ filter: /^\.\/(worker-pool|import-module|program|soft|kvm|pc)\.cjs$/ }, () => ({
      external: true,
    }));
    // The debug adapter is loaded only for editors.
    build.onResolve({ filter: /\/dap\/serve\.js$/ }, () => ({ path: './dap.cjs', external: true }));
  },
};

/**
 * Rooms that not every run needs and that export only functions and classes: a bundle is loaded when one of these is
 * used. Rooms whose classes refer to each other share a bundle, since each bundle has its own copies of classes.
 */
const lateRooms = new Map(
  Object.entries({
    soft: ['engine/soft'],
    kvm: ['engine/kvm', 'engine/assist'],
    pc: [
      ...['apic', 'ata', 'bios', 'disk', 'e1000', 'floppy', 'pci', 'power', 'simvirtio', 'virtio'].map(
        (room) => `devices/${room}`,
      ),
      'pc/tables',
    ],
    program: ['assembler'],
  }).flatMap(([bundle, rooms]) => rooms.map((room) => [`src/${room}/index.ts`, bundle])),
);

/** The names that a file exports. */
async function exportsOf({ esbuild }, file) {
  const { metafile } = await esbuild.build({
    ...{ absWorkingDir: root, entryPoints: [file], bundle: true, write: false, metafile: true },
    ...{ format: 'esm', platform: 'node', packages: 'external', outdir: 'dist', logLevel: 'error' },
  });
  return Object.values(metafile.outputs)[0].exports;
}

/**
 * For a bundle that has to load quickly: its dynamic imports stay in the bundle of all commands, and of static imports
 * only the used exports are included. @param parts receives the files that are left there
 */
const restElsewhere = (parts) => ({
  name: 'rest elsewhere',
  setup(build) {
    build.onResolve(
      { filter: /^\.{1,2}\// },
      async ({ path: name, resolveDir, kind, importer, pluginData }) => {
        if (pluginData === restElsewhere || name.endsWith('.cjs')) return undefined;
        const { path: file, namespace } = await build.resolve(name, {
          resolveDir,
          kind,
          importer,
          pluginData: restElsewhere,
        });
        if (namespace !== 'file') return { path: file, namespace };
        // The bundle names these by their path in the project, not on this machine.
        const place = path.relative(root, file);
        const late = lateRooms.get(place);
        if (late !== undefined) {
          if (late === 'program') parts.add(file);
          return { path: place, namespace: 'late-room' };
        }
        if (kind !== 'dynamic-import') return { path: file, sideEffects: file.endsWith('globals.ts') };
        parts.add(file);
        return { path: place, namespace: 'elsewhere' };
      },
    );
    build.onLoad({ filter: /.*/, namespace: 'late-room' }, async ({ path: place }) => {
      const from = `require('./${lateRooms.get(place)}.cjs').parts[${JSON.stringify(place)}]()`;
      return lateModule(await exportsOf(build, path.join(root, place)), from);
    });
    build.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path: place }) => ({
      contents: `module.exports = require('./program.cjs').parts[${JSON.stringify(place)}]();`,
      resolveDir: root,
    }));
  },
});

/** A bundle of parts that other bundles use: `parts` has a function for each, by its name. */
function partsOf(files) {
  const lines = [...files].map((file) => {
    const name = path.relative(root, file);
    return `${JSON.stringify(name)}: () => require(${JSON.stringify(`./${name}`)}),`;
  });
  return `export const parts = { ${lines.join('\n')} };`;
}

/**
 * The bundles that have parts: that of all commands, with the files that another one left there, and those of late
 * rooms.
 */
const partsIn = (parts) => ({
  name: 'parts',
  setup(build) {
    build.onResolve({ filter: /^(program|soft|kvm|pc)$/ }, ({ path: name }) => ({
      path: name,
      namespace: 'parts',
    }));
    build.onLoad({ filter: /.*/, namespace: 'parts' }, ({ path: name }) => {
      const main = `export { main } from './src/apps/cli/every-command.ts';\n`;
      const rooms = [...lateRooms]
        .filter(([, bundle]) => bundle === name)
        .map(([file]) => path.join(root, file));
      const contents = name === 'program' ? main + partsOf(parts) : partsOf(rooms);
      return { contents, resolveDir: root };
    });
  },
});

/** Modules that Node has loaded before any program begins. */
const loadedAnyway = new Set(['buffer', 'events', 'fs', 'path', 'process', 'timers', 'url', 'util']);

/**
 * Node's other modules are loaded when one of their exports is first used: most commands use few, and together they
 * take as long to load as a guest takes to run.
 */
const lateModules = {
  name: 'late modules',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path: name }) =>
      loadedAnyway.has(name.slice('node:'.length)) ? undefined : { path: name, namespace: 'late' },
    );
    build.onLoad({ filter: /.*/, namespace: 'late' }, async ({ path: name }) => {
      const keys = Object.keys(await import(name)).filter((key) => key !== 'default');
      return lateModule(keys, `process.getBuiltinModule('${name}')`);
    });
  },
};

/** The equivalent of `import.meta` for CommonJS. package.json's "imports" are looked up here, which costs nothing. */
const importMeta = `const importMeta = {
  get url() { return require('node:url').pathToFileURL(__filename).href; },
  resolve: (name) => new URL({ '#worker': 'worker.cjs', '#vcpu': 'vcpu.cjs', '#network': 'network.mjs', '#package': '../package.json' }[name], importMeta.url).href,
};`;

const commonJs = {
  format: 'cjs',
  // Halves the bytes to read and compile before the guest starts: 2 ms.
  minifyWhitespace: true,
  minifySyntax: true,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  external: [
    ...['koffi', 'pngjs', '@vscode/debugadapter', '#*'],
    // Optional: for a queue and its dashboard.
    ...['bullmq', 'ioredis', '@bull-board/*'],
  ],
  define: {
    'import.meta.url': 'importMeta.url',
    'import.meta.resolve': 'importMeta.resolve',
    'import.meta.dirname': '__dirname',
  },
  banner: { js: importMeta },
};

/**
 * Every source and test file, one to one, if it is newer than its output: so a change of one file takes a moment, not
 * the time of all files.
 */
async function transpile(options) {
  const made = new Map(
    sources('src', 'test', 'bench').map((file) => [
      file,
      path.join('build', path.relative(root, file).replace(/\.ts$/, '.js')),
    ]),
  );
  const rules = statSync(fileURLToPath(import.meta.url)).mtimeMs;
  const isOld = (file, output) => {
    const { mtimeMs = 0 } = statSync(path.join(root, output), { throwIfNoEntry: false }) ?? {};
    return mtimeMs < Math.max(statSync(file).mtimeMs, rules);
  };
  const old = [...made].filter(([file, output]) => isOld(file, output)).map(([file]) => file);
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({
    ...common(options),
    entryPoints: old,
    outdir: 'build',
    outbase: '.',
    bundle: false,
  });
  sweep('build', new Set([...made.values()].flatMap((file) => [file, `${file}.map`])), () => false);
  return { metafile };
}

/** @param soft build the software CPU too, which takes 20 s the first time; without it, an outdated one is removed */
export async function build(options = {}) {
  const { tests = false, release = false, types = release, soft = true } = options;
  const esbuild = await import('esbuild');
  const parts = new Set();
  const early = await esbuild.build({
    ...common(options),
    ...commonJs,
    entryPoints: { run: 'src/apps/cli/run-alone.ts' },
    plugins: [ownFiles, lateModules, restElsewhere(parts)],
    supported: { 'dynamic-import': false },
  });
  const work = [
    early,
    // The library: ES modules that share their chunks.
    esbuild.build({
      ...common(options),
      entryPoints: {
        index: 'src/index.ts',
        kvm: 'src/engine/kvm/index.ts',
        linux: 'src/linux/index.ts',
      },
      outdir: 'dist',
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: ['koffi', '#*'],
    }),
    // The command and the machine's thread: CommonJS, which Node loads 10 ms faster. The command's first file is small, so
    // that the thread starts before the rest is read.
    esbuild.build({
      ...common(options),
      ...commonJs,
      entryPoints: {
        cli: 'src/apps/cli/main.ts',
        ...{ program: 'program', soft: 'soft', kvm: 'kvm', pc: 'pc' },
        dap: 'src/apps/dap/serve.ts',
        'worker-pool': 'src/runtime/thread/worker-pool.ts',
      },
      plugins: [ownFiles, lateModules, partsIn(parts)],
      supported: { 'dynamic-import': false },
    }),
    // For browsers: all in one file, in which an import of Node is an error. Not every browser has Symbol.dispose.
    esbuild.build({
      ...common(options),
      entryPoints: { browser: 'src/browser/index.ts', 'browser-worker': 'src/browser/worker.ts' },
      outdir: 'dist',
      bundle: true,
      platform: 'browser',
      target: 'es2022',
      banner: { js: "Symbol.dispose ??= Symbol.for('Symbol.dispose');" },
      // Functions and classes keep their names, for stack traces.
      minify: release,
      keepNames: release,
    }),
    esbuild.build({
      ...common(options),
      ...commonJs,
      entryPoints: {
        worker: 'src/runtime/thread/worker-start.ts',
        'machine-thread': 'src/runtime/thread/worker.ts',
        'import-module': 'src/runtime/thread/import-module.ts',
        vcpu: 'src/engine/kvm/run/vcpu-thread.ts',
      },
      plugins: [ownFiles, lateModules],
    }),
  ];
  // The thread of a network, which waits at its top level for its resources.
  work.push(
    esbuild.build({
      ...common(options),
      entryPoints: { network: 'src/runtime/network/thread.ts' },
      outdir: 'dist',
      outExtension: { '.js': '.mjs' },
      bundle: true,
      external: ['koffi', '#*'],
    }),
  );
  if (tests) work.push(transpile(options));
  const [results, , lab] = await Promise.all([
    Promise.all(work),
    soft && buildSoft(),
    buildLab(esbuild, common(options)),
  ]);
  const written = new Set(results.flatMap(({ metafile }) => Object.keys(metafile.outputs)));
  if (soft) written.add('dist/soft.wasm');
  for (const file of [...Object.keys(lab.result.metafile.outputs), ...lab.written]) written.add(file);
  written.add('dist/lab/soft.wasm');
  if (existsSync(path.join(root, 'dist/soft.wasm')))
    copyFileSync(path.join(root, 'dist/soft.wasm'), path.join(root, 'dist/lab/soft.wasm'));
  for (const file of compiled) requireAscii(file);
  // Commander is bundled, 5 ms faster than as a separate package, and so is the lab's server; their licences are included with their code.
  for (const [name, from] of Object.entries({
    commander: 'commander',
    hono: 'hono',
    'hono-node-server': '@hono/node-server',
  })) {
    copyFileSync(path.join(root, 'node_modules', from, 'LICENSE'), path.join(root, `dist/${name}.LICENSE`));
    written.add(`dist/${name}.LICENSE`);
  }
  sweep('dist', written, (file) => file.startsWith('dist/types/'));
  if (types) {
    rmSync(path.join(root, 'dist/types'), { recursive: true, force: true });
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  }
}

/** These are read as latin1, which is faster (src/runtime/thread/compiled.ts). */
const compiled = ['program', 'run', 'soft', 'kvm', 'pc', 'machine-thread'].map((name) => `dist/${name}.cjs`);

/** esbuild escapes non-ASCII characters in strings, but not in regular expressions. */
function requireAscii(file) {
  const [odd] = /.{0,30}[^\0-\x7f].{0,10}/.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
  if (odd !== undefined) throw new Error(`${file} is not ASCII: write '${odd}' with \\u escapes`);
}

/** Removes old files of an earlier build. Other files are overwritten, not removed first: a running program still finds them. */
function sweep(folder, written, keep) {
  for (const entry of readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
    const file = path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name));
    if (entry.isFile() && !written.has(file) && !keep(file)) rmSync(path.join(root, file));
  }
}

/** The inputs of a build, in addition to the sources. */
const recipe = ['package.json', 'scripts/build.mjs', 'scripts/soft.mjs', 'scripts/lab.mjs'].map((file) =>
  path.join(root, file),
);

/** Whether a stamp, which lists the files of a build, is older than one of them. */
function isStale(stamp, inputs) {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== inputs.join('\n')) return true;
  const made = statSync(stamp).mtimeMs;
  return inputs.some((file) => statSync(file).mtimeMs > made);
}

/** Builds only the parts with a newer source. */
export async function buildIfStale({ tests = false, soft = tests } = {}) {
  const stamps = {
    dist: [stampOf('dist'), [...sources('src'), ...pageSources(), ...recipe]],
    build: [stampOf('build'), [...sources('src', 'test', 'bench'), ...recipe]],
  };
  const missing = (file) => !existsSync(path.join(root, file));
  const work = [];
  if (isStale(...stamps.dist) || missing('dist/cli.cjs'))
    work.push(build({ soft }).then(() => keepStamp(...stamps.dist)));
  else if (soft && missing('dist/soft.wasm')) work.push(buildSoft());
  if (tests && (isStale(...stamps.build) || missing('build')))
    work.push(transpile({}).then(() => keepStamp(...stamps.build)));
  await Promise.all(work);
}

function keepStamp(stamp, inputs) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, inputs.join('\n'));
}

/** The sources and time of a folder's last build. */
function stampOf(folder) {
  return path.join(cache, `${folder}.stamp`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tests, types, release] = ['--tests', '--types', '--release'].map((word) =>
    process.argv.includes(word),
  );
  // The next build starts from scratch: this one may be of another kind.
  for (const folder of ['build', 'dist']) rmSync(stampOf(folder), { force: true });
  await build({ tests, types: types || release, release });
}
