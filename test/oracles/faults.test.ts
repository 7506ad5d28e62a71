/**
 * The state after an access that faults, in ring 3 of 64-bit code: the exception of an unaligned operand with #AC on,
 * CR2, and the x87 FPU's top and tags. Measured on an Intel processor: TERRARIUM_SILICON=1 checks the host's own by
 * KVM, whose ring 3 runs on the processor. Other models may differ where the manual is open.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Engine } from '../../src/engine/contract/index.js';
import { engineByName } from '../../src/runtime/index.js';
import { CODE, DATA, DATA_SIZE, HOLE, LongModeSide, READ_ONLY } from '../support/long-mode.js';
import { noKvm } from '../support.js';

const [DONE, GP, PF, AC] = [1, 13, 14, 17];
const AC_FLAG = 0x40000n;
/** PG, AM, WP, NE, MP, PE. */
const CR0 = 0x80050033n;
/** PAE, OSFXSR, OSXMMEXCPT. */
const CR4 = 0x620n;

interface Left {
  vector: number;
  /** CR2 of a page fault, from the operand's first byte on. */
  cr2: number;
  top: number;
  tags: number;
}

/** The FPU: R7 in use, which is the top; ones in all significands; zeros elsewhere. */
function freshFpu(): Uint8Array {
  const area = new Uint8Array(512);
  const view = new DataView(area.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint16(2, 7 << 11, true);
  view.setUint8(4, 0x80);
  view.setUint32(24, 0x1f80, true);
  for (let n = 0; n < 8; n++) area.fill(0xff, 32 + 16 * n, 40 + 16 * n);
  return area;
}

class Runner implements Disposable {
  readonly #side: LongModeSide;

  constructor(engine: Engine) {
    this.#side = new LongModeSide(engine);
  }

  /** Runs an instruction whose operand is [rdi]. */
  run(code: readonly number[], rdi: bigint, flags = 0n): Left {
    const { cpu, memory } = this.#side;
    cpu.setState({ ...cpu.getState(), fpu: freshFpu() });
    memory.view(DATA, DATA_SIZE).fill(0);
    memory.view(CODE, 16).set([...code, 0x90]);
    const registers = {
      ...cpu.getRegisters(),
      rip: BigInt(CODE),
      rsp: BigInt(DATA + 0x3000),
      rdi,
      rdx: 0n,
      rax: 3n,
    };
    const result = this.#side.run({ ...registers, rflags: flags | 2n }, 3, (system) =>
      Object.assign(system, { cr0: CR0, cr4: CR4 }),
    );
    assert.ok(result !== undefined, `${code} was refused`);
    const { fpu } = cpu.getState();
    const status = fpu[2]! | (fpu[3]! << 8);
    const { vector, cr2 } = result;
    return { vector, cr2: vector === PF ? Number(cr2 - rdi) : 0, top: (status >> 11) & 7, tags: fpu[4]! };
  }

  [Symbol.dispose](): void {
    this.#side[Symbol.dispose]();
  }
}

const engines: [string, string | false, () => Engine][] = [
  ['the software CPU', false, () => engineByName('soft')],
  [
    'KVM',
    noKvm || (process.env.TERRARIUM_SILICON !== '1' && 'SKIPPED: TERRARIUM_SILICON=1 measures this host'),
    () => engineByName('kvm', { assist: false }),
  ],
];

