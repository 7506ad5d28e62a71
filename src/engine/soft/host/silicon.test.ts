/**
 * Behaviour that the manual leaves open or mentions briefly, in 32-bit code: the expected results were measured on an Intel
 * processor in ring 3, by programs that load the same segments through modify_ldt(2).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind } from '../../contract/index.js';
import { CODE, HANDLERS, HLT, outcome, protectedMode, STACK, type TestMachine } from './testing.js';

const bytes = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const DIRECTORY = 0xa000;
const TABLE = 0xb000;
const READ_ONLY_PAGE = 0xc000;
const ABSENT_PAGE = 0xd000;

/** Paging with pages of 4 KiB: all of them writable and for ring 3, except one read-only and one absent page. */
function withPages(machine: TestMachine): TestMachine {
  const { cpu, memory } = machine;
  memory.write32(DIRECTORY, TABLE | 7);
  for (let page = 0; page < 0x10000; page += 0x1000) {
    const rights = page === READ_ONLY_PAGE ? 5 : page === ABSENT_PAGE ? 0 : 7;
    memory.write32(TABLE + (page >> 12) * 4, page | rights);
  }
  const system = cpu.getSystemRegisters();
  system.cr0 |= 0x8001_0000n;
  system.cr3 = BigInt(DIRECTORY);
  cpu.setSystemRegisters(system);
  return machine;
}

const set = ({ cpu }: TestMachine, registers: object) =>
  cpu.setRegisters({ ...cpu.getRegisters(), ...registers });

describe('ARPL', () => {
  /** ARPL [address], BX; HLT, which ends with a fault, or with the #GP of HLT in ring 3. */
  const arpl = (address: number, selector: number, data: object) => {
    const machine = withPages(protectedMode([0x63, 0x1d, ...bytes(address), HLT], data, 3));
    machine.memory.write16(address, selector);
    set(machine, { rbx: 2n, rflags: 0x42n });
    return machine;
  };
  const end = (machine: TestMachine) => {
    const what = outcome(machine);
    const { rsp } = machine.cpu.getRegisters();
    return {
      what,
      eip: machine.memory.read32(Number(rsp) + 4),
      flags: machine.memory.read32(Number(rsp) + 12),
    };
  };
  const behind = CODE + 6;

  test('that changes nothing does not write, so that a read-only segment or page does not fault', () => {
    for (const [address, data] of [
      [0x5000, { type: 1 }],
      [READ_ONLY_PAGE, {}],
    ] as const) {
      using machine = arpl(address, 0xfff2, data);
      const { what, eip, flags } = end(machine);
      assert.deepEqual([what, eip, flags & 0x40], ['13(0)', behind, 0]);
    }
  });

  test('that must raise the RPL faults there', () => {
    using segment = arpl(0x5000, 0xfff0, { type: 1 });
    assert.deepEqual(end(segment).eip, CODE);
    using page = arpl(READ_ONLY_PAGE, 0xfff0, {});
    assert.equal(end(page).what, '14(7)');
    using both = arpl(0x5000, 0xfff0, {});
    assert.equal(end(both).eip, behind);
    assert.equal(both.memory.read16(0x5000), 0xfff2);
  });
});

describe('ENTER on a 16-bit stack', () => {
  /** ESP and EBP afterwards, with the given operand size. */
  function enter(esp: bigint, ebp: bigint, level: number, prefix: number[] = []) {
    const machine = protectedMode([...prefix, 0xc8, 8, 0, level, HLT]);
    const system = machine.cpu.getSystemRegisters();
    system.ss = { ...system.ss, db: false, limit: 0xffff, g: false };
    machine.cpu.setSystemRegisters(system);
    set(machine, { rsp: esp, rbp: ebp });
    assert.equal(outcome(machine), 'none');
    const { rsp, rbp } = machine.cpu.getRegisters();
    return { machine, after: [rsp, rbp] };
  }

  const cases: [string, bigint, bigint, number, number[], [bigint, bigint]][] = [
    ['32 bits, level 0', 0xabcd8000n, 0x1234ffecn, 0, [], [0xabcd7ff4n, 0xabcd7ffcn]],
    ['32 bits, level 1', 0xabcd8000n, 0x1234ffecn, 1, [], [0xabcd7ff0n, 0xabcd7ffcn]],
    ['32 bits, level 2', 0xabcd8000n, 0x1234ffecn, 2, [], [0xabcd7fecn, 0xabcd7ffcn]],
    ['16 bits, level 2', 0xabcd8000n, 0x1234ffecn, 2, [0x66], [0xabcd7ff2n, 0x12347ffen]],
    ['32 bits where SP is 0', 0x10000n, 0x1ffecn, 0, [], [0x1fff4n, 0xfffcn]],
    ['16 bits where SP is 0', 0x10000n, 0x1ffecn, 0, [0x66], [0x1fff6n, 0x1fffen]],
  ];
  for (const [name, esp, ebp, level, prefix, expected] of cases) {
    test(`${name}: EBP gets the whole old ESP minus the operand`, () => {
      const { machine, after } = enter(esp, ebp, level, prefix);
      using _ = machine;
      assert.deepEqual(after, expected);
    });
  }

  test('pushes the whole frame pointer after those of the outer levels', () => {
    const { machine } = enter(0xabcd8000n, 0x1234ffecn, 2);
    using _ = machine;
    assert.equal(machine.memory.read32(0x7ff4), 0xabcd7ffc);
  });
});

describe('POP of a segment register', () => {
  test('reads two bytes, and moves the stack pointer by the operand size', () => {
    using machine = withPages(protectedMode([0x07, HLT]));
    machine.memory.write16(ABSENT_PAGE - 2, 0x10);
    set(machine, { rsp: BigInt(ABSENT_PAGE - 2) });
    assert.equal(outcome(machine), 'none');
    assert.equal(machine.cpu.getRegisters().rsp, BigInt(ABSENT_PAGE + 2));
    assert.equal(machine.cpu.getSystemRegisters().es.selector, 0x10);
  });
});

