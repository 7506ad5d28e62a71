/**
 * Interrupt lines that devices share, and messages, with the controllers in Terrarium and in KVM: a device does not
 * notice.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { Device, DeviceHost, Line } from '../../src/devices/contract/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

/** The handler of IRQ 5 and vector 0x44, and its counter. */
const [HANDLER, COUNT] = [0x600, 0x500];

// Instructions of real mode, by their encodings in SDM 2.
/** MOV AL, value; OUT port, AL */
const out = (port: number, ...values: number[]) => values.flatMap((value) => [0xb0, value, 0xe6, port]);
/** MOV word [address], value */
const store = (address: number, value: number) => [
  ...[0xc7, 0x06, address & 0xff, address >> 8, value & 0xff, value >> 8],
];
const [STI, NOP, HLT, IRET, CLI] = [0xfb, 0x90, 0xf4, 0xcf, 0xfa];
/**
 * A write to port 80 starts the devices' next step. Its interrupts come before the last OUT: KVM's emulation of real
 * mode checks for them at each exit, not after each instruction.
 */
const step = (number: number) => [...out(0x80, number), ...out(0x82, 0, 0, 0), NOP];
/** ICW1 to ICW4, and all lines but 5 masked. */
const picInit = [...out(0x20, 0x11), ...out(0x21, 0x20, 4, 1, 0xdf)];
/** INC word [COUNT]; PUSH AX; OUT 81h, AL: the devices may lower their lines; EOI; POP AX; IRET */
const handler = [
  ...[0xff, 0x06, COUNT & 0xff, COUNT >> 8, 0x50],
  ...[...out(0x81, 0), ...out(0x20, 0x20), 0x58, IRET],
];

/** Two devices on IRQ 5; the guest tells the first what both do with their lines. */
function sharers(steps: readonly ((a: Line, b: Line) => void)[], onHandler: (a: Line, b: Line) => void) {
  const lines: Line[] = [];
  const attach = (host: DeviceHost) => void lines.push(host.line(5));
  const first: Device = {
    name: 'first',
    ports: [{ first: 0x80, count: 2, width: 1 }],
    attach,
    writePort(port, _size, value) {
      const [a, b] = lines as [Line, Line];
      if (port === 0x81) onHandler(a, b);
      else steps[value]?.(a, b);
    },
  };
  return [first, { name: 'second', attach }] satisfies Device[];
}

const engines = [
  ['soft', 'user'],
  ['kvm', 'user'],
  ['kvm', 'kernel'],
] as const;

for (const [engine, irqchip] of engines) {
  /** How many interrupts the guest has had after each of `steps`. */
  const counted = (level: boolean, devices: Device[], steps: number) => {
    const code = [
      ...picInit,
      // ELCR, after MOV DX: line 5 is level-triggered.
      ...(level ? [0xba, 0xd0, 0x04, 0xb0, 0x20, 0xee] : []),
      ...store(0x25 * 4, HANDLER),
      ...store(0x25 * 4 + 2, 0),
      STI,
      ...Array.from({ length: steps }, (_, n) => [
        ...step(n),
        // MOV AX, [COUNT]; MOV [COUNT + 2 + 2n], AX
        ...[0xa1, COUNT & 0xff, COUNT >> 8, 0xa3, (COUNT + 2 + 2 * n) & 0xff, COUNT >> 8],
      ]).flat(),
      ...[CLI, HLT],
    ];
    using machine = createMachine({
      engine,
      irqchip,
      image: parseImage(Uint8Array.from(code), 'lines'),
      mode: 'real',
      load: 0x1000,
      devices,
    });
    machine.memory.writeBytes(HANDLER, Uint8Array.from(handler));
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'halted', outcome.reason);
    return Array.from({ length: steps }, (_, n) => machine.memory.read16(COUNT + 2 + 2 * n));
  };

  describe(`two devices on one line, on ${engine} with controllers of ${irqchip}`, {
    skip: engine === 'kvm' && noKvm,
  }, () => {
    test('edge-triggered: a rise is an interrupt, although the other holds the line high', () => {
      const devices = sharers(
        [
          (a) => a.set(true),
          (_, b) => b.set(true),
          (a) => a.set(false),
          (_, b) => b.pulse(),
          (_, b) => b.set(false),
        ],
        () => {},
      );
      assert.deepEqual(counted(false, devices, 5), [1, 2, 2, 3, 3]);
    });

    test('level-triggered: it requests again until both have lowered their lines', () => {
      let asked = 0;
      const devices = sharers(
        [
          (a, b) => {
            a.set(true);
            b.set(true);
          },
        ],
        (a, b) => (asked++ === 0 ? a : b).set(false),
      );
      assert.deepEqual(counted(true, devices, 1), [2]);
    });
  });
}

describe('an interrupt message', { skip: noKvm }, () => {
  for (const irqchip of ['user', 'split', 'kernel'] as const) {
    test(`${irqchip !== 'user' ? 'reaches the local APIC' : 'finds no APIC'} with controllers of ${irqchip}`, () => {
      let taken: boolean | undefined;
      const device: Device = {
        name: 'messenger',
        attach(host) {
          host.claim({ first: 0x80, count: 2, width: 1 });
          // Fixed delivery of vector 44h to APIC 0 (SDM 3A 11.11).
          this.writePort = (port) => {
            if (port === 0x80) taken = host.sendMessage(0xfee00000, 0x44);
          };
        },
      };
      // In 64 bits: MOV EBX, FEE000F0h; MOV dword [RBX], 1FFh (the APIC's spurious vector register: software enable); LIDT [700h];
      // STI; OUT 80h; NOP; NOP; CLI; HLT
      const code = [
        ...[0xbb, 0xf0, 0x00, 0xe0, 0xfe, 0xc7, 0x03, 0xff, 0x01, 0x00, 0x00],
        ...[0x0f, 0x01, 0x1c, 0x25, 0x00, 0x07, 0x00, 0x00],
        ...[STI, ...out(0x80, 0), NOP, NOP, CLI, HLT],
      ];
      using machine = createMachine({
        engine: 'kvm',
        irqchip,
        image: parseImage(Uint8Array.from(code), 'message'),
        mode: 'long',
        devices: [device],
      });
      const { memory } = machine;
      const { cs } = machine.cpu.getSystemRegisters();
      // An interrupt gate of 64 bits for vector 44h (SDM 3A 6.14.1), in a table at 800h.
      const gate = 0x800 + 0x44 * 16;
      memory.write16(0x700, 0xfff);
      memory.write64(0x702, 0x800n);
      memory.write32(gate, (cs.selector << 16) | HANDLER);
      memory.write32(gate + 4, 0x8e00);
      // INC dword [COUNT]; HLT with interrupts off
      memory.writeBytes(HANDLER, Uint8Array.of(0xff, 0x04, 0x25, COUNT & 0xff, COUNT >> 8, 0, 0, HLT));
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.equal(taken, irqchip !== 'user');
      assert.equal(memory.read32(COUNT), irqchip === 'user' ? 0 : 1);
    });
  }
});
