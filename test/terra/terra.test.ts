/**
 * Snapshots and recordings as files: the loaded state is the saved one, and a damaged file is refused, never half
 * loaded.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { deflateRawSync, crc32 as zlibCrc32 } from 'node:zlib';
import type { Machine } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { decodeTerra, encodeTerra, type Terra } from '../../src/terra/index.js';
import { hashOf } from '../guests/all-inputs.js';
import { type GuestFile, noCompiler, readGuestImage, readGuests } from '../guests/catalogue.js';
import { optionsOf, readBy } from '../guests/running.js';
import { noKvm, Scratch, terrarium } from '../support.js';

/** Instructions before a guest is saved: in the middle of its run. */
const HALF = 20_000;
const LONGEST = 300_000;

const made = (guest: GuestFile, reads = true): Machine =>
  createMachine({
    ...optionsOf(guest, readGuestImage(guest)),
    ...(reads && readBy(guest)),
    engine: 'soft',
  });

function kept(machine: Machine, guest: GuestFile): Terra {
  const { image, memory, mode } = optionsOf(guest, readGuestImage(guest));
  const spec = { ...(memory !== undefined && { memory }), ...(mode !== undefined && { mode }) };
  return { spec, image: image as Terra['image'], state: machine.save() };
}

describe('a snapshot', { skip: noCompiler }, () => {
  for (const guest of readGuests())
    test(`of ${guest.name} continues from its file as if it had not been saved`, async () => {
      using first = made(guest);
      first.run({ maxInstructions: HALF, timeoutMs: 60_000 });
      const terra = kept(first, guest);
      const back = await decodeTerra(await encodeTerra(terra));
      assert.deepEqual(back.state, terra.state);
      assert.deepEqual(back.spec, terra.spec);
      assert.deepEqual(await decodeTerra(await encodeTerra(back)), { ...back, named: [] });
      for (const [index, { bytes }] of terra.image.segments.entries())
        assert.ok(Buffer.from(back.image.segments[index]!.bytes).equals(bytes));
      // Its input has been read, or does not come any more.
      using other = made(guest, false);
      other.load(back.state);
      using same = made(guest, false);
      same.load(terra.state);
      for (const machine of [other, same]) machine.run({ maxInstructions: LONGEST, timeoutMs: 60_000 });
      assert.equal(hashOf(other), hashOf(same));
    });
});

