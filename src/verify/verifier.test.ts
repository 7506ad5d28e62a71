import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine, EngineCpu, EngineVm } from '../engine/contract/index.js';
import { decode, opcodes } from '../isa/index.js';
import { randomNumbers } from '../random.js';
import { engineByName } from '../runtime/index.js';
import { instructionOf } from './blocks.js';
import { whyUntried } from './differences.js';
import { formatReport, type ModeName, modeNames, Verifier, type VerifierReport } from './index.js';
import { modes } from './modes.js';
import { type Test, TestMaker } from './tests.js';

const soft = engineByName('soft');

function verify(options: {
  oracle?: Engine;
  mode?: ModeName;
  count: number;
  seed?: number;
  only?: string;
}): VerifierReport {
  const { count, mode = 'long', seed = 1, ...rest } = options;
  using verifier = new Verifier({ engine: soft, mode, seed, ...rest });
  while (verifier.report.tests < count) verifier.step(count - verifier.report.tests);
  return verifier.report;
}

/** Where a test's memory operand is and how long it is, by the manual's rules (SDM 1 3.7.5, 2A BT); bases of segments are 0 modulo 64. */
function operandOf({ row, bytes: code, encoding: { code: size }, registers, ripTarget }: Test): {
  address: bigint;
  bytes: bigint;
} {
  // Displacements were filled in after it was decoded.
  const encoding = decode(code, size)!;
  const { base, index, scale, displacement } = encoding.memory!;
  const register = (n: number) => (n < 0 ? 0n : registers[n]!);
  let address = register(base) + register(index) * BigInt(scale) + displacement;
  if (ripTarget !== undefined) address = BigInt(ripTarget);
  const bits = row.name === 'cmpxchg8b' ? 2 * Math.max(32, encoding.operandSize) : encoding.operandSize;
  const bytes = BigInt(row.operands.some((operand) => operand === 'Eb') ? 1 : bits / 8);
  if (/^bt[src]$/.test(row.name) && row.operands[1] === 'Gv') {
    const number = ((encoding.modrm >> 3) & 7) | ((encoding.rex & 4) << 1);
    address += (BigInt.asIntN(bits, registers[number]!) / BigInt(bits)) * bytes;
  }
  return { address: BigInt.asUintN(encoding.addressSize, address), bytes };
}

/** The software CPU with an injected fault: `spoil` changes the code that it runs. */
function spoiled(spoil: (code: Uint8Array) => void): Engine {
  return {
    ...soft,
    name: 'soft',
    kick: (control) => soft.kick(control),
    discard: (memory) => soft.discard(memory),
    createVm(memory): EngineVm {
      const vm = soft.createVm(memory);
      return {
        [Symbol.dispose]: () => vm[Symbol.dispose](),
        coalesce: () => false,
        uncoalesce: () => undefined,
        setIrq: () => undefined,
        remapRegion: (slot) => vm.remapRegion(slot),
        signalMessage: () => false,
        logDirtyPages: (slot, on) => vm.logDirtyPages(slot, on),
        takeDirtyPages: (slot) => vm.takeDirtyPages(slot),
        readCounters: () => vm.readCounters(),
        createCpu(control): EngineCpu {
          const cpu = vm.createCpu(control);
          const run = cpu.run.bind(cpu);
          cpu.run = () => {
            spoil(memory.view(0x100000, 0x80000));
            return run();
          };
          return cpu;
        },
      };
    },
  };
}

