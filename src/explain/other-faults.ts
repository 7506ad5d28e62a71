/**
 * The rarer exceptions: each has one or two causes (SDM 3A 6.15).
 *
 * @module
 */

import { hex } from '../inspect/index.js';
import { RFLAGS } from '../x86/index.js';
import { type Finding, memoryOf, type Scene } from './scene.js';

/** Why #DB, #BP, #OF, #BR, #NM, #MF, #AC or #XM was raised; undefined for other vectors. */
export function explainOtherFault(scene: Scene, vector: number): Finding | undefined {
  const { registers, system, instruction } = scene;
  switch (vector) {
    case 1:
      return {
        check:
          registers.rflags & RFLAGS.TF
            ? 'RFLAGS.TF is set: the CPU raises #DB after every instruction'
            : 'a breakpoint in DR0 to DR3, ICEBP or a task’s T bit raised #DB',
        mistake:
          'Without a debugger inside the guest leave TF (bit 8 of the flags) and DR7 as they are. Did POPF or IRET load something else as the flags?',
      };
    case 3:
      return {
        check: 'INT3 calls the breakpoint handler',
        mistake: 'Without a debugger inside the guest, INT3 needs a handler in IDT entry 3.',
      };
    case 4:
      return {
        check: 'INTO found RFLAGS.OF set: the calculation before it overflowed',
        mistake: 'INTO needs a handler in IDT entry 4.',
      };
    case 5:
      return {
        check: `${instruction?.text ?? 'BOUND'} found its index outside the bounds in memory`,
        mistake: 'Is the index right? The first of the two bounds is the lower one, and both are included.',
      };
    case 7:
      return {
        check: `the x87 and SSE are switched off for this code (CR0 is ${hex(system.cr0)}: EM or TS is set)`,
        mistake:
          'Clear CR0.EM (bit 2) and CR0.TS (bit 3), and set CR0.MP (bit 1), before you use floating point.',
      };
    case 16:
    case 19:
      return {
        check: `an earlier calculation of ${vector === 16 ? 'the x87' : 'SSE'} failed, and its exception is not masked`,
        mistake:
          vector === 16
            ? 'FNINIT masks all of them (control word 0x37f). Unmasked exceptions need a handler in IDT entry 16.'
            : 'MXCSR 0x1f80 masks all of them. Unmasked exceptions need a handler in IDT entry 19.',
      };
    case 17: {
      const access = memoryOf(scene);
      return {
        check: `${access === undefined ? 'an address' : `its address ${hex(access.linear)}`} is not aligned, and CR0.AM and RFLAGS.AC make ring 3 align its data`,
        mistake: 'Align the data, or clear RFLAGS.AC (bit 18).',
      };
    }
    default:
      return undefined;
  }
}
