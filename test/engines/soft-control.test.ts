/**
 * Control registers, MSRs, CPUID and TLB of the software CPU in ring 0 of long mode: the refused values, and the
 * effects of the others. Expectations come from the SDM: 2B MOV to control registers, 3A 2.5 and 5.10, 4 for the MSRs.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SoftCpu } from '../../src/engine/soft/index.js';
import { engineByName } from '../../src/runtime/index.js';
import type { Registers, SystemRegisters } from '../../src/x86/index.js';
import { CODE, DATA, HOLE, LongModeSide, type Result, SUPERVISOR, TABLES } from '../support/long-mode.js';

const side = new LongModeSide(engineByName('soft'));
const start: Registers = {
  ...side.cpu.getRegisters(),
  rip: BigInt(CODE),
  rsp: BigInt(SUPERVISOR + 0x800),
  rflags: 2n,
};
const DEBUG = 1;
const UNDEFINED = 6;
const PROTECTION = 13;
const PAGE = 14;

/** Runs the current instruction, and no handler after it. */
function step(): void {
  assert.ok(side.cpu instanceof SoftCpu);
  side.cpu.step();
}

/** Runs one instruction in ring 0. */
function run(
  code: readonly number[],
  registers: Partial<Registers> = {},
  change?: (system: SystemRegisters) => void,
  ring: 0 | 3 = 0,
): Result {
  side.memory.writeBytes(CODE, Uint8Array.from(code));
  const result = side.run({ ...start, ...registers }, ring, change);
  assert.ok(result, `${code} was refused`);
  return result;
}

const CR = {
  to0: [0x0f, 0x22, 0xc0],
  to3: [0x0f, 0x22, 0xd8],
  to4: [0x0f, 0x22, 0xe0],
  to8: [0x44, 0x0f, 0x22, 0xc0],
  to1: [0x0f, 0x22, 0xc8],
  from0: [0x0f, 0x20, 0xc0],
  from3: [0x0f, 0x20, 0xd8],
  from4: [0x0f, 0x20, 0xe0],
};
const [PE, WP, NW, CD, PG] = [1n, 0x10000n, 0x2000_0000n, 0x4000_0000n, 0x8000_0000n];
const LONG0 = PG | WP | 0x33n;
const [PAE, PGE, LA57, PCIDE, SMEP, SMAP] = [0x20n, 0x80n, 0x1000n, 0x2_0000n, 0x10_0000n, 0x20_0000n];

describe('control registers in 64-bit code', () => {
  const refused: [string, number[], bigint][] = [
    ['CR0 with bits over 31', CR.to0, LONG0 | (1n << 32n)],
    ['CR0.PG without PE', CR.to0, LONG0 & ~PE],
    ['CR0.NW without CD', CR.to0, LONG0 | NW],
    ['CR0.PG cleared in 64-bit code', CR.to0, LONG0 & ~PG],
    ['CR3 with a bit over the physical address', CR.to3, BigInt(TABLES) | (1n << 40n)],
    ['CR3 with bit 63 where there are no PCIDs', CR.to3, BigInt(TABLES) | (1n << 63n)],
    ['CR4 with a bit that no feature has', CR.to4, PAE | (1n << 24n)],
    ['CR4 with bits over 31', CR.to4, PAE | (1n << 32n)],
    ['CR4.PAE cleared in long mode', CR.to4, 0n],
    ['CR4.LA57 changed in long mode', CR.to4, PAE | LA57],
    ['CR8 with bits over 3', CR.to8, 16n],
  ];
  for (const [what, code, value] of refused) {
    test(`${what} is #GP(0), and nothing changed`, () => {
      const before = { ...start, rax: value };
      const { vector, code: error, registers } = run(code, before);
      assert.deepEqual([vector, error, registers.rip], [PROTECTION, 0n, start.rip]);
      assert.equal(side.cpu.getSystemRegisters().cr3, BigInt(TABLES));
    });
  }

  test('CR0.NW with CD, the reserved bits of CR0, and CR4.PGE, SMEP, SMAP are accepted', () => {
    assert.equal(run(CR.to0, { rax: LONG0 | NW | CD | 0x1000n }).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().cr0, LONG0 | NW | CD);
    assert.equal(run(CR.to4, { rax: PAE | PGE | SMEP | SMAP }).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().cr4, PAE | PGE | SMEP | SMAP);
    assert.equal(run(CR.to8, { rax: 15n }).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().cr8, 15n);
  });

  test('there is no CR1', () => assert.equal(run(CR.to1).vector, UNDEFINED));

  test('ring 3 has no control registers', () => {
    for (const [name, code] of Object.entries(CR))
      assert.equal(run(code, {}, undefined, 3).vector, name === 'to1' ? UNDEFINED : PROTECTION);
  });

  test('PCIDs: on only where CR3 names PCID 0; then CR3 accepts bit 63 and does not store it; off only with CR0.PG', () => {
    const withPcid = (system: SystemRegisters) => {
      system.cr3 |= 5n;
    };
    assert.equal(run(CR.to4, { rax: PAE | PCIDE }).vector, DEBUG);
    assert.equal(run(CR.to4, { rax: PAE | PCIDE }, withPcid).vector, PROTECTION);
    const on = (system: SystemRegisters) => {
      system.cr4 |= PCIDE;
    };
    assert.equal(run(CR.to3, { rax: BigInt(TABLES) | 7n | (1n << 63n) }, on).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().cr3, BigInt(TABLES) | 7n);
  });
});

