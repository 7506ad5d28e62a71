import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../memory/index.js';
import type { Device } from './contract/index.js';
import {
  Cmos,
  DebugConsole,
  DebugExit,
  DebugNmi,
  Hypercalls,
  KeyboardController,
  Pic8259,
  Pit8254,
  PseudoSerial,
  Serial16550,
  SimvirtioByExits,
  SystemControl,
  simvirtioRegions,
  standardBackends,
  Vga,
} from './index.js';
import { compareDescribed, type MakeDevice } from './testing.js';

const makers: Record<string, MakeDevice> = {
  'debug-console': ({ output }) => new DebugConsole(output),
  'pseudo-serial': ({ output }) => new PseudoSerial(output),
  'debug-exit': () => new DebugExit(),
  'debug-nmi': () => new DebugNmi(),
  serial: ({ output, input }) => new Serial16550({ output, input }),
  pic: () => new Pic8259(),
  pit: () => new Pit8254(),
  keyboard: () => new KeyboardController(),
  cmos: () => new Cmos(),
  'system-control': () => new SystemControl({ pit: new Pit8254() }),
  vga: () => new Vga(),
};

/** Asks for the words of an access and then makes it: `register ← 0x34: meaning`. */
function say(device: Device, address: number, value?: number, size: 1 | 2 | 4 = 1): string {
  const write = value !== undefined;
  const space = address < 0x10000 ? 'port' : 'memory';
  const words = device.describeAccess?.({ space, address, size, write });
  let seen = value;
  if (space === 'memory') device.writeMemory?.(address, size, value ?? 0);
  else if (write) device.writePort?.(address, size, value);
  else seen = device.readPort?.(address, size) ?? 0xff;
  if (words === undefined) return '';
  const meaning = words.says?.(seen!) ?? '';
  return `${words.register}${meaning === '' ? '' : `: ${meaning}`}`;
}