/** The required alignment of an operand, and the exception where it is not aligned. */
const alignments: [string, number[], number, number][] = [
  ['MOV of 2 bytes', [0x66, 0x8b, 0x07], 2, AC],
  ['MOV of 8 bytes', [0x48, 0x8b, 0x07], 8, AC],
  ['MOVUPS', [0x0f, 0x10, 0x07], 1, DONE],
  ['MOVUPS, a store', [0x0f, 0x11, 0x07], 1, DONE],
  ['MOVUPD', [0x66, 0x0f, 0x10, 0x07], 1, DONE],
  ['MOVDQU', [0xf3, 0x0f, 0x6f, 0x07], 1, DONE],
  ['MOVDQU, a store', [0xf3, 0x0f, 0x7f, 0x07], 1, DONE],
  ['LDDQU', [0xf2, 0x0f, 0xf0, 0x07], 1, DONE],
  ['PCMPISTRI', [0x66, 0x0f, 0x3a, 0x63, 0x07, 0], 1, DONE],
  ['PCMPISTRM', [0x66, 0x0f, 0x3a, 0x62, 0x07, 0], 1, DONE],
  ['PCMPESTRI', [0x66, 0x0f, 0x3a, 0x61, 0x07, 0], 1, DONE],
  ['MOVAPS', [0x0f, 0x28, 0x07], 16, GP],
  ['PADDB', [0x66, 0x0f, 0xfc, 0x07], 16, GP],
  ['MOVNTDQ', [0x66, 0x0f, 0xe7, 0x07], 16, GP],
  ['MOVQ', [0xf3, 0x0f, 0x7e, 0x07], 8, AC],
  ['MOVHPS', [0x0f, 0x16, 0x07], 8, AC],
  ['MOVSS', [0xf3, 0x0f, 0x10, 0x07], 4, AC],
  ['PMOVZXBQ', [0x66, 0x0f, 0x38, 0x32, 0x07], 2, AC],
  ['PINSRW', [0x66, 0x0f, 0xc4, 0x07, 1], 2, AC],
  ['PADDB of MMX', [0x0f, 0xfc, 0x07], 8, AC],
  ['MASKMOVDQU of no byte', [0x66, 0x0f, 0xf7, 0xc1], 8, AC],
  ['MASKMOVQ', [0x0f, 0xf7, 0xc1], 8, AC],
  ['FNSTENV', [0xd9, 0x37], 4, AC],
  ['FNSTENV of 16 bits', [0x66, 0xd9, 0x37], 2, AC],
  ['FLDENV', [0xd9, 0x27], 4, AC],
  ['FNSAVE', [0xdd, 0x37], 4, AC],
  ['FNSAVE of 16 bits', [0x66, 0xdd, 0x37], 2, AC],
  ['FRSTOR', [0xdd, 0x27], 4, AC],
  ['FRSTOR of 16 bits', [0x66, 0xdd, 0x27], 2, AC],
  ['FSTP of ten bytes', [0xdb, 0x3f], 8, AC],
  ['FLD of ten bytes', [0xdb, 0x2f], 8, AC],
  ['FBSTP', [0xdf, 0x37], 8, AC],
  ['STMXCSR', [0x0f, 0xae, 0x1f], 4, AC],
  ['CMPXCHG8B', [0x0f, 0xc7, 0x0f], 8, AC],
  ['CMPXCHG16B', [0x48, 0x0f, 0xc7, 0x0f], 16, GP],
  ['BT with a register', [0x0f, 0xa3, 0x07], 4, AC],
];

/** The place of an operand: in an absent page, or this many bytes before one. */
const ABSENT = BigInt(HOLE + 0x40);
const before = (bytes: number) => BigInt(DATA + DATA_SIZE - bytes);
const NOT_CANONICAL = 0x8000_0000_0000n;

const X87 = { top: 7, tags: 0x80 };
const fault = (cr2: number, fpu: { top: number; tags: number } = X87) => ({ vector: PF, cr2, ...fpu });

const [FSTP, FBSTP, FLD, FBLD] = [
  [0xdb, 0x3f],
  [0xdf, 0x37],
  [0xdb, 0x2f],
  [0xdf, 0x27],
];
const [FNSTENV, FLDENV, FNSAVE, FRSTOR] = [
  [0xd9, 0x37],
  [0xd9, 0x27],
  [0xdd, 0x37],
  [0xdd, 0x27],
];
const [FXSAVE, FXRSTOR] = [
  [0x0f, 0xae, 0x07],
  [0x0f, 0xae, 0x0f],
];

