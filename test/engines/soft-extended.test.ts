/**
 * State components of XSAVE that the software CPU lacks and a CPU that it assists has: they go to memory and back
 * unchanged (SDM 1 13.7, 13.8).
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import { cpuidModel, softEngine } from '../../src/engine/soft/index.js';
import { CODE, DATA, LongModeSide, SUPERVISOR } from '../support/long-mode.js';

const [DONE, GP] = [1, 13];
const AVX = 4n;
/** CPUID leaf D of a processor with AVX: the upper halves of the YMM registers follow the header. */
const leaves = cpuidModel().map((one) => (one.leaf === 0xd ? { ...one, eax: 7, ebx: 832, ecx: 832 } : one));
const upper = { leaf: 0xd, subleaf: 2, eax: 256, ebx: 576, ecx: 0, edx: 0 };
const subleaf1 = { leaf: 0xd, subleaf: 1, eax: 4, ebx: 0, ecx: 0, edx: 0 };
const side = new LongModeSide(softEngine(softProgram(), [...leaves, subleaf1, upper]));
after(() => side[Symbol.dispose]());

const [XSAVE, XRSTOR, XGETBV, XSETBV] = [
  [0x0f, 0xae, 0x27],
  [0x0f, 0xae, 0x2f],
  [0x0f, 0x01, 0xd0],
  [0x0f, 0x01, 0xd1],
];

function run(code: readonly number[], registers: object = {}) {
  side.memory.writeBytes(CODE, Uint8Array.from([...code, 0x90]));
  const start = {
    ...side.cpu.getRegisters(),
    rip: BigInt(CODE),
    rsp: BigInt(SUPERVISOR + 0x800),
    rflags: 2n,
  };
  const all = { ...start, rdi: BigInt(DATA), rax: 7n, rcx: 0n, rdx: 0n, ...registers };
  const result = side.run(all, 0, (system) => Object.assign(system, { cr4: 0x40620n }));
  assert.ok(result !== undefined);
  return result;
}

const pattern = Uint8Array.from({ length: 256 }, (_, n) => n ^ 0x5a);

const inUseOf = (extended: Uint8Array | null) => new DataView(extended!.buffer).getBigUint64(0, true) & ~3n;

/** Loads the unknown state component into the CPU. */
function give(inUse: bigint, bytes: Uint8Array): void {
  const extended = new Uint8Array(64 + bytes.length);
  new DataView(extended.buffer).setBigUint64(0, inUse | 3n, true);
  extended.set(bytes, 64);
  side.cpu.setState({ ...side.cpu.getState(), xcr0: 7n, extended });
}

describe('AVX’s state', () => {
  test('is enabled by XSETBV only together with SSE’s, and not where CPUID does not have it', () => {
    const set = (value: bigint) => run(XSETBV, { rax: value }).vector;
    assert.deepEqual([1n, 3n, 5n, 7n, 0xfn, 0xe7n, 0n].map(set), [DONE, DONE, GP, DONE, GP, GP, GP]);
    assert.equal(run(XGETBV).registers.rax, 7n);
  });

  test('is saved after the header where it is in use, and the header marks it', () => {
    give(AVX, pattern);
    side.memory.view(DATA, 1024).fill(0);
    assert.equal(run(XSAVE).vector, DONE);
    assert.equal(side.memory.read64(DATA + 512), 7n);
    assert.deepEqual(side.memory.view(DATA + 576, 256).slice(), pattern);
    assert.equal(run(XGETBV, { rcx: 1n }).registers.rax, 7n);
  });

  test('in its initial configuration is not written, and is not in use', () => {
    give(0n, pattern);
    side.memory.view(DATA, 1024).fill(0xcc);
    side.memory.view(DATA + 512, 64).fill(0);
    assert.equal(run(XSAVE).vector, DONE);
    assert.equal(side.memory.read64(DATA + 512), 3n);
    assert.ok(side.memory.view(DATA + 576, 256).every((byte) => byte === 0xcc));
    assert.equal(run(XGETBV, { rcx: 1n }).registers.rax, 3n);
  });

  test('is restored by XRSTOR, or gets its initial configuration where it was not saved', () => {
    give(0n, new Uint8Array(256));
    side.memory.view(DATA, 1024).fill(0);
    side.memory.write32(DATA + 24, 0x1f80);
    side.memory.write64(DATA + 512, 7n);
    side.memory.writeBytes(DATA + 576, pattern);
    assert.equal(run(XRSTOR).vector, DONE);
    const { extended } = side.cpu.getState();
    assert.equal(inUseOf(extended), AVX);
    assert.deepEqual(extended!.slice(64, 64 + 256), pattern);
    side.memory.write64(DATA + 512, 3n);
    assert.equal(run(XRSTOR).vector, DONE);
    assert.equal(inUseOf(side.cpu.getState().extended), 0n);
  });
});
