/**
 * Chains of exceptions in which no instruction ever completes. A processor takes interrupts between two of them, and its time
 * advances; so the CPU's budget, timers and clock must count them too, in every mode.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SystemRegisters } from '../../../x86/index.js';
import { Control, ExitKind } from '../../contract/index.js';
import { CODE, MEMORY, realMode, type TestMachine } from './testing.js';

const UD2 = [0x0f, 0x0b];
const UNDEFINED = 6;
/** From one alarm to the next. */
const CYCLES = 100_000;
const [GDT, IDT, TSS, TABLES] = [0x2000, 0x3000, 0x4000, 0x8000];
const STACK = 0x7000;

const write64 = ({ memory }: TestMachine, address: number, value: bigint) => memory.write64(address, value);

/** A machine whose handler of #UD is its first instruction, UD2. */
function machineOf(mode: string): TestMachine {
  const machine = realMode(UD2, [{ address: MEMORY, size: 0x10000 }]);
  const { cpu, memory } = machine;
  if (mode === 'real mode') {
    memory.write16(UNDEFINED * 4, CODE);
    return machine;
  }
  const long = mode.startsWith('long');
  const system = cpu.getSystemRegisters();
  // Flat code and data (SDM 3A figure 3-8), 64-bit code with L in place of D.
  write64(machine, GDT + 0x08, long ? 0x00af9b000000ffffn : 0x00cf9b000000ffffn);
  write64(machine, GDT + 0x10, 0x00cf93000000ffffn);
  const gate = long ? IDT + 16 * UNDEFINED : IDT + 8 * UNDEFINED;
  // An interrupt gate of 32 or 64 bits; in long mode with IST 1, whose stack is always valid.
  memory.write32(gate, (0x08 << 16) | CODE);
  memory.write32(gate + 4, long ? 0x8e01 : 0x8e00);
  write64(machine, TSS + 0x24, BigInt(STACK));
  const flat = { ...system.cs, base: 0n, limit: 0xffffffff, g: true, present: true, s: true };
  system.cs = { ...flat, selector: 8, type: 11, db: !long, l: long };
  for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const) {
    system[name] = { ...flat, selector: 16, type: 3, db: true, l: false };
  }
  system.tr = { ...flat, selector: 0x18, base: BigInt(TSS), limit: 103, type: 11, s: false, g: false };
  Object.assign(system, {
    gdt: { base: BigInt(GDT), limit: 0x1f },
    idt: { base: BigInt(IDT), limit: 0xfff },
    cr0: 0x11n,
  });
  if (mode.endsWith('paging') || long) page(machine, system, long);
  // A 16-bit stack wraps forever.
  if (!long) system.ss = { ...system.ss, base: BigInt(MEMORY), limit: 0xffff, db: false, g: false };
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rsp: BigInt(STACK) });
  return machine;
}

/** Maps the memory one to one: a large page in each format (SDM 3A 4.3, 4.5). */
function page(machine: TestMachine, system: SystemRegisters, long: boolean): void {
  const [present, large] = [3n, 0x83n];
  if (long) {
    write64(machine, TABLES, BigInt(TABLES + 0x1000) | present);
    write64(machine, TABLES + 0x1000, BigInt(TABLES + 0x2000) | present);
    write64(machine, TABLES + 0x2000, large);
  } else machine.memory.write32(TABLES, Number(large));
  system.cr0 = 0x80000011n;
  system.cr3 = BigInt(TABLES);
  system.cr4 = long ? 0x20n : 0x10n;
  system.efer = long ? 0x500n : 0n;
}

const modes = ['real mode', 'protected mode', 'protected mode with paging', 'long mode'];

describe('a #UD handler that begins with UD2', () => {
  for (const mode of modes) {
    test(`in ${mode}: a timer, a stop and an alarm take effect, and the time advances`, () => {
      using machine = machineOf(mode);
      const { cpu, control } = machine;
      const before = cpu.clock.cycles;
      cpu.setTimer(5, 0);
      assert.equal(cpu.run(), ExitKind.interrupted);
      assert.ok(cpu.clock.cycles > before);
      assert.equal(cpu.recentFaults().at(-1)?.vector, UNDEFINED);
      cpu.clock.setAlarm(cpu.clock.cycles + CYCLES);
      const started = cpu.instructions;
      assert.equal(cpu.run(), ExitKind.interrupted);
      // A cycle each.
      assert.equal(Number(cpu.instructions - started), CYCLES);
      Atomics.store(control, Control.request, 1);
      assert.equal(cpu.run(), ExitKind.interrupted);
    });

    test(`in ${mode}: a debugger's step is one exception`, () => {
      using machine = machineOf(mode);
      const { cpu } = machine;
      assert.equal(cpu.debug({ step: true, breakpoints: [], watchpoints: [] }), undefined);
      for (let times = 1; times < 4; times++) {
        assert.equal(cpu.run(), ExitKind.debug);
        assert.equal(cpu.recentFaults().length, times);
        assert.equal(cpu.getRegisters().rip, BigInt(CODE));
      }
    });
  }
});
