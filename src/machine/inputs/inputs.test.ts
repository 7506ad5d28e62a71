/** The gate: what comes in is stamped and told, and a record of it gives the same values at the same positions. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type InputEvent, Inputs, type InputsOptions } from './index.js';

/** A gate on a machine whose position is counted by hand, at 10 ns a cycle. */
function rig(options: Partial<InputsOptions> = {}) {
  const at = { position: 0 };
  const events: InputEvent[] = [];
  const inputs = new Inputs({
    position: () => at.position,
    now: () => at.position * 10,
    momentOf: (position) => position * 10,
    listener: (event) => events.push(event),
    ...options,
  });
  const waiting: number[] = [];
  const source = {
    get available() {
      return waiting.length > 0;
    },
    read: () => waiting.shift() ?? -1,
  };
  return { at, events, inputs, waiting, source };
}

describe('a stream', () => {
  test('is read by the gate when the device asks, and told with the position', () => {
    const { at, events, inputs, waiting, source } = rig();
    const stream = inputs.of('serial').stream('bytes', source, () => {});
    inputs.running(true);
    assert.equal(stream.read(), undefined);
    at.position = 5;
    waiting.push(65, 66);
    assert.deepEqual([stream.read(), stream.read(), stream.read()], [65, 66, undefined]);
    assert.deepEqual(
      events,
      [65, 66].map((value) => ({ at: 5, kind: 'stream', channel: 'serial: bytes', between: false, value })),
    );
  });

  test('that was found empty stays so for the rest of the access', () => {
    const { at, inputs, waiting, source } = rig();
    const stream = inputs.of('serial').stream('bytes', source, () => {});
    inputs.running(true);
    assert.equal(stream.read(), undefined);
    waiting.push(65);
    assert.equal(stream.read(), undefined);
    at.position++;
    assert.equal(stream.read(), 65);
  });

  test('is told of by a look, between two instructions', () => {
    const { events, inputs, waiting, source } = rig();
    const taken: (number | undefined)[] = [];
    const stream = inputs.of('serial').stream('bytes', source, () => void taken.push(stream.read()));
    inputs.running(true);
    inputs.look();
    assert.deepEqual(taken, []);
    waiting.push(65);
    inputs.look();
    assert.deepEqual(taken, [65]);
    assert.equal(events[0]?.between, true);
  });

  test('without a source is closed', () => {
    const { inputs, source } = rig();
    const open = (name: string, from?: typeof source) =>
      inputs.of('serial').stream(name, from, () => {}).open;
    assert.deepEqual([open('a'), open('b', source)], [false, true]);
  });
});

