/** Forks and restored snapshots: independent machines in the state of another one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { ByteSource } from '../../src/devices/contract/index.js';
import { decodeTerra, encodeTerra, Machine } from '../../src/index.js';
import { createMachine, hostMachine, type MachineOptions } from '../../src/runtime/index.js';
import { hashOf } from '../guests/all-inputs.js';
import { compileTestGuest, noCompiler } from '../guests/catalogue.js';
import { noKvm, Scratch } from '../support.js';

/** Forks that exist at the same time. */
const FORKS = 1000;
/** The limit of their host memory together: a few hundred pages each. */
const MOST_BYTES = 2 * 2 ** 30;

const engines = [
  ['soft', false],
  ['kvm', noKvm],
] as const;

function typed(text: string): ByteSource {
  const bytes = [...Buffer.from(text)];
  return {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
}

/** A guest that has booted and waits for bytes on its serial port, and echoes them until a `q`. */
function echo(options: Partial<MachineOptions> = {}): Machine {
  const machine = createMachine({ image: compileTestGuest('serial-echo'), mode: 'real', ...options });
  machine.run({ maxExits: 50 });
  return machine;
}

function listener() {
  let text = '';
  return {
    output: (bytes: Uint8Array) => {
      text += Buffer.from(bytes).toString('latin1');
    },
    get text() {
      return text;
    },
  };
}

describe('a fork', { skip: noCompiler }, () => {
  for (const [engine, skip] of engines)
    test(`on ${engine} continues independently, with its own input`, { skip }, () => {
      const parent = listener();
      using booted = echo({ engine, output: parent.output });
      const before = hashOf(booted);
      const [one, other] = [listener(), listener()];
      using first = booted.fork({ input: typed('oneq'), output: one.output });
      using second = booted.fork({ input: typed('otherq'), output: other.output });
      assert.equal(hashOf(first), before);
      assert.equal(first.run({ timeoutMs: 60_000 }).kind, 'exited');
      assert.equal(hashOf(second), before, 'the other one has not run');
      // A fork of a fork, in the middle of its run.
      second.run({ maxExits: 9 });
      const third = listener();
      using inner = second.fork({ input: typed('!q'), output: third.output });
      assert.equal(hashOf(inner), hashOf(second));
      assert.equal(second.run({ timeoutMs: 60_000 }).kind, 'exited');
      assert.equal(inner.run({ timeoutMs: 60_000 }).kind, 'exited');
      assert.deepEqual([one.text, other.text, third.text, parent.text], ['one', 'other', third.text, '']);
      assert.match(third.text, /^.*!$/);
      assert.equal(hashOf(booted), before, 'nor has the first machine');
    });

  test(`has ${FORKS} siblings, each with its own input, in one process`, () => {
    using booted = echo({ engine: 'soft' });
    booted.fork()[Symbol.dispose]();
    const before = process.memoryUsage().rss;
    const forks: { machine: Machine; said: ReturnType<typeof listener> }[] = [];
    try {
      for (let n = 0; n < FORKS; n++) {
        const said = listener();
        forks.push({
          machine: booted.fork({ input: typed(`fork ${n}q`), output: said.output }),
          said,
        });
      }
      for (const { machine } of forks) assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'exited');
      const took = process.memoryUsage().rss - before;
      assert.ok(took < MOST_BYTES, `${FORKS} forks take ${Math.round(took / 2 ** 20)} MiB`);
      assert.deepEqual(
        forks.map(({ said }) => said.text),
        forks.map((_, n) => `fork ${n}`),
      );
    } finally {
      for (const { machine } of forks) machine[Symbol.dispose]();
    }
  });

  test('is the same as its parent after any write', () => {
    using booted = echo({ engine: 'soft' });
    for (let n = 0; n < 8; n++) {
      const page = 4096 * Math.floor(Math.random() * 4000);
      if (n % 4 === 3) booted.memory.view(page, 4096).fill(0);
      else booted.memory.write8(page + n, n);
      using fork = booted.fork();
      assert.equal(hashOf(fork), hashOf(booted));
      fork.memory.write8(page, 0xee);
      using next = fork.fork();
      assert.equal(hashOf(next), hashOf(fork));
      assert.notEqual(booted.memory.read8(page), 0xee);
      assert.equal(booted.save().memory.pages.get(0x2000), undefined);
    }
  });

  test('needs its own objects, and does not write to the same file', () => {
    const device = () => ({ name: 'none', save: () => ({}), load() {} });
    using machine = echo({ engine: 'soft', devices: [device()] });
    assert.throws(() => machine.fork(), /the "devices" of this machine are objects that belong to it alone/);
    using fork = machine.fork({ devices: [device()] });
    assert.equal(hashOf(fork), hashOf(machine));
    assert.throws(() => machine.fork({ devices: [] }), { code: 'ESTATE' });
    using lonely = new Machine({ engine: machine.engine, image: parseImage(Uint8Array.of(0xf4), 'hlt') });
    assert.throws(() => lonely.fork(), /does not know how it was made/);
    assert.throws(() => lonely.snapshot(), /snapshot: this machine does not know how it was made/);
  });
});

describe('a hosted machine’s fork', { skip: noCompiler }, () => {
  test('is a hosted machine that continues independently', async () => {
    const image = compileTestGuest('serial-echo');
    await using booted = await hostMachine({ image, mode: 'real', engine: 'soft' });
    await booted.run({ maxExits: 50 });
    const forks = [await booted.fork(), await booted.fork({ record: true })];
    try {
      for (const [n, fork] of forks.entries()) {
        let said = '';
        fork.onOutput((bytes) => {
          said += Buffer.from(bytes).toString('latin1');
        });
        await fork.send(Buffer.from(`${n}q`));
        assert.equal((await fork.run({ timeoutMs: 60_000 })).kind, 'exited');
        assert.equal(said, `${n}`);
      }
      assert.equal((await forks[1]!.record()).events.length, 2);
    } finally {
      for (const fork of forks) await fork[Symbol.asyncDispose]();
    }
  });

  test('does not share a file that is written', async () => {
    using scratch = new Scratch();
    const file = scratch.file('disk.img');
    writeFileSync(file, Buffer.alloc(65_536));
    const options = { image: Uint8Array.of(0xf4), mode: 'real', disks: [{ file, write: true }] } as const;
    using machine = createMachine({ ...options, engine: 'soft' });
    assert.throws(() => machine.fork(), /this machine writes to .*disk\.img, and two machines cannot/);
  });
});

describe('a snapshot', { skip: noCompiler }, () => {
  for (const [engine, skip] of engines)
    test(`of a machine on ${engine} is restored on the other engine`, { skip: skip || noKvm }, async () => {
      using booted = echo({ engine });
      const file = await encodeTerra(booted.snapshot());
      const said = listener();
      using machine = Machine.restore(await decodeTerra(file), {
        engine: engine === 'kvm' ? 'soft' : 'kvm',
        input: typed('hereq'),
        output: said.output,
      });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'exited');
      assert.equal(said.text, 'here');
      using again = machine.fork();
      assert.equal(again.exits, machine.exits);
    });

  test('names the files that have to be passed again', async () => {
    using booted = echo({ engine: 'soft' });
    const snapshot = booted.snapshot();
    assert.throws(
      () => Machine.restore({ ...snapshot, named: ['disks'] }, { engine: 'soft' }),
      /was made with "disks"/,
    );
    assert.throws(() => Machine.restore({ ...snapshot, spec: { memory: 2 ** 20 } }, { engine: 'soft' }), {
      code: 'EMEMORY',
    });
  });
});
