/** SIMVIRTIO with real guests and real threads: by exits and by polling. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { notifications } from '../../src/devices/index.js';
import { compileSource } from '../../src/runtime/images/toolchain.js';
import {
  createMachine,
  drainPool,
  type HostedMachine,
  hostMachine,
  loadImage,
} from '../../src/runtime/index.js';
import { holdings, noGcc, noKvm, root, Scratch, terrarium } from '../support.js';

const guest = (name: string) => path.join(root, 'guests', name);

/** A hosted machine that runs a guest folder, and its output. */
async function host(name: string, notification: (typeof notifications)[number]) {
  const { image, spec } = loadImage(guest(name));
  const machine = await hostMachine({ ...spec, image, simvirtio: notification });
  const printed = { text: '' };
  machine.onOutput((bytes) => {
    printed.text += Buffer.from(bytes).toString('latin1');
  });
  return { machine, printed };
}

describe('SIMVIRTIO on a real machine', { skip: noKvm }, () => {
  for (const how of notifications) {
    test(`by ${how}, does the handshake of the assignment and prints the message`, () => {
      const expectations = ['rax=42', 'mem64[0x400]=42', 'console="Ana are mere\\n"'];
      const done = terrarium([
        'run',
        guest('simvirtio-hello'),
        '--simvirtio',
        how,
        ...expectations.flatMap((expectation) => ['--expect', expectation]),
      ]);
      assert.equal(done.stderr.includes('expected'), false, done.stderr);
      assert.equal(done.stdout, 'Ana are mere\n');
      assert.equal(done.status, 0);
    });

    test(`by ${how}, echoes 13,000 bytes through full queues, resets, and reports the counts`, async () => {
      const { machine, printed } = await host('simvirtio-echo', how);
      await using _ = machine;
      const { kind, registers, exits, simvirtio } = await machine.run({ timeoutMs: 60_000 });
      assert.deepEqual([kind, registers.rax], ['halted', 42n]);
      assert.equal(printed.text, 'back from the monitor\n');
      const [console, echo, sink] = simvirtio!.devices;
      const text = printed.text.length;
      assert.deepEqual(
        [console!.transmitted, echo!.transmitted, echo!.received],
        [text, 13_000 + text, 13_000 + text],
      );
      assert.deepEqual([console!.phase, echo!.phase, sink!.phase], ['ready', 'ready', 'reset']);
      // With polling only the guest's HLT is an exit; with exits each byte that it sends or takes.
      if (how === 'polling') assert.equal(exits, 1);
      else assert.ok(exits > 2 * 13_000, `${exits} exits`);
    });

    test(`by ${how}, also works on one thread`, () => {
      let text = '';
      using machine = createMachine({
        image: guest('simvirtio-hello'),
        simvirtio: how,
        output: (bytes) => {
          text += Buffer.from(bytes).toString();
        },
      });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(text, 'Ana are mere\n');
    });
  }

  test('is absent by default: the guest finds no device', () => {
    const done = terrarium([
      'run',
      path.join(guest('simvirtio-hello'), 'simvirtio-hello.elf'),
      '--expect',
      'rax=1',
    ]);
    assert.equal(done.stdout, '');
    assert.equal(done.status, 0, done.stderr);
  });

  test('lists the valid values where --simvirtio or guest.json has another one', () => {
    assert.match(terrarium(['run', guest('hello'), '--simvirtio', 'magic']).stderr, /exits.*polling/);
    using scratch = new Scratch();
    writeFileSync(scratch.file('guest.json'), '{ "image": "x", "simvirtio": "magic" }');
    const done = terrarium(['run', scratch.path]);
    assert.equal(done.status, 2);
    assert.match(done.stderr, /"simvirtio": 'magic' is not one of exits, polling/);
  });

  test('by polling, ends when its guest is stopped, 50 times in a row, and leaves no thread behind', async () => {
    const endless = loadImage(guest('simvirtio-speed'));
    const life = async () => {
      await using machine = await hostMachine({
        image: endless.image,
        memory: 2 ** 21,
        simvirtio: 'polling',
      });
      machine.onOutput(() => {});
      // More bytes than the test waits for.
      machine.memory.write64(0x500, 1n << 60n);
      for (let i = 0; i < 10; i++) {
        const running = machine.run();
        await new Promise((resolve) => setTimeout(resolve, 1 + (i % 3)));
        await machine.stop();
        assert.equal((await running).kind, 'stopped');
      }
    };
    await life();
    await drainPool();
    const before = holdings();
    for (let i = 0; i < 4; i++) await life();
    await drainPool();
    assert.equal(holdings().threads, before.threads);
    assert.equal(holdings().fds, before.fds);
  });
});

