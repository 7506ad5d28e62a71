/** Network card, console, balloon, input devices and entropy, as a driver sees them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench, type DriverQueue, MockDriver } from '../testing.js';
import { VirtioBalloon } from './balloon.js';
import { VirtioConsole } from './console.js';
import { VirtioEntropy } from './entropy.js';
import { VirtioKeyboard, VirtioTablet } from './input.js';
import { FrameQueue, loopback, MOST_FRAME_BYTES, VirtioNet } from './net.js';

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('latin1');
const bytes = (words: string) => new Uint8Array(Buffer.from(words, 'latin1'));

describe('a network card', () => {
  test('sends frames and receives them, in order, as soon as there are buffers', () => {
    const bench = new Bench(new VirtioNet('net', loopback()));
    const driver = new MockDriver(bench, { features: [5] });
    const [receive, transmit] = driver.start(0, 1);
    for (const words of ['first frame', 'second frame'])
      assert.equal(transmit!.send([new Uint8Array(12), bytes(words)])?.length, 0);
    bench.inputs.look();
    for (let n = 0; n < 3; n++) receive!.add([12, 1514]);
    driver.kick(0);
    const got = receive!.used();
    assert.deepEqual(
      got.map(({ length, bytes: frame }) => text(frame.subarray(12, length))),
      ['first frame', 'second frame'],
    );
    assert.equal(got[0]!.bytes[10], 1);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((at) => driver.config(at, 1)),
      [0x52, 0x54, 0, 0x12, 0x34, 0x56],
    );
    assert.deepEqual([driver.config(6, 2), driver.config(10, 2)], [1, 1500]);
  });

  test('drops frames that are too long, and those that do not fit into a buffer', () => {
    const frames = new FrameQueue();
    frames.push(new Uint8Array(MOST_FRAME_BYTES + 1));
    assert.ok(!frames.available);
    const sent: number[] = [];
    const card = new VirtioNet('net', { frames, transmit: (frame) => void sent.push(frame.length) });
    const driver = new MockDriver(new Bench(card), { features: [5] });
    const [receive, transmit] = driver.start(0, 1);
    transmit!.send([new Uint8Array(12), new Uint8Array(MOST_FRAME_BYTES)]);
    transmit!.send([new Uint8Array(12), new Uint8Array(MOST_FRAME_BYTES + 1)]);
    assert.deepEqual(sent, [MOST_FRAME_BYTES]);
    frames.push(new Uint8Array(100));
    assert.equal(receive!.send([50])?.length, 0);
    assert.equal(card.lost, 2);
  });
});

/** A console with two ports; input waits at the second. */
function consoleRig() {
  const printed = ['', ''];
  const waiting: number[] = [];
  const input = { read: () => waiting.shift() ?? -1, available: true };
  const port = (index: number) => (one: Uint8Array) => {
    printed[index] += text(one);
  };
  const device = new VirtioConsole('console', [
    { name: 'terminal', output: port(0), isTerminal: true },
    { name: 'agent', output: port(1), input },
  ]);
  return { device, bench: new Bench(device), printed, waiting };
}

const message = (id: number, event: number, value: number) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  return new Uint8Array(view.buffer);
};

/** Messages to the driver: port, event, value, and the text after. */
const heard = (queue: DriverQueue) =>
  queue.used().map(({ length, bytes: one }) => {
    const view = new DataView(one.buffer);
    return [
      view.getUint32(0, true),
      view.getUint16(4, true),
      view.getUint16(6, true),
      text(one.subarray(8, length)),
    ];
  });

describe('a console', () => {
  test('announces its ports, and moves bytes through those that are open', () => {
    const { bench, printed, waiting } = consoleRig();
    const driver = new MockDriver(bench, { features: [0, 1], size: 16 });
    const [, , controlIn, controlOut, , agentOut] = driver.start(0, 1, 2, 3, 4, 5);
    const rooms = () => {
      for (let n = 0; n < 8; n++) controlIn!.add([80]);
      driver.kick(2);
    };
    rooms();
    controlOut!.send([message(0xffff_ffff, 0, 1)]);
    assert.deepEqual(heard(controlIn!), [
      [0, 1, 0, ''],
      [1, 1, 0, ''],
    ]);
    rooms();
    controlOut!.send([message(0, 3, 1)]);
    controlOut!.send([message(1, 3, 1)]);
    assert.deepEqual(heard(controlIn!), [
      [0, 4, 1, ''],
      [0, 5, 0, 'P\0\x19\0'],
      [0, 7, 1, 'terminal\0'],
      [0, 6, 1, ''],
      [1, 7, 1, 'agent\0'],
      [1, 6, 1, ''],
    ]);
    agentOut!.send([bytes('to the '), bytes('agent')]);
    assert.deepEqual(printed, ['', 'to the agent']);
    waiting.push(...bytes('from the host'));
    bench.inputs.look();
    assert.equal(waiting.length, 13);
    assert.equal(bench.read(0x2000 + 4, 4), 2);
  });

  test('sends input to a port once the guest has opened it', () => {
    const { bench, waiting } = consoleRig();
    const driver = new MockDriver(bench, { features: [1] });
    const [, , , controlOut, agentIn] = driver.start(0, 1, 2, 3, 4);
    agentIn!.add([8]);
    agentIn!.add([8]);
    driver.kick(4);
    waiting.push(...bytes('0123456789'));
    bench.inputs.look();
    assert.deepEqual(agentIn!.used(), []);
    controlOut!.send([message(1, 6, 1)]);
    assert.deepEqual(
      agentIn!.used().map(({ length, bytes: one }) => text(one.subarray(0, length))),
      ['01234567', '89'],
    );
  });

  test('reports a new size in its configuration and by a message', () => {
    const { device, bench } = consoleRig();
    const driver = new MockDriver(bench, { features: [0, 1] });
    const [, , controlIn] = driver.start(0, 1, 2, 3);
    controlIn!.add([80]);
    driver.kick(2);
    const before = bench.read(21, 1);
    device.resize({ columns: 132, rows: 43 });
    assert.deepEqual([driver.config(0, 2), driver.config(2, 2)], [132, 43]);
    assert.equal(bench.read(21, 1), before + 1);
    assert.equal(bench.read(0x1000, 1), 3);
    assert.deepEqual(heard(controlIn!), [[0, 5, 0, '\x84\0\x2b\0']]);
  });

  test('prints a character before any queue is set up', () => {
    const { bench, printed } = consoleRig();
    bench.write(0x2008, 4, 0x21);
    assert.equal(printed[0], '!');
  });
});

