/** Thousands of page-table entries with random bits: the software CPU has the same results as QEMU. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noGcc, root, Scratch } from '../support.js';

/** SHA-256 of the output of QEMU 7.2.22, after `asTheManual`: it is compared where there is no QEMU. */
const GOLDEN = '6cf6e5bd0b28926029638c8451f4b5fc0e576dbb1f136bca0379d79f530da25b';
const noQemu = spawnSync('qemu-system-x86_64', ['--version']).status !== 0;

function compile(scratch: Scratch): string {
  const image = scratch.file('page-shapes.elf');
  const flags =
    '-m32 -O1 -ffreestanding -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -fno-toplevel-reorder -nostdlib -static -mno-sse -Wl,-Ttext=0x100000 -Wl,--build-id=none'.split(
      ' ',
    );
  execFileSync('gcc', [...flags, '-o', image, path.join(root, 'test/guests/page-shapes.c')]);
  return image;
}

/** The output of QEMU's TCG for the same image. Physical addresses also have 40 bits there. */
function onQemu(image: string, scratch: Scratch): string {
  const output = scratch.file('qemu.txt');
  const machine = '-accel tcg -m 16 -display none -nodefaults -no-reboot';
  const cpu = '-cpu qemu64,+smep,+smap,+pdpe1gb,+la57,phys-bits=40';
  const devices = `-debugcon file:${output} -device isa-debug-exit,iobase=0xf4,iosize=4`;
  spawnSync('qemu-system-x86_64', [...`${machine} ${cpu} ${devices} -kernel`.split(' '), image], {
    timeout: 60_000,
  });
  return readFileSync(output, 'latin1');
}

/** QEMU leaves out P where a reserved bit is set; by the SDM the error code always has both (3A 5.7). */
function asTheManual(results: string): string {
  return results.replace(/\b0e(..)/g, (_all, code: string) => {
    const bits = Number.parseInt(code, 16);
    return `0e${(bits & 8 ? bits | 1 : bits).toString(16).padStart(2, '0')}`;
  });
}

describe('page tables', { skip: noGcc }, () => {
  test('12,000 shapes in four paging modes: exceptions, error codes, CR2, accessed and dirty bits', (t) => {
    using scratch = new Scratch();
    const image = compile(scratch);
    let ours = '';
    using machine = createMachine({
      engine: 'soft',
      image: parseImage(readFileSync(image), 'page-shapes.elf'),
      memory: 16 * 1024 * 1024,
      output: (chunk) => {
        ours += Buffer.from(chunk).toString('latin1');
      },
    });
    machine.run({ timeoutMs: 60_000 });
    if (noQemu) t.diagnostic('no qemu-system-x86_64 here: compared with what it printed elsewhere');
    else assert.deepEqual(ours.split('\n'), asTheManual(onQemu(image, scratch)).split('\n'));
    assert.equal(createHash('sha256').update(ours).digest('hex'), GOLDEN);
  });
});
