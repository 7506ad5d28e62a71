/** All inputs pass one gate: a run with the same inputs is the same run, to the last bit of registers and RAM. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeyboardController } from '../../src/devices/index.js';
import type { InputEvent, InputRecord } from '../../src/machine/index.js';
import { createMachine, hostMachine } from '../../src/runtime/index.js';
import { allInputs, hashOf, notesOf, somebody } from '../guests/all-inputs.js';
import { noCompiler } from '../guests/catalogue.js';
import { noKvm } from '../support.js';

/** A run with keys and bytes at random times. */
function recorded(): { record: InputRecord; hash: string; notes: Record<string, number> } {
  const events: InputEvent[] = [];
  using machine = allInputs({
    ...somebody(Math.random),
    inputs: { listener: (event) => events.push(event) },
  });
  const outcome = machine.run({ timeoutMs: 60_000 });
  assert.equal(outcome.kind, 'halted', outcome.reason);
  return {
    record: structuredClone({ version: 1, events, until: machine.inputs.position }),
    hash: hashOf(machine),
    notes: notesOf(machine),
  };
}

describe('a guest that reads keys, serial bytes, the time of day and random numbers', {
  skip: noCompiler,
}, () => {
  test('gets all of them, by interrupts and by polling', () => {
    const { notes, record } = recorded();
    for (const kind of 'tkbpicrsd')
      assert.ok((notes[kind] ?? 0) > 0, `'${kind}' in ${JSON.stringify(notes)}`);
    const kinds = new Set(record.events.map(({ channel, between }) => `${channel} ${between}`));
    for (const kind of ['serial: bytes true', 'serial: bytes false', 'keyboard: keys true'])
      assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`);
  });

  test('ends with the same hash of registers and RAM when its inputs are replayed, five times of five', () => {
    const hashes = new Set<string>();
    for (let time = 0; time < 5; time++) {
      const { record, hash } = recorded();
      using again = allInputs({ ...somebody(Math.random), inputs: { replay: record } });
      assert.equal(again.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(hashOf(again), hash);
      hashes.add(hash);
    }
    assert.equal(hashes.size, 5, 'the runs themselves differ');
  });

  test('also does so in pieces, and is recorded in pieces', () => {
    const { record, hash } = recorded();
    const events: InputEvent[] = [];
    using again = allInputs({ inputs: { replay: record, listener: (event) => events.push(event) } });
    let pieces = 0;
    while (again.run({ timeoutMs: 0.2 }).kind === 'timeout') pieces++;
    assert.ok(pieces > 10, `${pieces} pieces`);
    assert.equal(hashOf(again), hash);
    assert.deepEqual(events, []);
  });

  test('does the same without inputs: no clock and no randomness of the host reaches it', () => {
    const run = () => {
      const events: InputEvent[] = [];
      using machine = allInputs({ inputs: { listener: (event) => events.push(event) } });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.deepEqual(events, []);
      return hashOf(machine);
    };
    assert.equal(run(), run());
  });

  test('gets inputs that are pushed between two runs', () => {
    const run = (replay?: InputRecord) => {
      const events: InputEvent[] = [];
      const keyboard = new KeyboardController();
      keyboard.type('before');
      using machine = allInputs({
        devices: [keyboard],
        inputs: { listener: (event) => events.push(event), ...(replay && { replay }) },
      });
      for (const key of ['KeyX', 'KeyY']) {
        machine.run({ maxExits: 3000 });
        if (replay === undefined) keyboard.press(key);
      }
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.ok((notesOf(machine).k ?? 0) > 2);
      return {
        hash: hashOf(machine),
        record: { version: 1, events, until: machine.inputs.position } as const,
      };
    };
    const { hash, record } = run();
    assert.deepEqual(
      record.events.map(({ kind, value }) => [kind, value]),
      ['KeyX', 'KeyY'].map((name) => ['port', { name, down: true }]),
    );
    assert.equal(run(record).hash, hash);
  });
});

test('a record is replayed only where instructions are counted', {
  skip: noKvm || noCompiler,
}, () => {
  const replay = { version: 1, events: [], until: 0 } as const;
  assert.throws(() => allInputs({ engine: 'kvm', inputs: { replay } }), { code: 'EREPLAY' });
});

test('a hosted machine replays a record’s inputs', async () => {
  const setDx = (port: number) => [0xba, port & 0xff, port >> 8];
  // MOV DX, 3FDh; wait: IN AL, DX; TEST AL, 1; JZ wait; MOV DX, 3F8h; IN AL, DX; OUT E9h, AL; three times; HLT
  const take = [...setDx(0x3fd), 0xec, 0xa8, 1, 0x74, 0xfb, ...setDx(0x3f8), 0xec, 0xe6, 0xe9];
  const options = {
    image: Uint8Array.from([...take, ...take, ...take, 0xf4]),
    mode: 'real',
    engine: 'soft',
  } as const;
  const bytes = [...Buffer.from('Hi!')];
  const input = {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
  const events: InputEvent[] = [];
  using first = createMachine({ ...options, input, inputs: { listener: (event) => events.push(event) } });
  assert.equal(first.run({ timeoutMs: 60_000 }).kind, 'halted');
  const replay: InputRecord = { version: 1, events, until: first.inputs.position };
  assert.equal(events.length, 3);
  await using second = await hostMachine({ ...options, replay });
  let console = '';
  second.onOutput((chunk) => {
    console += Buffer.from(chunk).toString('latin1');
  });
  const outcome = await second.run({ timeoutMs: 60_000 });
  assert.deepEqual([outcome.kind, outcome.exits, console], ['halted', first.exits, 'Hi!']);
  // It also makes a record.
  await using third = await hostMachine({ ...options, record: true });
  await third.send(Buffer.from('Hi!'));
  const recorded = await third.run({ timeoutMs: 60_000 });
  const record = await third.record();
  assert.deepEqual(
    record.events.map(({ value }) => value),
    [...Buffer.from('Hi!')],
  );
  await using fourth = await hostMachine({ ...options, replay: record });
  const replayed = await fourth.run({ timeoutMs: 60_000 });
  assert.deepEqual([replayed.kind, replayed.exits], [recorded.kind, recorded.exits]);
  assert.deepEqual(replayed.registers, recorded.registers);
  assert.equal((await fourth.state()).registers.rip, recorded.registers.rip);
  await assert.rejects(fourth.record(), { code: 'ECONFIG', message: /does not record its inputs/ });
});
