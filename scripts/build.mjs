// Builds Terrarium: `dist/` is what the package ships (bundles, and with --types the declarations); with --tests also
// `build/`, every source and test file transpiled one to one, which is what the tests run.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

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
};

export async function build({ tests = false, types = false } = {}) {
  const esbuild = await import('esbuild');
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  const work = [
    esbuild.build({
      ...common,
      entryPoints: {
        index: 'src/index.ts',
        kvm: 'src/engine/kvm/index.ts',
        cli: 'src/cli/main.ts',
        worker: 'src/host/worker.ts',
      },
      outdir: 'dist',
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: ['koffi', 'commander', '#*'],
    }),
  ];
  if (tests) {
    rmSync(path.join(root, 'build'), { recursive: true, force: true });
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
  await Promise.all(work);
  if (types) {
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' });
  }
}

/** Builds only where a source is newer than what was built last. */
export async function buildIfStale({ tests = false } = {}) {
  const stamp = path.join(root, tests ? 'build/.stamp' : 'dist/.stamp');
  const inputs = [
    ...sources('src', ...(tests ? ['test', 'bench'] : [])),
    path.join(root, 'package.json'),
    path.join(root, 'scripts/build.mjs'),
  ];
  const names = inputs.join('\n');
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  try {
    if (statSync(stamp).mtimeMs >= newest && readFileSync(stamp, 'utf8') === names) {
      statSync(path.join(root, 'dist/cli.js'));
      return false;
    }
  } catch {
    // never built
  }
  await build({ tests });
  writeFileSync(stamp, names);
  if (tests)
    writeFileSync(path.join(root, 'dist/.stamp'), sources('src').concat(inputs.slice(-2)).join('\n'));
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({ tests: process.argv.includes('--tests'), types: process.argv.includes('--types') });
}
