/** REP INS reads many elements in one exit: cases in which storing them is not simple. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind } from '../../contract/index.js';
import { realMode, type TestMachine } from './testing.js';

const HLT = 0xf4;
const REP_INSB = [0xf3, 0x6c, HLT];
const TF = 0x100n;

function start({ cpu }: TestMachine, { segment = 0, di = 0x2000, count = 8, flags = 0n }) {
  const system = cpu.getSystemRegisters();
  cpu.setSystemRegisters({
    ...system,
    es: { ...system.es, selector: segment, base: BigInt(segment * 16) },
  });
  const registers = { ...cpu.getRegisters(), rdx: 0x60n, rcx: BigInt(count), rdi: BigInt(di) };
  cpu.setRegisters({ ...registers, rflags: 2n | flags });
}

/** Answers the current read with increasing bytes. */
function answer({ cpu: { exit } }: TestMachine, first: number): void {
  for (let n = 0; n < exit.count * exit.size; n++) exit.data.setUint8(exit.offset + n, first + n);
}

describe('REP INS', () => {
  test('that crosses from RAM into MMIO writes the rest there, with an exit each, and reads the port once', () => {
    using machine = realMode(REP_INSB);
    const { cpu, memory } = machine;
    start(machine, { segment: 0x0fff, di: 12, count: 7 });
    assert.equal(cpu.run(), ExitKind.io);
    assert.deepEqual([cpu.exit.address, cpu.exit.count, cpu.exit.write], [0x60, 7, false]);
    answer(machine, 1);
    const written: number[][] = [];
    while (cpu.run() === ExitKind.mmio) {
      written.push([cpu.exit.address, cpu.exit.data.getUint8(cpu.exit.offset)]);
    }
    assert.deepEqual([...memory.readBytes(0xfffc, 4)], [1, 2, 3, 4]);
    assert.deepEqual(written, [
      [0x10000, 5],
      [0x10001, 6],
      [0x10002, 7],
    ]);
    assert.equal(cpu.exit.kind, ExitKind.halt);
    assert.deepEqual([cpu.getRegisters().rcx, cpu.getRegisters().rdi], [0n, 19n]);
  });

  test('has stored its input when completeExit returns, and nothing further', () => {
    using machine = realMode(REP_INSB);
    const { cpu, memory } = machine;
    start(machine, { count: 1500 });
    cpu.run();
    assert.equal(cpu.exit.count, 1024);
    answer(machine, 0);
    cpu.completeExit();
    const { rcx, rdi, rip } = cpu.getRegisters();
    assert.deepEqual([rcx, rdi, rip], [476n, 0x2400n, 0x1000n]);
    assert.equal(memory.read8(0x23ff), 0xff);
    cpu.run();
    assert.equal(cpu.exit.count, 476);
  });

  test('counts an instruction for each element', () => {
    using machine = realMode(REP_INSB);
    const { cpu } = machine;
    start(machine, { count: 300 });
    cpu.run();
    const before = cpu.instructions;
    assert.equal(cpu.run(), ExitKind.halt);
    // The iterations, and the HLT.
    assert.equal(cpu.instructions - before, 301n);
  });

  test('continues with the next instruction, which it has overwritten', () => {
    // INC BX is written over the following HLT, and a HLT after that
    using machine = realMode(REP_INSB);
    const { cpu } = machine;
    start(machine, { di: 0x1002, count: 2 });
    cpu.run();
    cpu.exit.data.setUint8(cpu.exit.offset, 0x43);
    cpu.exit.data.setUint8(cpu.exit.offset + 1, HLT);
    const { rbx } = cpu.getRegisters();
    assert.equal(cpu.run(), ExitKind.halt);
    assert.deepEqual([cpu.getRegisters().rbx, cpu.getRegisters().rip], [rbx + 1n, 0x1004n]);
  });

  test('is done one by one where each iteration is trapped', () => {
    using machine = realMode(REP_INSB);
    const { cpu, memory } = machine;
    // The handler of the single-step trap: INC BX, IRET
    memory.writeBytes(1 * 4, Uint8Array.of(0x00, 0x18, 0, 0));
    memory.writeBytes(0x1800, Uint8Array.of(0x43, 0xcf));
    start(machine, { count: 3, flags: TF });
    const { rbx } = cpu.getRegisters();
    for (let round = 0; round < 3; round++) {
      assert.equal(cpu.run(), ExitKind.io);
      const registers = cpu.getRegisters();
      assert.deepEqual([cpu.exit.count, registers.rcx], [1, BigInt(3 - round)]);
      assert.equal(registers.rbx - rbx, BigInt(round));
    }
  });
});
