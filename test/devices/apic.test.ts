/** The local APIC as a guest sees it: its MSRs, CR8, its timer's deadline, and CPUID. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { explain, formatExplanation } from '../../src/explain/index.js';
import { createMachine } from '../../src/index.js';
import { noKvm } from '../support.js';

const APIC = 0xfee0_0000;

const u32 = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
const wrmsr = (msr: number, low: number, high = 0) => [
  ...[0xb9, ...u32(msr)],
  ...[0xb8, ...u32(low)],
  ...[0xba, ...u32(high)],
  ...[0x0f, 0x30],
];
const rdmsr = (msr: number) => [0xb9, ...u32(msr), 0x0f, 0x32];
const CLI_HLT = [0xfa, 0xf4];

/** In 32-bit protected mode an absolute address needs no SIB byte. */
const set32 = (register: number, value: number) => [0xc7, 0x05, ...u32(APIC + register), ...u32(value)];

function run(code: number[], more: object = {}, saves = true) {
  using machine = createMachine({
    engine: 'soft',
    machine: 'pc',
    image: parseImage(Uint8Array.from(code), 'code'),
    ...more,
  });
  const outcome = machine.run({ timeoutMs: 60_000 });
  return { ...outcome, state: saves ? machine.save() : undefined };
}

describe('a local APIC on the software CPU', () => {
  test('is reported by CPUID where it exists, until IA32_APIC_BASE turns it off (SDM 3A 11.4.3)', () => {
    const cpuid = [0xb8, ...u32(1), 0x0f, 0xa2, 0x31, 0xc0];
    const there = run([...cpuid, ...CLI_HLT], { mode: 'protected' }).registers;
    assert.equal((there.rdx >> 9n) & 1n, 1n);
    assert.equal((there.rcx >> 21n) & 1n, 1n, 'x2APIC');
    assert.equal((there.rcx >> 24n) & 1n, 1n, 'TSC deadline');
    const bare = run([...cpuid, ...CLI_HLT], { mode: 'protected', machine: 'bare' }).registers;
    assert.equal((bare.rdx >> 9n) & 1n, 0n);
    const off = run([...wrmsr(0x1b, 0xfee00100), ...cpuid, ...CLI_HLT], { mode: 'protected' }).registers;
    assert.equal((off.rdx >> 9n) & 1n, 0n);
    const wall = run([...cpuid, ...CLI_HLT], { mode: 'protected', clock: 'wall' }).registers;
    assert.equal((wall.rcx >> 24n) & 1n, 0n, 'no deadlines where the counter is not the clock');
  });

  test('has x2APIC’s registers as MSRs, and #GP for missing ones', () => {
    const enter = wrmsr(0x1b, 0xfee00d00);
    const { registers } = run([...enter, ...rdmsr(0x803), 0x89, 0xc3, ...rdmsr(0x1b), ...CLI_HLT], {
      mode: 'protected',
    });
    assert.equal(registers.rbx, 0x50014n);
    assert.equal(registers.rax, 0xfee00d00n);
    for (const wrong of [
      rdmsr(0x803),
      [...enter, ...rdmsr(0x809)],
      [...enter, ...wrmsr(0x802, 1)],
      wrmsr(0x1b, 0xfee00400),
    ]) {
      const { kind, faults } = run([...wrong, ...CLI_HLT], { mode: 'protected' });
      assert.equal(kind, 'shutdown');
      assert.ok(faults?.some(({ vector }) => vector === 13));
    }
  });

  test('moves to the address in IA32_APIC_BASE', () => {
    const { registers, unclaimed } = run(
      [
        ...wrmsr(0x1b, 0xfd000900),
        0xa1,
        ...u32(0xfd000030),
        0x89,
        0xc3,
        0xa1,
        ...u32(APIC + 0x30),
        ...CLI_HLT,
      ],
      { mode: 'protected' },
    );
    assert.equal(registers.rbx, 0x50014n);
    assert.equal(registers.rax, 0xffff_ffffn);
    assert.equal(unclaimed[0]?.address, APIC + 0x30);
  });

  test('interrupts as soon as CR8 allows it (SDM 3A 11.8.6), and at the deadline of the counter', () => {
    // Vector 40h: a gate of 64-bit code at 0x10000, its handler counts in RBX.
    const code: number[] = [];
    const idt = 0x2_0000;
    const handler = 0x1_0000 + 0x200;
    const gate = [handler & 0xffff, 0x8e00_0008, 0, 0];
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x400), ...u32((gate[0]! & 0xffff) | (8 << 16)));
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x404), ...u32((handler & 0xffff0000) | 0x8e00));
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x408), ...u32(0));
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x1000), ...u32(0x0fff | ((idt & 0xffff) << 16)));
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x1004), ...u32(idt >>> 16));
    code.push(0xc7, 0x04, 0x25, ...u32(idt + 0x1008), ...u32(0));
    code.push(0x0f, 0x01, 0x1c, 0x25, ...u32(idt + 0x1000)); // lidt
    code.push(...wrmsr(0x1b, 0xfee00d00), ...wrmsr(0x80f, 0x1ff));
    code.push(0x31, 0xdb, 0xb8, ...u32(4), 0x44, 0x0f, 0x22, 0xc0); // ebx = 0, cr8 = 4
    code.push(0xfb, ...wrmsr(0x83f, 0x40)); // sti, self IPI
    code.push(0x90, 0x90, 0x41, 0x89, 0xd8); // r8d = ebx: none came
    code.push(0xb8, ...u32(3), 0x44, 0x0f, 0x22, 0xc0, 0x90); // cr8 = 3
    code.push(0x41, 0x89, 0xd9); // r9d = ebx: it came
    // A deadline 5000 cycles ahead.
    code.push(
      ...wrmsr(0x832, 0x40040),
      0x0f,
      0x31,
      0x49,
      0x89,
      0xc2,
      0x05,
      ...u32(5000),
      0xb9,
      ...u32(0x6e0),
      0x0f,
      0x30,
    );
    code.push(0xf4, 0x0f, 0x31, ...CLI_HLT);
    while (code.length < handler - 0x1_0000) code.push(0x90);
    code.push(0xff, 0xc3, 0x50, 0x51, 0x52, ...wrmsr(0x80b, 0), 0x5a, 0x59, 0x58, 0x48, 0xcf);
    const { registers, kind } = run(code, { mode: 'long', load: 0x1_0000, entry: 0x1_0000 });
    assert.equal(kind, 'halted');
    assert.equal(registers.r8, 0n);
    assert.equal(registers.r9, 1n);
    assert.equal(registers.rbx, 2n);
    const waited = Number((registers.rax & 0xffff_ffffn) - registers.r10);
    assert.ok(waited >= 5000 && waited < 5100, `${waited} cycles`);
  });

  test('loses no tick of 10 kHz in ten seconds of the machine’s time where the guest sleeps, and in two where it works', () => {
    for (const [wanted, idle] of [
      [100_000, [0xf4, 0xeb, 0xfd]],
      [20_000, [0x41, 0xeb, 0xfd]],
    ] as const) {
      // 32-bit code at 1 MiB: a gate for vector 40h, an IDT at 0x20000.
      const at = 0x10_0000;
      const idt = 0x2_0000;
      const handler = at + 0x100;
      const store = (address: number, value: number) => [0xc7, 0x05, ...u32(address), ...u32(value)];
      const code = [
        ...store(idt + 0x200, (handler & 0xffff) | (8 << 16)),
        ...store(idt + 0x204, ((handler & 0xffff0000) | 0x8e00) >>> 0),
        ...store(idt + 0x1000, 0xfff | ((idt & 0xffff) << 16)),
        ...store(idt + 0x1004, idt >>> 16),
        ...[0x0f, 0x01, 0x1d, ...u32(idt + 0x1000), 0x31, 0xdb],
        ...[...set32(0xf0, 0x1ff), ...set32(0x3e0, 0xb), ...set32(0x320, 0x2_0040), ...set32(0x380, 100_000)],
        ...[0x0f, 0x31, 0x89, 0xc6, 0xfb, ...idle],
      ];
      while (code.length < handler - at) code.push(0x90);
      // inc ebx; cmp ebx, wanted; jae done; EOI; iret; done: rdtsc; cli; hlt
      code.push(
        0x43,
        0x81,
        0xfb,
        ...u32(wanted),
        0x73,
        0x0b,
        ...set32(0xb0, 0),
        0xcf,
        0x0f,
        0x31,
        ...CLI_HLT,
      );
      const { registers, kind } = run(code, { mode: 'protected', load: at, entry: at });
      assert.equal(kind, 'halted');
      const cycles = Number((registers.rax - registers.rsi) & 0xffff_ffffn);
      const ticks = cycles / 10_000;
      assert.ok(ticks >= wanted - 1 && ticks < wanted + 0.5, `${wanted} ticks took the time of ${ticks}`);
    }
  });

  test('a guest that sends itself interrupts endlessly can be stopped', () => {
    const at = 0x10_0000;
    const idt = 0x2_0000;
    const handler = at + 0x100;
    const store = (address: number, value: number) => [0xc7, 0x05, ...u32(address), ...u32(value)];
    const code = [
      ...store(idt + 0x200, (handler & 0xffff) | (8 << 16)),
      ...store(idt + 0x204, ((handler & 0xffff0000) | 0x8e00) >>> 0),
      ...store(idt + 0x1000, 0xfff | ((idt & 0xffff) << 16)),
      ...store(idt + 0x1004, idt >>> 16),
      ...[
        0x0f,
        0x01,
        0x1d,
        ...u32(idt + 0x1000),
        ...set32(0xf0, 0x1ff),
        ...set32(0x300, 0x4_0040),
        0xfb,
        0xf4,
        0xeb,
        0xfd,
      ],
    ];
    while (code.length < handler - at) code.push(0x90);
    code.push(...set32(0x300, 0x4_0040), ...set32(0xb0, 0), 0xcf);
    using machine = createMachine({
      engine: 'soft',
      machine: 'pc',
      mode: 'protected',
      load: at,
      entry: at,
      image: parseImage(Uint8Array.from(code), 'code'),
    });
    do assert.equal(machine.run({ timeoutMs: 100 }).kind, 'timeout');
    while (machine.exits <= 10);
  });

  test('a guest that starts a missing processor, and waits for it, gets an explanation', () => {
    // INIT, SIPI with code at 0x8000, both to APIC 1; then it waits for a word in memory to change.
    const sipi = [...set32(0x310, 1 << 24), ...set32(0x300, 0x4500), ...set32(0x300, 0x4608)];
    const code = [...sipi, 0x83, 0x3d, ...u32(0x9000), 0, 0x74, 0xf7, ...CLI_HLT];
    const image = parseImage(Uint8Array.from(code), 'code');
    using machine = createMachine({ engine: 'soft', machine: 'pc', mode: 'protected', image });
    const outcome = machine.run({ maxInstructions: 10_000, timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'limit');
    assert.match(outcome.remarks?.[0] ?? '', /start-up interrupt \(SIPI, code at 0x8000\).*one processor/);
    const why = formatExplanation(explain({ ...outcome, memory: machine.memory }));
    assert.match(why, /the processor of APIC 0x1 a start-up interrupt/);
  });
});

