/**
 * Segment checks, gates and privileges against another implementation: test/protection/kernel.c tries thousands of
 * descriptors and selectors and writes what each gave. QEMU's TCG is the other side, live where it is installed, else as
 * recorded in expected.txt (by QEMU 7.2).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { parseImage } from '../src/boot/index.js';
import { createMachine } from '../src/host/index.js';
import { isKnown } from './protection/differences.js';
import { noGcc, root, Scratch } from './support.js';

const folder = path.join(root, 'test/protection');
const flags = '-m32 -O1 -ffreestanding -fno-pic -no-pie -fno-stack-protector -fcf-protection=none'.split(' ');
const noQemu = spawnSync('qemu-system-x86_64', ['--version']).error ? 'SKIPPED: no QEMU here' : false;

function compile(scratch: Scratch): string {
  const out = scratch.file('kernel.elf');
  const script = `-Wl,-T,${path.join(folder, 'kernel.lds')}`;
  const args = [...flags, '-mgeneral-regs-only', '-nostdlib', '-w', '-Wl,--no-warn-rwx-segments', script];
  const made = spawnSync('gcc', [...args, '-o', out, path.join(folder, 'kernel.c')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return out;
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
  const outcome = machine.run({ timeoutMs: 20_000 });
  assert.equal(outcome.kind, 'exited', `after: ${text.slice(-200)}`);
  return text;
}

function onQemu(file: string, scratch: Scratch): string {
  const log = scratch.file('log');
  const machine = '-accel tcg -display none -nographic -serial none -monitor none -no-reboot -m 16'.split(
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

describe('protection in 32-bit mode is as in QEMU', { skip: noGcc }, () => {
  const scratch = new Scratch();
  let file = '';
  let found = '';
  before(() => {
    file = compile(scratch);
    found = onSoft(file);
  });

  test('selectors, descriptors, gates, stacks and limits give the recorded exceptions and values', () => {
    const expected = readFileSync(path.join(folder, 'expected.txt'), 'latin1');
    assert.deepEqual(compare(found, expected).slice(0, 40), []);
  });

  test('and those of the QEMU that is installed', { skip: noQemu }, () => {
    assert.deepEqual(compare(found, onQemu(file, scratch)).slice(0, 40), []);
  });
});
