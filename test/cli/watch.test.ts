/** `run --watch`: builds and runs again when a source changes, and ends with Ctrl-C. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { cli, ending, HANGS_MS, Scratch } from '../support.js';

const saying = (letter: string) =>
  `.code16\n.globl _start\n_start: mov $'${letter}', %al\n out %al, $0xe9\n cli\n hlt\n`;

/** A watching run and its output; in a separate process group, as a shell makes one. */
function watching(scratch: Scratch, words: readonly string[]) {
  const child = spawn(process.execPath, [cli, 'run', ...words, '--watch', '--engine', 'soft'], {
    cwd: scratch.path,
    env: { ...process.env, NO_COLOR: '1' },
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout!.on('data', (bytes) => {
    said.stdout += bytes;
  });
  child.stderr!.on('data', (bytes) => {
    said.stderr += bytes;
  });
  return { child, said };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const limit = performance.now() + HANGS_MS; !holds(); await pause(10))
    assert.ok(performance.now() < limit, what);
}

/** Ctrl-C reaches every process of the group. */
async function interrupt(child: ChildProcess): Promise<number | null> {
  const ended = ending(child);
  process.kill(-child.pid!, 'SIGINT');
  const [status, signal] = await ended;
  return signal === 'SIGINT' ? 130 : status;
}

const waits = ({ stderr }: { stderr: string }) => stderr.split('waiting for a change').length - 1;

describe('run --watch', () => {
  test('runs again when the source changes, also after one that does not compile', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.S'), saying('A'));
    const { child, said } = watching(scratch, ['k.S', '--mode', 'real']);
    await until('the first run', () => waits(said) === 1);
    assert.equal(said.stdout, 'A');
    writeFileSync(scratch.file('k.S'), 'not an instruction\n');
    await until('the error', () => waits(said) === 2);
    assert.match(said.stderr, /k\.S/);
    writeFileSync(scratch.file('k.S'), saying('B'));
    await until('the next run', () => waits(said) === 3);
    assert.equal(said.stdout, 'AB');
    assert.equal(await interrupt(child), 130);
  });

  test('ends a current run, and begins the next; a change of an unrelated file is ignored', async () => {
    using scratch = new Scratch();
    mkdirSync(scratch.file('guest'));
    writeFileSync(scratch.file('guest/guest.json'), '{ "image": "k.S", "mode": "real" }');
    writeFileSync(scratch.file('guest/k.S'), `${saying('A').replace(/ cli\n hlt\n/, '1: jmp 1b\n')}`);
    const { child, said } = watching(scratch, ['guest']);
    await until('the first run', () => said.stdout === 'A');
    writeFileSync(scratch.file('guest/notes.txt'), 'nothing');
    writeFileSync(scratch.file('guest/k.S'), saying('B'));
    await until('the next run', () => waits(said) === 1);
    assert.equal(said.stdout, 'AB');
    assert.equal(await interrupt(child), 130);
  });

  test('ends with Ctrl-C while the guest runs', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.S'), `${saying('A').replace(/ cli\n hlt\n/, '1: jmp 1b\n')}`);
    const { child, said } = watching(scratch, ['k.S', '--mode', 'real']);
    await until('the first run', () => said.stdout === 'A');
    assert.equal(await interrupt(child), 130);
  });
});
