/**
 * Guests that set up a PC's bus in ways in which no firmware does: base addresses over RAM, over devices, over each
 * other and at the top; storms.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { createMachine } from '../../src/index.js';

const u32 = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
const CLI_HLT = [0xfa, 0xf4];
/** mov [address], value */
const store = (address: number, value: number) => [0xc7, 0x05, ...u32(address), ...u32(value)];
/** mov eax, [address]; out e9, al and the bytes above it */
const print = [
  0xe6, 0xe9, 0xc1, 0xe8, 0x08, 0xe6, 0xe9, 0xc1, 0xe8, 0x08, 0xe6, 0xe9, 0xc1, 0xe8, 0x08, 0xe6, 0xe9,
];
const show = (address: number) => [0xa1, ...u32(address), ...print];
const out32 = (port: number, value: number) => [
  0x66,
  0xba,
  port & 0xff,
  port >> 8,
  0xb8,
  ...u32(value),
  0xef,
];
const in8 = (port: number) => [0x66, 0xba, port & 0xff, port >> 8, 0xec, 0xe6, 0xe9];
const config = (device: number, fn: number, register: number, value: number) => [
  ...out32(0xcf8, 0x8000_0000 | (device << 11) | (fn << 8) | register),
  ...out32(0xcfc, value),
];
/** The display is slot 2, its frame buffer's base address register 10h; the IDE's bus master is register 20h of 1.1. */
const frameBuffer = (address: number) => config(2, 0, 0x10, address);
const busMaster = (address: number) => config(1, 1, 0x20, address);

const AT = 0x10_0000;

function runs(code: number[], timeoutMs = 60_000) {
  const said: number[] = [];
  using machine = createMachine({
    engine: 'soft',
    machine: 'pc',
    mode: 'protected',
    vga: true,
    load: AT,
    entry: AT,
    image: parseImage(Uint8Array.from(code), 'code'),
    output: (bytes) => void said.push(...bytes),
  });
  const { kind, reason } = machine.run({ timeoutMs });
  return { kind, reason, said, exits: machine.exits };
}

const word = (said: readonly number[], n = 0) => Buffer.from(said).readUInt32LE(n * 4);

describe('base addresses of PCI functions', () => {
  test('over RAM: RAM answers, and the picture is not lost', () => {
    const { kind, said, reason } = runs([
      ...store(0xe000_0000, 0x1234_5678),
      ...store(0x20_0000, 0xcafe_f00d),
      ...frameBuffer(0x20_0000),
      ...show(0x20_0000),
      ...store(0x20_0000, 0x0bad_cafe),
      ...frameBuffer(0xe000_0000),
      ...[...show(0xe000_0000), ...show(0x20_0000), ...CLI_HLT],
    ]);
    assert.equal(kind, 'halted', reason);
    assert.deepEqual([word(said), word(said, 1), word(said, 2)], [0xcafe_f00d, 0x1234_5678, 0x0bad_cafe]);
  });

  test('over the local APIC: the APIC answers (SDM 3A 11.4.1)', () => {
    const { kind, said } = runs([...frameBuffer(0xfe00_0000), ...show(0xfee0_0030), ...CLI_HLT]);
    assert.equal(kind, 'halted');
    assert.equal(word(said) & 0xff, 0x14);
  });

  test('at the top, at 0, and beyond: no error', () => {
    for (const address of [0xffff_ffff, 0xff00_0000, 0xfff0_0000, 0, 0x0f])
      assert.equal(runs([...frameBuffer(address), ...show(0xffff_fff0), ...CLI_HLT]).kind, 'halted');
    for (const port of [0xffff_ffff, 0xfff1, 0x1_0001, 1])
      assert.equal(runs([...busMaster(port), ...in8(0xfff2), ...CLI_HLT]).kind, 'halted');
  });

  test('over ports of other devices: those answer', () => {
    // ICW1 to ICW4 and a mask; then the bus master is put over the 8259A.
    const icw = [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0x5a],
    ].flatMap(([port, value]) => [0xb0, value!, 0xe6, port!]);
    const { kind, said } = runs([...icw, ...busMaster(0x21), ...in8(0x21), ...CLI_HLT]);
    assert.equal(kind, 'halted');
    assert.deepEqual(said, [0x5a]);
  });

  test('of two functions at one port: one of them answers, and both do again once they are moved apart', () => {
    const pm = (value: number) => [...config(1, 3, 0x40, value), ...config(1, 3, 0x80, 1)];
    const { kind, said } = runs([
      ...[...pm(0xc001), ...in8(0xc002)],
      ...[...pm(0x601), ...in8(0xc002), ...in8(0x602), ...CLI_HLT],
    ]);
    assert.equal(kind, 'halted');
    assert.equal(said.length, 3);
    assert.equal(said[1]! & 0x9f, 0, 'the bus master’s status is back');
    assert.equal(said[2], 0, 'and power management’s');
  });
});

describe('a storm', () => {
  /** A gate for vector 40h whose handler ends the interrupt, at AT + 0x200. */
  const handler = AT + 0x200;
  const IDT = 0x2_0000;
  const gate = [
    ...store(IDT + 0x200, (handler & 0xffff) | (8 << 16)),
    ...store(IDT + 0x204, ((handler & 0xffff0000) | 0x8e00) >>> 0),
    ...store(IDT + 0x1000, 0xfff | ((IDT & 0xffff) << 16)),
    ...store(IDT + 0x1004, IDT >>> 16),
    ...[0x0f, 0x01, 0x1d, ...u32(IDT + 0x1000)],
    ...store(0xfee0_00f0, 0x1ff),
  ];
  const redirect = (pin: number, low: number) => [
    ...[...store(0xfec0_0000, 0x11 + 2 * pin), ...store(0xfec0_0010, 0)],
    ...[...store(0xfec0_0000, 0x10 + 2 * pin), ...store(0xfec0_0010, low)],
  ];
  const ends = (code: number[], inHandler: number[] = []) => {
    const whole = [...gate, ...code, 0xfb, 0xf4, 0xeb, 0xfd];
    while (whole.length < handler - AT) whole.push(0x90);
    whole.push(...inHandler, ...store(0xfee0_00b0, 0), 0xcf);
    const { kind, exits } = runs(whole, 200);
    assert.equal(kind, 'timeout');
    assert.ok(exits > 10, `${exits} exits`);
  };

  test('of a level that never falls is ended by the timeout: the serial port requests bytes', () => {
    // IER: the transmitter is empty, and nobody reads IIR. OUT2 enables it.
    const serial = [0x66, 0xba, 0xf9, 0x03, 0xb0, 2, 0xee, 0x66, 0xba, 0xfc, 0x03, 0xb0, 8, 0xee];
    ends([...redirect(4, 0x8040), ...serial]);
  });

  test('of interrupts that a processor sends to itself is ended by the timeout', () => {
    // ICR: vector 40h, fixed, to itself; the handler sends the next one.
    const send = store(0xfee0_0300, 0x4_0040);
    ends(send, send);
  });
});