describe('a balloon', () => {
  test('knows the pages that the driver has given up, each once, and none beyond RAM', () => {
    const device = new VirtioBalloon();
    const bench = new Bench(device);
    const driver = new MockDriver(bench);
    const [inflate, deflate] = driver.start(0, 1);
    device.inflateTo(3);
    assert.equal(driver.config(0, 4), 3);
    assert.equal(bench.read(0x1000, 1) & 2, 2);
    const pages = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer);
    inflate!.send([pages(5, 6, 5, 9, 0xffff_ffff)]);
    assert.equal(device.size, 3);
    deflate!.send([pages(6, 7)]);
    assert.deepEqual([device.size, device.holds(5), device.holds(6)], [2, true, false]);
    bench.write(0x2004, 4, 2);
    assert.equal(driver.config(4, 4), 2);
  });
});

describe('input devices', () => {
  /** Queries as evdev makes them: the selection, and the answer. */
  const answer = (driver: MockDriver, select: number, part: number) => {
    driver.bench.write(0x2000, 1, select);
    driver.bench.write(0x2001, 1, part);
    const size = driver.config(2, 1);
    return Uint8Array.from({ length: size }, (_, i) => driver.config(8 + i, 1));
  };

  test('a keyboard reports its keys, and those that are pressed', () => {
    const device = new VirtioKeyboard();
    const driver = new MockDriver(new Bench(device));
    const [events] = driver.start(0, 1);
    assert.equal(text(answer(driver, 1, 0)), 'Terrarium keyboard');
    const keys = answer(driver, 0x11, 1);
    // linux/input-event-codes.h: KEY_ESC 1, KEY_A 30, KEY_UP 103; 84 is no key.
    const has = (code: number) => (keys[code >> 3]! >> (code & 7)) & 1;
    assert.deepEqual([1, 30, 103, 84].map(has), [1, 1, 1, 0]);
    assert.equal(answer(driver, 0x11, 9).length, 0);
    for (let n = 0; n < 4; n++) events!.add([8]);
    device.key('ArrowUp', true);
    device.key('ArrowUp', false);
    device.key('NoSuchKey', true);
    assert.deepEqual(
      events!.used().map(({ bytes: one }) => [...new Int16Array(one.buffer)].slice(0, 3)),
      [
        [1, 103, 1],
        [0, 0, 0],
        [1, 103, 0],
        [0, 0, 0],
      ],
    );
  });

  test('a tablet reports the pen’s position, within its range', () => {
    const device = new VirtioTablet();
    const driver = new MockDriver(new Bench(device));
    const [events] = driver.start(0, 1);
    assert.deepEqual([...answer(driver, 0x12, 0).subarray(0, 8)], [0, 0, 0, 0, 0xff, 0x7f, 0, 0]);
    for (let n = 0; n < 5; n++) events!.add([8]);
    device.point({ x: 100, y: 1e9, buttons: 1, wheel: 2 });
    assert.deepEqual(
      events!.used().map(({ bytes: one }) => {
        const view = new DataView(one.buffer);
        return [view.getUint16(0, true), view.getUint16(2, true), view.getInt32(4, true)];
      }),
      [
        [3, 0, 100],
        [3, 1, 32_767],
        [1, 0x110, 1],
        [2, 8, -2],
        [0, 0, 0],
      ],
    );
  });
});

test('a source of entropy fills buffers with the machine’s random bytes', () => {
  const driver = new MockDriver(new Bench(new VirtioEntropy()));
  const [requests] = driver.start(0);
  assert.deepEqual(requests!.send([2, 2]), { id: 0, length: 4, bytes: Uint8Array.of(4, 4, 4, 4) });
  assert.equal(requests!.send([100_000])?.length, 65_536);
});
