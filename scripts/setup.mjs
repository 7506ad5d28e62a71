// Makes a fresh clone ready: the npm packages, the build and, for tests, Debian packages. Each step first checks whether it is
// needed, so that a second run costs almost nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { cache, root } from './paths.mjs';

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

/** The programs other than Node that the tests run, and their Debian packages. */
const testTools = {
  gcc: 'gcc',
  ld: 'binutils',
  make: 'make',
  tmux: 'tmux',
  gdb: 'gdb',
  chromium: 'chromium',
  iasl: 'acpica-tools',
  dmidecode: 'dmidecode',
  'qemu-system-x86_64': 'qemu-system-x86',
  'grub-mkrescue': 'grub-common',
  xorriso: 'xorriso',
  mformat: 'mtools',
  nasm: 'nasm',
  bwrap: 'bubblewrap',
  'redis-server': 'redis-server',
  faketime: 'faketime',
  python3: 'python3',
  git: 'git',
};
/** Files that the tests run or compile with, and their Debian packages. */
const testFiles = {
  '/usr/include/linux/kvm.h': 'linux-libc-dev',
  '/usr/include/stdio.h': 'libc6-dev',
  '/usr/lib/grub/i386-pc/multiboot2.mod': 'grub-pc-bin',
  '/usr/lib/ISOLINUX/isolinux.bin': 'isolinux',
  '/usr/lib/syslinux/modules/bios/mboot.c32': 'syslinux-common',
  '/boot/memtest86+x64.bin': 'memtest86+',
  '/boot/ipxe.lkrn': 'ipxe',
  '/usr/share/seabios/bios-256k.bin': 'seabios',
  '/usr/share/bochs/BIOS-bochs-latest': 'bochsbios',
};
/** Packages that are not installed but unpacked: a kernel would become the host's own. */
const testSystem = ['linux-image-cloud-amd64', 'busybox-static'];
/** The needed files: the kernel, busybox, and the modules that drive virtio devices. */
const testSystemParts = [
  './boot',
  './bin',
  ...[
    'drivers/virtio',
    'drivers/block/virtio_blk.ko',
    'drivers/char/virtio_console.ko',
    'drivers/char/hw_random',
  ],
  ...['drivers/net/virtio_net.ko', 'drivers/net/net_failover.ko', 'net/core', 'net/vmw_vsock', 'fs/fuse'],
  'drivers/input/evdev.ko',
].map((part) => (part.startsWith('.') ? part : `./lib/modules/*/kernel/${part}`));

function isOnPath(command) {
  return process.env.PATH.split(path.delimiter).some((folder) => existsSync(path.join(folder, command)));
}

/** Installs the tests' programs, where that needs no password; first prints which, and how to prevent it. */
function installTools() {
  const missing = [
    ...Object.entries(testTools).filter(([command]) => !isOnPath(command)),
    ...Object.entries(testFiles).filter(([file]) => !existsSync(file)),
  ];
  const allowed = process.env.TERRARIUM_INSTALL !== 'no' && process.getuid?.() === 0 && isOnPath('apt-get');
  if (allowed) unpackSystem();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (allowed) {
    say(`the tests use ${packages.join(', ')}: installing them (TERRARIUM_INSTALL=no skips this)`);
    try {
      apt('update', '-q');
      apt('install', '-qy', '--no-install-recommends', ...packages);
      return;
    } catch {
      // apt-get has printed the reason
    }
  }
  say(`tests that need ${missing.map(([name]) => name).join(', ')} will be skipped.`);
  say(`To run them: sudo apt-get install ${packages.join(' ')}`);
}

function apt(...words) {
  execFileSync('apt-get', words, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Debian's kernel and busybox in `.cache/debian`, which tests boot: some 30 MB, once. */
function unpackSystem() {
  const folder = path.join(cache, 'debian');
  const tried = path.join(folder, 'tried');
  const wanted = testSystemParts.join('\n');
  if (existsSync(tried) && readFileSync(tried, 'utf8') === wanted) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(tried, wanted);
  say(
    `the tests boot ${testSystem.join(' and ')}: unpacking them in .cache (TERRARIUM_INSTALL=no skips this)`,
  );
  try {
    apt('update', '-q');
    const text = execFileSync('apt-cache', ['depends', testSystem[0]], { encoding: 'utf8' });
    const kernel = /Depends: (linux-image-\S+)/.exec(text)?.[1] ?? testSystem[0];
    for (const name of [kernel, ...testSystem.slice(1)]) {
      const words = ['-o', 'APT::Sandbox::User=root', 'download', name];
      execFileSync('apt-get', words, { cwd: folder, stdio: ['ignore', 2, 2] });
    }
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      const parts = testSystemParts.map((part) => `'${part}'`).join(' ');
      const unpack = `dpkg-deb --fsys-tarfile '${file}' | tar -x --wildcards ${parts}`;
      // No package has all of them: tar says so.
      spawnSync('sh', ['-c', unpack], { cwd: folder, stdio: 'ignore' });
      rmSync(path.join(folder, file));
    }
  } catch {
    say('that failed: tests that boot Debian’s kernel will be skipped. Remove .cache/debian to try again');
  }
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
