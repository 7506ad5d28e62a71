/**
 * Foreign systems that start from firmware, made of Debian's packages: their installation, their CDs, and their screens
 * here and in QEMU.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { textOf } from '../../src/devices/bios/characters.js';
import type { Device } from '../../src/devices/contract/index.js';
import type { KeyEvent } from '../../src/devices/keyboard/index.js';
import { has32BitPaging, Kvm } from '../../src/engine/kvm/index.js';
import { createMachine, type MachineOptions } from '../../src/index.js';
import type { Outcome } from '../../src/machine/index.js';
import { HANGS_MS, noGcc, noKvm, root, Scratch } from '../support.js';

export const SEABIOS = '/usr/share/seabios/bios-256k.bin';

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Why a test that needs these files or programs is skipped, or false. */
export function without(packages: Readonly<Record<string, string>>): string | false {
  const missing = Object.entries(packages).filter(
    ([what]) => !(what.startsWith('/') ? existsSync(what) : has(what)),
  );
  if (missing.length === 0) return false;
  const names = [...new Set(missing.map(([, name]) => name))].join(' ');
  return `SKIPPED: not installed here: apt-get install ${names}`;
}

export const noQemu = without({ 'qemu-system-x86_64': 'qemu-system-x86' });
export const noGrub =
  noGcc ||
  without({
    'grub-mkrescue': 'grub-common',
    '/usr/lib/grub/i386-pc/multiboot2.mod': 'grub-pc-bin',
    xorriso: 'xorriso',
    mformat: 'mtools',
  });
export const noIsolinux = without({
  '/usr/lib/ISOLINUX/isolinux.bin': 'isolinux',
  '/usr/lib/syslinux/modules/bios/mboot.c32': 'syslinux-common',
  xorriso: 'xorriso',
});

/**
 * Why firmware is not tested on KVM here, or false. A KVM that emulates ring 0 needs minutes for a boot loader's
 * unpacking.
 */
export const noFastKvm: string | false =
  noKvm ||
  (() => {
    using kvm = Kvm.open();
    return has32BitPaging(kvm)
      ? false
      : 'SKIPPED: this KVM emulates ring 0, and needs minutes for a boot loader';
  })();

/** Debian's kernel and busybox: installed, or unpacked by the tests' set-up. */
export const debian = (() => {
  const places = [process.env.TERRARIUM_DEBIAN, '/', path.join(root, '.cache/debian')];
  for (const place of places) {
    if (place === undefined) continue;
    const boot = path.join(place, 'boot');
    const kernel = existsSync(boot)
      ? readdirSync(boot).find((name) => /^vmlinuz-.*amd64$/.test(name))
      : undefined;
    const busybox = path.join(place, 'bin/busybox');
    if (kernel !== undefined && existsSync(busybox)) return { kernel: path.join(boot, kernel), busybox };
  }
  return undefined;
})();
export const noDebian: string | false = debian
  ? false
  : 'SKIPPED: no Debian kernel here: apt-get install linux-image-cloud-amd64 busybox-static';

const scratch = new Scratch();
process.on('exit', () => scratch[Symbol.dispose]());

let multiboot2: string | undefined;
/** Our kernels for a loader: multiboot 1 and 2. */
export function kernel(version: 1 | 2): string {
  if (version === 1) return path.join(root, 'guests/multiboot/multiboot.elf');
  if (multiboot2 === undefined) {
    multiboot2 = scratch.file('multiboot2.elf');
    const words = [
      '-m32',
      '-O1',
      '-ffreestanding',
      '-fno-pie',
      '-no-pie',
      '-nostdlib',
      '-static',
      '-fno-stack-protector',
    ];
    const placed = ['-Wl,-Ttext=0x100000', '-Wl,--build-id=none', `-I${path.join(root, 'guests/include')}`];
    execFileSync('gcc', [
      ...words,
      ...placed,
      '-o',
      multiboot2,
      path.join(root, 'test/firmware/multiboot2.c'),
    ]);
  }
  return multiboot2;
}

/** A folder with the content for a CD: names and files of the host, or contents. */
export type Content = Readonly<Record<string, { file: string } | string | Uint8Array>>;

function folder(name: string, content: Content): string {
  const at = scratch.file(name);
  for (const [to, from] of Object.entries(content)) {
    const file = path.join(at, to);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof from === 'object' && 'file' in from) copyFileSync(from.file, file);
    else writeFileSync(file, from);
  }
  return at;
}

/** GRUB's rescue CD with this entry, which is started at once. */
export function grubCd(name: string, entry: string, content: Content): string {
  const config = `set timeout=0\nset default=0\nmenuentry "${name}" {\n${entry}\n}\n`;
  const from = folder(name, { ...content, 'boot/grub/grub.cfg': config });
  const iso = scratch.file(`${name}.iso`);
  execFileSync('grub-mkrescue', ['-o', iso, from], { stdio: 'pipe' });
  return iso;
}

