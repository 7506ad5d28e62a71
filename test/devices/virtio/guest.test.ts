/** A driver of one page, on both engines: moved between machines during its run, repeated from a record, and drawn. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine, type MachineOptions } from '../../../src/index.js';
import type { InputEvent } from '../../../src/machine/index.js';
import { root, terrarium } from '../../support.js';

const image = path.join(root, 'guests/virtio-rng');
/** The place of the guest's bytes, from the ring's only descriptor. */
const RANDOM = /used {2}slot 0 {2}buffer 0 {2}\[write (0x[\da-f]+) \+16\] {2}16 bytes written/;

const make = (more: Partial<MachineOptions> = {}) => createMachine({ engine: 'soft', image, ...more });

/** The number of the guest's exits. */
function exits(): number {
  using machine = make();
  machine.run();
  return machine.exits;
}

describe('a virtio driver', () => {
  test('continues in another machine from any of its exits', () => {
    const all = exits();
    assert.ok(all > 100, `${all} exits`);
    for (let at = 60; at < all; at += 3) {
      const said: string[] = [];
      const output = (bytes: Uint8Array) => void said.push(Buffer.from(bytes).toString());
      using one = make({ output });
      assert.equal(one.run({ maxExits: at }).kind, 'limit');
      using other = make({ output });
      other.load(structuredClone(one.save()));
      assert.equal(other.run({ timeoutMs: 20_000 }).kind, 'halted');
      assert.equal(said.join(''), 'bytes: 0x10\nthey are random\n', `moved after ${at} exits`);
    }
  });

  test('gets the same bytes when its run is repeated', () => {
    const place = Number(
      RANDOM.exec(terrarium(['run', image, '--engine', 'soft', '--dump', 'virtio']).stderr)?.[1],
    );
    const events: InputEvent[] = [];
    using first = make({ seed: 7, inputs: { listener: (event) => void events.push(event) } });
    first.run();
    const bytes = first.memory.readBytes(place, 16);
    assert.ok(new Set(bytes).size > 4, bytes.join());
    using again = make({ seed: 7, inputs: { replay: { version: 1, events, until: first.inputs.position } } });
    again.run();
    assert.deepEqual(again.memory.readBytes(place, 16), bytes);
    using other = make({ seed: 8 });
    other.run();
    assert.notDeepEqual(other.memory.readBytes(place, 16), bytes);
  });

  test('is named in a trace, and fails with an explanation in a machine without the device', () => {
    const traced = terrarium(['run', image, '--engine', 'soft', '--trace']).stderr;
    assert.match(traced, /device status .* 0x0f: ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK/);
    assert.match(traced, /notify: requests .* 0x0000/);
    assert.throws(() => make({ machine: 'bare', virtioBus: 'pci' }), /a bare machine has no PCI bus/);
    using bare = make({ machine: 'bare' });
    assert.equal(bare.run().registers.rax, 1n);
  });
});
