import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Control, ExitKind, exitKindNames } from '../../contract/index.js';
import { SoftError, softEngine } from '../index.js';
import { CODE, MEMORY, realMode, softProgram, type TestMachine } from './testing.js';

/** Runs to the next exit, which must be of this kind. */
function expectExit({ cpu }: TestMachine, kind: keyof typeof ExitKind) {
  assert.equal(exitKindNames[cpu.run()], kind);
  return cpu.exit;
}

const HLT = 0xf4;
/** MOV AX, imm16; MOV DS, AX */
const setDs = (selector: number) => [0xb8, selector & 0xff, selector >> 8, 0x8e, 0xd8];
/** A segment whose offset 0 is the first byte after RAM. */
const BEHIND = MEMORY >> 4;

describe('accesses that the monitor answers', () => {
  test('a port read writes the accumulator, and does not change its other half', () => {
    // MOV AX, 1234h; IN AL, 10h; HLT
    using machine = realMode([0xb8, 0x34, 0x12, 0xe4, 0x10, HLT]);
    const exit = expectExit(machine, 'io');
    assert.deepEqual([exit.address, exit.size, exit.count, exit.write], [0x10, 1, 1, false]);
    exit.data.setUint8(exit.offset, 0xab);
    expectExit(machine, 'halt');
    assert.equal(machine.cpu.getRegisters().rax, 0x12abn);
  });

  test('an instruction that reads and writes MMIO causes two exits, and its flags are those of one execution', () => {
    // STC; ADC byte [0], 1; HLT
    using machine = realMode([...setDs(BEHIND), 0xf9, 0x80, 0x16, 0, 0, 0x01, HLT]);
    const read = expectExit(machine, 'mmio');
    assert.deepEqual([read.address, read.size, read.write], [MEMORY, 1, false]);
    read.data.setUint8(read.offset, 0x7f);
    const write = expectExit(machine, 'mmio');
    assert.deepEqual([write.address, write.write, write.data.getUint8(write.offset)], [MEMORY, true, 0x81]);
    expectExit(machine, 'halt');
    // 7Fh + 1 + carry: overflow, adjust and sign, and an even number of ones (SDM 2A ADC)
    assert.equal(machine.cpu.getRegisters().rflags & 0x8d5n, 0x894n);
  });

  test('a write to read-only memory causes an exit and does not change it', () => {
    using machine = realMode(
      [...setDs(BEHIND), 0xc6, 0x06, 0x10, 0, 0x55, 0xa0, 0x10, 0, HLT],
      [{ address: MEMORY, size: 4096, readOnly: true }],
    );
    const exit = expectExit(machine, 'mmio');
    assert.deepEqual([exit.address, exit.write], [MEMORY + 0x10, true]);
    expectExit(machine, 'halt');
    assert.equal(machine.cpu.getRegisters().rax & 0xffn, 0n);
  });

  test('completing an exit runs only its instruction', () => {
    using machine = realMode([0xe4, 0x10, 0x40, HLT]);
    const exit = expectExit(machine, 'io');
    exit.data.setUint8(exit.offset, 0x42);
    machine.cpu.completeExit();
    const { rax, rip } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rip], [0x42n, BigInt(CODE + 2)]);
    expectExit(machine, 'halt');
    assert.equal(machine.cpu.getRegisters().rax, 0x43n);
  });

  test('REP OUTSB exits for each byte, and CX has the remaining count', () => {
    using machine = realMode([0xbe, 0, 0x20, 0xb9, 3, 0, 0xba, 0x80, 0, 0xf3, 0x6e, HLT]);
    machine.memory.writeBytes(0x2000, Uint8Array.of(1, 2, 3));
    for (const [n, byte] of [1, 2, 3].entries()) {
      const exit = expectExit(machine, 'io');
      assert.equal(exit.data.getUint8(exit.offset), byte);
      assert.equal(machine.cpu.getRegisters().rcx, BigInt(3 - n));
    }
    expectExit(machine, 'halt');
  });
});