describe('compatibility mode', () => {
  const narrow = (system: SystemRegisters) => {
    Object.assign(system.cs, { l: false, db: true });
  };
  test('CR0.PG may be cleared there, which ends long mode', () => {
    // MOV CR0, EAX and then #DB, which without paging uses an entry that is not a 32-bit gate: the triple fault proves
    // it.
    side.memory.writeBytes(CODE, Uint8Array.from(CR.to0));
    side.enter(0, narrow);
    side.cpu.setRegisters({ ...start, rax: LONG0 & ~PG });
    step();
    const { cr0, efer } = side.cpu.getSystemRegisters();
    assert.deepEqual([cr0 & PG, efer & 0x400n], [0n, 0n]);
  });

  test('paging cannot be turned on for long mode without PAE, nor from a 64-bit code segment', () => {
    const off = (change: (system: SystemRegisters) => unknown) => (system: SystemRegisters) => {
      narrow(system);
      system.cr0 &= ~PG;
      system.efer = 0x100n;
      change(system);
    };
    const enters = (change: (system: SystemRegisters) => unknown) => {
      side.memory.writeBytes(CODE, Uint8Array.from(CR.to0));
      side.enter(0, off(change));
      side.cpu.setRegisters({ ...start, rax: LONG0 });
      step();
      return (side.cpu.getSystemRegisters().efer & 0x400n) !== 0n;
    };
    assert.equal(
      enters(() => {}),
      true,
    );
    assert.equal(
      enters((system) => Object.assign(system, { cr4: 0n })),
      false,
    );
    assert.equal(
      enters((system) => Object.assign(system.cs, { l: true })),
      false,
    );
    // A task of 16 bits (SDM 3A 10.8.5.4).
    assert.equal(
      enters((system) => Object.assign(system.tr, { type: 3 })),
      false,
    );
  });
});

const WRMSR = [0x0f, 0x30];
const RDMSR = [0x0f, 0x32];
const halves = (value: bigint) => ({ rax: value & 0xffff_ffffn, rdx: value >> 32n });