describe('the words of a device', () => {
  for (const [name, make] of Object.entries(makers)) {
    test(`${name}: can be requested at any time, and a guest does not notice`, () => {
      const seeds = fc.integer({ min: 1, max: 0xffffffff });
      fc.assert(
        fc.property(seeds, (seed) => compareDescribed(make, seed, 2000)),
        { numRuns: 10 },
      );
    });
  }

  test('follow the timer through its bytes and latches (8254, figures 7 to 12)', () => {
    const pit = new Pit8254();
    assert.equal(say(pit, 0x43, 0x34), 'control word: counter 0: low then high byte, mode 2, rate generator');
    assert.equal(say(pit, 0x40, 0x9c), 'counter 0, low byte');
    assert.equal(say(pit, 0x40, 0x2e), 'counter 0, high byte');
    assert.equal(say(pit, 0x43, 0x00), 'control word: counter 0: latch its count');
    assert.equal(say(pit, 0x40), 'counter 0, latched count, low byte');
    assert.equal(say(pit, 0x40), 'counter 0, latched count, high byte');
    assert.equal(say(pit, 0x40), 'counter 0, low byte');
    assert.equal(say(pit, 0x43, 0xe2), 'control word: read back status of counters 0');
    assert.match(say(pit, 0x40), /^counter 0, status: OUT .*low then high byte, mode 2/);
    assert.equal(say(pit, 0x43), 'control word, write-only');
  });

  test('follow the interrupt controllers through their initialization (8259A, figures 7 and 8)', () => {
    const pic = new Pic8259();
    assert.equal(say(pic, 0x20, 0x11), 'master command: ICW1: initialize, edge, cascade, ICW4 follows');
    assert.equal(say(pic, 0x21, 0x20), 'master ICW2, vectors: from 0x20');
    assert.equal(say(pic, 0x21, 0x04), 'master ICW3, cascade: slaves on lines 2');
    assert.equal(say(pic, 0x21, 0x01), 'master ICW4: 8086 mode, normal EOI');
    assert.equal(
      say(pic, 0x21, 0xfe),
      'master interrupt mask: masked: IRQ 1, IRQ 2, IRQ 3, IRQ 4, IRQ 5, IRQ 6, IRQ 7',
    );
    assert.equal(say(pic, 0x20, 0x20), 'master command: OCW2: end of interrupt');
    assert.equal(say(pic, 0xa0, 0x63), 'slave command: OCW2: end of interrupt of line 3');
    assert.equal(say(pic, 0x20), 'master interrupt requests: no line requested');
    assert.equal(say(pic, 0x20, 0x0b), 'master command: OCW3: read in-service next');
    assert.equal(say(pic, 0x20), 'master in-service: no line in service');
    assert.equal(say(pic, 0x4d1, 0x0c), 'slave edge/level control: level: IRQ 10, IRQ 11');
  });

  test('know the serial port with its divisor switched in, and without (PC16550D, table II)', () => {
    const serial = new Serial16550({ output: () => {} });
    assert.equal(
      say(serial, 0x3fb, 0x80),
      'line control: 5 data bits, no parity, 1 stop bit, divisor at 0 and 1',
    );
    assert.equal(say(serial, 0x3f8, 1), 'divisor, low byte');
    assert.equal(say(serial, 0x3f9, 0), 'divisor, high byte');
    assert.equal(say(serial, 0x3fb, 3), 'line control: 8 data bits, no parity, 1 stop bit');
    assert.equal(say(serial, 0x3f8, 0x48), "transmitter holding: 'H'");
    assert.equal(
      say(serial, 0x3fa, 0xc7),
      'FIFO control: FIFOs on, receiver reset, transmitter reset, trigger at 14',
    );
    assert.equal(say(serial, 0x3fd), 'line status: holding register empty, transmitter empty');
    assert.equal(say(serial, 0x3fa), 'interrupt identification: nothing pending, FIFOs on');
  });

  test('name the register that an index selects', () => {
    const cmos = new Cmos();
    assert.equal(say(cmos, 0x70, 0x8b), 'index: register B, NMI masked');
    assert.equal(say(cmos, 0x71), 'register B: 24 hours');
    const vga = new Vga();
    assert.equal(say(vga, 0x3d4, 0x0e), 'CRT controller index: cursor location high');
    assert.equal(say(vga, 0x3d5, 1), 'CRT controller cursor location high');
    assert.equal(say(vga, 0x3da).split(':')[0], 'input status 1');
    assert.equal(say(vga, 0x3c0, 0x30), 'attribute controller index: mode control');
    assert.equal(say(vga, 0x3c0, 0x0c), 'attribute controller mode control');
    assert.equal(say(vga, 0x3c8, 7), 'DAC address for writing');
    assert.equal(say(vga, 0x3c9, 1), 'DAC colour 7, red');
    assert.equal(say(vga, 0x3c9, 1), 'DAC colour 7, green');
    assert.equal(say(vga, 0xa0000, 1), 'video memory');
  });

  test('name the commands of the keyboard controller and what their data is', () => {
    const keyboard = new KeyboardController();
    assert.equal(say(keyboard, 0x64, 0x60), 'controller command: write the command byte');
    assert.equal(say(keyboard, 0x60, 0x41), 'command byte: keyboard interrupt, translation to set 1');
    assert.equal(say(keyboard, 0x60, 0xed), 'to the keyboard: set the lights');
    assert.match(say(keyboard, 0x64), /^status: output buffer full/);
    assert.equal(say(keyboard, 0x60), 'output buffer');
    assert.equal(say(new SystemControl(), 0x92, 2), 'system control port A: A20');
  });

  test('name the registers of SIMVIRTIO and the status of hypercalls', () => {
    const device = new SimvirtioByExits({ backends: standardBackends(() => {}) });
    const memory = GuestMemory.create([{ address: 0, size: 4096 }, ...simvirtioRegions('exits', 3)]);
    device.attach({ memory } as Parameters<NonNullable<Device['attach']>>[0]);
    const at = device.memory[1]!.address;
    assert.equal(say(device, at + 8, 2, 2), 'device 0 driver status: driver found');
    assert.equal(say(device, at + 0x10040, 5, 4), 'device 1 TX head');
    assert.equal(say(device, at + 9, 0), 'device 0 driver status, a part');
    memory.release(false);
    assert.equal(say(new Hypercalls(), 0xabba, undefined, 4), 'status of the last call: ok');
    assert.equal(say(new Hypercalls(), 0xabba, 0x1000, 4), 'request block');
  });
});
