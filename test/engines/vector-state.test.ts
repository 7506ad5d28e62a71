/** The conditions for MMX and SSE, the state after their faults, and XSAVE: by the manual, in long mode. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ExitKind } from '../../src/engine/contract/index.js';
import { MEMORY, realMode, softProgram } from '../../src/engine/soft/host/testing.js';
import { softEngine } from '../../src/engine/soft/index.js';
import * as L from '../../src/engine/soft/layout.js';
import type { SystemRegisters } from '../../src/x86/index.js';
import { CODE, DATA, HOLE, LongModeSide, READ_ONLY } from '../support/long-mode.js';

const side = new LongModeSide(softEngine(softProgram()));
after(() => side[Symbol.dispose]());
const engine = new DataView(side.memory.buffer);
const start = side.cpu.getRegisters();

const DONE = 1;
const [UD, NM, GP, PF, MF, XM] = [6, 7, 13, 14, 16, 19];
const PAE = 0x20n;
const OSFXSR = 0x200n;
const OSXMMEXCPT = 0x400n;
const OSXSAVE = 0x40000n;
const CR0 = 0x80010033n;
const [EM, TS] = [4n, 8n];

/** Runs one instruction in ring 3, with SSE switched on by default. */
function run(
  code: readonly number[],
  registers: object = {},
  system: Partial<SystemRegisters> = {},
  ring: 0 | 3 = 3,
) {
  side.memory.view(CODE, 16).set([...code, 0x90]);
  const all = { ...start, rip: BigInt(CODE), rsp: BigInt(DATA + 0x3000), rflags: 2n, ...registers };
  const result = side.run(all, ring, (now) =>
    Object.assign(now, { cr0: CR0, cr4: PAE | OSFXSR | OSXMMEXCPT | OSXSAVE, ...system }),
  );
  assert.ok(result !== undefined, 'the software CPU does not do the instruction');
  return result;
}

const xmm = (number: number) =>
  [0, 8].map((half) => engine.getBigUint64(L.XMM_REGISTERS + 16 * number + half, true));
function setXmm(number: number, ...halves: bigint[]) {
  for (const [n, half] of halves.entries())
    engine.setBigUint64(L.XMM_REGISTERS + 16 * number + 8 * n, half, true);
}

const MOVAPS_LOAD = [0x0f, 0x28, 0x07];
const MOVUPS_LOAD = [0x0f, 0x10, 0x07];
const MOVUPS_STORE = [0x0f, 0x11, 0x07];
const PADDB_MMX = [0x0f, 0xfc, 0xc1];
const DIVSD = [0xf2, 0x0f, 0x5e, 0xc1];

describe('SSE may be used', () => {
  const rdi = BigInt(DATA);
  const vector = (code: readonly number[], system: Partial<SystemRegisters>) =>
    run(code, { rdi }, system).vector;

  test('where CR4.OSFXSR is set and CR0.EM is not, and not after a task switch (SDM 3A table 14-1)', () => {
    assert.equal(vector(MOVUPS_LOAD, {}), DONE);
    assert.equal(vector(MOVUPS_LOAD, { cr4: PAE }), UD);
    assert.equal(vector(MOVUPS_LOAD, { cr0: CR0 | EM }), UD);
    assert.equal(vector(MOVUPS_LOAD, { cr0: CR0 | TS }), NM);
    assert.equal(vector(MOVUPS_LOAD, { cr0: CR0 | TS | EM }), UD);
  });

  test('and MMX does not need OSFXSR, but faults where the x87 FPU has a pending exception', () => {
    assert.equal(vector(PADDB_MMX, { cr4: PAE }), DONE);
    assert.equal(vector(PADDB_MMX, { cr0: CR0 | EM }), UD);
    assert.equal(vector(PADDB_MMX, { cr0: CR0 | TS }), NM);
    engine.setUint16(L.FPU_STATUS, 0x8081, true);
    assert.equal(vector(PADDB_MMX, {}), MF);
    engine.setUint16(L.FPU_STATUS, 0, true);
  });

  test('and an exception that is not masked is #XM with CR4.OSXMMEXCPT and #UD without, recorded in MXCSR', () => {
    for (const [cr4, expected] of [
      [PAE | OSFXSR | OSXMMEXCPT, XM],
      [PAE | OSFXSR, UD],
    ] as const) {
      engine.setUint32(L.MXCSR, 0x1f80 & ~0x200, true);
      setXmm(0, 0x3ff00000_00000000n, 7n);
      setXmm(1, 0n, 0n);
      assert.equal(vector(DIVSD, { cr4 }), expected);
      assert.deepEqual(xmm(0), [0x3ff00000_00000000n, 7n]);
      assert.equal(engine.getUint32(L.MXCSR, true), 0x1f84 & ~0x200);
    }
    engine.setUint32(L.MXCSR, 0x1f80, true);
  });
});

describe('sixteen bytes of memory', () => {
  test('are aligned, or #GP, where the instruction requires it', () => {
    assert.equal(run(MOVAPS_LOAD, { rdi: BigInt(DATA + 8) }).vector, GP);
    assert.equal(run(MOVUPS_LOAD, { rdi: BigInt(DATA + 8) }).vector, DONE);
    // Alignment is checked before the page.
    assert.equal(run(MOVAPS_LOAD, { rdi: BigInt(HOLE + 8) }).vector, GP);
  });

  test('that cross from a page into one that is not present fault at it, and change nothing', () => {
    setXmm(0, 1n, 2n);
    const edge = DATA + 0x4000 - 8;
    side.memory.write64(edge, 0x1234n);
    for (const code of [MOVUPS_LOAD, MOVUPS_STORE]) {
      const { vector, cr2 } = run(code, { rdi: BigInt(edge) });
      assert.deepEqual([vector, cr2], [PF, BigInt(DATA + 0x4000)]);
    }
    assert.deepEqual(xmm(0), [1n, 2n]);
    assert.equal(side.memory.read64(edge), 0x1234n);
    assert.equal(run(MOVUPS_STORE, { rdi: BigInt(READ_ONLY) }).vector, PF);
  });
});