const faults: [string, number[], bigint, Left][] = [
  ['FSTP of ten bytes', FSTP, ABSENT, fault(0)],
  ['FSTP of ten bytes, the last two absent', FSTP, before(8), fault(8)],
  ['FSTP of ten bytes, the last six absent', FSTP, before(4), fault(4)],
  ['FBSTP', FBSTP, ABSENT, fault(0)],
  ['FLD of ten bytes', FLD, ABSENT, fault(0)],
  ['FBLD', FBLD, ABSENT, fault(0)],
  ['FRSTOR', FRSTOR, ABSENT, fault(0)],
  ['FRSTOR, its end absent', FRSTOR, before(64), fault(107)],
  ['FNSAVE, its end absent', FNSAVE, before(64), fault(107)],
  ['FNSAVE of 16 bits, its end absent', [0x66, ...FNSAVE], before(64), fault(93)],
  ['FNSAVE, all but its first byte absent', FNSAVE, before(1), fault(1)],
  ['FNSTENV, its end absent', FNSTENV, before(16), fault(27)],
  ['FLDENV, its end absent', FLDENV, before(16), fault(27)],
  ['FXSAVE, which tries its last byte first', FXSAVE, ABSENT, fault(511)],
  ['FXRSTOR', FXRSTOR, ABSENT, fault(511)],
  ['MOVUPS over the end of a page', [0x0f, 0x10, 0x07], before(13), fault(13)],
  // A store of an MMX register: the top is already R0, and the tags are changed unless there is a page fault.
  ['MOVQ, a store of MMX', [0x0f, 0x7f, 0x07], ABSENT, fault(0, { top: 0, tags: 0x80 })],
  ['MOVD, a store of MMX', [0x0f, 0x7e, 0x07], ABSENT, fault(0, { top: 0, tags: 0x80 })],
  ['MOVNTQ', [0x0f, 0xe7, 0x07], ABSENT, fault(0, { top: 0, tags: 0x80 })],
  [
    'MOVQ, a store to a read-only page',
    [0x0f, 0x7f, 0x07],
    BigInt(READ_ONLY),
    fault(0, { top: 0, tags: 0x80 }),
  ],
  [
    'MOVQ, a store to a non-canonical address',
    [0x0f, 0x7f, 0x07],
    NOT_CANONICAL,
    { vector: GP, cr2: 0, top: 0, tags: 0xff },
  ],
  ['MASKMOVQ', [0x0f, 0xf7, 0xc0], ABSENT, { vector: PF, cr2: 0, top: 0, tags: 0xff }],
  ['MOVQ, a load of MMX', [0x0f, 0x6f, 0x07], ABSENT, fault(0)],
  ['PADDB of MMX', [0x0f, 0xfc, 0x07], ABSENT, fault(0)],
  [
    'MOVQ, a store that succeeds',
    [0x0f, 0x7f, 0x07],
    before(8),
    { vector: DONE, cr2: 0, top: 0, tags: 0xff },
  ],
];

for (const [name, skip, engine] of engines) {
  describe(`in ring 3 of ${name}`, { skip }, () => {
    let made: Runner | undefined;
    const runner = () => {
      made ??= new Runner(engine());
      return made;
    };
    after(() => made?.[Symbol.dispose]());
    const aligned = (code: readonly number[], offset: number) =>
      runner().run(code, BigInt(DATA + 0x1040 + offset), AC_FLAG).vector;
    const offsets = Array.from({ length: 16 }, (_, offset) => offset);

    // KVM without VMX or SVM runs its emulator at a #GP, which raises other exceptions.
    const isShown = (raised: number) => raised !== GP || name !== 'KVM';
    for (const [what, code, alignment, raised] of alignments.filter((row) => isShown(row[3]))) {
      const rule = raised === DONE ? 'at any address' : `at a multiple of ${alignment}, or #${raised}`;
      test(`with #AC on, ${what} is done ${rule}`, () => {
        assert.deepEqual(
          offsets.map((offset) => aligned(code, offset)),
          offsets.map((offset) => (offset % alignment === 0 ? DONE : raised)),
        );
      });
    }

    const skipGp = !isShown(GP) && 'SKIPPED: KVM may emulate what is a #GP';
    test('with #AC on, FXSAVE and FXRSTOR are #AC where not at a multiple of 4, else #GP where not of 16', {
      skip: skipGp,
    }, () => {
      for (const code of [FXSAVE, FXRSTOR]) {
        assert.deepEqual(
          offsets.map((offset) => aligned(code, offset)),
          offsets.map((offset) => (offset === 0 ? DONE : offset % 4 === 0 ? GP : AC)),
        );
      }
    });

    for (const [what, code, rdi, expected] of faults) {
      test(`${what}: exception ${expected.vector}, CR2, top and tags`, () => {
        assert.deepEqual(runner().run(code, rdi), expected);
      });
    }
  });
}
