/** Checks that QEMU does not make, by the manual: segment limits, and the time of debug exceptions. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Segment } from '../../../x86/index.js';
import { exitKindNames } from '../../contract/index.js';
import { CODE, flat, HANDLERS, HLT, outcome, protectedMode, STACK, type TestMachine } from './testing.js';

/** MOV EAX, [address] or MOV [address], EAX; HLT */
const read = (address: number) => [0xa1, ...bytes(address), HLT];
const write = (address: number) => [0xa3, ...bytes(address), HLT];
const bytes = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];

describe('segment limits in protected mode (SDM 3A 6.3)', () => {
  const cases: [string, Partial<Segment>, number[], string][] = [
    ['the last bytes within the limit', { limit: 0x5003 }, read(0x5000), 'none'],
    ['one byte more', { limit: 0x5002 }, read(0x5000), '13(0)'],
    ['an access around the end of the addresses', {}, read(0xffffffff), '13(0)'],
    ['expand-down: at the limit', { type: 7, limit: 0x4fff }, read(0x4fff), '13(0)'],
    ['expand-down: above the limit', { type: 7, limit: 0x4fff }, read(0x5000), 'none'],
    [
      'expand-down of 16 bits: at the top',
      { type: 7, limit: 0x4fff, db: false, base: 0x100n },
      read(0xfefc),
      'none',
    ],
    ['expand-down of 16 bits: over the top', { type: 7, limit: 0x4fff, db: false }, read(0xfffd), '13(0)'],
    ['a write to a segment that is read-only', { type: 1 }, write(0x5000), '13(0)'],
    ['a write to code', { type: 11 }, write(0x5000), '13(0)'],
    ['a read of readable code', { type: 11 }, read(0x5000), 'none'],
    ['a read of execute-only code', { type: 9 }, read(0x5000), '13(0)'],
    ['a null segment', { unusable: true }, read(0x5000), '13(0)'],
  ];
  for (const [name, data, code, expected] of cases) {
    test(`${name}: ${expected === 'none' ? 'no exception' : `exception ${expected}`}`, () => {
      using machine = protectedMode(code, data);
      assert.equal(outcome(machine), expected);
    });
  }
});

describe('debug exceptions in protected mode', () => {
  /** PUSH 102h; POPF: TF is set. */
  const step = [0x68, ...bytes(0x102), 0x9d];

  test('a single step traps after the instruction that follows POPF, and DR6.BS is set', () => {
    // INC EAX twice; HLT. The handler reads DR6 into EBX.
    using machine = protectedMode([...step, 0x40, 0x40, HLT]);
    machine.memory.writeBytes(HANDLERS + 1, Uint8Array.of(0x0f, 0x21, 0xf3, HLT));
    assert.equal(exitKindNames[machine.cpu.run()], 'halt');
    const { rax, rbx, rsp } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rbx], [1n, 0xffff4ff0n]);
    assert.equal(machine.memory.read32(Number(rsp)), CODE + step.length + 1);
  });

  test('MOV SS delays it for one instruction (SDM 3A 7.8.3)', () => {
    // MOV SS, ECX after POPF: the trap comes after INC EAX.
    using machine = protectedMode([...step, 0x8e, 0xd1, 0x40, 0x40, HLT]);
    const { cpu } = machine;
    cpu.setRegisters({ ...cpu.getRegisters(), rcx: 16n });
    assert.equal(outcome(machine), '1');
    assert.equal(cpu.getRegisters().rax, 1n);
  });

  test('a single-stepped HLT does not halt', () => {
    using machine = protectedMode([...step, HLT]);
    assert.equal(outcome(machine), '1');
  });

  test('a fault pushes RF, so that its instruction does not hit its breakpoint again', () => {
    using machine = protectedMode([0x0f, 0x0b]);
    assert.equal(outcome(machine), '6');
    const { rsp } = machine.cpu.getRegisters();
    assert.equal(machine.memory.read32(Number(rsp) + 8), 0x10002);
  });
});

describe('exceptions during the delivery of an exception (SDM 3A 7.15)', () => {
  test('a handler that is not present is a #NP with EXT, and one for that a #GP and a double fault', () => {
    using first = protectedMode([0x0f, 0x0b]);
    first.memory.write8(0x2100 + 6 * 8 + 5, 0x0e);
    // Vector 6 in the IDT, external to the program: 6 * 8 + 2 + 1.
    assert.equal(outcome(first), '11(51)');
    using second = protectedMode([0x0f, 0x0b]);
    second.memory.write8(0x2100 + 6 * 8 + 5, 0x0e);
    second.memory.write8(0x2100 + 11 * 8 + 5, 0);
    assert.equal(outcome(second), '8');
  });

  test('a double fault that cannot be delivered ends the machine', () => {
    using machine = protectedMode([0x0f, 0x0b]);
    for (const vector of [6, 11, 8]) machine.memory.write8(0x2100 + vector * 8 + 5, 0x0e);
    assert.equal(exitKindNames[machine.cpu.run()], 'shutdown');
  });
});

describe('a task switch with PAE paging', () => {
  const [PDPT, WRONG_PDPT, DIRECTORY] = [0xa000, 0xa020, 0xb000];
  const NOW = 0x18;
  const NEXT = 0x20;
  const RESCUE = 0x28;

  /** A task state segment that is not busy, and its descriptor. */
  function task({ memory }: TestMachine, selector: number, cr3: number, eip: number): void {
    const at = 0x6000 + selector * 16;
    memory.writeBytes(0x2000 + selector, Uint8Array.of(103, 0, at & 255, at >> 8, 0, 0x89, 0, 0));
    const fields = { 28: cr3, 32: eip, 36: 2, 56: STACK, 72: 16, 76: 8, 80: 16, 84: 16 };
    for (const [offset, value] of Object.entries(fields)) memory.write32(at + Number(offset), value);
  }

  /** JMP to the next task, whose CR3 is given. A #GP has a task of its own. */
  function switched(cr3: number): { came: string; cr3: bigint } {
    using machine = protectedMode([0xea, 0, 0, 0, 0, NEXT, 0]);
    const { cpu, memory } = machine;
    memory.write32(PDPT, DIRECTORY | 1);
    // Bit 1 of these entries is reserved (SDM 3A table 5-8).
    memory.write32(WRONG_PDPT, DIRECTORY | 3);
    memory.write32(DIRECTORY, 0x83);
    task(machine, NOW, PDPT, 0);
    task(machine, NEXT, cr3, HANDLERS + 31);
    task(machine, RESCUE, PDPT, HANDLERS + 13);
    memory.writeBytes(0x2100 + 13 * 8, Uint8Array.of(0, 0, RESCUE, 0, 0, 0x85, 0, 0));
    const system = cpu.getSystemRegisters();
    system.gdt = { base: 0x2000n, limit: 0x2f };
    system.tr = { ...flat, selector: NOW, base: BigInt(0x6000 + NOW * 16), limit: 103, s: false, g: false };
    Object.assign(system, { cr0: system.cr0 | 0x80000000n, cr3: BigInt(PDPT), cr4: system.cr4 | 0x20n });
    cpu.setSystemRegisters(system);
    return { came: outcome(machine), cr3: cpu.getSystemRegisters().cr3 };
  }

  test('loads CR3 and its four entries', () => {
    assert.deepEqual(switched(PDPT), { came: '31', cr3: BigInt(PDPT) });
  });

  test('is a #GP of the new task where one of them has a reserved bit set', () => {
    assert.deepEqual(switched(WRONG_PDPT), { came: '13(0)', cr3: BigInt(PDPT) });
  });
});