describe('32-bit operands in 16-bit code', () => {
  test('results fill the register and clear its upper half, for both signs', () => {
    // XCHG EAX, ESI; ADD EBX, EBX; MOVSX ECX, AL; HLT
    using machine = realMode([0x66, 0x96, 0x66, 0x01, 0xdb, 0x66, 0x0f, 0xbe, 0xc8, HLT]);
    const { cpu } = machine;
    cpu.setRegisters({ ...cpu.getRegisters(), rax: 0xfffffffen, rsi: 0x80000080n, rbx: 0xc0000000n });
    expectExit(machine, 'halt');
    const { rax, rbx, rcx, rsi } = cpu.getRegisters();
    assert.deepEqual([rax, rsi, rbx, rcx], [0x80000080n, 0xfffffffen, 0x80000000n, 0xffffff80n]);
  });

  test('a pushed selector takes four bytes and writes two', () => {
    using machine = realMode([0x66, 0x1e, HLT]);
    machine.memory.write32(CODE - 4, 0x11223344);
    expectExit(machine, 'halt');
    assert.equal(machine.memory.read32(CODE - 4), 0x11220000);
    assert.equal(machine.cpu.getRegisters().rsp, BigInt(CODE - 4));
  });
});

describe('code that changes', () => {
  test('an instruction that overwrites the next one is followed by the new one', () => {
    // MOV byte [next], 43h (INC BX); next: INC AX; HLT
    using machine = realMode([0xc6, 0x06, (CODE + 5) & 0xff, CODE >> 8, 0x43, 0x40, HLT]);
    expectExit(machine, 'halt');
    const { rax, rbx } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rbx], [0n, 1n]);
  });

  test('a branch that was taken before sees that its target was overwritten', () => {
    // MOV CX, 3; again: INC AX; CMP CX, 2; JNE on; MOV byte [again], 43h (INC BX); on: LOOP again; HLT
    const code = [0xb9, 3, 0, 0x40, 0x83, 0xf9, 2, 0x75, 5, 0xc6, 0x06, 0x03, 0x10, 0x43, 0xe2, 0xf3, HLT];
    using machine = realMode(code);
    expectExit(machine, 'halt');
    const { rax, rbx } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rbx], [2n, 1n]);
  });

  test('a branch that was taken before uses the current code segment', () => {
    // CALL on; on: POP AX; JMP end; NOP; end: CMP BX, 1; JE stop; INC BX; JMP 0100:0000; stop: HLT
    const code = [0xe8, 0, 0, 0x58, 0xeb, 1, 0x90, 0x83, 0xfb, 1, 0x74, 6, 0x43, 0xea, 0, 0, 0, 1, HLT];
    using machine = realMode(code);
    expectExit(machine, 'halt');
    const { rax, rip } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rip], [3n, BigInt(code.length)]);
  });

  test('code that the monitor wrote is run, not the old code', () => {
    // again: OUT 10h, AL; INC AX; JMP again
    using machine = realMode([0xe6, 0x10, 0x40, 0xeb, 0xfb]);
    expectExit(machine, 'io');
    expectExit(machine, 'io');
    machine.memory.write8(CODE + 2, 0x43);
    expectExit(machine, 'io');
    const { rax, rbx } = machine.cpu.getRegisters();
    assert.deepEqual([rax, rbx], [1n, 1n]);
  });

  test('an instruction across a page boundary is fetched completely, and sees changes in both pages', () => {
    using machine = realMode([]);
    const { memory, cpu } = machine;
    // MOV AX, 1234h with its last byte on the next page
    memory.writeBytes(0x2ffe, Uint8Array.of(0xb8, 0x34, 0x12, HLT));
    const start = () => cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x2ffen });
    start();
    expectExit(machine, 'halt');
    assert.equal(cpu.getRegisters().rax, 0x1234n);
    memory.write8(0x3000, 0x56);
    start();
    expectExit(machine, 'halt');
    assert.equal(cpu.getRegisters().rax, 0x5634n);
  });
});

