// Makes a fresh clone ready: the npm packages, the build and, for tests, what Debian has to give. Each step looks first
// whether it is needed, so that a second run costs next to nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const say = (text) => process.stderr.write(`terrarium: ${text}\n`);

function installPackages() {
  const lock = readFileSync(path.join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(process.version).digest('hex');
  const stamp = path.join(root, 'node_modules/.terrarium-setup');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing the npm packages (once)');
  // Not 'npm ci': that refuses a lock file that lacks optional packages for other platforms, which some mirrors do not
  // carry. --no-save leaves the lock file as it is. npm's own words go to stderr: stdout belongs to the guest.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync('npm', ['install', '--no-save', '--include=dev', ...quiet], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) {
    const why = done.error === undefined ? '' : `: ${done.error.message}`;
    say(`'npm install' failed${why}; mend what it says above and start again`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/** What the tests run besides Node, and the Debian package that has it. */
const testTools = {
  gcc: 'gcc',
  ld: 'binutils',
  make: 'make',
  tmux: 'tmux',
  gdb: 'gdb',
  chromium: 'chromium',
};
const testHeaders = { 'linux/kvm.h': 'linux-libc-dev', 'stdio.h': 'libc6-dev' };

function installTools() {
  const missing = Object.entries(testTools).filter(
    ([command]) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0,
  );
  for (const [header, name] of Object.entries(testHeaders)) {
    if (!existsSync(`/usr/include/${header}`)) missing.push([header, name]);
  }
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const apt = spawnSync('sh', ['-c', 'command -v apt-get']).status === 0;
  if (apt && process.getuid?.() === 0) {
    say(`installing ${packages.join(', ')} for the tests`);
    const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    try {
      execFileSync('apt-get', ['update', '-q'], options);
      execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], options);
      return;
    } catch {
      // said below
    }
  }
  say(`tests that need ${missing.map(([command]) => command).join(', ')} will be skipped.`);
  say(`To run them: sudo apt-get install ${packages.join(' ')}`);
}

export async function setup({ tests = false, soft = tests } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`Node ${process.versions.node} is too old: Terrarium needs 20.19 or newer`);
    process.exit(1);
  }
  installPackages();
  if (tests) installTools();
  const { buildIfStale } = await import('./build.mjs');
  await buildIfStale({ tests, soft });
}
