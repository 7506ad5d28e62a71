/**
 * The software CPU as one of Intel's processors and as one of AMD's: its CPUID and the effects. AMD's behaviour is from
 * its manual (APM) and from measurements in ring 3 of an EPYC.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import { type CpuFeature, cpuFeatures, cpuidModel, softEngine } from '../../src/engine/soft/index.js';
import * as L from '../../src/engine/soft/layout.js';
import { featureOf, opcodes } from '../../src/isa/index.js';
import { chooseEngine, hostCpuVendor } from '../../src/runtime/index.js';
import { type CpuVendor, cpuVendors, type Registers, type SystemRegisters } from '../../src/x86/index.js';
import { CODE, DATA, LongModeSide, READ_ONLY, SUPERVISOR } from '../support/long-mode.js';
import { noKvm, terrarium } from '../support.js';

const [DONE, UD, GP, PF, AC] = [1, 6, 13, 14, 17];
const sideOf = (vendor: CpuVendor, features = cpuFeatures) =>
  new LongModeSide(softEngine(softProgram(), cpuidModel(features, vendor)));
const sides = { intel: sideOf('intel'), amd: sideOf('amd') };
after(() => {
  for (const vendor of cpuVendors) sides[vendor][Symbol.dispose]();
});

function run(
  side: LongModeSide,
  code: readonly number[],
  registers: Partial<Registers> = {},
  ring: 0 | 3 = 0,
  change: Partial<SystemRegisters> = {},
) {
  side.memory.writeBytes(CODE, Uint8Array.from([...code, 0x90]));
  const stack = BigInt(ring === 0 ? SUPERVISOR + 0x800 : DATA + 0x3000);
  const start = { ...side.cpu.getRegisters(), rip: BigInt(CODE), rsp: stack, rflags: 2n };
  const result = side.run({ ...start, ...registers }, ring, (system) =>
    Object.assign(system, { cr0: 0x80050033n, cr4: 0x50620n, ...change }),
  );
  assert.ok(result !== undefined);
  return result;
}

/** The results of both. */
const both = <T>(give: (side: LongModeSide) => T) => cpuVendors.map((vendor) => give(sides[vendor]));

describe('CPUID', () => {
  test('names the vendor, and the family and model of one of its processors', () => {
    const told = both((side) => {
      const { rbx, rcx, rdx } = run(side, [0x0f, 0xa2], { rax: 0n, rcx: 0n }).registers;
      const name = [rbx, rdx, rcx].map((word) => Buffer.from(Uint32Array.of(Number(word)).buffer).toString());
      return [name.join(''), run(side, [0x0f, 0xa2], { rax: 1n, rcx: 0n }).registers.rax];
    });
    assert.deepEqual(told, [
      ['GenuineIntel', 0x106can],
      ['AuthenticAMD', 0x60fb1n],
    ]);
  });
});

