/**
 * The keyboard controller as PC programs know it. Expected bytes: IBM PS/2 Hardware Interface Technical Reference; set
 * 1's codes of the keys that are not behind E0 are Linux's key numbers, and are compared with its header.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { MILLISECOND } from '../../time/index.js';
import { Pic8259 } from '../pic8259/pic8259.js';
import { TestClock, TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { KeyboardController } from './i8042.js';
import { keyNames, keys } from './keys.js';
import { Led } from './ps2-keyboard.js';

/** A controller with its interrupt line and a clock. */
function rig() {
  const [line, clock] = [new TestLine(), new TestClock()];
  const wires = {
    reset: '',
    get irq() {
      return line.level;
    },
    get edges() {
      return line.edges;
    },
  };
  const lights: number[] = [];
  const device = new KeyboardController({ onLeds: (leds) => lights.push(leds) });
  const reset = (how: string) => {
    wires.reset = how;
  };
  device.attach(testHost({ reset, clock }, { 1: line, 12: new TestLine() }));
  const command = (byte: number) => device.writePort(0x64, 1, byte);
  const data = (byte: number) => device.writePort(0x60, 1, byte);
  const status = () => device.readPort(0x64);
  /** All that can be read now. */
  const read = () => {
    const bytes: number[] = [];
    while (status() & 1) bytes.push(device.readPort(0x60));
    return bytes;
  };
  const untranslated = () => {
    command(0x60);
    data(0x05);
  };
  return { device, clock, wires, lights, command, data, status, read, untranslated };
}

describe('the keyboard controller', () => {
  test('passes its self-test and its interface test, and returns its command byte', () => {
    const { command, data, read, status } = rig();
    assert.equal(status() & 1, 0);
    command(0xaa);
    assert.deepEqual(read(), [0x55]);
    assert.equal(status() & 4, 4);
    command(0xab);
    assert.deepEqual(read(), [0x00]);
    command(0x20);
    assert.deepEqual(read(), [0x65]);
    command(0x60);
    data(0x47);
    command(0x20);
    assert.deepEqual(read(), [0x47]);
  });

  test('sends a key in set 1 when it goes down and up, with an edge on IRQ 1 per byte', () => {
    const { device, read, wires } = rig();
    device.press('KeyA');
    device.release('KeyA');
    assert.equal(wires.irq, true);
    assert.deepEqual(read(), [0x1e, 0x9e]);
    assert.equal(wires.edges, 2);
    assert.equal(wires.irq, false);
    device.press('ArrowUp');
    device.release('ArrowUp');
    assert.deepEqual(read(), [0xe0, 0x48, 0xe0, 0xc8]);
  });

  test('sends set 2 where translation is off, and set 1 where the keyboard is set to it', () => {
    const { device, data, read, untranslated } = rig();
    untranslated();
    device.press('KeyA');
    device.release('KeyA');
    device.press('ControlRight');
    device.release('ControlRight');
    assert.deepEqual(read(), [0x1c, 0xf0, 0x1c, 0xe0, 0x14, 0xe0, 0xf0, 0x14]);
    data(0xf0);
    data(1);
    assert.deepEqual(read(), [0xfa, 0xfa]);
    device.press('KeyA');
    assert.deepEqual(read(), [0x1e]);
    data(0xf0);
    data(0);
    assert.deepEqual(read(), [0xfa, 0xfa, 0x01]);
  });

  test('sends Pause and PrintScreen as sequences', () => {
    const { device, read, untranslated } = rig();
    device.press('Pause');
    assert.deepEqual(read(), [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5]);
    device.press('PrintScreen');
    device.release('PrintScreen');
    assert.deepEqual(read(), [0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa]);
    untranslated();
    device.release('Pause');
    device.press('Pause');
    assert.deepEqual(read(), [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77]);
  });

  test('passes the keyboard’s answers: reset, identity, echo, lights, an unknown command', () => {
    const { data, read, lights, untranslated, device } = rig();
    untranslated();
    data(0xff);
    assert.deepEqual(read(), [0xfa, 0xaa]);
    data(0xf2);
    assert.deepEqual(read(), [0xfa, 0xab, 0x83]);
    data(0xee);
    assert.deepEqual(read(), [0xee]);
    data(0xed);
    assert.deepEqual(read(), [0xfa]);
    data(Led.caps | Led.num);
    assert.deepEqual(read(), [0xfa]);
    assert.deepEqual(lights, [6]);
    assert.equal(device.leds, 6);
    data(0x01);
    assert.deepEqual(read(), [0xfe]);
  });

  test('returns the identity AB 41 where it translates, as PCs do', () => {
    const { data, read } = rig();
    data(0xf2);
    assert.deepEqual(read(), [0xfa, 0xab, 0x41]);
  });

  test('keeps keys back while the keyboard is disabled at the controller', () => {
    const { device, command, read } = rig();
    command(0xad);
    device.press('Enter');
    assert.deepEqual(read(), []);
    command(0xae);
    assert.deepEqual(read(), [0x1c]);
  });

  test('raises no interrupt where the command byte disables it', () => {
    const { device, command, data, wires } = rig();
    command(0x60);
    data(0x44);
    device.press('Enter');
    assert.equal(wires.irq, false);
  });

  test('resets the machine by command FE, by the output port’s bit 0, and not by other pulses', () => {
    for (const reset of [[0xfe], [0xf0], [0xd1, 0x02]]) {
      const { command, data, wires } = rig();
      command(0xff);
      assert.equal(wires.reset, '');
      command(reset[0]!);
      if (reset[1] !== undefined) data(reset[1]);
      assert.match(wires.reset, /keyboard controller/);
    }
  });

  test('shows A20 in the output port', () => {
    const { device, command, data, read } = rig();
    command(0xd1);
    data(0xdd);
    assert.equal(device.a20, false);
    command(0xd0);
    assert.equal(read()[0]! & 2, 0);
    command(0xd1);
    data(0xdf);
    assert.equal(device.a20, true);
  });

  test('types a text, in set 1, with Shift where it is needed', () => {
    const { device, read } = rig();
    device.type('aB\n');
    assert.deepEqual(read(), [0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa, 0x1c, 0x9c]);
    assert.throws(() => device.press('Any'), /no key 'Any'/);
  });

  test('repeats a key that is held, half a second later and then 10.9 times a second', () => {
    const { device, read, clock } = rig();
    device.press('KeyX');
    assert.deepEqual(read(), [0x2d]);
    const times: number[] = [];
    while (times.length < 5) {
      clock.goTo(clock.next);
      times.push(clock.milliseconds);
      assert.deepEqual(read(), [0x2d]);
    }
    assert.equal(times[0], 500);
    for (const [i, time] of times.slice(1).entries())
      assert.ok(Math.abs(time - times[i]! - 1000 / 10.9) < 0.5, `${time - times[i]!} ms`);
    device.release('KeyX');
    assert.deepEqual(read(), [0xad]);
    assert.equal(clock.next, Number.POSITIVE_INFINITY);
  });

  test('reports once that keys were lost, where the guest does not read them', () => {
    const { device, command, read, untranslated } = rig();
    untranslated();
    command(0xad);
    for (const name of [...keyNames].slice(0, 40)) device.press(name);
    command(0xae);
    const bytes = read();
    assert.equal(bytes.length, 17);
    assert.equal(bytes.filter((byte) => byte === 0).length, 1);
  });
});

