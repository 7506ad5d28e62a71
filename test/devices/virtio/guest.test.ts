/** A driver of one page, on both engines: moved between machines during its run, repeated from a record, and drawn. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine, type MachineOptions } from '../../../src/index.js';
import type { InputEvent } from '../../../src/machine/index.js';
import { root, Scratch, terrarium } from '../../support.js';

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

/** Reads the disk's second sector by INT 13h from the drive in DL, writes its first byte to port 0xE9, halts. */
const BOOT_SECTOR = [
  ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0], // xor ax,ax; mov ds,ax; mov es,ax
  ...[0xb8, 0x01, 0x02, 0xbb, 0x00, 0x7e], // mov ax,0x201; mov bx,0x7e00
  ...[0xb9, 0x02, 0x00, 0xb6, 0x00, 0xcd, 0x13], // mov cx,2; mov dh,0; int 0x13
  ...[0x72, 0x05, 0xa0, 0x00, 0x7e, 0xe6, 0xe9], // jc over; mov al,[0x7e00]; out 0xe9,al
  ...[0xfa, 0xf4], // cli; hlt
];

test('a PC boots from a virtio disk, which INT 13h reads', () => {
  using scratch = new Scratch();
  const disk = Buffer.alloc(1 << 20);
  disk.set(BOOT_SECTOR);
  disk.set([0x55, 0xaa], 510);
  disk.write('V', 512);
  const file = scratch.file('virtio.img');
  writeFileSync(file, disk);
  const { stdout } = terrarium(['run', '--engine', 'soft', '--disk', `${file},bus=virtio`, '--quiet']);
  assert.match(stdout, /V$/);
});
