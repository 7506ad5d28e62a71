/**
 * Segment checks, gates and privileges against another implementation: the kernels of test/oracles/protection try
 * thousands of descriptors and selectors and write each result. QEMU's TCG is the reference, live where it is
 * installed, else recorded (by QEMU 7.2).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noGcc, root, Scratch } from '../support.js';
import { isKnown } from './protection/differences.js';

const folder = path.join(root, 'test/oracles/protection');
const flags =
  '-O1 -ffreestanding -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -mgeneral-regs-only'
    .concat(' -mno-red-zone -nostdlib -w -Wl,--no-warn-rwx-segments -Wl,--build-id=none')
    .split(' ');
const noQemu = spawnSync('qemu-system-x86_64', ['--version']).error ? 'SKIPPED: no QEMU here' : false;

/** Compiles a kernel to an ELF file of 32 bits, which both sides load. */
function compile(scratch: Scratch, source: string, options: readonly string[]): string {
  const made = scratch.file('made');
  const out = scratch.file('kernel.elf');
  const script = `-Wl,-T,${path.join(folder, 'kernel.lds')}`;
  run('gcc', [...options, ...flags, script, '-o', made, path.join(folder, source)]);
  run('objcopy', ['-O', 'elf32-i386', made, out]);
  return out;
}

function run(program: string, args: string[]): void {
  const ran = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
}

function onSoft(file: string): string {
  let text = '';
  const image = parseImage(readFileSync(file), 'kernel.elf');
  using machine = createMachine({
    engine: 'soft',
    image,
    memory: 16 << 20,
    mode: 'protected',
    output: (chunk) => {
      text += Buffer.from(chunk).toString('latin1');
    },
  });
  const outcome = machine.run({ timeoutMs: 60_000 });
  assert.equal(outcome.kind, 'exited', `after: ${text.slice(-200)}`);
  return text;
}

function onQemu(file: string, scratch: Scratch): string {
  const log = scratch.file('log');
  // An Intel processor, because AMD's have no SYSENTER in long mode.
  const machine =
    '-accel tcg -cpu qemu64,vendor=GenuineIntel,+la57 -display none -nographic -serial none -monitor none -no-reboot -m 16'.split(
      ' ',
    );
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4'];
  const args = [...machine, '-kernel', file, '-debugcon', `file:${log}`, ...exit];
  const ran = spawnSync('qemu-system-x86_64', args, { timeout: 60_000 });
  assert.equal(ran.status, 1, String(ran.stderr));
  return readFileSync(log, 'latin1');
}

/** Compares word by word, so that a difference names its line and place. */
function compare(found: string, expected: string): string[] {
  const differ: string[] = [];
  const lines = found.split('\n');
  for (const [index, line] of expected.split('\n').entries()) {
    const [name = '', words = ''] = line.split(': ');
    const [ownName = '', ownWords = ''] = (lines[index] ?? '').split(': ');
    assert.equal(ownName, name);
    const seen = ownWords.split(' ');
    for (const [place, word] of words.split(' ').entries()) {
      const own = seen[place] ?? '';
      if (own !== word && !isKnown(name, own, word))
        differ.push(`${name} [${place}]: ${own}, and not ${word}`);
    }
  }
  return differ;
}

const kernels = [
  { mode: '32-bit mode', source: 'kernel.c', options: ['-m32'], recorded: 'expected.txt' },
  {
    mode: 'virtual-8086 mode, of tasks and breakpoints',
    source: 'modes.c',
    options: ['-m32'],
    recorded: 'expected-modes.txt',
  },
  { mode: 'long mode', source: 'long.c', options: ['-m64'], recorded: 'expected-long.txt' },
  {
    mode: 'long mode with 5-level paging',
    source: 'long.c',
    options: ['-m64', '-DLEVELS=5'],
    recorded: 'expected-levels.txt',
  },
] as const;

for (const { mode, source, options, recorded } of kernels) {
  describe(`protection in ${mode} is as in QEMU`, { skip: noGcc }, () => {
    const scratch = new Scratch();
    let file = '';
    let found = '';
    before(() => {
      file = compile(scratch, source, options);
      found = onSoft(file);
    });
    after(() => scratch[Symbol.dispose]());

    test('selectors, descriptors, gates and stacks have the recorded exceptions and values', () => {
      const expected = readFileSync(path.join(folder, recorded), 'latin1');
      assert.deepEqual(compare(found, expected).slice(0, 40), []);
    });

    test('and those of the installed QEMU', { skip: noQemu }, () => {
      assert.deepEqual(compare(found, onQemu(file, scratch)).slice(0, 40), []);
    });
  });
}
