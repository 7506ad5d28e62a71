/** Small kernels of each loader's protocol, on both engines, compared with QEMU's loader on the same files. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { BesideFiles } from '../../src/boot/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { noGcc, noKvm, root, Scratch } from '../support.js';

const noQemu =
  spawnSync('qemu-system-x86_64', ['--version']).status === 0
    ? false
    : 'SKIPPED: no qemu-system-x86_64 here: apt-get install qemu-system-x86';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

function compiled(name: string, words: readonly string[]): string {
  const out = scratch.file(name);
  const source = path.join(root, 'test/loaders', `${name}.S`);
  execFileSync('gcc', ['-nostdlib', '-static', '-Wl,--build-id=none', ...words, '-o', out, source]);
  return out;
}

const built = new Map<string, string>();
function kernel(name: 'linux' | 'pvh' | 'multiboot'): string {
  if (name === 'multiboot') return path.join(root, 'guests/multiboot/multiboot.elf');
  const words =
    name === 'linux' ? ['-Wl,--oformat=binary,-Ttext=0'] : ['-m32', '-Wl,-Ttext-segment=0x100000'];
  const file = built.get(name) ?? compiled(name, words);
  built.set(name, file);
  return file;
}

const file = (text: string, content: string) => ({ text, bytes: new TextEncoder().encode(content) });
const initrds = [file('one', 'abcd'), file('two', 'efg')];

/** A kernel's output on the debug console. */
function printed(
  name: Parameters<typeof kernel>[0],
  options: Partial<MachineOptions>,
  beside: BesideFiles,
): string {
  let console = '';
  using machine = createMachine({
    image: new Uint8Array(readFileSync(kernel(name))),
    memory: 64 * 1024 * 1024,
    append: 'a=1 b',
    beside,
    ...options,
    output: (bytes) => {
      console += Buffer.from(bytes).toString('latin1');
    },
  });
  const { kind } = machine.run({ timeoutMs: 60_000 });
  assert.equal(kind, 'halted');
  return console;
}

for (const engine of ['soft', 'kvm'] as const) {
  describe(`on ${engine}, a kernel is started`, { skip: noGcc || (engine === 'kvm' && noKvm) }, () => {
    test('by Linux’s three entries', () => {
      assert.equal(printed('linux', { engine }, { initrds }), '64 a=1 b abcdefg\0\n');
      assert.equal(printed('linux', { engine, as: 'linux32' }, { initrds }), '32 a=1 b abcdefg\0\n');
      assert.equal(printed('linux', { engine, as: 'linux16' }, { initrds }), '16 a=1 b 8\n');
      assert.equal(printed('linux', { engine }, {}), '64 a=1 b \n');
    });

    test('by PVH', () => {
      const modules = [file('m', 'xyz')];
      assert.equal(printed('pvh', { engine }, { initrds, modules }), 'a=1 b abcdefg\0 xyz\n');
    });

    test('by multiboot', () => {
      const said = printed('multiboot', { engine, vga: true }, { modules: [file('m and words', 'xyz')] });
      assert.match(said, /^command line: image a=1 b$/m);
      assert.match(said, /^modules: 1\n {2}00102000, 3 bytes: m and words$/m);
      assert.match(said, /^screen: text of 80 x 25 at 000b8000$/m);
    });
  });
}

/** The output on the debug console of QEMU's machine, up to a line that matches. */
async function printedByQemu(words: readonly string[], until: RegExp): Promise<string> {
  const usual = ['-display', 'none', '-debugcon', 'stdio', '-m', '64', '-no-reboot', '-net', 'none'];
  const child = spawn('qemu-system-x86_64', [...usual, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const impatient = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let text = '';
  for await (const chunk of child.stdout.setEncoding('latin1')) {
    text += chunk;
    if (until.test(text)) child.kill('SIGKILL');
  }
  await ended;
  clearTimeout(impatient);
  return text;
}

test('a file in a Buffer is not changed, with its sections and its setup header', { skip: noGcc }, () => {
  const symbols = scratch.file('symbols.elf');
  const source = path.join(root, 'guests/multiboot/multiboot.c');
  const words = ['-m32', '-g', '-O1', '-ffreestanding', '-fno-pie', '-no-pie', '-nostdlib', '-static'];
  const placed = ['-Wl,-Ttext=0x100000', '-Wl,--build-id=none', `-I${path.join(root, 'guests/include')}`];
  execFileSync('gcc', [...words, ...placed, '-o', symbols, source]);
  for (const [name, as] of [
    [symbols, 'multiboot'],
    [kernel('linux'), 'linux16'],
  ] as const) {
    const file = readFileSync(name);
    using machine = createMachine({ engine: 'soft', image: file, as, append: 'x' });
    assert.ok(file.equals(readFileSync(name)), name);
    if (as !== 'multiboot') continue;
    // Flag 5: the sections, with the symbols at unused addresses.
    const information = Number(machine.boot.state.registers.rbx);
    const { memory } = machine;
    assert.equal(memory.read32(information) & (1 << 5), 1 << 5);
    const [count, size, at] = [28, 32, 36].map((field) => memory.read32(information + field)) as [
      number,
      number,
      number,
    ];
    const loaded = Array.from({ length: count }, (_, n) => at + n * size)
      .filter((header) => [2, 3].includes(memory.read32(header + 4)))
      .map((header) => [memory.read32(header + 12), memory.read32(header + 16), memory.read32(header + 20)]);
    assert.ok(loaded.length >= 3, 'a table of symbols and two of texts');
    for (const [address, offset, length] of loaded as [number, number, number][])
      assert.deepEqual(
        Buffer.from(memory.readBytes(address, length)),
        file.subarray(offset, offset + length),
      );
  }
});

describe('QEMU’s loader does the same', { skip: noGcc || noQemu }, () => {
  const append = ['-append', 'a=1 b'];
  const named = (name: string, content: string) => {
    const at = scratch.file(name);
    writeFileSync(at, content);
    return at;
  };

  test('by Linux’s 16-bit entry', async () => {
    const words = ['-kernel', kernel('linux'), ...append, '-initrd', named('initrd', 'abcdefg\0')];
    assert.match(await printedByQemu(words, /^16.*\n/m), /^16 a=1 b 8$/m);
  });

  test('by PVH', async () => {
    const words = ['-kernel', kernel('pvh'), ...append, '-initrd', named('initrd', 'abcd')];
    assert.match(await printedByQemu(words, /^a=1.*\n/m), /^a=1 b abcd$/m);
  });

  test('by multiboot, with the name before the command line and the module’s own', async () => {
    const module = named('module', 'xyz');
    const words = ['-kernel', kernel('multiboot'), ...append, '-initrd', `${module} and words`];
    const text = await printedByQemu(words, / bytes: .*\n/);
    assert.match(text, /^command line: \S*multiboot.elf a=1 b$/m);
    assert.match(text, /^modules: 1\n {2}[0-9a-f]{5}000, 3 bytes: \S*module and words$/m);
    assert.match(text, /^memory: 639 KiB/m);
  });
});