test('sixteen bytes of MMIO are two accesses of eight, and the register is written after the second', () => {
  const BEHIND = MEMORY >> 4;
  // MOV AX, BEHIND; MOV DS, AX; MOVUPS XMM1, [0]; MOVUPS [16], XMM1; HLT
  const code = [
    0xb8,
    BEHIND & 0xff,
    BEHIND >> 8,
    0x8e,
    0xd8,
    0x0f,
    0x10,
    0x0e,
    0,
    0,
    0x0f,
    0x11,
    0x0e,
    16,
    0,
    0xf4,
  ];
  using machine = realMode(code);
  const { cpu } = machine;
  cpu.setSystemRegisters({ ...cpu.getSystemRegisters(), cr4: OSFXSR });
  const { exit } = cpu;
  for (const [at, value] of [
    [0, 0x1122n],
    [8, 0x3344n],
  ] as const) {
    assert.equal(cpu.run(), ExitKind.mmio);
    assert.deepEqual([exit.address, exit.size, exit.write], [MEMORY + at, 8, false]);
    exit.data.setBigUint64(exit.offset, value, true);
  }
  for (const [at, value] of [
    [16, 0x1122n],
    [24, 0x3344n],
  ] as const) {
    assert.equal(cpu.run(), ExitKind.mmio);
    assert.deepEqual([exit.address, exit.size, exit.write], [MEMORY + at, 8, true]);
    assert.equal(exit.data.getBigUint64(exit.offset, true), value);
  }
  assert.equal(cpu.run(), ExitKind.halt);
});

test('the CPU’s state for another engine has XMM registers and MXCSR where FXSAVE has them', () => {
  setXmm(15, 0xabcn, 0xdefn);
  engine.setUint32(L.MXCSR, 0x3fa0, true);
  const state = side.cpu.getState();
  const view = new DataView(state.fpu.buffer, state.fpu.byteOffset);
  assert.deepEqual([view.getUint32(24, true), view.getBigUint64(160 + 240, true)], [0x3fa0, 0xabcn]);
  setXmm(15, 0n, 0n);
  engine.setUint32(L.MXCSR, 0x1f80, true);
  side.cpu.setState(state);
  assert.deepEqual(xmm(15), [0xabcn, 0xdefn]);
  assert.equal(engine.getUint32(L.MXCSR, true), 0x3fa0);
  engine.setUint32(L.MXCSR, 0x1f80, true);
});

describe('XSAVE and XRSTOR', () => {
  const XSAVE = [0x0f, 0xae, 0x27];
  const XRSTOR = [0x0f, 0xae, 0x2f];
  const AREA = DATA + 0x1000;
  const rdi = BigInt(AREA);
  const setXcr0 = (value: bigint) => run([0x0f, 0x01, 0xd1], { rcx: 0n, rdx: 0n, rax: value }, {}, 0).vector;

  test('are available where CR4.OSXSAVE is set, and their area is aligned to 64 bytes', () => {
    assert.equal(run(XSAVE, { rdi, rax: 3n, rdx: 0n }, { cr4: PAE | OSFXSR }).vector, UD);
    assert.equal(run(XSAVE, { rdi: rdi + 16n, rax: 3n, rdx: 0n }).vector, GP);
  });

  test('move the components in EDX:EAX and XCR0; XCR0 accepts x87 alone or with SSE, from ring 0', () => {
    assert.equal(run([0x0f, 0x01, 0xd1], { rcx: 0n, rdx: 0n, rax: 3n }).vector, GP);
    for (const refused of [0n, 2n, 7n]) assert.equal(setXcr0(refused), GP);
    assert.equal(setXcr0(3n), DONE);
    assert.equal(run([0x0f, 0x01, 0xd0], { rcx: 0n }).registers.rax, 3n);
    side.memory.view(AREA, 576).fill(0);
    setXmm(3, 0x1111n, 0x2222n);
    assert.equal(run(XSAVE, { rdi, rax: 7n, rdx: 0n }).vector, DONE);
    assert.equal(side.memory.read64(AREA + 160 + 48), 0x1111n);
    assert.equal(side.memory.read64(AREA + 512), 3n);
    setXmm(3, 0n, 0n);
    assert.equal(run(XRSTOR, { rdi, rax: 7n, rdx: 0n }).vector, DONE);
    assert.deepEqual(xmm(3), [0x1111n, 0x2222n]);
  });

  test('set a component that was not saved to its initial configuration, and refuse headers with more', () => {
    side.memory.write64(AREA + 512, 1n);
    assert.equal(run(XRSTOR, { rdi, rax: 7n, rdx: 0n }).vector, DONE);
    assert.deepEqual(xmm(3), [0n, 0n]);
    side.memory.write64(AREA + 512, 4n);
    assert.equal(run(XRSTOR, { rdi, rax: 7n, rdx: 0n }).vector, GP);
    side.memory.write64(AREA + 512, 3n);
    side.memory.write64(AREA + 520, 1n);
    assert.equal(run(XRSTOR, { rdi, rax: 7n, rdx: 0n }).vector, GP);
  });
});
