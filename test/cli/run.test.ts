/** `terrarium run` as people and scripts use it: a process with a console, options and an exit status. */
import assert from 'node:assert/strict';
import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  cli,
  ending,
  hasPrinted,
  noGcc,
  noKvm,
  root,
  Scratch,
  sleeps,
  startTerrarium,
  terrarium,
} from '../support.js';

/** Writes a flat image and returns its path. */
function flat(scratch: Scratch, name: string, ...bytes: number[]): string {
  const file = scratch.file(name);
  writeFileSync(file, new Uint8Array(bytes));
  return file;
}

const HLT = 0xf4;
const endless = [0xeb, 0xfe];

describe('terrarium run', { skip: noKvm }, () => {
  test('writes the console to stdout and one line about the end to stderr', () => {
    const done = terrarium(['run', 'guests/lj-kernel2']);
    assert.equal(done.stdout, 'Hello\n');
    assert.match(done.stderr, /^terrarium: kvm: halted after \d+ exits?.* in [\d.]+ /);
    assert.equal(done.stderr.trimEnd().split('\n').length, 1);
    assert.equal(done.status, 0);
  });

  test('ends an unfinished line of the console before its own, where both go to the same file', () => {
    using scratch = new Scratch();
    // mov $'A',%al; out %al,$0xe9; hlt
    const image = flat(scratch, 'a.bin', 0xb0, 0x41, 0xe6, 0xe9, HLT);
    const words = `"$0" ${cli} run ${image} --mode real`;
    const shell = (line: string) => spawnSync('bash', ['-c', line, process.execPath], { encoding: 'utf8' });
    assert.match(shell(`${words} 2>&1 | cat`).stdout, /^A\nterrarium: .*\n$/);
    assert.match(
      shell(`${words} > ${scratch.file('both')} 2>&1; cat ${scratch.file('both')}`).stdout,
      /^A\nt/,
    );
    const { stdout, stderr } = shell(words);
    assert.equal(stdout, 'A');
    assert.match(stderr, /^terrarium: /);
  });

  test('prints only the console with --quiet', () => {
    assert.equal(terrarium(['run', 'guests/lj-kernel2', '--quiet']).stderr, '');
  });

  test('starts no compiler for a built guest', () => {
    using scratch = new Scratch();
    const asked = scratch.file('asked');
    for (const name of ['gcc', 'x86_64-linux-gnu-gcc'])
      writeFileSync(scratch.file(name), `#!/bin/sh\necho $@ >> ${asked}\nexit 1\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${path.dirname(asked)}:${process.env.PATH}` };
    const run = (guest: string) =>
      spawnSync(process.execPath, [cli, 'run', guest], { env, encoding: 'utf8' });
    // An ELF file, and a flat one whose source would be compiled again for its symbols.
    assert.equal(run('guests/hello').status, 0);
    assert.equal(run('guests/lj-kernel2').status, 0);
    assert.equal(existsSync(asked), false);
    assert.notEqual(run('guests/lj-kernel2/kernel2.S').status, 0);
    assert.ok(existsSync(asked), 'the compiler of this test was not the one that is asked');
  });

  test('keeps the console binary-clean, all 256 bytes, in both directions', () => {
    using scratch = new Scratch();
    // 1: mov $0x3fd,%dx; in %dx,%al; test $1,%al; jz 1b; mov $0x3f8,%dx; in %dx,%al; out %al,%dx; inc %bx; cmp $256,%bx; jne 1b; hlt
    const echo = flat(
      scratch,
      'echo.bin',
      0xba,
      0xfd,
      0x03,
      0xec,
      0xa8,
      0x01,
      0x74,
      0xf8,
      0xba,
      0xf8,
      0x03,
      0xec,
      0xee,
      0x43,
      0x81,
      0xfb,
      0x00,
      0x01,
      0x75,
      0xec,
      HLT,
    );
    const input = Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 7) & 0xff));
    const done = terrarium(['run', echo, '--mode', 'real', '--timeout', '60s'], { input });
    assert.equal(done.status, 0, done.stderr);
    assert.equal(done.stdout, input.toString('latin1'));
  });

  test("ends with the guest's own code", () => {
    using scratch = new Scratch();
    for (const code of [0, 1, 42, 255]) {
      const guest = flat(scratch, `exit${code}.bin`, 0xb0, code, 0xe6, 0xf4, ...endless);
      assert.equal(terrarium(['run', guest]).status, code);
    }
  });

  test('checks expectations and reports the found values', () => {
    const good = terrarium(['run', 'guests/so2-16bit', '--expect', 'rax=42', '--expect', 'mem64[0x400]=42']);
    assert.equal(good.status, 0, good.stderr);
    const bad = terrarium(['run', 'guests/so2-16bit', '--expect', 'rax=43', '--expect', 'mem8[0x400]=0x2a']);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /rax=43.*43.*42/s);
  });

  test('ends an endless guest: by time with 124, by exits with 124', () => {
    using scratch = new Scratch();
    const spin = flat(scratch, 'spin.bin', ...endless);
    const late = terrarium(['run', spin, '--timeout', '200ms']);
    assert.equal(late.status, 124);
    assert.match(late.stderr, /still running after 200 ms, at cs:rip 0:0/);
    const chatty = flat(scratch, 'chatty.bin', 0xe6, 0x80, 0xeb, 0xfc);
    const counted = terrarium(['run', chatty, '--max-exits', '10']);
    assert.equal(counted.status, 124);
    assert.match(counted.stderr, /stopped after 10 exits/);
    assert.match(counted.stderr, /nothing answers port 0x80: the guest wrote it 10 times/);
  });

  test('ends with 3 and the registers on a triple fault', { skip: noGcc }, () => {
    const guest = 'test/guests/triple-fault-protected.S';
    const done = terrarium(['run', guest, '--mode', 'protected', '--timeout', '60s']);
    assert.equal(done.status, 3, done.stderr);
    assert.match(done.stderr, /shut down \(triple fault\)/);
    assert.match(done.stderr, /rip/i);
  });

  test('writes each exit as a line with --trace, to stderr or a file', () => {
    using scratch = new Scratch();
    const file = scratch.file('trace.txt');
    const done = terrarium(['run', 'guests/lj-kernel2', `--trace=${file}`]);
    assert.equal(done.status, 0, done.stderr);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 1 + 7, 'a header, six characters, HLT');
    assert.ok(lines.slice(1, 7).every((line) => /out +0x00f1/.test(line) && /pseudo-serial/.test(line)));
    assert.match(lines[7]!, /halt/);
    const shown = terrarium(['run', 'guests/lj-kernel2', '--trace']).stderr;
    assert.match(Buffer.from(shown, 'latin1').toString(), /out +0x00f1.* out 0xf1,al +console ← 0x48: 'H'$/m);
    const nowhere = terrarium(['run', 'guests/lj-kernel2', '--trace=/nowhere/at/all']);
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /--trace: the folder \/nowhere\/at of .* does not exist/);
  });

  test('counts exits with --stat, and puts the whole outcome into --report', () => {
    using scratch = new Scratch();
    const file = scratch.file('report.json');
    const done = terrarium([
      'run',
      'guests/lj-kernel2',
      '--stat',
      '--no-coalesce',
      '--report',
      file,
      '--expect',
      'al=10',
    ]);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stderr, /pseudo-serial/);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(report.outcome.kind, 'halted');
    assert.equal(report.outcome.exits, 7);
    assert.equal(BigInt(report.outcome.registers.rax) & 0xffn, 10n);
    assert.equal(report.boot.mode, 'reset');
    assert.equal(report.expectations[0].ok, true);
    assert.equal(report.status, 0);
  });

  test('loads the user’s devices and hypercalls, and reports errors in their modules', () => {
    using scratch = new Scratch();
    const module = (name: string, text: string) => {
      writeFileSync(scratch.file(name), text);
      return scratch.file(name);
    };
    // in $0xd1,%al; out %al,$0xe9; hlt
    const guest = flat(scratch, 'ask.bin', 0xe4, 0xd1, 0xe6, 0xe9, HLT);
    const device = module(
      'a.mjs',
      `export default () => ({ name: 'a', ports: [{ first: 0xd1, count: 1 }], readPort: () => 65 });`,
    );
    const done = terrarium(['run', guest, '--device', device, '--stat']);
    assert.equal(done.stdout, 'A', done.stderr);
    assert.match(done.stderr, /io in +0x00d1 +a /);
    const empty = module('empty.mjs', 'export const nothing = 1;');
    for (const [option, file, complaint] of [
      [
        '--device',
        empty,
        /device module .*empty\.mjs has no function as its default export\n {2}export default/,
      ],
      [
        '--device',
        scratch.file('none.mjs'),
        /device module .*none\.mjs could not be loaded: Cannot find module/,
      ],
      ['--hypercalls', empty, /hypercall module .*empty\.mjs has no function as its default export/],
    ] as const) {
      const bad = terrarium(['run', guest, option, file]);
      assert.equal(bad.status, 2, bad.stderr);
      assert.match(bad.stderr, complaint);
    }
    const calls = module('calls.mjs', `export default () => ({ 64: { name: 'six', handle: () => 6 } });`);
    assert.equal(terrarium(['run', guest, '--device', device, '--hypercalls', calls]).status, 0);
  });

  test('shows examples first in every help text', () => {
    for (const args of [['--help'], ['run', '--help'], ['doctor', '--help']]) {
      const { stdout, status } = terrarium(args);
      assert.equal(status, 0);
      assert.match(stdout, /^Examples:\n {2}\$ terrarium /);
    }
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`stops the guest on ${signal} and reports its place`, async () => {
      using scratch = new Scratch();
      const shout = flat(scratch, 'shout.bin', 0xb0, 0x21, 0xe6, 0xe9, ...endless);
      const child = startTerrarium(['run', shout]);
      let stderr = '';
      child.stderr!.on('data', (text) => {
        stderr += text;
      });
      await hasPrinted(child);
      child.kill(signal);
      const [code] = await ending(child);
      assert.equal(code, status);
      assert.match(stderr, /stopped from outside, at cs:rip 0:4/);
      // After Ctrl-C no registers are shown.
      assert.doesNotMatch(stderr, /rflags/i);
    });
  }

  test('survives SIGINT and SIGTERM at any moment', async () => {
    using scratch = new Scratch();
    const spin = flat(scratch, 'spin.bin', ...endless);
    for (let delay = 0; delay <= 120; delay += 12) {
      const child = startTerrarium(['run', spin]);
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill(delay % 24 === 0 ? 'SIGINT' : 'SIGTERM');
      const [code, signal] = await ending(child);
      assert.ok(code === 130 || code === 143 || signal !== null, `after ${delay} ms: ${code} ${signal}`);
    }
  });

  test('ends on SIGINT even when its output is not read', async () => {
    using scratch = new Scratch();
    const flood = flat(scratch, 'flood.bin', 0xe6, 0xe9, 0xeb, 0xfc);
    const child = startTerrarium(['run', flood]);
    await hasPrinted(child);
    // The pipe is full, and the ring before it too: the guest waits.
    await sleeps(child);
    child.kill('SIGINT');
    assert.deepEqual(await ending(child), [130, null]);
  });

  test('ends at once on the second SIGINT, even if it is blocked', async () => {
    using scratch = new Scratch();
    const flood = flat(scratch, 'flood.bin', 0xe6, 0xe9, 0xeb, 0xfc);
    const child = startTerrarium(['run', flood]);
    await hasPrinted(child);
    await sleeps(child);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const [code, signal] = await ending(child);
    assert.ok(code === 130 || code === 143, `${code} ${signal}`);
  });

  test('reports when the output of any command does not fit on the disk', () => {
    const full = openSync('/dev/full', 'w');
    const options: SpawnSyncOptionsWithStringEncoding = { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' };
    const { status, stderr } = spawnSync(process.execPath, [cli, '--version'], options);
    closeSync(full);
    assert.deepEqual([status, stderr], [4, 'terrarium: stdout cannot be written: ENOSPC\n']);
  });

  test('ends quietly when the reader of its help ends', () => {
    for (const words of ['--help', 'run --help', 'trace --help', 'doctor']) {
      // The reader ends before anything is written.
      const line = `"$0" "$1" ${words} | true; echo "\${PIPESTATUS[0]}"`;
      const done = spawnSync('bash', ['-c', line, process.execPath, cli], { encoding: 'utf8', cwd: root });
      assert.equal(done.stderr, '', words);
      assert.match(done.stdout, /^(141|0)\n$/, words);
    }
  });

  test('shows defaults as users write them, not as they are stored', () => {
    const help = (command: string) => terrarium([command, '--help']).stdout.replace(/\s+/g, ' ');
    assert.match(help('attach'), /--detach-key .*\(default: ctrl-\]\) --replay .*\(default: 4K\)/);
    assert.match(help('stop'), /--grace <duration> kill a process that takes longer to end \(default: 5s\)/);
    assert.match(help('stat'), /--interval <duration> time between two samples: 500ms, 2s \(default: 1s\)/);
  });

  test('ends quietly when its reader ends, as in `| head -1`', async () => {
    using scratch = new Scratch();
    // 1: mov $'a',%al; out %al,$0xe9; mov $10,%al; out %al,$0xe9; jmp 1b
    const flood = flat(scratch, 'flood.bin', 0xb0, 0x61, 0xe6, 0xe9, 0xb0, 0x0a, 0xe6, 0xe9, 0xeb, 0xf6);
    const child = startTerrarium(['run', flood, '--quiet']);
    let stderr = '';
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.stdout!.destroy();
    assert.deepEqual(await ending(child), [141, null]);
    assert.equal(stderr, '');
  });
});