describe('where the vendors differ', () => {
  test('F3 90 with REX.B is PAUSE, or XCHG with R8', () => {
    const after = both((side) => {
      const { rax, r8 } = run(side, [0xf3, 0x49, 0x90], { rax: 1n, r8: 2n }).registers;
      return [rax, r8];
    });
    assert.deepEqual(after, [
      [1n, 2n],
      [2n, 1n],
    ]);
  });

  test('LOOPE with F2 and LOOPNE with F3 do what the opcode says, or the prefix', () => {
    const ZF = 0x40n;
    for (const [code, flags, taken] of [
      [[0xf2, 0xe1, 2], 0n, [false, true]],
      [[0xf2, 0xe1, 2], ZF, [true, false]],
      [[0xf3, 0xe0, 2], ZF, [false, true]],
      [[0xf3, 0xe0, 2], 0n, [true, false]],
      [[0xf3, 0xe1, 2], ZF, [true, true]],
      [[0xf2, 0xe0, 2], ZF, [false, false]],
    ] as const) {
      const went = both((side) => run(side, code, { rcx: 5n, rflags: 2n | flags }).registers.rip);
      assert.deepEqual(
        went.map((rip) => rip === BigInt(CODE + 5)),
        taken,
      );
    }
  });

  test('REP with addresses of 32 bits and no iteration clears upper halves, or leaves them', () => {
    const high = 0x1_0000_0000n;
    const begin = { rcx: high, rsi: high | BigInt(DATA), rdi: high | BigInt(DATA) };
    const left = both((side) => {
      const { rcx, rsi, rdi } = run(side, [0x67, 0xf3, 0xa4], begin).registers;
      return [rcx >> 32n, rsi >> 32n, rdi >> 32n];
    });
    assert.deepEqual(left, [
      [0n, 0n, 0n],
      [1n, 1n, 1n],
    ]);
    // The same where the first iteration faults; a completed one clears them with both vendors.
    const faults = both((side) => {
      const { vector, registers } = run(
        side,
        [0x67, 0xf3, 0xaa],
        { rcx: high | 2n, rdi: BigInt(READ_ONLY) },
        3,
      );
      return [vector, registers.rcx >> 32n];
    });
    assert.deepEqual(faults, [
      [PF, 0n],
      [PF, 1n],
    ]);
    const done = both(
      (side) => run(side, [0x67, 0xf3, 0xaa], { rcx: high | 1n, rdi: BigInt(DATA) }).registers.rcx,
    );
    assert.deepEqual(done, [0n, 0n]);
  });

  test('MXCSR has no bit 17, or misaligned SSE, with which arithmetic accepts any address and moves do not', () => {
    const LDMXCSR = [0x0f, 0xae, 0x17];
    const load = (side: LongModeSide, mxcsr: number) => {
      side.memory.write32(DATA, mxcsr);
      return run(side, LDMXCSR, { rdi: BigInt(DATA) }).vector;
    };
    assert.deepEqual(
      both((side) => load(side, 0x21f80)),
      [GP, DONE],
    );
    const odd = { rdi: BigInt(DATA + 1) };
    const [PADDB, MOVAPS] = [
      [0x66, 0x0f, 0xfc, 0x07],
      [0x0f, 0x28, 0x07],
    ];
    assert.deepEqual(
      both((side) => [run(side, PADDB, odd).vector, run(side, MOVAPS, odd).vector]),
      [
        [GP, GP],
        [DONE, GP],
      ],
    );
    assert.equal(run(sides.amd, PADDB, { ...odd, rflags: 0x40002n }, 3).vector, AC);
    load(sides.amd, 0x1f80);
    assert.equal(run(sides.amd, PADDB, odd).vector, GP);
    // FXSAVE tells.
    const mask = both((side) => {
      run(side, [0x0f, 0xae, 0x07], { rdi: BigInt(DATA) });
      return side.memory.read32(DATA + 28);
    });
    assert.deepEqual(mask, [0xffff, 0x2ffff]);
  });

  test('DPPS of several NaNs returns one by its own order, or the first', () => {
    const nan = (n: number) => 0x7fc00000 | n;
    const given = both((side) => {
      const view = new DataView(side.memory.buffer);
      for (let n = 0; n < 4; n++) {
        view.setUint32(L.XMM_REGISTERS + 4 * n, nan(n + 1), true);
        view.setFloat32(L.XMM_REGISTERS + 16 + 4 * n, 1, true);
      }
      run(side, [0x66, 0x0f, 0x3a, 0x40, 0xc1, 0xff]);
      return [0, 1, 2, 3].map((n) => view.getUint32(L.XMM_REGISTERS + 4 * n, true) & 0xff);
    });
    assert.deepEqual(given, [
      [2, 1, 4, 3],
      [1, 1, 1, 1],
    ]);
  });

  test('the sine of the smallest numbers is the number, or a slightly smaller one, which may underflow', () => {
    /** ST(0) after FSIN of the number with this exponent and significand, and the status word's flags. */
    const sine = (rounding: number, exponent: number, significand: bigint) =>
      both((side) => {
        const on = (...code: number[]) => assert.equal(run(side, code, { rdi: BigInt(DATA) }).vector, DONE);
        side.memory.write64(DATA, significand);
        side.memory.write16(DATA + 8, exponent);
        side.memory.write16(DATA + 16, 0x37f | (rounding << 10));
        on(0xdb, 0xe3); // FNINIT
        on(0xd9, 0x6f, 16); // FLDCW
        on(0xdb, 0x2f); // FLD m80
        on(0xd9, 0xfe); // FSIN
        on(0xdd, 0x7f, 32); // FNSTSW
        on(0xdb, 0x7f, 48); // FSTP m80
        const { memory } = side;
        return [memory.read16(DATA + 56), memory.read64(DATA + 48), memory.read16(DATA + 32) & 0x3f];
      });
    const LEAST = 1n << 63n;
    const [NEAREST, DOWN] = [0, 1];
    const [DE, UE, PE] = [0x02, 0x10, 0x20];
    assert.deepEqual(sine(NEAREST, 0, LEAST), [
      [1, LEAST, DE | PE],
      [1, LEAST, DE | PE],
    ]);
    assert.deepEqual(sine(DOWN, 1, LEAST), [
      [1, LEAST, PE],
      [0, LEAST - 1n, UE | PE],
    ]);
    assert.deepEqual(sine(DOWN, 2, LEAST), [
      [2, LEAST, PE],
      [1, 2n * LEAST - 1n, PE],
    ]);
    assert.deepEqual(sine(NEAREST, 0, 5n), [
      [0, 5n, DE | UE | PE],
      [0, 5n, DE | UE | PE],
    ]);
  });

  test('model-specific registers of a vendor read as 0, and do not exist for the other vendor', () => {
    const read = (msr: bigint) => both((side) => run(side, [0x0f, 0x32], { rcx: msr, rax: 7n, rdx: 7n }));
    const write = (msr: bigint) =>
      both((side) => run(side, [0x0f, 0x30], { rcx: msr, rax: 7n, rdx: 0n }).vector);
    // IA32_PLATFORM_ID, IA32_FEATURE_CONTROL, PLATFORM_INFO, IA32_PERF_STATUS, IA32_DEBUGCTL, units of energy.
    for (const msr of [0x17n, 0x3an, 0xcen, 0x198n, 0x1d9n, 0x606n]) {
      const [intel, amd] = read(msr);
      assert.deepEqual([intel!.vector, intel!.registers.rax, intel!.registers.rdx], [DONE, 0n, 0n]);
      assert.equal(amd!.vector, GP);
      assert.deepEqual(write(msr), [DONE, GP]);
    }
    // PERFEVTSEL0, SYSCFG, HWCR, NB_CFG, VM_CR, OSVW, DE_CFG.
    for (const msr of [
      0xc0010000n,
      0xc0010010n,
      0xc0010015n,
      0xc001001fn,
      0xc0010114n,
      0xc0010140n,
      0xc0011029n,
    ]) {
      const [intel, amd] = read(msr);
      assert.equal(intel!.vector, GP);
      assert.deepEqual([amd!.vector, amd!.registers.rax, amd!.registers.rdx], [DONE, 0n, 0n]);
      assert.deepEqual(write(msr), [GP, DONE]);
    }
    // IA32_MISC_ENABLE is Intel's.
    assert.deepEqual(
      read(0x1a0n).map(({ vector }) => vector),
      [DONE, GP],
    );
  });
});

