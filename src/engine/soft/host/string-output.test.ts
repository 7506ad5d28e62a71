/** REP OUTS writes many elements in one exit, as a processor reports the instruction (SDM 3C 28.2.1): how many, and which. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExitKind } from '../../contract/index.js';
import { MEMORY, realMode, type TestMachine } from './testing.js';

const HLT = 0xf4;
const REP_OUTSB = [0xf3, 0x6e, HLT];
const TF = 0x100n;
const DF = 0x400n;

function start({ cpu, memory, vm }: TestMachine, { segment = 0, si = 0x2000, count = 8, flags = 0n }) {
  vm.streamPorts([{ first: 0x60, last: 0x60 }]);
  for (let at = 0x2000; at < MEMORY; at++) memory.write8(at, (at * 7 + (at >> 8)) & 0xff);
  const system = cpu.getSystemRegisters();
  const data = { ...system.ds, selector: segment, base: BigInt(segment * 16) };
  cpu.setSystemRegisters({ ...system, ds: data });
  const registers = { ...cpu.getRegisters(), rdx: 0x60n, rcx: BigInt(count), rsi: BigInt(si) };
  cpu.setRegisters({ ...registers, rflags: 2n | flags });
}

const written = ({ cpu: { exit } }: TestMachine) => {
  assert.deepEqual([exit.kind, exit.write, exit.address], [ExitKind.io, true, 0x60]);
  return [...new Uint8Array(exit.data.buffer, exit.data.byteOffset + exit.offset, exit.count * exit.size)];
};

/** All output until the guest halts. */
function all(machine: TestMachine): { counts: number[]; bytes: number[] } {
  const counts: number[] = [];
  const bytes: number[] = [];
  while (machine.cpu.run() === ExitKind.io) {
    counts.push(machine.cpu.exit.count);
    bytes.push(...written(machine));
  }
  assert.equal(machine.cpu.exit.kind, ExitKind.halt);
  return { counts, bytes };
}

describe('REP OUTS', () => {
  test('is one exit for all its elements', () => {
    using machine = realMode(REP_OUTSB);
    start(machine, { count: 14 });
    const { counts, bytes } = all(machine);
    assert.deepEqual(counts, [14]);
    assert.deepEqual(bytes, [...machine.memory.readBytes(0x2000, 14)]);
    const { rcx, rsi } = machine.cpu.getRegisters();
    assert.deepEqual([rcx, rsi], [0n, 0x200en]);
  });

  test('is an exit for each element where the device does not take a stream', () => {
    using machine = realMode(REP_OUTSB);
    start(machine, { count: 3 });
    machine.vm.streamPorts([{ first: 0x61, last: 0xffff }]);
    assert.deepEqual(all(machine).counts, [1, 1, 1]);
  });

  test('stops for an alarm at exactly its instruction', () => {
    using machine = realMode(REP_OUTSB);
    const { cpu } = machine;
    start(machine, { count: 100 });
    cpu.clock.setAlarm(cpu.clock.cycles + 30);
    assert.equal(cpu.run(), ExitKind.io);
    assert.ok(cpu.exit.count <= 30, `${cpu.exit.count}`);
    while (cpu.run() === ExitKind.io);
    assert.equal(cpu.exit.kind, ExitKind.interrupted);
    assert.equal(cpu.instructions, 30n);
    assert.equal(cpu.getRegisters().rcx, 70n);
    assert.deepEqual(all(machine).counts, [70]);
  });

  test('is one exit per page, and for 1,024 bytes at most', () => {
    using machine = realMode(REP_OUTSB);
    start(machine, { si: 0x2ff0, count: 2000 });
    assert.deepEqual(all(machine).counts, [16, 1024, 960]);
  });

  test('counts an instruction for each element', () => {
    using machine = realMode(REP_OUTSB);
    start(machine, { count: 300 });
    machine.cpu.run();
    const before = machine.cpu.instructions;
    assert.equal(machine.cpu.run(), ExitKind.halt);
    // The iterations, and the HLT.
    assert.equal(machine.cpu.instructions - before, 301n);
  });

  test('has completed exactly the exit’s elements when completeExit returns', () => {
    using machine = realMode(REP_OUTSB);
    const { cpu } = machine;
    start(machine, { count: 1500 });
    cpu.run();
    assert.equal(cpu.exit.count, 1024);
    cpu.completeExit();
    const { rcx, rsi, rip } = cpu.getRegisters();
    assert.deepEqual([rcx, rsi, rip], [476n, 0x2400n, 0x1000n]);
    cpu.run();
    assert.equal(cpu.exit.count, 476);
  });

  test('restarts where registers were set after the exit', () => {
    using machine = realMode(REP_OUTSB);
    const { cpu } = machine;
    start(machine, { count: 8 });
    cpu.run();
    cpu.setRegisters({ ...cpu.getRegisters(), rcx: 1n });
    assert.deepEqual(all(machine).counts, [1]);
    assert.equal(cpu.getRegisters().rsi, 0x2001n);
  });

  test('is done one by one where each iteration is trapped', () => {
    using machine = realMode(REP_OUTSB);
    const { cpu, memory } = machine;
    start(machine, { count: 3, flags: TF });
    // The handler of the single-step trap: INC BX, IRET
    memory.writeBytes(1 * 4, Uint8Array.of(0x00, 0x18, 0, 0));
    memory.writeBytes(0x1800, Uint8Array.of(0x43, 0xcf));
    for (let round = 0; round < 3; round++) {
      assert.equal(cpu.run(), ExitKind.io);
      assert.deepEqual([cpu.exit.count, cpu.getRegisters().rcx], [1, BigInt(3 - round)]);
    }
  });

  test('that crosses from RAM into MMIO sends RAM’s elements, and then reads the others one by one', () => {
    using machine = realMode(REP_OUTSB);
    const { cpu } = machine;
    start(machine, { segment: 0x0fff, si: 12, count: 6 });
    assert.equal(cpu.run(), ExitKind.io);
    assert.equal(cpu.exit.count, 4);
    assert.equal(cpu.run(), ExitKind.mmio);
    assert.deepEqual([cpu.exit.write, cpu.exit.address], [false, 0x10000]);
    cpu.exit.data.setUint8(cpu.exit.offset, 0x5a);
    assert.equal(cpu.run(), ExitKind.io);
    assert.deepEqual(written(machine), [0x5a]);
  });

  test('sends the same elements as one by one, in each size and direction', () => {
    using machine = realMode([]);
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4),
        fc.boolean(),
        fc.integer({ min: 0x2ff0, max: 0x3010 }),
        fc.integer({ min: 0, max: 700 }),
        (size, down, si, count) => {
          const opcode = [...(size === 4 ? [0x66] : []), size === 1 ? 0x6e : 0x6f];
          const sent = [
            [0xf3, ...opcode, HLT],
            [...opcode, 0xe2, 0xfe - opcode.length, HLT],
          ].map((code, alone) => {
            machine.memory.writeBytes(0x1000, Uint8Array.from(code));
            start(machine, { si, count: alone ? Math.max(count, 1) : count, flags: down ? DF : 0n });
            machine.cpu.setRegisters({ ...machine.cpu.getRegisters(), rip: 0x1000n });
            if (alone && count === 0) return { bytes: [] as number[], rsi: BigInt(si) };
            const { bytes } = all(machine);
            return { bytes, rsi: machine.cpu.getRegisters().rsi };
          });
          assert.deepEqual(sent[0], sent[1]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