describe('a verification', () => {
  for (const mode of modeNames) {
    test(`of an engine against itself in mode ${mode} finds no difference and refuses no test`, () => {
      const report = verify({ oracle: soft, mode, count: 3000 });
      assert.deepEqual(
        report.found.map(({ mnemonic, fields }) => `${mnemonic}: ${fields}`),
        [],
      );
      assert.equal(report.tests, 3000);
      assert.equal(report.compared, 3000);
      assert.ok(report.rows > 300);
    });
  }

  test('in 64-bit code covers page ends, with instructions, operands and stacks, and non-canonical addresses', () => {
    const { long } = modes;
    const maker = new TestMaker(long, randomNumbers(1));
    const rows = opcodes().filter((row) => !row.no64 && whyUntried(row, 'long') === undefined);
    const tests = Array.from({ length: 20 }, () => rows.map((row) => maker.make(row)))
      .flat()
      .filter((one) => one !== undefined)
      .slice(0, 10_000);
    const count = (of: (test: (typeof tests)[number], n: number) => boolean) => tests.filter(of).length;
    const crossing = count(({ bytes }, n) => {
      const at = instructionOf(long, n % long.capacity);
      return at >> 12 !== (at + bytes.length - 1) >> 12;
    });
    assert.ok(crossing > 200, `${crossing} lie over the end of a page`);
    const inPages = (value: bigint) => value >= 0xbff0n && value < 0xf000n;
    const stacks = count(({ registers }) => inPages(registers[4]!));
    assert.ok(stacks > 50, `${stacks} have a stack where none may be`);
    const outside = count(({ registers }) =>
      registers.some((value) => value >> 44n === 7n || value >> 44n === 8n),
    );
    assert.ok(outside > 10, `${outside} have addresses that are hardly canonical`);
  });

  for (const modeName of modeNames) {
    test(`in mode ${modeName} makes no split locks, which hosts that detect them slow down`, () => {
      const mode = modes[modeName];
      const maker = new TestMaker(mode, randomNumbers(3));
      const rows = opcodes().filter(
        (row) => (row.lock || row.name === 'xchg') && whyUntried(row, modeName) === undefined,
      );
      const locked = Array.from({ length: 400 }, () => rows.map((row) => maker.make(row)))
        .flat()
        .filter((one) => one !== undefined)
        .filter(
          ({ row, encoding: { lock, memory } }) => memory !== undefined && (lock || row.name === 'xchg'),
        );
      assert.ok(locked.length > 1000, `${locked.length} are locked`);
      let unaligned = 0;
      for (const test of locked) {
        const { address, bytes } = operandOf(test);
        assert.ok((address % 64n) + bytes <= 64n, `${test.row.name} at 0x${address.toString(16)}`);
        if (address % bytes !== 0n) unaligned++;
      }
      assert.ok(unaligned > 100, `${unaligned} lie anywhere in their line`);
    });
  }

  test('is the same for the same seed', () => {
    const strip = ({ engineMs, oracleMs, elapsedMs, ...rest }: VerifierReport) => rest;
    assert.deepEqual(strip(verify({ count: 500, seed: 7 })), strip(verify({ count: 500, seed: 7 })));
  });

  test('finds the one instruction that another engine executes wrongly, and shows both states', () => {
    // STC becomes CMC.
    const wrong = spoiled((code) => {
      for (let at = 508; at < code.length; at += 512) if (code[at] === 0xf9) code[at] = 0xf5;
    });
    const report = verify({ oracle: wrong, count: 4000, only: 'stc' });
    assert.deepEqual(
      report.found.map(({ mnemonic, fields }) => `${mnemonic}: ${fields}`),
      ['stc: flags'],
    );
    assert.equal(report.found[0]!.first.after, 0);
    const text = formatReport(report, 'soft', 'wrong');
    assert.match(text, /differences +\d+ {2}of 1 kinds/);
    assert.match(text, /^stc {4}\[.*f9\]$/m);
    assert.match(text, /≠ flags/);
  });

  test('names the instruction that corrupts memory, although its registers are right', () => {
    // MOV [m], r becomes MOV [m], another r, in forms that end with the displacement.
    const wrong = spoiled((code) => {
      for (let at = 508; at < code.length; at += 512) {
        if (code[at] === 0x89 && code[at + 1]! < 0xc0) code[at + 1]! ^= 8;
      }
    });
    const report = verify({ oracle: wrong, count: 4000, only: 'mov' });
    assert.ok(report.found.length > 0);
    for (const { mnemonic, fields } of report.found) assert.match(`${mnemonic} ${fields}`, /^mov .*memory$/);
  });

  test('says why an instruction is not tried', () => {
    assert.throws(() => verify({ count: 1, only: 'cpuid' }), /its result depends on the processor/);
    assert.throws(() => verify({ count: 1, only: 'nonsense' }), /no 'nonsense'/);
    assert.throws(() => verify({ count: 1, only: 'daa' }), /no 'daa' for this mode/);
  });
});
