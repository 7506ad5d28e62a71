/** Split interrupt controllers: local APICs inside KVM, the 8259A pair and the I/O APIC in Terrarium. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble, flatImage } from '../../src/assembler/index.js';
import type { Device, Line } from '../../src/devices/contract/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

const AT = 0x10_0000;
const COUNT = 0x3000;

/**
 * 32-bit code: vectors 40h and 41h count at COUNT and COUNT + 4 and end their interrupts; the local APIC is on, the 8259A pair
 * silent. `begin` sets the I/O APIC up and waits, `serve` is in the handler of vector 40h, before its EOI.
 */
const guest = (begin: string, serve = '') => `
        .code32
        .globl _start
        .set APIC, 0xfee00000
        .macro entry pin, low, high=0
        movl $0x11 + 2 * \\pin, 0xfec00000
        movl $\\high, 0xfec00010
        movl $0x10 + 2 * \\pin, 0xfec00000
        movl $\\low, 0xfec00010
        .endm
        .macro gate vector, handler
        mov $\\handler, %eax
        mov %ax, idt + \\vector * 8
        movw $8, idt + \\vector * 8 + 2
        movw $0x8e00, idt + \\vector * 8 + 4
        shr $16, %eax
        mov %ax, idt + \\vector * 8 + 6
        .endm
_start: gate 0x40, first
        gate 0x41, second
        lidt idtr
        mov $0xff, %al
        out %al, $0x21
        out %al, $0xa1
        movl $0x1ff, APIC + 0xf0
        ${begin}
first:  incl ${COUNT}
        ${serve}
        movl $0, APIC + 0xb0
        iret
second: incl ${COUNT + 4}
        movl $0, APIC + 0xb0
        iret
idtr:   .word 0x42 * 8 - 1
        .long idt
        .balign 8
idt:    .skip 0x42 * 8
`;

/** 11,932 of the timer's pulses are 10 ms. */
const PIT_100_HZ =
  'mov $0x34, %al; out %al, $0x43; mov $0x9c, %al; out %al, $0x40; mov $0x2e, %al; out %al, $0x40';

/** Sleeps until COUNT + `offset` is \`ticks\`. */
const until = (ticks: number, offset = 0) => `
        sti
1:      hlt
        cmpl $${ticks}, ${COUNT + offset}
        jb 1b
        cli
        hlt
`;

function make(source: string, devices: Device[] = [], more: Partial<MachineOptions> = {}) {
  const image = flatImage(assemble(source, { file: 'k.S', syntax: 'gas', base: BigInt(AT) }));
  const place = { mode: 'protected', load: AT, entry: AT } as const;
  return createMachine({ engine: 'kvm', irqchip: 'split', image, ...place, devices, ...more });
}

/** A device on a line, which port 80h raises, and port 81h lowers after `times` requests. */
function asker(irq: number, times: number) {
  let line: Line;
  let left = times;
  const device: Device = {
    name: 'asker',
    ports: [{ first: 0x80, count: 2 }],
    attach(host) {
      line = host.line(irq);
    },
    writePort(port) {
      if (port === 0x80) line.set(true);
      else if (--left === 0) line.set(false);
    },
  };
  return device;
}

describe('split interrupt controllers', { skip: noKvm }, () => {
  test('a level-triggered pin of the I/O APIC requests again after each EOI while it is high, and not afterwards', () => {
    const begin = `
        entry 11, 0x8040
        entry 12, 0x41
        sti
        out %al, $0x80
        nop
        nop
        cli
        hlt`;
    using machine = make(guest(begin, 'out %al, $0x81'), [asker(11, 3)]);
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.equal(machine.memory.read32(COUNT), 3);
    assert.equal(machine.memory.read32(COUNT + 4), 0);
  });

  test('an edge-triggered pin requests once per edge, even if it stays high', () => {
    const begin = `
        entry 11, 0x40
        sti
        out %al, $0x80
        nop
        nop
        cli
        hlt`;
    using machine = make(guest(begin), [asker(11, 3)]);
    assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
    assert.equal(machine.memory.read32(COUNT), 1);
  });

  test('the timer ticks through the I/O APIC, and each tick is reported as taken, so that none is lost', () => {
    const begin = `
        entry 2, 0x40
        ${PIT_100_HZ}
        ${until(20)}`;
    using machine = make(guest(begin));
    const { kind, reason } = machine.run({ timeoutMs: 60_000 });
    assert.equal(kind, 'halted', reason);
    const passed = machine.clock.now() / 1e6;
    assert.ok(passed >= 199, `20 ticks of 10 ms after ${passed} ms`);
  });

  test('the local APIC’s timer ticks in the kernel, without exits', () => {
    const begin = `
        movl $0xb, APIC + 0x3e0
        movl $0x20041, APIC + 0x320
        movl $1000000, APIC + 0x380
        ${until(20, 4)}`;
    using machine = make(guest(begin), [], { assist: false });
    const { kind } = machine.run({ timeoutMs: 60_000 });
    // A KVM that emulates ring 0 gives up at IRET without the software CPU.
    if (kind === 'engineError') return;
    assert.equal(kind, 'halted');
    assert.ok(machine.memory.read32(COUNT + 4) >= 20);
  });

  test('a machine is saved and restored in the middle of its ticks, with the local APIC’s state', () => {
    const begin = `
        entry 2, 0x40
        ${PIT_100_HZ}
        movl $0xb, APIC + 0x3e0
        movl $0x20041, APIC + 0x320
        movl $10000000, APIC + 0x380
        ${until(20)}`;
    using machine = make(guest(begin));
    assert.equal(machine.run({ timeoutMs: 60 }).kind, 'timeout');
    const state = structuredClone(machine.save());
    using other = make(guest(begin));
    other.load(state);
    const outcome = other.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.ok(other.memory.read32(COUNT) >= 20);
    assert.ok(other.memory.read32(COUNT + 4) > 0);
  });

  test('are refused by the software CPU with a message', () => {
    assert.throws(() => make(guest('hlt'), [], { engine: 'soft' }), /no interrupt controllers of its own/);
  });
});
