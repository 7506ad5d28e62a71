import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { decode, type Opcode, opcodes } from '../isa/index.js';
import { randomNumbers } from '../random.js';
import { engineByName, hostCpuVendor } from '../runtime/index.js';
import type { Difference } from './compare.js';
import { modes } from './modes.js';
import { type Test, TestMaker } from './tests.js';
import { whyByVendor } from './vendors.js';
import { Verifier } from './verifier.js';

const amdHost = { engine: 'intel', oracle: 'amd' } as const;
const zeros = () => Array.from({ length: 16 }, () => 0n);

/** A test of these bytes of 64-bit code, with nothing in its registers. */
function testOf(...bytes: number[]): Test {
  const code = Uint8Array.from(bytes);
  const encoding = decode(code, 64);
  assert.ok(encoding !== undefined);
  const registers = zeros();
  const rest = { flags: 2, vectors: undefined, ripTarget: undefined, landing: undefined };
  return { row: encoding.row, encoding, bytes: code, registers, ...rest };
}

/** The results of two sides that differ in general registers, or in one vector. */
function difference(
  of: Test,
  registers: Record<number, [bigint, bigint]>,
  vector: [bigint, bigint] = [0n, 0n],
): Difference {
  const side = (n: 0 | 1) => {
    const values = zeros();
    for (const [number, pair] of Object.entries(registers)) values[Number(number)] = pair[n];
    return { registers: values, flags: 2, vectors: [0x1f80n, vector[n]] };
  };
  const names = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8'];
  const fields = Object.keys(registers).map((number) => names[Number(number)]!);
  if (vector[0] !== vector[1]) fields.push('xmm1');
  return { test: of, text: '', fields, left: [side(0), side(1)], data: [], after: 0 };
}

/** Explained between an engine with vendor Intel and an AMD host, and never between equal vendors. */
function explained(one: Difference): string | undefined {
  assert.equal(whyByVendor(one), undefined);
  assert.equal(whyByVendor(one, { engine: 'amd', oracle: 'amd' }), undefined);
  assert.equal(
    whyByVendor(one, { engine: 'amd', oracle: 'intel' }),
    whyByVendor({ ...one, left: [one.left[1], one.left[0]] }, amdHost),
  );
  return whyByVendor(one, amdHost);
}

describe('differences of AMD’s processors are explained', () => {
  test('F3 90 with REX.B: PAUSE, or XCHG with R8', () => {
    const swapped = { 0: [1n, 2n], 8: [2n, 1n] } as Record<number, [bigint, bigint]>;
    assert.match(explained(difference(testOf(0xf3, 0x41, 0x90), swapped)) ?? '', /XCHG with R8/);
    assert.match(explained(difference(testOf(0x66, 0xf3, 0x45, 0x90), swapped)) ?? '', /XCHG with R8/);
    assert.equal(explained(difference(testOf(0xf3, 0x90), swapped)), undefined);
    assert.equal(explained(difference(testOf(0xf3, 0x44, 0x90), swapped)), undefined);
  });

  test('LOOPE with F2 and LOOPNE with F3, and no other loop', () => {
    const counted = { 0: [1n, 0n] } as Record<number, [bigint, bigint]>;
    assert.match(explained(difference(testOf(0xf2, 0xe1, 4), counted)) ?? '', /LOOPE/);
    assert.match(explained(difference(testOf(0xf3, 0xe0, 4), counted)) ?? '', /LOOPE/);
    for (const bytes of [
      [0xf2, 0xe0, 4],
      [0xf3, 0xe1, 4],
      [0xe1, 4],
      [0xf3, 0xe2, 4],
    ]) {
      assert.equal(explained(difference(testOf(...bytes), counted)), undefined);
    }
  });

  test('upper halves that a repeated instruction with addresses of 32 bits clears, and no other differences', () => {
    const [whole, cut] = [0x1234_5678_0000_0010n, 0x10n];
    const repeated = testOf(0x67, 0xf3, 0xa4);
    assert.match(explained(difference(repeated, { 1: [cut, whole], 6: [cut, whole] })) ?? '', /upper halves/);
    assert.equal(explained(difference(repeated, { 1: [cut, whole + 1n] })), undefined);
    assert.equal(explained(difference(repeated, { 0: [cut, whole] })), undefined);
    assert.equal(explained(difference(testOf(0xf3, 0xa4), { 1: [cut, whole] })), undefined);
    assert.equal(explained(difference(testOf(0x67, 0xa4), { 1: [cut, whole] })), undefined);
  });

  test('which NaN DPPS returns, but no difference in numbers', () => {
    const dot = testOf(0x66, 0x0f, 0x3a, 0x40, 0xca, 0xff);
    const [one, other] = [0x7fc00001n, 0xffc00002n];
    assert.match(explained(difference(dot, {}, [one << 64n, other << 64n])) ?? '', /NaN/);
    assert.equal(explained(difference(dot, {}, [one, 0x3f800000n])), undefined);
    assert.equal(explained(difference(dot, { 0: [1n, 2n] }, [one, other])), undefined);
    const double = testOf(0x66, 0x0f, 0x3a, 0x41, 0xca, 0xff);
    assert.equal(explained(difference(double, {}, [one, other])), undefined);
  });
});