/** A guest that floods the console device and never halts. */
const FLOOD = `
#include "io.h"
#include "simvirtio.h"
void _start(void)
{
    simqueue_t tx, rx;
    if (device_setup(DEVICE(CONSOLE_DEVICE), &tx, &rx) != 0) halt(1);
    for (;;) queue_send(&tx, 'x');
}
`;

/**
 * A guest that repeatedly writes false values to every field of every device and to the table, then does the handshake
 * and greets.
 */
const LIAR = `
#include "io.h"
#include "simvirtio.h"
static const char text[] = "honest in the end";
void _start(void)
{
    uint32_t random = 12345;
    simqueue_t tx, rx;
    for (unsigned i = 0; i < 2000; i++) {
        random = random * 1664525 + 1013904223;
        volatile uint32_t *words = (volatile uint32_t *)DEVICE(random >> 30 == 3 ? 0 : random >> 30);
        words[(random >> 8) % 34] = (random & 64) != 0 ? random : random & 15;
        if (i % 16 == 0) ((volatile uint32_t *)DEVICE_TABLE)[(random >> 8) % 22] = random;
    }
    for (unsigned n = 0; n < 3; n++) device_reset(DEVICE(n));
    if (device_setup(DEVICE(CONSOLE_DEVICE), &tx, &rx) != 0) halt(1);
    for (unsigned i = 0; i < sizeof(text) - 1; i++) queue_send(&tx, text[i]);
    halt(42);
}
`;

describe('SIMVIRTIO and a hostile guest', { skip: noKvm || noGcc }, () => {
  const compile = (scratch: Scratch, name: string, source: string) => {
    writeFileSync(scratch.file(`${name}.c`), source);
    const { bytes } = compileSource(scratch.file(`${name}.c`), { mode: 'long' });
    const file = scratch.file(`${name}.elf`);
    writeFileSync(file, bytes);
    return file;
  };

  for (const how of notifications) {
    test(`by ${how}, stops a flood while its output is not read, and can be stopped`, async () => {
      using scratch = new Scratch();
      const { image } = loadImage(compile(scratch, 'flood', FLOOD));
      const machine: HostedMachine = await hostMachine({ image, simvirtio: how });
      await using _ = machine;
      let taken = 0;
      // A reader that takes one chunk, and nothing more until the end.
      let release = () => {};
      const standing = new Promise<void>((resolve) => {
        release = resolve;
      });
      machine.onOutput((bytes) => {
        taken += bytes.length;
        return standing;
      });
      const running = machine.run();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = taken;
      assert.ok(before <= 256 * 1024);
      const stopped = machine.stop();
      release();
      await stopped;
      assert.equal((await running).kind, 'stopped');
    });

    test(`by ${how}, survives false values in every field and works after a reset`, () => {
      using scratch = new Scratch();
      const file = compile(scratch, 'liar', LIAR);
      const done = terrarium(['run', file, '--simvirtio', how, '--timeout', '60s', '--expect', 'rax=42']);
      assert.equal(done.status, 0, done.stderr);
      assert.ok(done.stdout.endsWith('honest in the end'), done.stdout.slice(-40));
    });
  }
});

describe('terrarium bench simvirtio', { skip: noKvm }, () => {
  test('compares exits with polling as a table, as JSON and as a plot', () => {
    using scratch = new Scratch();
    const svg = scratch.file('profile.svg');
    const done = terrarium(['bench', 'simvirtio', '--rounds', '1', '--json', '--svg', svg]);
    assert.equal(done.status, 0, done.stderr);
    const rows = JSON.parse(done.stdout) as Record<string, number | string | null>[];
    for (const how of notifications) {
      const own = rows.filter(({ notification }) => notification === how);
      assert.deepEqual(
        own.map(({ batch }) => batch),
        [1, 4, 16, 64, 256, 1024],
      );
      // Seven writes of the handshake and the HLT; with exits one more per announcement.
      for (const { exits } of own)
        assert.ok(how === 'polling' ? exits === 1 : Number(exits) >= 300, String(exits));
    }
    const table = terrarium(['bench', 'simvirtio', '--rounds', '1', '--ring', '0']);
    assert.equal(table.status, 0, table.stderr);
    assert.match(
      Buffer.from(table.stdout, 'latin1').toString(),
      /^by +bytes a time +bytes +exits +µs an exit +bytes\/s/,
    );
  });
});
