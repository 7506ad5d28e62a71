/** The mouse behind its controller. Expected bytes: IBM PS/2 Hardware Interface Technical Reference, mouse. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestLine, testHost } from '../test-host.js';
import { KeyboardController } from './i8042.js';

function rig() {
  const [keys, mouse] = [new TestLine(), new TestLine()];
  const told: boolean[] = [];
  const device = new KeyboardController({ onMouse: (reports) => told.push(reports) });
  device.attach(testHost({}, { 1: keys, 12: mouse }));
  const command = (byte: number, ...data: number[]) => {
    device.writePort(0x64, 1, byte);
    for (const one of data) device.writePort(0x60, 1, one);
  };
  /** All bytes that can be read now, which are the mouse's. */
  const read = () => {
    const bytes: number[] = [];
    for (let status = device.readPort(0x64); status & 1; status = device.readPort(0x64)) {
      assert.equal(status & 0x20, 0x20);
      bytes.push(device.readPort(0x60));
    }
    return bytes;
  };
  const send = (...bytes: number[]) =>
    bytes.map((byte) => {
      command(0xd4, byte);
      return read();
    });
  /** Ready to report, with its interrupt. */
  const listen = () => {
    command(0x60, 0x47);
    assert.deepEqual(send(0xf4), [[0xfa]]);
  };
  return { device, keys, mouse, told, command, read, send, listen };
}

const still = { dx: 0, dy: 0, buttons: 0 };

describe('a PS/2 mouse', () => {
  test('answers reset, identity, status, and unknown commands', () => {
    const { send } = rig();
    assert.deepEqual(send(0xff, 0xf2, 0xe9, 0x42), [[0xfa, 0xaa, 0], [0xfa, 0], [0xfa, 0, 2, 100], [0xfe]]);
    assert.deepEqual(send(0xe8, 3, 0xf3, 40, 0xe7, 0xf4, 0xe9).at(-1), [0xfa, 0x30, 3, 40]);
    assert.deepEqual(
      send(0xe8, 4, 0xf3, 0).map(([byte]) => byte),
      [0xfa, 0xfe, 0xfa, 0xfe],
    );
    assert.deepEqual(send(0xf6, 0xe9).at(-1), [0xfa, 0, 2, 100]);
  });

  test('reports movements and buttons once it is enabled, with an edge on IRQ 12 per byte', () => {
    const { device, mouse, keys, listen, read, told } = rig();
    device.moveMouse({ ...still, dx: 9 });
    assert.deepEqual(read(), []);
    listen();
    assert.deepEqual(told, [true]);
    assert.deepEqual(read(), []);
    const before = mouse.edges;
    device.moveMouse({ dx: 1, dy: -2, buttons: 5 });
    assert.equal(mouse.level, true);
    assert.deepEqual(read(), [0x0d, 1, 2]);
    assert.equal(mouse.edges - before, 3);
    assert.equal(mouse.level, false);
    assert.equal(keys.edges, 0);
  });

  test('adds up movements that nobody reads, but loses no click; a long movement is several reports', () => {
    const { device, listen, read } = rig();
    listen();
    for (const dx of [1, 2, 3]) device.moveMouse({ ...still, dx });
    // The first report has already been sent.
    assert.deepEqual(read(), [0x08, 1, 0, 0x08, 5, 0]);
    device.moveMouse({ ...still, buttons: 1 });
    device.moveMouse({ ...still, buttons: 0 });
    device.moveMouse({ ...still, buttons: 1 });
    assert.deepEqual(read(), [0x09, 0, 0, 0x08, 0, 0, 0x09, 0, 0]);
    device.moveMouse({ dx: 300, dy: 300, buttons: 0 });
    assert.deepEqual(read(), [0x28, 255, 1, 0x28, 45, 0xd3]);
  });

  test('doubles long movements at scaling 2:1', () => {
    const { device, listen, read, send } = rig();
    listen();
    send(0xe7);
    for (const dx of [1, 2, 3, 4, 5, 6, -3]) device.moveMouse({ ...still, dx });
    const way = [1, 2, 3, 4, 5, 6].map((dx) => {
      const one = rig();
      one.listen();
      one.send(0xe7);
      one.device.moveMouse({ ...still, dx });
      return one.read()[1];
    });
    assert.deepEqual(way, [1, 1, 3, 6, 9, 12]);
    read();
  });

  test('becomes one with a wheel, and one with five buttons, after the right rates (IntelliMouse)', () => {
    const { device, listen, read, send } = rig();
    assert.deepEqual(send(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2).at(-1), [0xfa, 3]);
    listen();
    device.moveMouse({ ...still, wheel: -1 });
    assert.deepEqual(read(), [0x08, 0, 0, 0xff]);
    assert.deepEqual(send(0xf3, 200, 0xf3, 200, 0xf3, 80, 0xf2).at(-1), [0xfa, 4]);
    device.moveMouse({ ...still, wheel: 2, buttons: 8 });
    assert.deepEqual(read(), [0x08, 0, 0, 0x12]);
    assert.deepEqual(send(0xff, 0xf2).at(-1), [0xfa, 0]);
  });

  test('reports on request in remote mode, and echoes bytes in wrap mode', () => {
    const { device, listen, read, send } = rig();
    listen();
    send(0xf0);
    device.moveMouse({ ...still, dx: 7 });
    assert.deepEqual(read(), []);
    assert.deepEqual(send(0xeb), [[0xfa, 0x08, 7, 0]]);
    assert.deepEqual(send(0xfe), [[0xfa, 0x08, 7, 0]]);
    assert.deepEqual(send(0xee, 0x12, 0xf4, 0xec), [[0xfa], [0x12], [0xf4], [0xfa]]);
  });

  test('waits while its connector is off, and never mixes with the keyboard’s bytes', () => {
    const { device, command, listen, read, mouse } = rig();
    listen();
    command(0xa7);
    device.moveMouse({ ...still, dx: 1 });
    assert.deepEqual(read(), []);
    device.press('KeyA');
    command(0xa8);
    assert.equal(device.readPort(0x64) & 0x21, 0x01);
    assert.equal(mouse.level, false);
    assert.equal(device.readPort(0x60), 0x1e);
    assert.deepEqual(read(), [0x08, 1, 0]);
  });

  test('is present: the controller’s test of its connector passes; D3 writes a byte as if from it', () => {
    const { device, command, read } = rig();
    command(0xa9);
    assert.equal(device.readPort(0x60), 0);
    command(0xd3, 0x5a);
    assert.deepEqual(read(), [0x5a]);
  });

  test('moves with its state, and refuses an invalid state', () => {
    const first = rig();
    first.send(0xf3, 200, 0xf3, 100, 0xf3, 80);
    first.listen();
    first.device.moveMouse({ dx: 300, dy: -5, wheel: 1, buttons: 3 });
    const second = rig();
    second.device.load(JSON.parse(JSON.stringify(first.device.save())));
    assert.deepEqual(second.read(), first.read());
    const state = first.device.save();
    for (const wrong of [{ dx: 1e9 }, { kind: 1 }, { rates: [1] }, { queue: [256] }, { enabled: 1 }])
      assert.throws(() => second.device.load({ ...state, mouse: { ...state.mouse, ...wrong } }), /mouse/);
    const { mouse: _, ...before } = state;
    second.device.load(before);
    assert.deepEqual(second.send(0xf2), [[0xfa, 0]]);
  });
});