describe('model-specific registers', () => {
  const kept: [string, bigint, bigint, bigint?][] = [
    // Name, number, a value that is stored, one that is #GP.
    ['LSTAR', 0xc0000082n, 0xffff_8000_0000_1000n, 1n << 56n],
    ['CSTAR', 0xc0000083n, 0x1000n, 1n << 63n],
    ['STAR', 0xc0000081n, 0x0013_0008_1234_5678n],
    ['FMASK', 0xc0000084n, 0x4_7700n, 1n << 32n],
    ['KERNEL_GS_BASE', 0xc0000102n, 0x7fff_ffff_ffffn, 1n << 56n],
    ['FS_BASE', 0xc0000100n, 0xffff_ffff_ffff_f000n, 1n << 56n],
    ['GS_BASE', 0xc0000101n, 0x50000n, 1n << 62n],
    ['TSC_AUX', 0xc0000103n, 7n, 1n << 32n],
    ['SYSENTER_CS', 0x174n, 8n],
    ['SYSENTER_ESP', 0x175n, 0x9000n, 1n << 56n],
    ['SYSENTER_EIP', 0x176n, 0x1234n, 1n << 56n],
    ['PAT', 0x277n, 0x0007_0406_0107_0506n, 2n],
    ['MTRR_PHYSBASE0', 0x200n, 0x8000_0006n, 2n],
    ['MTRR_PHYSMASK7', 0x20fn, 0xff_8000_0800n, 1n],
    ['MTRR_FIX4K_C0000', 0x268n, 0x0506_0405_0606_0606n, 7n],
    ['MTRR_DEF_TYPE', 0x2ffn, 0xc06n, 0x1000n],
    ['EFER', 0xc0000080n, 0xd01n, 0x1000n],
  ];
  for (const [name, number, value, wrong] of kept) {
    test(`${name} stores valid values, and refuses invalid ones`, () => {
      assert.equal(run(WRMSR, { rcx: number, ...halves(value) }).vector, DEBUG);
      if (name !== 'EFER') {
        // The test's own return to ring 0 sets EFER, and the bases of segments; those are checked right after the
        // write.
        const system = side.cpu.getSystemRegisters();
        if (name === 'FS_BASE') assert.equal(system.fs.base, value);
        else if (name === 'GS_BASE') assert.equal(system.gs.base, value);
        else {
          const { registers } = run(RDMSR, { rcx: number, rax: ~0n & 0xffff_ffff_ffffn });
          assert.equal(registers.rax | (registers.rdx << 32n), value);
        }
      } else assert.equal(side.cpu.getSystemRegisters().efer, value);
      if (wrong !== undefined) assert.equal(run(WRMSR, { rcx: number, ...halves(wrong) }).vector, PROTECTION);
    });
  }

  test('a missing MSR is #GP, and so is every one in ring 3', () => {
    assert.equal(run(RDMSR, { rcx: 0x4000_0000n }).vector, PROTECTION);
    assert.equal(run(WRMSR, { rcx: 0x4b56_4d00n }).vector, PROTECTION);
    assert.equal(run(RDMSR, { rcx: 0x10n }, undefined, 3).vector, PROTECTION);
  });

  test('EFER.LME cannot change while paging is on, and LMA is read-only', () => {
    assert.equal(run(WRMSR, { rcx: 0xc0000080n, rax: 0x400n, rdx: 0n }).vector, PROTECTION);
    assert.equal(run(WRMSR, { rcx: 0xc0000080n, rax: 0x100n, rdx: 0n }).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().efer, 0x500n);
  });
});

describe('the time stamp counter', () => {
  const RDTSC = [0x0f, 0x31];
  const RDTSCP = [0x0f, 0x01, 0xf9];
  const tsd = (system: SystemRegisters) => {
    system.cr4 |= 4n;
  };
  test('advances with each instruction, can be set, and CR4.TSD forbids it in ring 3', () => {
    assert.equal(run(WRMSR, { rcx: 0x10n, ...halves(1n << 40n) }).vector, DEBUG);
    const read = () => {
      const { rax, rdx } = run(RDTSC).registers;
      return rax | (rdx << 32n);
    };
    const first = read();
    assert.ok(first > 1n << 40n && first < (1n << 40n) + 100n, `${first}`);
    assert.equal(run(RDTSC, {}, tsd).vector, DEBUG);
    assert.equal(run(RDTSC, {}, undefined, 3).vector, DEBUG);
    assert.equal(run(RDTSC, {}, tsd, 3).vector, PROTECTION);
    assert.equal(run(RDTSCP, {}, tsd, 3).vector, PROTECTION);
  });
  test('RDTSCP and RDPID return TSC_AUX', () => {
    run(WRMSR, { rcx: 0xc0000103n, ...halves(77n) });
    assert.equal(run(RDTSCP).registers.rcx, 77n);
    assert.equal(run([0xf3, 0x0f, 0xc7, 0xf8]).registers.rax, 77n);
  });
  test('there are no performance counters', () => assert.equal(run([0x0f, 0x33]).vector, PROTECTION));
});

describe('CPUID', () => {
  const cpuid = (leaf: bigint) => run([0x0f, 0xa2], { rax: leaf, rcx: 0n }).registers;
  test('names the vendor, and a leaf above the last one returns the last basic leaf', () => {
    const { rax, rbx, rcx, rdx } = cpuid(0n);
    const text = [rbx, rdx, rcx].map((word) => Buffer.from(Uint32Array.of(Number(word)).buffer).toString());
    assert.deepEqual([rax, text.join('')], [13n, 'GenuineIntel']);
    assert.deepEqual(cpuid(0x1234n).rbx, cpuid(13n).rbx);
    assert.deepEqual(cpuid(0x9000_0000n).rbx, cpuid(13n).rbx);
  });
  test('reports long mode, NX, 40 bits of physical addresses, and no AVX', () => {
    assert.equal(cpuid(0x8000_0001n).rdx & (1n << 29n) & (1n << 20n), 0n);
    assert.equal(cpuid(0x8000_0001n).rdx & ((1n << 29n) | (1n << 20n)), (1n << 29n) | (1n << 20n));
    assert.equal(cpuid(0x8000_0008n).rax & 0xffn, 40n);
    assert.equal(cpuid(1n).rcx & (1n << 28n), 0n);
  });
});