describe('a register that does not exist', () => {
  const at3 = (...code: number[]) => outcome(protectedMode(code, {}, 3));

  test('is #UD in ring 3 too, where existing ones are #GP', () => {
    assert.equal(at3(0x0f, 0x20, 0xc0), '13(0)');
    for (const modrm of [0xc8, 0xe8, 0xf0, 0xf8]) {
      assert.equal(at3(0x0f, 0x20, modrm), '6');
      assert.equal(at3(0x0f, 0x22, modrm), '6');
    }
    assert.equal(at3(0x0f, 0x21, 0xc0), '13(0)');
  });
});

describe('a call beyond its segment’s limit', () => {
  const beyond = 0x1000;
  const calls: Record<string, number[]> = {
    'CALL relative': [0xe8, ...bytes(0xa000 - CODE - 5)],
    'CALL [memory]': [0xff, 0x15, ...bytes(beyond + 0x20)],
    'CALL far': [0x9a, ...bytes(0xa000), 0x08, 0x00],
  };
  /** With CS that ends at 8FFFh. */
  function made(code: number[], esp: number) {
    const machine = withPages(protectedMode([...code, HLT]));
    machine.memory.write32(beyond + 0x20, 0xa000);
    const system = machine.cpu.getSystemRegisters();
    system.cs = { ...system.cs, limit: 0x8fff, g: false };
    machine.cpu.setSystemRegisters(system);
    // The same segment in the table, for the far one and for the handlers.
    machine.memory.writeBytes(0x2008, Uint8Array.of(0xff, 0x8f, 0, 0, 0, 0x9b, 0x40, 0));
    set(machine, { rsp: BigInt(esp) });
    return machine;
  }

  for (const [name, code] of Object.entries(calls)) {
    test(`${name}: pushes first, then raises #GP; a stack fault comes before it`, () => {
      using pushed = made(code, STACK);
      assert.equal(outcome(pushed), '13(0)');
      // The stack pointer did not move: the exception's frame is where the call pushed.
      assert.equal(pushed.cpu.getRegisters().rsp, BigInt(STACK - 16));
      using absent = made(code, ABSENT_PAGE + 0x800);
      // Neither the call's nor the fault's push works: a double fault.
      assert.equal(absent.cpu.run(), ExitKind.shutdown);
      const [reason] = absent.cpu.recentFaults();
      assert.deepEqual([reason?.vector, reason?.cr2], [14, BigInt(ABSENT_PAGE + 0x7fc)]);
    });
  }
});

test('a data breakpoint on the source of MOV SS and a following INT1 are one #DB, whose DR6 names the breakpoint', () => {
  // MOV SS, [5000h]; INT1; HLT. The handler counts in EBX and keeps DR6 in EAX.
  using machine = protectedMode([0x8e, 0x15, ...bytes(0x5000), 0xf1, HLT]);
  const { cpu, memory } = machine;
  const handler = 0x4000;
  memory.writeBytes(handler, Uint8Array.of(0x43, 0x0f, 0x21, 0xf0, 0xcf));
  memory.writeBytes(0x2100 + 8, Uint8Array.of(0, handler >> 8, 8, 0, 0, 0x8e, 0, 0));
  memory.write16(0x5000, 0x10);
  const state = cpu.getState();
  // L0, data reads and writes of 4 bytes.
  cpu.setState({ ...state, debug: { addresses: [0x5000n, 0n, 0n, 0n], dr6: 0xffff0ff0n, dr7: 0xf0701n } });
  assert.equal(outcome(machine), 'none');
  const { rax, rbx } = cpu.getRegisters();
  assert.deepEqual([rbx, rax & 0xfn], [1n, 1n]);
});

test('#DB clears B0 to B3 of breakpoints that did not match, and leaves BS (SDM 3B 18.2.3)', () => {
  // A breakpoint of DR2 on the first instruction; DR6 holds BS and B1 from before.
  using machine = protectedMode([0x90, HLT]);
  const { cpu, memory } = machine;
  memory.writeBytes(HANDLERS + 1, Uint8Array.of(0x0f, 0x21, 0xf0, HLT));
  const state = cpu.getState();
  cpu.setState({ ...state, debug: { addresses: [0n, 0n, BigInt(CODE), 0n], dr6: 0xffff4ff2n, dr7: 0x420n } });
  assert.equal(cpu.run(), ExitKind.halt);
  assert.equal(cpu.getRegisters().rax, 0xffff4ff4n);
});

test('a pending NMI is taken right after the IRET that ends the blocking (SDM 3A 7.7.1)', () => {
  // Each handler counts in EBX and keeps the instructions that ran in ESI; the main program counts in ECX.
  using machine = protectedMode([0x41, 0x41, 0x41, 0x41, HLT]);
  const { cpu, memory } = machine;
  const handler = 0x4000;
  // inc ebx; mov esi, ecx; iret
  memory.writeBytes(handler, Uint8Array.of(0x43, 0x89, 0xce, 0xcf));
  memory.writeBytes(0x2100 + 2 * 8, Uint8Array.of(0, handler >> 8, 8, 0, 0, 0x8e, 0, 0));
  cpu.injectNmi();
  cpu.step();
  // In the handler: another one is pending until its IRET.
  cpu.injectNmi();
  assert.equal(outcome(machine), 'none');
  const { rbx, rcx, rsi } = cpu.getRegisters();
  assert.deepEqual([rbx, rcx, rsi], [2n, 4n, 0n]);
});
