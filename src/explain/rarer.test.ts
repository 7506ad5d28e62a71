import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMachine } from '../runtime/index.js';
import { explain } from './explain.js';
import { sceneOf } from './scene.js';

/** The explanation of the first exception of code that runs in 32-bit protected mode without an IDT. */
function said(code: readonly number[], registers: Record<string, bigint> = {}, cr0 = 0n): string {
  using machine = createMachine({ engine: 'soft', image: Uint8Array.from(code), mode: 'protected' });
  const { cpu, memory } = machine;
  cpu.setRegisters({ ...cpu.getRegisters(), ...registers });
  const system = cpu.getSystemRegisters();
  if (cr0 !== 0n) cpu.setSystemRegisters({ ...system, cr0: system.cr0 | cr0 });
  const { title, steps, mistakes } = explain({ ...machine.run(), memory });
  return `${title}: ${steps[0]!.why}. ${mistakes[0]!}`;
}

describe('a rare exception', () => {
  test('is explained by its cause', () => {
    // nop, with TF set
    assert.match(said([0x90, 0x90], { rflags: 0x102n }), /^#DB.*TF is set/);
    // into, with OF set
    assert.match(said([0xce], { rflags: 0x802n }), /^#(OF|GP).*(OF set|entry 4)/);
    // bound %eax,0x5000, whose bounds are 0 and 0
    assert.match(said([0x62, 0x05, 0x00, 0x50, 0x00, 0x00], { rax: 5n }), /^#BR.*outside the bounds/);
    // fld1, with TS set
    assert.match(said([0xd9, 0xe8], {}, 8n), /^#NM.*EM or TS is set/);
    // fldcw 0x5000 (all unmasked); fldz; fld1; fdivp; fwait, with CR0.NE
    const divides = [0xd9, 0x2d, 0x00, 0x50, 0x00, 0x00, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x9b];
    assert.match(said(divides, {}, 0x20n), /^#MF.*of the x87 failed.*FNINIT/);
  });
});

test('64-bit code that stores through a bad pointer is not taken for 32-bit code', () => {
  // mov rax, 0xdeadbeef000; mov dword [rax], 1: from its second byte on, 32-bit code reads a far jump.
  const image = Buffer.from('48b800f0eedbea0d0000c70001000000', 'hex');
  using machine = createMachine({ engine: 'soft', image, mode: 'long' });
  const { mistakes } = explain({ ...machine.run(), memory: machine.memory });
  assert.match(mistakes[0]!, /pointer/);
});

describe('an instruction that other processors have', () => {
  // Encodings: SDM 2A to 2D, as binutils assemble them.
  const cases: [code: string, said: RegExp][] = [
    ['c5ec58d9', /vaddps ymm3,ymm2,ymm1 belongs to AVX \(CPUID leaf 1, ECX bit 28\).*XCR0 by XSETBV/],
    ['c5edfed9', /vpaddd ymm3,ymm2,ymm1 belongs to AVX2/],
    ['c5e9fed9', /vpaddd xmm3,xmm2,xmm1 belongs to AVX \(/],
    ['c4e26998d9', /vfmadd132ps xmm3,xmm2,xmm1 belongs to FMA/],
    ['660f38dcd1', /aesenc xmm2,xmm1 belongs to AES-NI/],
    ['660f3a44d101', /pclmulhqlqdq xmm2,xmm1 belongs to PCLMULQDQ/],
    ['0f38c9d1', /sha1msg1 xmm2,xmm1 belongs to SHA/],
    ['0fc7f0', /rdrand eax belongs to RDRAND.*hypercall/],
    ['0fc7f8', /rdseed eax belongs to RDSEED/],
    ['0f01c8', /monitor belongs to MONITOR.*HLT/],
    ['0f01c9', /mwait belongs to MONITOR/],
    ['0f01c1', /vmcall belongs to VMX.*hypercalls\.md/],
    ['0f01d9', /vmmcall belongs to SVM/],
    ['0f01d0', /xgetbv needs CR4\.OSXSAVE, which is 0.*bit 18/],
    ['62f16c4858d9', /EVEX, belongs to AVX-512/],
    ['0fff00', /UD0 is invalid on purpose/],
  ];
  for (const [code, words] of cases)
    test(`is named: ${code}`, () => assert.match(said([...Buffer.from(code, 'hex')]), words));
});

describe('an instruction at the end of memory', () => {
  /** The instruction that begins with these bytes, the last ones of RAM, in real mode. */
  function last(bytes: readonly number[]): string | undefined {
    const size = 0x10_0000;
    using machine = createMachine({ engine: 'soft', image: Uint8Array.of(0xf4), mode: 'real', memory: size });
    const { cpu, memory } = machine;
    const at = size - bytes.length;
    for (const [n, byte] of bytes.entries()) memory.write8(at + n, byte);
    const system = cpu.getSystemRegisters();
    system.cs = { ...system.cs, base: 0xf_0000n, selector: 0xf000 };
    return sceneOf({ registers: { ...cpu.getRegisters(), rip: BigInt(at & 0xffff) }, system, memory })
      .instruction?.text;
  }

  test('is one, or none, by the bytes that are there', () => {
    assert.equal(last([0xf4]), 'hlt');
    assert.equal(last([0xff, 0xff]), '(bad)');
    assert.equal(last([0xb8, 0x00]), undefined, 'a third byte is missing');
    assert.equal(last([0x0f]), undefined);
  });
});
