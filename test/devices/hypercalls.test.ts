/** Hypercalls on the real CPU: from 16, 32 and 64 bits, on this thread and on another, with custom calls. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseImage } from '../../src/boot/index.js';
import { createMachine, hostMachine, loadImage } from '../../src/runtime/index.js';
import { compileTestGuest } from '../guests/catalogue.js';
import { noGcc, noKvm, Scratch, terrarium, until } from '../support.js';

describe('hypercalls from a guest', { skip: noKvm || noGcc }, () => {
  for (const mode of ['real', 'protected', 'long'] as const) {
    test(`from ${mode} mode: writes, custom calls and their errors`, () => {
      let console = '';
      const asked: unknown[] = [];
      using machine = createMachine({
        image: compileTestGuest(mode === 'real' ? 'hypercall-real' : 'hypercall', mode),
        mode,
        output: (bytes) => {
          console += Buffer.from(bytes).toString('latin1');
        },
        hypercalls: {
          calls: {
            64: {
              name: 'ask',
              handle({ number, args }) {
                asked.push([number, ...args]);
                return 42;
              },
            },
          },
        },
      });
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(console, 'by hypercall\n');
      assert.deepEqual(asked, [[64, 1n, 2n, 3n, 4n]]);
      assert.deepEqual([outcome.kind, outcome.code], ['exited', 42], outcome.reason);
      assert.equal(outcome.registers.rbx & 0xffffn, 0xffdan, 'the status of an unknown call is -38');
    });
  }
});

describe('hypercalls of a hosted machine', { skip: noKvm }, () => {
  test('log lines separately from the console, and drop them without a log', async () => {
    const { image, spec } = loadImage('guests/hypercalls');
    for (const wanted of [true, false]) {
      await using machine = await hostMachine({ image, ...spec });
      let log = '';
      let console = '';
      machine.onOutput((bytes) => {
        console += Buffer.from(bytes).toString('latin1');
      });
      if (wanted) {
        machine.onLog((bytes) => {
          log += Buffer.from(bytes).toString('utf8');
        });
      }
      const running = machine.run({ timeoutMs: 60_000 });
      await machine.send(Buffer.from('Ada\n'));
      assert.equal((await running).kind, 'exited');
      assert.match(console, /And you\?\nHello, Ada\n$/);
      assert.match(log, wanted ? /^random: [\da-f]{16}\n$/ : /^$/);
    }
  });

  test('that log without end wait for a slow reader, take no more memory, and can be stopped', {
    skip: noGcc,
  }, async () => {
    const image = parseImage(compileTestGuest('log-flood', 'real'), 'log-flood');
    await using machine = await hostMachine({ image, mode: 'real' });
    let taken = 0;
    machine.onLog(async (bytes) => {
      taken += bytes.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    const before = process.memoryUsage.rss();
    const running = machine.run();
    await until('the log', () => taken >= 64 * 1024);
    const takenBefore = taken;
    await machine.stop();
    const outcome = await running;
    assert.equal(outcome.kind, 'stopped');
    // A call has 1,000 bytes, and bytes that the reader has not read yet wait between the threads.
    assert.ok(outcome.exits * 1000 - takenBefore < 2 ** 21, `${outcome.exits} calls, ${takenBefore} bytes`);
    assert.ok(process.memoryUsage.rss() - before < 20e6);
  });

  test('can be calls of a module, which is named where it is invalid', { skip: noGcc }, async () => {
    using scratch = new Scratch();
    const file = scratch.file('calls.mjs');
    writeFileSync(
      file,
      "export default ({ answer }) => ({ 64: { name: 'ask', handle: ({ args }) => answer + args[3] } });",
    );
    const { image } = loadImage('test/guests/hypercall.S', { mode: 'long' });
    const module = pathToFileURL(file).href;
    await using machine = await hostMachine({
      image,
      mode: 'long',
      hypercalls: { module, options: { answer: 3n } },
    });
    const outcome = await machine.run({ timeoutMs: 60_000 });
    assert.deepEqual([outcome.kind, outcome.code], ['exited', 7], outcome.reason);
    writeFileSync(scratch.file('empty.mjs'), '');
    const empty = { module: pathToFileURL(scratch.file('empty.mjs')).href };
    await assert.rejects(hostMachine({ image, mode: 'long', hypercalls: empty }), {
      code: 'ECONFIG',
      message: /empty\.mjs has no function as its default export/,
    });
  });
});

describe('hypercalls of terrarium run', { skip: noKvm }, () => {
  test("read stdin, write stdout, and log to stderr under the guest's name", () => {
    const done = terrarium(['run', 'guests/hypercalls'], { input: 'Grace\n' });
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /Hello, Grace\n$/);
    assert.match(done.stderr, /^guest: random: [\da-f]{16}\nterrarium: /);
  });
});