describe('the software CPU as one of AMD’s processors', () => {
  const [intel, amd] = [engineByName('soft'), engineByName('soft', { cpuVendor: 'amd' })];
  const verify = (options: { only?: string; count: number }) => {
    const { only, count } = options;
    using verifier = new Verifier({
      ...{ engine: intel, oracle: amd, mode: 'long', seed: 5, vendors: amdHost },
      ...(only !== undefined && { only }),
    });
    while (verifier.report.tests < count) verifier.step(count - verifier.report.tests);
    return verifier.report;
  };

  test('differs from Intel’s in random instructions, and the vendor explains each difference', () => {
    const { found, known } = verify({ count: 30_000 });
    assert.deepEqual(
      found.map(({ mnemonic, fields }) => `${mnemonic}: ${fields}`),
      [],
    );
    assert.ok(known.size > 0);
  });

  for (const [only, because] of [
    ['pause', /XCHG with R8/],
    ['loope', /LOOPE with F2/],
    ['loopne', /LOOPNE with F3/],
    ['movs', /upper halves/],
    ['scas', /upper halves/],
    ['dpps', /NaNs DPPS/],
  ] as const) {
    test(`${only}: differs, and is explained`, () => {
      const { found, known } = verify({ only, count: 2000 });
      assert.equal(found.length, 0);
      assert.deepEqual(known.size, 1);
      assert.match([...known.keys()][0] ?? '', because);
    });
  }
});

test('16-bit SHLD and SHRD are not tried with larger counts: the manuals leave the whole result undefined', () => {
  const isDouble = ({ name }: Opcode) => /^sh[lr]d$/.test(name);
  const maker = new TestMaker(modes.real, randomNumbers(7));
  const tests = opcodes()
    .filter(isDouble)
    .flatMap((row) => Array.from({ length: 400 }, () => maker.make(row)))
    .filter((one) => one !== undefined);
  const counts = tests
    .filter(({ encoding }) => encoding.operandSize === 16)
    .map(({ row, encoding, registers }) =>
      Number((row.operands.at(-1) === 'CL' ? registers[1]! : encoding.immediate) & 31n),
    );
  assert.ok(counts.length > 200 && counts.includes(16), `${counts.length} tests`);
  assert.ok(Math.max(...counts) <= 16);
  assert.ok(tests.some(({ encoding }) => encoding.operandSize === 32));
});

test('the host’s vendor is the one that Linux shows, and unknown for other vendors or without the file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-vendor-'));
  const vendorOf = (text: string) => {
    const file = path.join(folder, 'cpuinfo');
    writeFileSync(file, text);
    return hostCpuVendor(file);
  };
  try {
    assert.equal(vendorOf('processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n'), 'intel');
    assert.equal(vendorOf('processor\t: 0\nvendor_id\t: AuthenticAMD\n'), 'amd');
    assert.equal(vendorOf('vendor_id\t: HygonGenuine\n'), undefined);
    assert.equal(hostCpuVendor(path.join(folder, 'none')), undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
