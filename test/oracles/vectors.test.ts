/** MMX and SSE against the host's own processor: the same instruction bytes on the same registers and memory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostCpuVendor } from '../../src/runtime/index.js';
import { describeCase, differences, type Form, forms, randomCases } from './vectors/cases.js';
import {
  CASE,
  MXCSR,
  noOracle,
  OPERAND,
  programOnHost,
  programOnSoft,
  runOnHost,
  runOnSoft,
  VECTOR,
  XMM,
} from './vectors/sides.js';

/** More for a longer run. */
const times = Number(process.env.TERRARIUM_VECTORS_TIMES ?? 1);
const seed = Number(process.env.TERRARIUM_SEED ?? 1);
const only = new RegExp(process.env.TERRARIUM_ONLY ?? '.');
const PIECE = 20_000;
const vendor = hostCpuVendor();

describe('MMX and SSE have the host’s results', { skip: noOracle() }, () => {
  test('in 40,000 cases of every instruction: registers, flags, MXCSR, memory, exceptions', () => {
    const differ: string[] = [];
    const list = forms.filter(({ row }) => only.test(row.name));
    for (let round = 0; round < 2 * times; round++) {
      const cases = randomCases(list, PIECE, seed + round);
      const before = new DataView(cases.slice().buffer);
      const host = new DataView(runOnHost(cases).buffer);
      runOnSoft(cases);
      const soft = new DataView(cases.buffer);
      for (let n = 0; n < PIECE; n++) {
        const form = list[n % list.length]!;
        const found = differences(form, soft, host, n * CASE, vendor);
        if (found.length > 0) differ.push(`${describeCase(form, before, n * CASE)}: ${found.join('; ')}`);
      }
    }
    assert.deepEqual(differ.slice(0, 20), [], `${differ.length} differ`);
  });

  test('in a program in C: orbits, matrices, fractals, saturated sound, text, bits', () => {
    const host = programOnHost();
    assert.ok(host.some((byte) => byte !== 0));
    assert.deepEqual(programOnSoft(host.length), host);
  });
});

describe('where AMD differs, the host must have AMD’s result', () => {
  const found = (name: string, change: (soft: DataView, host: DataView) => void) => {
    const [soft, host] = [new DataView(new ArrayBuffer(CASE)), new DataView(new ArrayBuffer(CASE))];
    change(soft, host);
    const form: Form = { row: forms.find(({ row }) => row.name === name)!.row, memory: true };
    return (['intel', 'amd'] as const).map((vendor) => differences(form, soft, host, 0, vendor).length);
  };

  test('MXCSR_MASK of FXSAVE has bit 17, and MXCSR takes it', () => {
    const saved = (mask: number) =>
      found('fxsave', (soft, host) => {
        soft.setUint32(OPERAND + MXCSR + 4, 0xffff, true);
        host.setUint32(OPERAND + MXCSR + 4, mask, true);
      });
    assert.deepEqual(saved(0xffff), [0, 1]);
    assert.deepEqual(saved(0x2ffff), [1, 0]);
    const loaded = (mxcsr: number) =>
      found('ldmxcsr', (soft, host) => {
        for (const side of [soft, host]) side.setUint32(OPERAND, mxcsr, true);
        soft.setUint32(VECTOR, 13, true);
        host.setUint32(VECTOR, 1, true);
      });
    assert.deepEqual(loaded(0x21f80), [1, 0]);
    assert.deepEqual(loaded(0x31f80), [1, 1]);
  });

  test('DPPS returns another NaN, but no other number', () => {
    const gives = (name: string, ours: number, theirs: number) =>
      found(name, (soft, host) => {
        soft.setUint32(XMM + 36, ours, true);
        host.setUint32(XMM + 36, theirs, true);
      });
    assert.deepEqual(gives('dpps', 0x7fc00001, 0xffc00002), [1, 0]);
    assert.deepEqual(gives('dpps', 0x7fc00001, 0x7f800000), [1, 1]);
    assert.deepEqual(gives('dppd', 0x7fc00001, 0xffc00002), [1, 1]);
  });
});
