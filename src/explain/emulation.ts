/**
 * What KVM's instruction emulator does not know (Linux, arch/x86/kvm/emulate.c).
 *
 * @module
 */
import type { Instruction } from '../isa/index.js';
import { isProtected, type Scene } from './scene.js';

interface Gap {
  has(instruction: Instruction, scene: Scene): boolean;
  words: string;
}

const gaps: readonly Gap[] = [
  {
    has: ({ mnemonic }) => mnemonic === '(bad)',
    words:
      'these bytes are no instruction that Terrarium knows either: is it code at all, and code for this mode?',
  },
  {
    has: ({ mnemonic }, scene) => /^(int|int3|into|icebp|int1)$/.test(mnemonic) && isProtected(scene.system),
    words: 'the emulator does software interrupts in real mode alone, not through an IDT of gates',
  },
  {
    has: ({ mnemonic }, scene) => mnemonic.startsWith('iret') && isProtected(scene.system),
    words: 'the emulator does IRET in real mode alone',
  },
  {
    has: ({ mnemonic }, scene) =>
      /^(l?retf?|retf)$/.test(mnemonic) && mnemonic !== 'ret' && isProtected(scene.system),
    words: 'the emulator does no far return to an outer ring',
  },
  {
    has: ({ mnemonic, operands }, scene) =>
      /^l?(jmp|call)f?$/.test(mnemonic) && operands[0]?.kind === 'far' && isProtected(scene.system),
    words: 'the emulator does far jumps and calls to code segments alone, not through call gates or to a TSS',
  },
  {
    has: ({ mnemonic }) => mnemonic === 'sysret' || mnemonic === 'sysretq' || mnemonic === 'swapgs',
    words: 'the emulator knows SYSCALL, SYSENTER and SYSEXIT, but neither SYSRET nor SWAPGS',
  },
  {
    has: ({ mnemonic }) => /^(xsave|xrstor|fxsave|fxrstor)/.test(mnemonic),
    words: 'the emulator does not save or load the whole state of x87 and SSE this way',
  },
  {
    has: ({ mnemonic }) => /^f[^x]/.test(mnemonic) && mnemonic !== 'femms',
    words: 'of the x87 the emulator knows FNINIT, FNSTCW and FNSTSW, and nothing that computes',
  },
  {
    has: ({ operands, text }) =>
      operands.some((one) => one.kind === 'register' && /^(xmm|ymm|mm)\d/.test(one.name)) ||
      /mxcsr/.test(text),
    words:
      'of MMX, SSE and AVX the emulator knows plain moves between memory and registers, and nothing that computes',
  },
];

/** Why the emulator gave up on an instruction, as far as that can be told. */
export function whyNotEmulated(instruction: Instruction | undefined, scene: Scene): string {
  const gap = instruction && gaps.find(({ has }) => has(instruction, scene));
  return (
    gap?.words ??
    'the emulator knows what kernels and BIOSes of old need before and beside their devices, and not the whole instruction set'
  );
}