describe('the TLB', () => {
  const entry = TABLES + 0x3000 + (HOLE >> 12) * 8;
  /** MOV AL, [HOLE] repeatedly, with a change of the entry in between. */
  const LOAD = [0x8a, 0x03];
  const map = (page: number) => side.memory.write32(entry, page | 0x63);

  test('INVLPG and INVPCID flush an entry; without them the old page may stay', () => {
    for (const forget of [
      [0x0f, 0x01, 0x3b],
      [0x66, 0x0f, 0x38, 0x82, 0x0e],
    ]) {
      map(DATA);
      side.memory.write8(DATA, 1);
      side.memory.write8(DATA + 0x1000, 2);
      // Type 0 in RCX; the descriptor at RSI: PCID 0, and the address.
      side.memory.write64(DATA + 0x100, 0n);
      side.memory.write64(DATA + 0x108, BigInt(HOLE));
      const address = Buffer.alloc(8);
      address.writeBigUInt64LE(BigInt(entry));
      // MOV AL,[RBX]; MOV DL,AL; MOV [entry],R8 by way of RAX; forget; MOV AL,[RBX]; HLT
      const [movDlAl, movRaxR8, movMoffsRax] = [
        [0x88, 0xc2],
        [0x4c, 0x89, 0xc0],
        [0x48, 0xa3],
      ] as const;
      const change = [...movRaxR8, ...movMoffsRax, ...address];
      side.memory.writeBytes(CODE, Uint8Array.of(...LOAD, ...movDlAl, ...change, ...forget, ...LOAD, 0xf4));
      side.enter(0);
      const page = BigInt(DATA + 0x1000 + 0x63);
      side.cpu.setRegisters({ ...start, rbx: BigInt(HOLE), rcx: 0n, rsi: BigInt(DATA + 0x100), r8: page });
      side.cpu.run();
      const { rax, rdx } = side.cpu.getRegisters();
      assert.deepEqual([rdx & 0xffn, rax & 0xffn], [1n, 2n]);
    }
    side.memory.write32(entry, HOLE | 0x60);
  });

  test('INVPCID refuses kinds over 3, PCIDs without CR4.PCIDE, and addresses that are not canonical', () => {
    const INVPCID = [0x66, 0x0f, 0x38, 0x82, 0x0e];
    const vectorOf = (kind: bigint, pcid: bigint, address: bigint) => {
      side.memory.write64(DATA + 0x100, pcid);
      side.memory.write64(DATA + 0x108, address);
      return run(INVPCID, { rcx: kind, rsi: BigInt(DATA + 0x100) }).vector;
    };
    assert.deepEqual(
      [vectorOf(0n, 0n, 0n), vectorOf(2n, 0n, 1n << 63n), vectorOf(3n, 0n, 0n)],
      [DEBUG, DEBUG, DEBUG],
    );
    assert.deepEqual(
      [vectorOf(4n, 0n, 0n), vectorOf(0n, 1n, 0n), vectorOf(2n, 0x1000n, 0n), vectorOf(0n, 0n, 1n << 63n)],
      [PROTECTION, PROTECTION, PROTECTION, PROTECTION],
    );
  });
});