describe('an instruction whose feature CPUID does not name is #UD', () => {
  const examples: Partial<Record<CpuFeature, number[]>> = {
    invpcid: [0x66, 0x0f, 0x38, 0x82, 0x07],
    movbe: [0x0f, 0x38, 0xf0, 0x07],
    popcnt: [0xf3, 0x0f, 0xb8, 0xc1],
    sse4_2: [0xf2, 0x0f, 0x38, 0xf1, 0xc1],
    sse4_1: [0x66, 0x0f, 0x38, 0x17, 0xc1],
    ssse3: [0x0f, 0x38, 0x00, 0xc1],
    sse3: [0xf2, 0x0f, 0x7c, 0xc1],
    sse2: [0x66, 0x0f, 0xfc, 0xc1],
    sse: [0x0f, 0x58, 0xc1],
    mmx: [0x0f, 0xfc, 0xc1],
    cmov: [0x0f, 0x44, 0xc1],
    bmi1: [0xc4, 0xe2, 0x78, 0xf2, 0xc1],
    bmi2: [0xc4, 0xe2, 0x78, 0xf5, 0xc1],
    adx: [0x66, 0x0f, 0x38, 0xf6, 0xc1],
    cx8: [0x0f, 0xc7, 0x0f],
    cx16: [0x48, 0x0f, 0xc7, 0x0f],
    fsgsbase: [0xf3, 0x0f, 0xae, 0xc0],
    rdpid: [0xf3, 0x0f, 0xc7, 0xf8],
    rdtscp: [0x0f, 0x01, 0xf9],
    tsc: [0x0f, 0x31],
    lahf_lm: [0x9f],
    clflush: [0x0f, 0xae, 0x3f],
    clflushopt: [0x66, 0x0f, 0xae, 0x3f],
    clwb: [0x66, 0x0f, 0xae, 0x37],
    xsave: [0x0f, 0x01, 0xd0],
    fxsr: [0x0f, 0xae, 0x07],
    smap: [0x0f, 0x01, 0xca],
  };
  for (const [feature, code] of Object.entries(examples) as [CpuFeature, number[]][]) {
    test(feature, () => {
      const registers = { rcx: 0n, rdi: BigInt(DATA), rax: 0n };
      sides.intel.memory.view(DATA, 64).fill(0);
      const change = { cr4: 0x620n };
      const own = { ...change, ...(feature === 'fsgsbase' && { cr4: 0x10620n }) };
      if (feature === 'xsave') own.cr4 = 0x40620n;
      assert.equal(run(sides.intel, code, registers, 0, own).vector, DONE);
      using without = sideOf(
        'intel',
        cpuFeatures.filter((one) => one !== feature),
      );
      assert.equal(run(without, code, registers, 0, change).vector, UD);
    });
  }

  test('TZCNT and LZCNT are BSF and BSR then (SDM 2A LZCNT, 2D TZCNT)', () => {
    const [TZCNT, LZCNT] = [
      [0xf3, 0x0f, 0xbc, 0xc1],
      [0xf3, 0x0f, 0xbd, 0xc1],
    ];
    const give = (side: LongModeSide) => {
      const value = { rcx: 0x10n, rax: 0n };
      return [run(side, TZCNT, value).registers.rax, run(side, LZCNT, value).registers.rax];
    };
    assert.deepEqual(give(sides.intel), [4n, 27n]);
    using without = sideOf(
      'intel',
      cpuFeatures.filter((one) => one !== 'abm' && one !== 'bmi1'),
    );
    assert.deepEqual(give(without), [4n, 4n]);
  });

  test('every row of the opcode table on MMX or XMM registers has one', () => {
    const rows = opcodes().filter(({ operands }) => operands.some((operand) => /^[VWUPQN]/.test(operand)));
    assert.ok(rows.length > 300);
    for (const row of rows) assert.notEqual(featureOf(row, 64, 32), undefined, row.name);
  });
});

describe('--cpu-vendor', () => {
  const other = hostCpuVendor() === 'amd' ? 'intel' : 'amd';

  test('needs the software CPU: auto selects it where KVM has the other vendor’s, and KVM refuses', {
    skip: noKvm,
  }, () => {
    const { engine, because } = chooseEngine('auto', { cpuVendor: other });
    assert.equal(engine.name, 'soft');
    assert.match(because ?? '', /KVM runs this host’s processor, an (Intel|AMD) \(--cpu-vendor/);
    assert.throws(() => chooseEngine('kvm', { cpuVendor: other }), {
      code: 'ECONFIG',
      hint: /--engine soft/,
    });
  });

  test('is refused with a message where it is neither', () => {
    const { status, stderr } = terrarium(['run', 'guests/hello', '--cpu-vendor', 'via']);
    assert.equal(status, 2);
    assert.match(stderr, /intel, amd/);
  });
});
