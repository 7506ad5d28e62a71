// Makes a fresh clone ready: the npm packages, the build and, for tests, Debian packages. Each step first checks whether it is
// needed, so that a second run costs almost nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { root } from './paths.mjs';

export const say = (text) => process.stderr.write(`terrarium: ${text}\n`);

function installPackages() {
  const lock = readFileSync(path.join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = path.join(root, 'node_modules/.terrarium-setup');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing the packages of package-lock.json into node_modules (once): npm ci');
  // npm's output goes to stderr: stdout belongs to the guest.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync('npm', ['ci', '--include=dev', ...quiet], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    const why = done.error === undefined ? '' : `: ${done.error.message}`;
    say(`'npm ci' failed${why}; correct what it says above and start again`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/** The programs that the tests run besides Node, and their Debian packages. */
const testTools = {
  gcc: 'gcc',
  ld: 'binutils',
  make: 'make',
  tmux: 'tmux',
  gdb: 'gdb',
  chromium: 'chromium',
  iasl: 'acpica-tools',
  dmidecode: 'dmidecode',
};
const testHeaders = { 'linux/kvm.h': 'linux-libc-dev', 'stdio.h': 'libc6-dev' };

function isOnPath(command) {
  return process.env.PATH.split(path.delimiter).some((folder) => existsSync(path.join(folder, command)));
}

/** Installs the tests' programs, where that needs no password; first prints which, and how to prevent it. */
function installTools() {
  const missing = [
    ...Object.entries(testTools).filter(([command]) => !isOnPath(command)),
    ...Object.entries(testHeaders).filter(([header]) => !existsSync(`/usr/include/${header}`)),
  ];
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  const allowed = process.env.TERRARIUM_INSTALL !== 'no' && process.getuid?.() === 0 && isOnPath('apt-get');
  if (allowed) {
    say(`the tests use ${packages.join(', ')}: installing them (TERRARIUM_INSTALL=no skips this)`);
    const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    try {
      execFileSync('apt-get', ['update', '-q'], options);
      execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], options);
      return;
    } catch {
      // apt-get has printed the reason
    }
  }
  say(`tests that need ${missing.map(([name]) => name).join(', ')} will be skipped.`);
  say(`To run them: sudo apt-get install ${packages.join(' ')}`);
}

/** Installs the packages, and for tests the tools. */
export function install({ tests = false } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`Node ${process.versions.node} is too old: Terrarium needs 20.19 or newer`);
    process.exit(1);
  }
  installPackages();
  if (tests) installTools();
}

export async function setup({ tests = false, soft = tests } = {}) {
  install({ tests });
  await buildIfStale({ tests, soft });
}
