/**
 * A second serial port with its own streams needs one file: its device is an object that a program makes and passes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serial16550 } from '../../src/devices/index.js';
import { createMachine } from '../../src/runtime/index.js';

function source(text: string) {
  const bytes = [...Buffer.from(text)];
  return {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
}

test('two serial ports read and write their own streams', () => {
  const sent = { one: '', two: '' };
  const into = (name: keyof typeof sent) => (bytes: Uint8Array) => {
    sent[name] += Buffer.from(bytes).toString('latin1');
  };
  const setDx = (port: number) => [0xba, port & 0xff, port >> 8];
  // wait: IN AL, DX; TEST AL, 1; JZ wait; with the line status in DX, then IN AL, DX; OUT DX, AL with the data register.
  const echo = (port: number) => [...setDx(port + 5), 0xec, 0xa8, 1, 0x74, 0xfb, ...setDx(port), 0xec, 0xee];
  using machine = createMachine({
    engine: 'soft',
    image: Uint8Array.from([...echo(0x3f8), ...echo(0x2f8), 0xf4]),
    mode: 'real',
    output: into('one'),
    input: source('A'),
    devices: [
      new Serial16550({ name: 'com2', base: 0x2f8, irq: 3, output: into('two'), input: source('B') }),
    ],
  });
  assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
  assert.deepEqual(sent, { one: 'A', two: 'B' });
  assert.deepEqual(Object.keys(machine.save().inputs.taken).sort(), ['com2: bytes', 'serial: bytes']);
});
