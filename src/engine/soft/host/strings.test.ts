/**
 * REP MOVS and REP STOS, which do many iterations at once, have the results of single iterations (SDM 2B MOVS, REP; 2C
 * STOS).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExitKind } from '../../contract/index.js';
import { MEMORY, realMode, type TestMachine } from './testing.js';

const HLT = 0xf4;
const DF = 0x400n;

interface Case {
  store: boolean;
  size: 1 | 2 | 4;
  /** The counter and addresses are ECX, ESI and EDI, since 16-bit ones wrap around. */
  wide: boolean;
  down: boolean;
  count: number;
  si: number;
  di: number;
  ax: number;
}

/** From the end of the code to the end of the segment, most often near a border: of pages, the segment, one another. */
const offsets = fc.oneof(
  fc.integer({ min: 0x2000, max: 0xfffc }),
  fc.integer({ min: 0x4fe0, max: 0x5020 }),
  fc.integer({ min: 0xfff0, max: 0xfffc }),
);
const cases: fc.Arbitrary<Case> = fc
  .record({
    store: fc.boolean(),
    size: fc.constantFrom(1, 2, 4),
    wide: fc.boolean(),
    down: fc.boolean(),
    count: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9000 })),
    si: offsets,
    di: offsets,
    ax: fc.integer({ min: 0, max: 0x7fffffff }),
  })
  .map((one) => ({ ...one, count: Math.min(one.count, mostRounds(one)) }));

/** As many as overwrite neither the code nor, before a fault, the interrupt table. */
function mostRounds({ size, wide, down, si, di }: Case): number {
  if (down) return Math.floor((Math.min(si, di) - 0x2000) / size);
  return wide ? Number.POSITIVE_INFINITY : Math.floor((0x10000 - Math.max(si, di)) / size) + 40;
}

/** The manual's algorithm, one iteration at a time, up to the one that would exceed the segment and faults. */
function model(bytes: Uint8Array, { store, size, wide, down, count, si, di, ax }: Case) {
  const step = down ? -size : size;
  const mask = wide ? 0xffffffff : 0xffff;
  const inside = (offset: number) => offset + size <= 0x10000;
  let rounds = 0;
  for (; rounds < count; rounds++) {
    if (!inside(di) || (!store && !inside(si))) break;
    const value = store
      ? Array.from({ length: size }, (_, n) => (ax >>> (8 * n)) & 255)
      : bytes.slice(si, si + size);
    bytes.set(value, di);
    di = ((di + step) & mask) >>> 0;
    if (!store) si = ((si + step) & mask) >>> 0;
  }
  return { rounds, left: count - rounds, si, di };
}

function run({ memory, cpu }: TestMachine, one: Case, ended = 1) {
  const { store, size, wide, down, count, si, di, ax } = one;
  const prefixes = [0xf3, ...(wide ? [0x67] : []), ...(size === 4 ? [0x66] : [])];
  const opcode = (store ? 0xaa : 0xa4) + (size === 1 ? 0 : 1);
  memory.writeBytes(0x1000, Uint8Array.from([...prefixes, opcode, HLT]));
  const [rcx, rsi, rdi, rax] = [count, si, di, ax].map(BigInt);
  const rflags = 2n | (down ? DF : 0n);
  cpu.setRegisters({
    ...cpu.getRegisters(),
    rip: 0x1000n,
    rcx: rcx!,
    rsi: rsi!,
    rdi: rdi!,
    rax: rax!,
    rflags,
  });
  const before = cpu.instructions;
  const kind = cpu.run();
  assert.equal(kind, ExitKind.halt);
  return { instructions: Number(cpu.instructions - before) - ended, ...cpu.getRegisters() };
}

describe('REP MOVS and REP STOS', () => {
  test('move, fill, overlap, wrap, fault and count like single iterations', () => {
    using machine = realMode([]);
    const { memory } = machine;
    // #GP goes to a HLT that is not reached otherwise.
    const handler = 0x1800;
    fc.assert(
      fc.property(cases, fc.integer(), (one, seed) => {
        const before = new Uint8Array(MEMORY);
        for (let n = 0; n < MEMORY; n++) before[n] = n * 31 + (seed >>> (n % 24));
        before.fill(0, 0, 0x2000);
        before[handler] = HLT;
        before.set([handler & 255, handler >> 8, 0, 0], 13 * 4);
        memory.writeBytes(0, before);
        const done = run(machine, one);
        const expected = Uint8Array.from(before);
        const { rounds, left, si, di } = model(expected, one);
        assert.deepEqual(
          { rcx: done.rcx, rsi: done.rsi, rdi: done.rdi },
          { rcx: BigInt(left), rsi: BigInt(si), rdi: BigInt(di) },
        );
        const after = memory.readBytes(0x2000, MEMORY - 0x2000);
        assert.ok(Buffer.compare(after, expected.subarray(0x2000)) === 0, 'memory');
        // A repeated instruction counts each iteration.
        assert.ok(done.instructions >= rounds && done.instructions <= rounds + 1, `${done.instructions}`);
        assert.equal(done.rip, BigInt(left > 0 ? handler + 1 : 0x1000 + lengthOf(one) + 1));
      }),
      { seed: 1, numRuns: 1500 },
    );
  });

  test('overwrite code, whose new form is run', () => {
    // MOV CX, 8; MOV DI, 1020h; MOV AL, 43h (INC BX); REP STOSB; JMP 1020h, where eight INC AX and a HLT are
    using machine = realMode([0xb9, 8, 0, 0xbf, 0x20, 0x10, 0xb0, 0x43, 0xf3, 0xaa, 0xeb, 0x14]);
    machine.memory.writeBytes(0x1020, Uint8Array.from([0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, HLT]));
    const { cpu } = machine;
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x1020n });
    assert.equal(cpu.run(), ExitKind.halt);
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x1000n, rax: 0n, rbx: 0n });
    assert.equal(cpu.run(), ExitKind.halt);
    const { rax, rbx } = cpu.getRegisters();
    assert.deepEqual([rax, rbx], [0x43n, 8n]);
  });
});

function lengthOf({ wide, size }: Case): number {
  return 2 + (wide ? 1 : 0) + (size === 4 ? 1 : 0);
}