describe('a file', { skip: noCompiler }, () => {
  const guest = readGuests().find(({ name }) => name === 'khw-long')!;
  const file = async () => {
    using machine = made(guest);
    machine.run({ maxInstructions: 10 });
    return encodeTerra(kept(machine, guest));
  };

  test('that is truncated to any length is refused', async () => {
    const whole = await file();
    for (let length = 0; length < whole.length; length += 1 + Math.floor(length / 50))
      await assert.rejects(decodeTerra(whole.subarray(0, length)), { code: 'ETERRA' }, `${length}`);
    await assert.rejects(decodeTerra(Buffer.concat([whole, Buffer.of(0)])), /follow its end/);
  });

  test('with a changed byte is refused', async () => {
    const whole = await file();
    // Each byte of both ends, and others.
    const ends = Array.from({ length: 24 }, (_, i) => [i, whole.length - 1 - i]).flat();
    const others = Array.from({ length: 300 }, () => Math.floor(Math.random() * whole.length));
    for (const at of [...ends, ...others]) {
      const bad = whole.slice();
      bad[at]! ^= 1 + Math.floor(Math.random() * 255);
      await assert.rejects(decodeTerra(bad), { code: 'ETERRA' }, `byte ${at}`);
    }
  });

  /** A file whose checksums are right, around any head. */
  function forged(
    content: unknown,
    blobs: Uint8Array[] = [],
    lengths = blobs.map(({ length }) => length),
  ): Buffer {
    const head = Buffer.from(JSON.stringify({ version: 1, lengths, content }));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(head.length);
    return sections([Buffer.concat([size, head, ...blobs])]);
  }

  /** @param says the length in a section's header */
  function sections(contents: Buffer[], says?: number): Buffer {
    const parts: Buffer[] = [Buffer.from('\x89TERRA\r\n', 'latin1')];
    for (const content of contents) {
      const packed = deflateRawSync(content);
      const header = Buffer.alloc(12);
      header.writeUInt32LE(says ?? content.length, 0);
      header.writeUInt32LE(packed.length, 4);
      header.writeUInt32LE(crcOf(packed), 8);
      parts.push(header, packed);
    }
    return Buffer.concat([...parts, Buffer.alloc(12)]);
  }

  test('with false sizes is refused, without allocating them', async () => {
    const bomb = Buffer.alloc(64 * 2 ** 20);
    const before = process.memoryUsage().rss;
    for (const says of [1, 1000, 4 * 2 ** 20, 0xffff_ffff])
      await assert.rejects(decodeTerra(sections([bomb], says)), { code: 'ETERRA' });
    assert.ok(process.memoryUsage().rss - before < 256 * 2 ** 20);
    for (const lengths of [[5], [-1], [1.5], [2 ** 53], ['4'], [{}]])
      await assert.rejects(decodeTerra(forged({}, [Buffer.alloc(4)], lengths as number[])), {
        code: 'ETERRA',
      });
  });

  test('with any other content is refused', async () => {
    const state = { memory: { pages: { $: 'm', value: [] } }, cpus: [] };
    const image = { name: 'x', format: 'flat', segments: [] };
    const good = { spec: {}, image, state };
    await decodeTerra(forged(good));
    for (const content of [
      null,
      1,
      [],
      {},
      { ...good, spec: { memory: 'much' } },
      { ...good, spec: { nothing: 1 } },
      { ...good, spec: { devices: [{ module: 'file:///tmp/x.mjs' }] } },
      { ...good, spec: { disks: [{ file: '/etc/passwd', write: true }] } },
      { ...good, image: { ...image, segments: [{ address: -1 }] } },
      { ...good, image: { ...image, format: 'exe' } },
      { ...good, state: {} },
      { ...good, state: { ...state, memory: { pages: { $: 'b', value: 0 } } } },
      { ...good, record: { events: 1 } },
      { ...good, record: { events: [], until: 0, answers: { every: 0, sums: [] } } },
      { ...good, record: { events: [], until: 0, answers: { every: 1, sums: [null] } } },
      { ...good, extra: { $: 'n', value: 'x' } },
      { ...good, extra: { $: 'm', value: [1] } },
    ])
      await assert.rejects(decodeTerra(forged(content)), (error: { code?: string }) => {
        assert.match(String(error.code), /ETERRA|ECONFIG/, JSON.stringify(content));
        return true;
      });
    await assert.rejects(decodeTerra(sections([Buffer.alloc(3)])), { code: 'ETERRA' });
    const newer = Buffer.from(JSON.stringify({ version: 2 }));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(newer.length);
    await assert.rejects(decodeTerra(sections([Buffer.concat([size, newer])])), /reads versions up to 1/);
  });
});