describe('unsupported actions of a guest', () => {
  test('jumping outside RAM ends in an engine error', () => {
    // JMP FAR BEHIND:0
    using machine = realMode([0xea, 0, 0, BEHIND & 0xff, BEHIND >> 8]);
    expectExit(machine, 'internalError');
    assert.equal(machine.cpu.failure().name, 'NO_CODE');
  });

  test('an instruction that begins in RAM and ends outside it fails the same way', () => {
    // JMP FAR to RAM's last byte: MOV AX, imm16 without its operand.
    using machine = realMode([0xea, 0x0f, 0, (BEHIND - 1) & 0xff, (BEHIND - 1) >> 8]);
    machine.memory.write8(MEMORY - 1, 0xb8);
    expectExit(machine, 'internalError');
    const { name, message } = machine.cpu.failure();
    assert.equal(name, 'NO_CODE');
    assert.match(message, /not RAM: only 1 byte of its next instruction is in RAM$/);
  });

  test('a fault that cannot be delivered is a triple fault', () => {
    // LIDT [2000h], where the limit is 0; UD2
    using machine = realMode([0x0f, 0x01, 0x1e, 0, 0x20, 0x0f, 0x0b]);
    expectExit(machine, 'shutdown');
  });

  test('interrupt controllers of its own are refused with a clear error', () => {
    using machine = realMode([HLT]);
    assert.throws(() => softEngine(softProgram()).createVm(machine.memory, { irqchip: 'kernel' }), SoftError);
  });
});

describe('interrupts', () => {
  test('an interrupt calls its handler and returns, and STI delays it for one instruction', () => {
    // STI; NOP; INC BX; HLT; the handler of 20h at 0000:3000: INC AX; IRET
    using machine = realMode([0xfb, 0x90, 0x43, HLT]);
    const { cpu, memory } = machine;
    memory.write32(0x20 * 4, 0x3000);
    memory.writeBytes(0x3000, Uint8Array.of(0x40, 0xcf));
    cpu.requestInterruptWindow(true);
    assert.equal(cpu.readyForInterrupt, false);
    expectExit(machine, 'interruptWindow');
    assert.equal(cpu.getRegisters().rip, BigInt(CODE + 2));
    cpu.requestInterruptWindow(false);
    cpu.injectInterrupt(0x20);
    expectExit(machine, 'halt');
    const { rax, rbx } = cpu.getRegisters();
    assert.deepEqual([rax, rbx], [1n, 1n]);
  });

  test('an endless guest exits on request, and can be continued', () => {
    // INC AX; JMP to itself
    using machine = realMode([0x40, 0xeb, 0xfd]);
    Atomics.store(machine.control, Control.request, 1);
    expectExit(machine, 'interrupted');
    Atomics.store(machine.control, Control.request, 0);
    machine.cpu.setTimer(2, 0);
    expectExit(machine, 'interrupted');
    assert.ok(machine.cpu.instructions > 1000n);
  });

  test('a repeated instruction does not delay an exit request', () => {
    // again: MOV CX, FFFFh; REP LODSB; JMP again
    using machine = realMode([0xb9, 0xff, 0xff, 0xf3, 0xac, 0xeb, 0xf9]);
    machine.cpu.setTimer(2, 0);
    expectExit(machine, 'interrupted');
  });

  test('the same guest runs the same instructions, for all interruptions', () => {
    const count = (interval: number) => {
      // MOV CX, 0; again: INC AX; LOOP again; HLT
      using machine = realMode([0xb9, 0, 0, 0x40, 0xe2, 0xfd, HLT]);
      machine.cpu.setTimer(interval, interval);
      while (machine.cpu.run() !== ExitKind.halt);
      return machine.cpu.instructions;
    };
    assert.equal(count(0), 1n + 2n * 65536n + 1n);
    assert.equal(count(0.01), count(0));
  });
});
