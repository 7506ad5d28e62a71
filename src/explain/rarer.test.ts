import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMachine } from '../runtime/index.js';
import { explain } from './explain.js';

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