describe('scan codes', () => {
  test('differ for all keys, in both sets', () => {
    for (const set of ['set1', 'set2'] as const) {
      const codes = [...keys.values()].map((key) => `${key.extended}${key[set]}`);
      assert.equal(new Set(codes).size, codes.length);
    }
  });

  const header = '/usr/include/linux/input-event-codes.h';
  const skip = existsSync(header) ? false : `${header} is not here (Debian: linux-libc-dev)`;
  test('of set 1 are Linux’s key numbers, for the keys of the first keyboards', { skip }, () => {
    const numbers = new Map(
      [...readFileSync(header, 'utf8').matchAll(/^#define KEY_(\w+)\s+(\d+)/gm)].map(([, name, number]) => [
        name!,
        Number(number),
      ]),
    );
    const special: Record<string, string> = {
      Escape: 'ESC',
      BracketLeft: 'LEFTBRACE',
      BracketRight: 'RIGHTBRACE',
      ControlLeft: 'LEFTCTRL',
      ShiftLeft: 'LEFTSHIFT',
      ShiftRight: 'RIGHTSHIFT',
      AltLeft: 'LEFTALT',
      Quote: 'APOSTROPHE',
      Backquote: 'GRAVE',
      Period: 'DOT',
      IntlBackslash: '102ND',
      NumpadMultiply: 'KPASTERISK',
      NumpadSubtract: 'KPMINUS',
      NumpadAdd: 'KPPLUS',
      NumpadDecimal: 'KPDOT',
    };
    let compared = 0;
    for (const [name, { set1, extended }] of keys) {
      if (extended) continue;
      const linux =
        special[name] ??
        name
          .replace(/^(Key|Digit)/, '')
          .replace('Numpad', 'KP')
          .toUpperCase();
      assert.equal(set1, numbers.get(linux), `${name}, KEY_${linux}`);
      compared++;
    }
    assert.equal(compared, 86);
  });
});

test('a key from before the interrupt controller was set up interrupts when its line is unmasked', () => {
  const pic = new Pic8259();
  const device = new KeyboardController();
  const line = new TestLine((level) => pic.setPin(1, level));
  device.attach(testHost({}, { 1: line, 12: new TestLine() }));
  pic.watch({ acknowledged() {}, unmasked: (pin) => pin === 1 && line.unmask() });
  device.press('KeyQ');
  // ICW1 to ICW4: edges, vectors from 0x20, a slave at line 2; then all lines but 1 are masked.
  for (const [port, byte] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x01],
    [0x21, 0xfd],
  ] as const)
    pic.writePort(port, 1, byte);
  assert.equal(pic.pending(0), true);
  assert.equal(pic.acknowledge(), 0x21);
  assert.equal(device.readPort(0x60), 0x10);
  pic.writePort(0x20, 1, 0x20);
  assert.equal(pic.pending(0), false);
});

describe('any device: keyboard', () => {
  testAnyDevice(() => new KeyboardController());
  test('keeps held keys and the text that is still to be typed', () => {
    const first = rig();
    first.device.press('KeyQ');
    first.device.type('Hello');
    const second = rig();
    second.device.load(JSON.parse(JSON.stringify(first.device.save())));
    assert.deepEqual(second.read(), first.read());
    for (const { clock } of [first, second]) clock.goTo(600 * MILLISECOND);
    assert.deepEqual(second.read(), first.read());
  });
});