/** Node's, where it has one (from 22.2 on). */
function crcOf(bytes: Uint8Array): number {
  if (zlibCrc32 !== undefined) return zlibCrc32(bytes);
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

describe('the command line', { skip: noCompiler }, () => {
  test('reads the files of every version: a snapshot continues, a recording is the same run', () => {
    const on = terrarium(['run', '--from', 'test/terra/version-1-snapshot.terra', '--engine', 'soft']);
    assert.match(on.stdout, /^\n(tick \d\n)*tick 9\n$/, on.stderr);
    const again = terrarium(['replay', 'test/terra/version-1-recording.terra']);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(again.stdout, 'abc');
    assert.match(again.stderr, /the same run: 83 instructions, 3 inputs/);
  });

  test('saves a run at its end, continues from there on both engines, and repeats a recorded run', () => {
    using scratch = new Scratch();
    const [snapshot, recording] = [scratch.file('it.terra'), scratch.file('run.terra')];
    const whole = terrarium(['run', 'guests/tick-real', '--engine', 'soft']);
    const half = terrarium([
      'run',
      'guests/tick-real',
      '--engine',
      'soft',
      '--max-exits',
      '20',
      '--save',
      snapshot,
    ]);
    assert.equal(half.status, 124, half.stderr);
    for (const engine of ['soft', ...(noKvm ? [] : ['kvm'])]) {
      const rest = terrarium(['run', '--from', snapshot, '--engine', engine]);
      assert.equal(half.stdout + rest.stdout, whole.stdout, engine);
    }
    const recorded = terrarium(['run', 'guests/all', '--record', recording]);
    assert.equal(recorded.status, 2);
    const game = terrarium(['run', 'guests/snake', '--type', 'wasd', '--record', recording]);
    assert.equal(game.status, 0, game.stderr);
    const again = terrarium(['replay', recording]);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(again.stdout, game.stdout);
    const bytes = readFileSync(recording);
    writeFileSync(recording, bytes.subarray(0, bytes.length / 2));
    const cut = terrarium(['replay', recording]);
    assert.equal(cut.status, 2);
    assert.match(cut.stderr, /run\.terra: the file is damaged: its end is missing/);
  });

  test('needs the devices of a recording again, and reports one that answers differently', () => {
    using scratch = new Scratch();
    const [source, device, recording] = ['k.S', 'dice.mjs', 'dice.terra'].map((name) =>
      scratch.file(name),
    ) as [string, string, string];
    const answering = (value: number) =>
      writeFileSync(
        device,
        `export default () => ({ name: 'dice', ports: [{ first: 0x500, count: 1 }], readPort: () => ${value}, save: () => ({}), load() {} });`,
      );
    writeFileSync(source, '.code16\nmov $0x500, %dx\nin %dx, %al\nadd $0x30, %al\nout %al, $0xe9\nhlt\n');
    answering(7);
    assert.equal(terrarium(['run', source, '--device', device, '--record', recording]).stdout, '7');
    assert.match(terrarium(['replay', recording]).stderr, /its machine was made with --device/);
    const same = terrarium(['replay', recording, '--device', device]);
    assert.deepEqual([same.status, same.stdout], [0, '7'], same.stderr);
    answering(8);
    const other = terrarium(['replay', recording, '--device', device]);
    assert.equal(other.status, 2);
    assert.match(
      other.stderr,
      /the run differs from the recorded one: device 'dice' at port 0x500 answers 0x08 at instruction 1, and answered otherwise: it is not repeatable/,
    );
  });

  test('refuses a disk that has changed, by name, and accepts one that was moved', () => {
    using scratch = new Scratch();
    const [source, disk, recording] = ['k.S', 'd.img', 'd.terra'].map((name) => scratch.file(name)) as [
      string,
      string,
      string,
    ];
    const content = Buffer.alloc(512 * 2048, 'sectors of a disk ');
    writeFileSync(disk, content);
    writeFileSync(source, '.code16\nmov $0x41, %al\nout %al, $0xe9\nhlt\n');
    const words = ['run', source, '--disk', disk];
    assert.equal(terrarium([...words, '--record', recording]).stdout, 'A');
    assert.equal(terrarium(['replay', recording, '--disk', disk]).status, 0);
    const moved = scratch.file('moved.img');
    writeFileSync(moved, content);
    assert.equal(terrarium(['replay', recording, '--disk', moved]).status, 0);
    content[700_000]! ^= 1;
    writeFileSync(moved, content);
    for (const [file, message] of [
      [moved, /moved\.img has changed since d\.img was used \(its content\)/],
      ['README.md', /README\.md has changed since d\.img was used \(it has \d+ bytes, and had 1048576\)/],
    ] as const)
      for (const command of [
        ['replay', recording],
        ['run', '--from', recording],
      ]) {
        const { status, stderr } = terrarium([...command, '--disk', file]);
        assert.equal(status, 2, stderr);
        assert.match(stderr, message);
      }
    const two = terrarium(['replay', recording, '--disk', disk, '--disk', disk]);
    assert.match(two.stderr, /its machine was made with 1 of "disks", and not 2/);
  });

  test('says what is wrong', () => {
    using scratch = new Scratch();
    const file = scratch.file('x.terra');
    const wrong: [string[], RegExp][] = [
      [['run', '--from', file], /x\.terra: no such file/],
      [['run', '--from', 'README.md'], /this is no snapshot and no recording/],
      [['replay', 'guests/hello'], /this is not a file/],
      [['replay', 'test/terra/version-1-snapshot.terra'], /is a snapshot, not a recording/],
      [['run', 'k.S', '--from', 'test/terra/version-1-snapshot.terra'], /the snapshot has its own image/],
      [['run', 'guests/hello', '--record', file, '--engine', 'kvm'], /take --engine soft/],
      [['run', 'guests/hello', '--record', file, '--clock', 'wall'], /without --clock wall/],
      [
        ['run', 'guests/hello', '--save', 'nowhere/x.terra'],
        /folder nowhere of nowhere\/x\.terra does not exist/,
      ],
      [['run', '--from', 'test/terra/version-1-snapshot.terra', '--memory', '2M'], /memory|state/],
    ];
    for (const [args, message] of wrong) {
      const { status, stderr } = terrarium(args);
      assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }
  });
});