/** A CD of ISOLINUX. */
export function isolinuxCd(name: string, config: string, content: Content): string {
  const modules = ['ldlinux.c32', 'libcom32.c32', 'mboot.c32'].map((one) => [
    `isolinux/${one}`,
    { file: `/usr/lib/syslinux/modules/bios/${one}` },
  ]);
  const from = folder(name, {
    ...content,
    ...Object.fromEntries(modules),
    'isolinux/isolinux.bin': { file: '/usr/lib/ISOLINUX/isolinux.bin' },
    'isolinux/isolinux.cfg': config,
  });
  const iso = scratch.file(`${name}.iso`);
  const boot = [
    '-b',
    'isolinux/isolinux.bin',
    '-c',
    'isolinux/boot.cat',
    '-no-emul-boot',
    '-boot-load-size',
    '4',
  ];
  execFileSync('xorriso', ['-as', 'mkisofs', '-quiet', '-o', iso, ...boot, '-boot-info-table', from], {
    stdio: 'pipe',
  });
  return iso;
}

export interface Seen {
  outcome: Outcome;
  /** All its output to consoles, and to the screen through the BIOS. */
  printed: string;
  /** The part that went to the debug console, port E9. */
  debug: string;
  /** The rows of its text screen that are not empty, without blanks at the end. */
  screen: string[];
}

/** The rows that are not empty, of 80 by 25 cells. */
function rowsOf(cells: ArrayLike<number>, columns: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += columns) {
    let row = '';
    for (let n = at; n < at + columns; n++) row += textOf(cells[n]! & 0xff || 0x20);
    rows.push(row.trimEnd());
  }
  return rows.filter((row) => row !== '');
}

/** Keys that are pressed as soon as the machine has printed something. */
export interface Typed {
  when: RegExp;
  press: readonly KeyEvent[];
}

/** Runs a machine until it ends, or `until` accepts its output or screen. */
export function boot(
  options: Pick<MachineOptions, 'image'> & Partial<MachineOptions>,
  until: (printed: string, screen: () => string[]) => boolean = () => false,
  steps: readonly Typed[] = [],
  patienceMs = 4 * HANGS_MS,
): Seen {
  let [printed, debug] = ['', ''];
  const console: Device = {
    name: 'debug-console',
    ports: [{ first: 0xe9, count: 1, width: 1, coalesce: true }],
    readPort: () => 0xe9,
    writePort(_port, _size, value) {
      debug += String.fromCharCode(value);
      printed += String.fromCharCode(value);
    },
  };
  const [waiting, pressed] = [[...steps], [] as KeyEvent[]];
  const keys = {
    source: {
      read: () => pressed.shift(),
      get available() {
        return pressed.length > 0;
      },
    },
  };
  using machine = createMachine({
    engine: 'soft',
    memory: 64 * 1024 * 1024,
    devices: [console],
    ...options,
    ...(steps.length > 0 && { keys }),
    output: (bytes) => {
      printed += Buffer.from(bytes).toString();
      if (waiting[0]?.when.test(printed)) pressed.push(...waiting.shift()!.press);
    },
  });
  const screen = () => {
    const text = machine.glance?.text;
    return text === undefined ? [] : rowsOf(text.cells, text.columns);
  };
  const limit = performance.now() + patienceMs;
  for (;;) {
    const outcome = machine.run({ timeoutMs: 500 });
    const late = performance.now() > limit;
    if (outcome.kind !== 'timeout' || late || until(printed, screen))
      return { outcome, printed, debug, screen: screen() };
  }
}

/** Runs QEMU's PC with the same CD until its debug console has printed a text. */
export async function bootInQemu(iso: string, until: RegExp): Promise<Omit<Seen, 'outcome' | 'printed'>> {
  using place = new Scratch();
  const [said, memory] = [place.file('debug'), place.file('screen')];
  writeFileSync(said, '');
  const usual = [
    '-accel',
    'tcg',
    '-display',
    'none',
    '-net',
    'none',
    '-no-reboot',
    '-m',
    '64',
    '-monitor',
    'stdio',
  ];
  const words = [...usual, '-debugcon', `file:${said}`, '-cdrom', iso, '-boot', 'd'];
  const child = spawn('qemu-system-x86_64', words, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  try {
    const limit = performance.now() + 2 * HANGS_MS;
    while (!until.test(readFileSync(said, 'latin1'))) {
      if (performance.now() > limit) throw new Error(`QEMU's machine says: ${readFileSync(said, 'latin1')}`);
      await sleep(100);
    }
    child.stdin.write(`pmemsave 0xb8000 4000 "${memory}"\nquit\n`);
    await ended;
    const bytes = readFileSync(memory);
    return {
      debug: readFileSync(said, 'latin1'),
      screen: rowsOf(new Uint16Array(bytes.buffer, bytes.byteOffset, 2000), 80),
    };
  } finally {
    child.kill('SIGKILL');
  }
}
