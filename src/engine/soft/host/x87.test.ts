/** The x87 FPU apart from arithmetic: when it may run, its exceptions, its recorded pointers, its memory operands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind, exitKindNames } from '../../contract/index.js';
import { CODE, MEMORY, realMode, type TestMachine } from './testing.js';

const HLT = 0xf4;
const [MP, EM, TS, NE] = [2, 4, 8, 32];
/** The handler of vector n: each is a HLT. */
const HANDLERS = 0x8000;

const FLD1 = [0xd9, 0xe8];
const FLDZ = [0xd9, 0xee];
const FDIVP = [0xde, 0xf9];
const FNINIT = [0xdb, 0xe3];
const FNCLEX = [0xdb, 0xe2];
const FNSTSW_AX = [0xdf, 0xe0];
const WAIT = [0x9b];
const fldcw = (at: number) => [0xd9, 0x2e, at & 0xff, at >> 8];
/** A control word that leaves division by zero unmasked. */
const UNMASKED_ZE = 0x37b;

/** A machine in real mode with these bits of CR0 and a control word at 2000h. */
function machineWith(cr0: number, code: readonly number[], controlWord = UNMASKED_ZE): TestMachine {
  const machine = realMode([...code, HLT]);
  const { cpu, memory } = machine;
  for (let vector = 0; vector < 32; vector++) memory.write32(vector * 4, HANDLERS + vector);
  memory.view(HANDLERS, 32).fill(HLT);
  memory.write16(0x2000, controlWord);
  const system = cpu.getSystemRegisters();
  system.cr0 |= BigInt(cr0);
  cpu.setSystemRegisters(system);
  return machine;
}

/** Runs to the HLT: the vector of its handler, and the return address; undefined without an exception. */
function run({ cpu, memory }: TestMachine): { vector: number; at: number } | undefined {
  assert.equal(exitKindNames[cpu.run()], 'halt');
  const { rip, rsp } = cpu.getRegisters();
  const vector = Number(rip) - 1 - HANDLERS;
  if (vector < 0) return undefined;
  return { vector, at: memory.read16(Number(rsp)) - CODE };
}

function outcome(cr0: number, code: readonly number[]): { vector: number; at: number } | undefined {
  using machine = machineWith(cr0, code);
  return run(machine);
}

describe('whether x87 instructions run', () => {
  test('CR0.EM and CR0.TS make each of them a #NM, also the non-waiting ones', () => {
    for (const bit of [EM, TS]) {
      for (const code of [FLD1, FNINIT, FNSTSW_AX, fldcw(0x2000)])
        assert.deepEqual(outcome(bit, code), { vector: 7, at: 0 });
    }
  });

  test('WAIT is a #NM where both CR0.MP and CR0.TS are set', () => {
    assert.deepEqual(outcome(MP | TS, WAIT), { vector: 7, at: 0 });
    for (const bits of [MP, TS, EM, 0]) assert.equal(outcome(bits, WAIT), undefined);
  });
});

describe('an exception that is not masked', () => {
  const divide = [...fldcw(0x2000), ...FLD1, ...FLDZ, ...FDIVP];

  test('is a #MF at the next waiting instruction, and the operands are unchanged', () => {
    for (const next of [FLD1, WAIT, fldcw(0x2000)]) {
      using machine = machineWith(NE, [...divide, ...next]);
      assert.deepEqual(run(machine), { vector: 16, at: divide.length });
    }
    // Afterwards: TOP 6, ZE, ES and B.
    using machine = machineWith(NE, [...divide, ...FNSTSW_AX]);
    assert.equal(run(machine), undefined);
    assert.equal(machine.cpu.getRegisters().rax & 0xffffn, 0xb084n);
  });

  test('is cleared by FNCLEX and FNINIT', () => {
    for (const clear of [FNCLEX, FNINIT])
      assert.equal(outcome(NE, [...divide, ...clear, ...WAIT]), undefined);
  });

  test('does not stop the CPU where CR0.NE is clear', () => {
    assert.equal(outcome(0, [...divide, ...FLD1]), undefined);
  });

  test('results from a control word that unmasks an earlier exception', () => {
    const raise = [...FNINIT, ...FLD1, ...FLDZ, ...FDIVP];
    assert.deepEqual(outcome(NE, [...raise, ...fldcw(0x2000), ...WAIT]), {
      vector: 16,
      at: raise.length + fldcw(0).length,
    });
  });
});

