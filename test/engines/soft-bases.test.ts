/**
 * Bases of segments, tasks and tables in long mode, and which of them are canonical: by the SDM, Intel's white paper on 5-level
 * paging (2.2, 3.1), and kvm-unit-tests, which pass on processors.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ExitKind, newControl } from '../../src/engine/contract/index.js';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import { cpuFeatures, cpuidModel, type SoftCpu, softEngine } from '../../src/engine/soft/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import type { Registers } from '../../src/x86/index.js';
import { CODE, DATA, LongModeSide, SUPERVISOR } from '../support/long-mode.js';

const [DONE, GP] = [1, 13];
/** The address of LongModeSide's GDT, whose entries from 38h on are free. */
const GDT = 0x1000;
const FREE = 0x38;

const sideOf = (features = cpuFeatures) => new LongModeSide(softEngine(softProgram(), cpuidModel(features)));
const wide = sideOf();
/** A processor without 5-level paging. */
const narrow = sideOf(cpuFeatures.filter((feature) => feature !== 'la57'));
after(() => {
  for (const side of [wide, narrow]) side[Symbol.dispose]();
});

/** Runs one instruction in ring 0, with room for two descriptors at FREE. */
function run(side: LongModeSide, code: readonly number[], registers: Partial<Registers> = {}) {
  side.memory.writeBytes(CODE, Uint8Array.from([...code, 0x90]));
  const start = {
    ...side.cpu.getRegisters(),
    rip: BigInt(CODE),
    rsp: BigInt(SUPERVISOR + 0x800),
    rflags: 2n,
  };
  const result = side.run({ ...start, ...registers }, 0, (system) => {
    system.gdt = { base: BigInt(GDT), limit: FREE + 15 };
    Object.assign(system, { cr4: 0x10020n });
  });
  assert.ok(result !== undefined);
  return result;
}

describe('LTR and LLDT', () => {
  const LTR = [0x0f, 0x00, 0xd8];
  const LLDT = [0x0f, 0x00, 0xd0];
  /** A system descriptor of 16 bytes (SDM 3A figures 3-2 and 8-4). */
  function describeAt({ memory }: LongModeSide, type: bigint, base: bigint) {
    const low = 0x67n | ((base & 0xffffffn) << 16n) | (type << 40n) | (((base >> 24n) & 255n) << 56n);
    memory.write64(GDT + FREE, low);
    memory.write64(GDT + FREE + 8, (base >> 32n) & 0xffff_ffffn);
  }
  for (const [name, code, type] of [
    ['LTR', LTR, 0x89n],
    ['LLDT', LLDT, 0x82n],
  ] as const) {
    test(`${name}: a base that is not canonical is #GP(selector), and the descriptor does not change`, () => {
      describeAt(wide, type, 0xaaaa_aaaa_aaaa_aaaan);
      const { vector, code: error } = run(wide, code, { rax: BigInt(FREE) });
      assert.deepEqual([vector, error], [GP, BigInt(FREE)]);
      assert.equal((wide.memory.read64(GDT + FREE) >> 40n) & 0xffn, type);
    });

    test(`${name}: accepts a base of 57 bits only where CPUID has 5-level paging`, () => {
      const low57 = 0x00aa_aaaa_aaaa_aaaan;
      describeAt(wide, type, low57);
      assert.equal(run(wide, code, { rax: BigInt(FREE) }).vector, DONE);
      describeAt(narrow, type, low57);
      assert.equal(run(narrow, code, { rax: BigInt(FREE) }).vector, GP);
    });
  }
});

describe('with CR4.LA57 clear, 57 bits are taken where CPUID has 5-level paging, and 48 where not', () => {
  const inside = 0xff00_1234_5678_9abcn;
  const outside = 0xfe00_1234_5678_9abcn;
  const WRMSR = [0x0f, 0x30];
  const half = (value: bigint, n: 0 | 1) => (value >> BigInt(32 * n)) & 0xffff_ffffn;

  for (const msr of [0xc0000100n, 0xc0000101n, 0xc0000102n, 0xc0000082n, 0xc0000083n, 0x175n, 0x176n]) {
    test(`by WRMSR ${msr.toString(16)}h`, () => {
      const write = (side: LongModeSide, value: bigint) =>
        run(side, WRMSR, { rcx: msr, rax: half(value, 0), rdx: half(value, 1) }).vector;
      assert.deepEqual([write(wide, inside), write(wide, outside)], [DONE, GP]);
      assert.deepEqual([write(narrow, inside), write(narrow, 0xffff_8000_0000_0000n)], [GP, DONE]);
    });
  }

  for (const [name, code] of [
    ['LGDT', [0x0f, 0x01, 0x17]],
    ['LIDT', [0x0f, 0x01, 0x1f]],
  ] as const) {
    test(`by ${name}`, () => {
      // Without TF: the trap would need the tables that are loaded.
      const load = (side: LongModeSide, value: bigint) => {
        side.memory.writeBytes(CODE, Uint8Array.from(code));
        side.memory.write16(DATA, 0xffff);
        side.memory.write64(DATA + 2, value);
        side.enter(0);
        const cpu = side.cpu as SoftCpu;
        cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rflags: 2n, rdi: BigInt(DATA) });
        cpu.step();
        const { gdt, idt } = cpu.getSystemRegisters();
        return (name === 'LGDT' ? gdt : idt).base === value;
      };
      assert.deepEqual([load(wide, inside), load(wide, outside)], [true, false]);
      assert.deepEqual([load(narrow, inside), load(narrow, 0xffff_8000_0000_0000n)], [false, true]);
    });
  }

  test('by WRGSBASE', () => {
    const write = (side: LongModeSide, value: bigint) =>
      run(side, [0xf3, 0x48, 0x0f, 0xae, 0xd8], { rax: value }).vector;
    assert.deepEqual([write(wide, inside), write(wide, outside)], [DONE, GP]);
    assert.deepEqual([write(narrow, inside), write(narrow, 0xffff_8000_0000_0000n)], [GP, DONE]);
  });
});