describe('a record', () => {
  /** A device that takes bytes in looks and in accesses, is pushed keys and asks the time. */
  function device({ inputs, source }: ReturnType<typeof rig>) {
    const seen: unknown[] = [];
    const gate = inputs.of('device');
    const stream = gate.stream('bytes', source, () => {
      for (let byte = stream.read(); byte !== undefined; byte = stream.read()) seen.push(`arrived ${byte}`);
    });
    const press = gate.port('keys', (key: { name: string }) => seen.push(key.name));
    const ask = () => gate.ask('time', () => Math.random());
    return { seen, stream, press, ask };
  }

  function recorded() {
    const one = rig();
    const { at, inputs, waiting, events } = one;
    const it = device(one);
    const results: unknown[] = [it.ask()];
    inputs.running(true);
    at.position = 10;
    waiting.push(1);
    results.push(it.stream.read(), it.stream.read(), it.ask());
    at.position = 20;
    waiting.push(2, 3);
    inputs.look();
    it.press({ name: 'KeyA' });
    at.position = 30;
    waiting.push(4);
    results.push(it.stream.read());
    inputs.running(false);
    it.press({ name: 'KeyB' });
    at.position = 40;
    const record = { version: 1, events: structuredClone(events), until: 40 } as const;
    return { record, results, seen: it.seen };
  }

  test('gives the same again at the same positions, for any content of the sources', () => {
    const { record, results, seen } = recorded();
    const other = rig({ replay: record });
    const { at, inputs, waiting } = other;
    const it = device(other);
    const again: unknown[] = [it.ask()];
    waiting.push(9, 9, 9);
    inputs.running(true);
    assert.equal(inputs.nextAwaited, 200);
    inputs.look();
    at.position = 10;
    again.push(it.stream.read(), it.stream.read(), it.ask());
    at.position = 20;
    inputs.look();
    it.press({ name: 'KeyA' });
    assert.equal(inputs.next, 300);
    at.position = 30;
    again.push(it.stream.read());
    inputs.look();
    assert.deepEqual([again, it.seen], [results, seen]);
    // The record ends here: what comes now is live.
    at.position = 40;
    inputs.look();
    inputs.look();
    assert.deepEqual(it.seen.slice(seen.length), ['arrived 9', 'arrived 9', 'arrived 9']);
  });

  test('of another run is refused: an answer that was not recorded, an input that is not taken', () => {
    const { record } = recorded();
    const asks = rig({ replay: record });
    asks.at.position = 3;
    assert.throws(() => device(asks).ask(), { code: 'EREPLAY' });
    const ignores = rig({
      replay: { ...record, events: record.events.filter(({ kind }) => kind === 'port') },
    });
    ignores.at.position = 30;
    assert.throws(() => ignores.inputs.look(), /no device takes 'device: keys' in at 30/);
    const late = rig({ replay: record });
    const it = device(late);
    it.ask();
    late.inputs.running(true);
    late.at.position = 15;
    assert.throws(() => it.stream.read(), /took no input at 10/);
  });

  test('needs a CPU that counts, and a version that is known', () => {
    const replay = { version: 1, events: [], until: 0 } as const;
    assert.throws(() => new Inputs({ position: () => 0, now: () => 0, replay }), { code: 'EREPLAY' });
    assert.throws(() => rig({ replay: { ...replay, version: 2 as 1 } }), /version 2/);
  });

  test('continues after the inputs that a saved state has taken', () => {
    const { record, results } = recorded();
    const first = rig({ replay: record });
    const it = device(first);
    it.ask();
    first.inputs.running(true);
    first.at.position = 10;
    it.stream.read();
    const second = rig({ replay: record });
    const other = device(second);
    second.at.position = 10;
    second.inputs.load(structuredClone(first.inputs.save()));
    second.inputs.running(true);
    assert.deepEqual([other.stream.read(), other.ask()], results.slice(2, 4));
  });
});

describe('time and random numbers', () => {
  test('follow from the machine’s clock and a seed where the CPU counts', () => {
    const { at, inputs, events } = rig();
    at.position = 150_000;
    assert.equal(inputs.unix(), BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n + 1_500_000n);
    const bytes = (from: Inputs) => {
      const filled = new Uint8Array(16);
      from.random(filled);
      return Buffer.from(filled).toString('hex');
    };
    const [a, b] = [rig({ seed: 1 }).inputs, rig({ seed: 1 }).inputs];
    assert.equal(bytes(a), bytes(b));
    const more = bytes(a);
    assert.notEqual(more, bytes(rig({ seed: 1 }).inputs), 'they go on');
    const restored = rig({ seed: 7 }).inputs;
    restored.load(structuredClone(b.save()));
    assert.equal(bytes(restored), more, 'from where they were saved');
    assert.notEqual(bytes(rig({ seed: 1 }).inputs), bytes(rig({ seed: 2 ** 32 + 1 }).inputs));
    assert.deepEqual(events, []);
  });

  test('random numbers are spread evenly', () => {
    const counts = new Uint32Array(256);
    const filled = new Uint8Array(256 * 1000);
    rig().inputs.random(filled);
    for (const byte of filled) counts[byte]!++;
    // Chi squared with 255 degrees of freedom: 99.9 % lie below 330.
    const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chi > 180 && chi < 330, `chi squared is ${chi}`);
  });

  test('are the host’s, and recorded, where the CPU does not count', () => {
    const events: InputEvent[] = [];
    const inputs = new Inputs({ position: () => 0, now: () => 0, listener: (event) => events.push(event) });
    assert.ok(Math.abs(Number(inputs.unix() / 1_000_000n) - Date.now()) < 60_000);
    const filled = new Uint8Array(70_000);
    inputs.random(filled);
    assert.ok(filled.subarray(65_536).some((byte) => byte !== 0));
    assert.deepEqual(
      events.map(({ channel, kind }) => `${channel} ${kind}`),
      ['machine: unix answer', 'machine: random answer'],
    );
    assert.deepEqual(events[1]?.value, filled);
  });
});