describe('a local APIC in the kernel', { skip: noKvm }, () => {
  test('has x2APIC and deadlines of the time stamp counter, and CPUID says so', () => {
    // 32-bit code at 1 MiB: CPUID's ECX to ESI; x2APIC on; a deadline 5000 cycles ahead on vector 40h, whose handler ends the run.
    const at = 0x10_0000;
    const idt = 0x2_0000;
    const handler = at + 0x200;
    const store = (address: number, value: number) => [0xc7, 0x05, ...u32(address), ...u32(value)];
    const code = [
      ...store(idt + 0x200, (handler & 0xffff) | (8 << 16)),
      ...store(idt + 0x204, ((handler & 0xffff0000) | 0x8e00) >>> 0),
      ...store(idt + 0x1000, 0xfff | ((idt & 0xffff) << 16)),
      ...store(idt + 0x1004, idt >>> 16),
      ...[0x0f, 0x01, 0x1d, ...u32(idt + 0x1000)],
      ...[0xb8, ...u32(1), 0x0f, 0xa2, 0x89, 0xce],
      ...[...wrmsr(0x1b, 0xfee00d00), ...wrmsr(0x80f, 0x1ff), ...wrmsr(0x832, 0x40040)],
      ...[0x0f, 0x31, 0x05, ...u32(5000), 0x83, 0xd2, 0, 0xb9, ...u32(0x6e0), 0x0f, 0x30],
      ...[0xfb, 0xf4, 0xeb, 0xfd],
    ];
    while (code.length < handler - at) code.push(0x90);
    code.push(0xb0, 7, 0xe6, 0xf4);
    const {
      kind,
      code: exit,
      registers,
      reason,
    } = run(
      code,
      {
        engine: 'kvm',
        machine: 'bare',
        irqchip: 'kernel',
        mode: 'protected',
        load: at,
        entry: at,
      },
      false,
    );
    assert.equal(kind, 'exited', reason);
    assert.equal(exit, 7);
    assert.equal((registers.rsi >> 21n) & 1n, 1n, 'x2APIC');
    assert.equal((registers.rsi >> 24n) & 1n, 1n, 'TSC deadline');
  });
});