test('IRETQ to ring 3 makes GS null where ring 3 must not access it, and leaves its base', () => {
  const side = wide;
  const cpu = side.cpu as SoftCpu;
  side.enter(0, (system) => {
    system.gs = { ...system.gs, base: BigInt(DATA) };
  });
  side.memory.write64(DATA + 0x100, 0x1122_3344_5566_7788n);
  // mov rax, gs:[100h]
  const there = CODE + 0x100;
  side.memory.writeBytes(there, Uint8Array.of(0x65, 0x48, 0x8b, 0x04, 0x25, 0, 1, 0, 0));
  side.memory.writeBytes(CODE, Uint8Array.of(0x48, 0xcf));
  const stack = SUPERVISOR + 0x800;
  for (const [n, value] of [there, 0x23, 2, DATA + 0x3000, 0x1b].entries())
    side.memory.write64(stack + 8 * n, BigInt(value));
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: BigInt(stack), rflags: 2n });
  cpu.step();
  const { gs } = cpu.getSystemRegisters();
  assert.deepEqual([gs.selector, gs.base, cpu.getRegisters().rip], [0, BigInt(DATA), BigInt(there)]);
  cpu.step();
  assert.equal(cpu.getRegisters().rax, 0x1122_3344_5566_7788n);
});

test('CPUID leaves 4000_0000h to 4FFF_FFFFh are a hypervisor’s: zeros, unless the list has them', () => {
  const CPUID = [0x0f, 0xa2];
  const ask = (side: LongModeSide, leaf: bigint) => {
    const { rax, rbx, rcx, rdx } = run(side, CPUID, { rax: leaf, rcx: 0n }).registers;
    return [rax, rbx, rcx, rdx];
  };
  for (const leaf of [0x40000000n, 0x40000001n, 0x40000010n, 0x4fffffffn])
    assert.deepEqual(ask(wide, leaf), [0n, 0n, 0n, 0n]);
  // Other leaves above the last one return the last basic leaf.
  assert.notEqual(ask(wide, 0x50000000n)[0], 0n);
  const own = { leaf: 0x40000000, eax: 0x40000000, ebx: 1, ecx: 2, edx: 3 };
  using side = new LongModeSide(softEngine(softProgram(), [...cpuidModel(), own]));
  assert.deepEqual(ask(side, 0x40000000n), [0x40000000n, 1n, 2n, 3n]);
});

test('REP STOS and REP MOVS reach the last byte of 4,064 MiB of RAM', () => {
  // The engine's area and this RAM end at 4 GiB, where a 32-bit address wraps to 0.
  const size = 4064 * 1024 * 1024;
  const memory = GuestMemory.create([{ address: 0, size }]);
  const vm = softEngine(softProgram()).createVm(memory);
  const cpu = vm.createCpu(newControl());
  const last = size - 0x1000;
  const code = [0x66, 0x67, 0xf3, 0xab, 0x66, 0x67, 0xf3, 0xa5, 0xf4];
  memory.writeBytes(0x1000, Uint8Array.from(code));
  memory.writeBytes(last - 0x1000, new Uint8Array(0x1000).fill(0x5a));
  const flat = { ...cpu.getSystemRegisters().ds, limit: 0xffffffff, g: true };
  const system = cpu.getSystemRegisters();
  Object.assign(system.cs, { base: 0n, selector: 0 });
  for (const name of ['ds', 'es'] as const) system[name] = { ...flat };
  cpu.setSystemRegisters(system);
  const run = (from: bigint, to: bigint, rip: number) => {
    const registers = { rsi: from, rdi: to, rcx: 1024n, rax: 0x11223344n, rip: BigInt(rip), rflags: 2n };
    cpu.setRegisters({ ...cpu.getRegisters(), ...registers });
    // Once to fill the TLB, which many iterations at once need.
    memory.read32(last);
    cpu.step();
    while (cpu.getRegisters().rcx > 0n) cpu.step();
  };
  run(0n, BigInt(last), 0x1000);
  assert.ok(words(memory, last).every((word) => word === 0x11223344));
  run(BigInt(last - 0x1000), BigInt(last), 0x1004);
  assert.ok(words(memory, last).every((word) => word === 0x5a5a5a5a));
  // One dword further: each iteration reads the data that the previous one wrote.
  memory.write32(last, 0x01020304);
  cpu.setRegisters({
    ...cpu.getRegisters(),
    ...{ rsi: BigInt(last), rdi: BigInt(last + 4), rcx: 1023n, rip: 0x1004n },
  });
  assert.equal(cpu.run(), ExitKind.halt);
  assert.ok(words(memory, last).every((word) => word === 0x01020304));
  vm[Symbol.dispose]();
  memory.release(false);
});

const words = (memory: GuestMemory, page: number) =>
  Array.from({ length: 1024 }, (_, n) => memory.read32(page + 4 * n));