describe('instructions that a bit of CR4 allows or forbids', () => {
  const cr4 = (bit: bigint) => (system: SystemRegisters) => {
    system.cr4 |= bit;
  };
  test('RDFSBASE and WRGSBASE need FSGSBASE; a base has to be canonical', () => {
    assert.equal(run([0xf3, 0x48, 0x0f, 0xae, 0xc0]).vector, UNDEFINED);
    assert.equal(run([0xf3, 0x48, 0x0f, 0xae, 0xc0], {}, cr4(0x10000n), 3).vector, DEBUG);
    assert.equal(run([0xf3, 0x48, 0x0f, 0xae, 0xd8], { rax: 0x123456n }, cr4(0x10000n)).vector, DEBUG);
    assert.equal(side.cpu.getSystemRegisters().gs.base, 0x123456n);
    assert.equal(run([0xf3, 0x48, 0x0f, 0xae, 0xd8], { rax: 1n << 63n }, cr4(0x10000n)).vector, PROTECTION);
  });

  test('UMIP forbids SGDT, SIDT, SLDT, STR and SMSW in ring 3', () => {
    const rdi = { rdi: BigInt(DATA) };
    for (const code of [
      [0x0f, 0x01, 0x07],
      [0x0f, 0x01, 0x0f],
      [0x0f, 0x00, 0xc0],
      [0x0f, 0x00, 0xc8],
      [0x0f, 0x01, 0xe0],
    ]) {
      assert.equal(run(code, rdi, undefined, 3).vector, DEBUG, `${code}`);
      assert.equal(run(code, rdi, cr4(0x800n), 3).vector, PROTECTION, `${code} with UMIP`);
      assert.equal(run(code, rdi, cr4(0x800n)).vector, DEBUG, `${code} in ring 0`);
    }
  });

  test('after STAC ring 0 can read a page of ring 3 under SMAP, after CLAC it cannot', () => {
    const set = run([0x0f, 0x01, 0xcb], {}, cr4(SMAP));
    assert.deepEqual([set.vector, set.registers.rflags & 0x4_0000n], [DEBUG, 0x4_0000n]);
    assert.equal(run([0x0f, 0x01, 0xca], { rflags: 0x4_0002n }, cr4(SMAP)).registers.rflags & 0x4_0000n, 0n);
    assert.equal(run([0x0f, 0x01, 0xcb], {}, undefined, 3).vector, UNDEFINED);
    const loadAs = (rflags: bigint) => run([0x8a, 0x03], { rbx: BigInt(DATA), rflags }, cr4(SMAP));
    assert.deepEqual([loadAs(2n).vector, loadAs(2n).code, loadAs(0x4_0002n).vector], [PAGE, 1n, DEBUG]);
  });
});

describe('five levels of tables', () => {
  const five = (system: SystemRegisters) => {
    system.cr3 = BigInt(TABLES + 0x4000);
    system.cr4 |= LA57;
  };
  test('translate, and addresses are canonical up to bit 56', () => {
    side.memory.write32(TABLES + 0x4000, TABLES | 7);
    const load = (address: bigint) => run([0x8a, 0x03], { rbx: address }, five);
    side.memory.write8(DATA, 0x5a);
    assert.deepEqual([load(BigInt(DATA)).vector, load(BigInt(DATA)).registers.rax & 0xffn], [DEBUG, 0x5an]);
    // The table above has an accessed bit like the others (SDM 3A 5.8).
    assert.equal(side.memory.read32(TABLES + 0x4000) & 0x20, 0x20);
    const far = load(1n << 50n);
    assert.deepEqual([far.vector, far.cr2], [PAGE, 1n << 50n]);
    assert.equal(load(1n << 56n).vector, PROTECTION);
    // There is no large page at this level: bit 7 is reserved.
    side.memory.write32(TABLES + 0x4008, TABLES | 0x87);
    assert.deepEqual([load(1n << 48n).vector, load(1n << 48n).code], [PAGE, 9n]);
  });
});

describe('PAE paging', () => {
  test('MOV CR3 refuses page-directory pointers with reserved bits, and keeps the old ones', () => {
    const table = TABLES + 0x5000;
    const pae = (system: SystemRegisters) => {
      Object.assign(system.cs, { l: false, db: true });
      Object.assign(system, { efer: 0n, cr3: BigInt(table) });
    };
    // Three gigabytes unmapped, and one that leads to the earlier directory.
    side.memory.write64(table, BigInt(TABLES + 0x2000) | 1n);
    const taken = (entry: bigint) => {
      side.memory.write64(table + 0x40, BigInt(TABLES + 0x2000) | 1n);
      side.memory.write64(table + 0x48, entry);
      side.memory.writeBytes(CODE, Uint8Array.from(CR.to3));
      side.enter(0, pae);
      side.cpu.setRegisters({ ...start, rax: BigInt(table + 0x40) });
      step();
      return side.cpu.getSystemRegisters().cr3 === BigInt(table + 0x40);
    };
    assert.deepEqual([taken(0n), taken(0x1001n), taken(2n)], [true, true, true]);
    for (const bits of [2n, 4n, 0x20n, 0x100n, 1n << 40n, 1n << 63n])
      assert.equal(taken(0x1001n | bits), false, `${bits}`);
  });
});
