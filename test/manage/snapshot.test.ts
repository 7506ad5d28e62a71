/**
 * `terrarium snapshot`: the state of a running machine, saved from another process; and files that cannot be written.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { connectMachine } from '../../src/manage/index.js';
import { hostMachine } from '../../src/runtime/index.js';
import { cli, ending, noKvm, Scratch, startTerrarium, terrarium, until } from '../support.js';
import { beside, clear, detach, echo, flood, image, scratch } from './named-machines.js';

after(() => scratch[Symbol.dispose]());

/** 1: inc %rcx; jmp 1b: a guest that never exits. */
const busy = image('busy.bin', 0x66, 0x41, 0xeb, 0xfc);

describe('terrarium snapshot', { skip: noKvm }, () => {
  afterEach(clear);

  for (const engine of ['soft', 'kvm'])
    test(`saves a machine that runs on ${engine}, which continues; its copy continues on the other engine`, async () => {
      detach('web', echo, '--engine', engine);
      using machine = await connectMachine('web');
      let said = '';
      using terminal = await machine.attach({
        onOutput: (bytes) => {
          said += Buffer.from(bytes).toString();
        },
      });
      await terminal.send(Buffer.from('one'));
      await until('the echo', () => said === 'one');
      const file = scratch.file('web.terra');
      const done = await beside('snapshot', 'web', file);
      assert.equal(done.status, 0, done.stderr);
      assert.match(done.stdout, /web\.terra: [\d,]+ bytes/);
      await terminal.send(Buffer.from('two'));
      await until('the echo', () => said === 'onetwo');
      const other = engine === 'kvm' ? 'soft' : 'kvm';
      const copy = startTerrarium(['run', '--from', file, '--engine', other]);
      let answered = '';
      copy.stdout!.setEncoding('utf8').on('data', (text) => {
        answered += text;
      });
      copy.stdin!.end('three');
      await until('the copy’s echo', () => answered === 'three');
      // It echoes without end.
      copy.kill('SIGINT');
      await ending(copy);
    });

  test('saves one that never exits, and one that prints without end', async () => {
    for (const [name, file] of [
      ['busy', busy],
      ['flood', flood],
    ] as const) {
      detach(name, file, '--engine', 'soft');
      using machine = await connectMachine(name);
      const before = (await machine.state()).exits;
      for (let n = 0; n < 3; n++) {
        const { bytes } = await machine.snapshot(scratch.file(`${name}${n}.terra`));
        assert.ok(bytes > 1000);
      }
      assert.ok((await machine.state()).exits >= before);
      // All request at once: they are answered one after the other.
      const all = await Promise.all([0, 1, 2, 3].map((n) => machine.snapshot(scratch.file(`all${n}.terra`))));
      assert.equal(all.length, 4);
    }
  });

  test('reports errors, and leaves nothing behind', async () => {
    detach('web', echo);
    using machine = await connectMachine('web');
    await assert.rejects(machine.snapshot(scratch.file('nowhere/x.terra')), /could not be written: ENOENT/);
    await assert.rejects(machine.snapshot('/dev/full'), {
      code: 'ETERRA',
      message: /\/dev\/full could not be written: no room for its [\d,]+ bytes \(ENOSPC\)/,
    });
    const none = terrarium(['snapshot', 'nobody', scratch.file('x.terra')]);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /no machine .*nobody/);
    assert.equal(terrarium(['snapshot', 'web', 'nowhere/x.terra']).status, 2);
    assert.equal((await machine.state()).state, 'running');
  });
});

describe('a hosted machine that runs', () => {
  test('is saved repeatedly in the middle of its run, and its run is the same as without', async () => {
    const bytes = readFileSync(busy);
    const run = async (saves: number) => {
      await using machine = await hostMachine({ image: bytes, mode: 'real', engine: 'soft' });
      const running = machine.run({ maxInstructions: 40_000_000 });
      const seen: number[] = [];
      for (let n = 0; n < saves; n++) seen.push((await machine.save()).instructions!);
      const { registers, kind } = await running;
      for (const [n, at] of seen.entries()) assert.ok(at >= (seen[n - 1] ?? 0) && at <= 40_000_000);
      return { kind, rcx: registers.rcx };
    };
    assert.deepEqual(await run(20), await run(0));
  });

  test('is not saved while a debugger runs it', async () => {
    await using machine = await hostMachine({
      image: readFileSync(busy),
      mode: 'real',
      engine: 'soft',
      debug: true,
    });
    const target = machine.debugTarget();
    const stopped = target.resume();
    await assert.rejects(machine.save(), /running, under a debugger/);
    await target.interrupt();
    await stopped;
    assert.ok((await machine.save()).state);
  });
});

describe('a disk that is full', () => {
  // A limit on the size of files, which the kernel enforces as it does a disk's end.
  const limited = (words: string) =>
    spawnSync('sh', ['-c', `trap '' XFSZ; ulimit -f 4; exec "${process.execPath}" "${cli}" ${words}`], {
      encoding: 'utf8',
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    });

  test('ends a recording with an error, leaves no part of a file, and does not change an older one', () => {
    using folder = new Scratch();
    const guest = folder.file('noise.bin');
    const noise = Buffer.alloc(60_000);
    for (let i = 0; i < noise.length; i++) noise[i] = Math.floor(Math.random() * 256);
    noise[0] = 0xf4;
    writeFileSync(guest, noise);
    for (const option of ['--record', '--save']) {
      const file = folder.file('it.terra');
      writeFileSync(file, 'an older file');
      const done = limited(`run "${guest}" --mode real --engine soft ${option} "${file}"`);
      assert.equal(done.status, 2, done.stderr);
      assert.match(done.stderr, /it\.terra could not be written: no room for its [\d,]+ bytes \(EFBIG\)/);
      assert.match(done.stderr, /no part of it is left/);
      assert.equal(readFileSync(file, 'utf8'), 'an older file');
      assert.deepEqual(
        readdirSync(path.dirname(file)).filter((name) => name.includes('part')),
        [],
      );
    }
    assert.ok(existsSync(guest));
  });
});