describe('the FPU’s record of an instruction', () => {
  // FLD m32 with DS 100h, BX 20h; then FNSTENV at ES:2100h, once in each form
  const code = [0xd9, 0x07, 0x26, 0xd9, 0x36, 0x00, 0x21, 0x26, 0x66, 0xd9, 0x36, 0x20, 0x21];

  function remembered(protectedMode: boolean): TestMachine {
    const machine = machineWith(protectedMode ? 1 : 0, code);
    const { cpu } = machine;
    const system = cpu.getSystemRegisters();
    Object.assign(system.ds, { selector: 0x100, base: 0x1000n });
    Object.assign(system.cs, { selector: 0x40, base: 0x400n });
    cpu.setSystemRegisters(system);
    cpu.setRegisters({ ...cpu.getRegisters(), rbx: 0x20n, rip: BigInt(CODE - 0x400) });
    assert.equal(cpu.run(), ExitKind.halt);
    return machine;
  }

  test('is stored in real mode as linear addresses and the opcode (SDM 1 figures 8-10 and 8-12)', () => {
    using machine = remembered(false);
    const words = Array.from({ length: 7 }, (_, n) => machine.memory.read16(0x2100 + 2 * n));
    assert.deepEqual(words, [0x37f, 0x3800, 0x7fff, 0x1000, 0x107, 0x1020, 0]);
    const doubles = Array.from({ length: 7 }, (_, n) => machine.memory.read32(0x2120 + 4 * n));
    // It does not record FNSTENV.
    assert.deepEqual(
      doubles.map((value) => value & 0xffff),
      [0x37f, 0x3800, 0x7fff, 0x1000, 0x107, 0x1020, 0],
    );
  });

  test('is stored in protected mode as selectors and offsets (SDM 1 figures 8-9 and 8-11)', () => {
    using machine = remembered(true);
    const words = Array.from({ length: 7 }, (_, n) => machine.memory.read16(0x2100 + 2 * n));
    assert.deepEqual(words.slice(3), [0xc00, 0x40, 0x20, 0x100]);
    const doubles = Array.from({ length: 4 }, (_, n) => machine.memory.read32(0x212c + 4 * n));
    assert.deepEqual(doubles, [0xc00, 0x1070040, 0x20, 0xffff0100]);
  });
});

describe('memory operands', () => {
  test('that fault change nothing: FSTP of ten bytes over the end of its segment', () => {
    // FLD1; FSTP m80 at FFF8h; the handler of 13 halts
    using machine = machineWith(0, [...FLD1, 0xdb, 0x3e, 0xf8, 0xff]);
    machine.memory.write32(0xfff8, 0x11223344);
    assert.deepEqual(run(machine), { vector: 13, at: 2 });
    assert.equal(machine.memory.read32(0xfff8), 0x11223344);
    machine.memory.writeBytes(HANDLERS + 13, Uint8Array.from([...FNSTSW_AX, HLT]));
    machine.cpu.setRegisters({ ...machine.cpu.getRegisters(), rip: BigInt(HANDLERS + 13) });
    machine.cpu.run();
    // TOP is 7: the 1 is still there.
    assert.equal(machine.cpu.getRegisters().rax & 0xffffn, 0x3800n);
  });

  test('that are not RAM cause exits, and a pop happens once', () => {
    const behind = MEMORY >> 4;
    // MOV AX, BEHIND; MOV DS, AX; FLD m80 [0]; FSTP m64 [16]; FNSTSW AX
    const code = [0xb8, behind & 0xff, behind >> 8, 0x8e, 0xd8, 0xdb, 0x2e, 0, 0, 0xdd, 0x1e, 16, 0];
    using machine = realMode([...code, ...FNSTSW_AX, HLT]);
    const { cpu } = machine;
    // 1.5
    for (const [size, value] of [
      [8, 0xc000_0000_0000_0000n],
      [2, 0x3fffn],
    ] as const) {
      assert.equal(exitKindNames[cpu.run()], 'mmio');
      assert.deepEqual([cpu.exit.size, cpu.exit.write], [size, false]);
      cpu.exit.data.setBigUint64(cpu.exit.offset, value, true);
    }
    assert.equal(exitKindNames[cpu.run()], 'mmio');
    assert.deepEqual([cpu.exit.address, cpu.exit.size, cpu.exit.write], [MEMORY + 16, 8, true]);
    assert.equal(cpu.exit.data.getFloat64(cpu.exit.offset, true), 1.5);
    assert.equal(cpu.run(), ExitKind.halt);
    assert.equal(cpu.getRegisters().rax & 0xffffn, 0n);
  });
});
