/**
 * Instructions that KVM's emulator does not support (Linux, arch/x86/kvm/emulate.c).
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
      'Terrarium does not know an instruction with these bytes either: is it code at all, and code for this mode?',
  },
  {
    has: ({ absent }) => absent !== undefined,
    words:
      'neither KVM’s emulator nor the software CPU has such instructions: the guest must ask CPUID for them first',
  },
  {
    has: ({ mnemonic }, scene) => /^(int|int3|into|icebp|int1)$/.test(mnemonic) && isProtected(scene.system),
    words: 'the emulator supports software interrupts only in real mode, not through the gates of an IDT',
  },
  {
    has: ({ mnemonic }, scene) => mnemonic.startsWith('iret') && isProtected(scene.system),
    words: 'the emulator supports IRET only in real mode',
  },
  {
    has: ({ mnemonic }, scene) =>
      /^(l?retf?|retf)$/.test(mnemonic) && mnemonic !== 'ret' && isProtected(scene.system),
    words: 'the emulator does not support far returns to an outer ring',
  },
  {
    has: ({ mnemonic, operands }, scene) =>
      /^l?(jmp|call)f?$/.test(mnemonic) && operands[0]?.kind === 'far' && isProtected(scene.system),
    words:
      'the emulator supports far jumps and calls only to code segments, not through call gates or to a TSS',
  },
  {
    has: ({ mnemonic }) => mnemonic === 'sysret' || mnemonic === 'sysretq' || mnemonic === 'swapgs',
    words: 'the emulator supports SYSCALL, SYSENTER and SYSEXIT, but neither SYSRET nor SWAPGS',
  },
  {
    has: ({ mnemonic }) => /^(xsave|xrstor|fxsave|fxrstor)/.test(mnemonic),
    words: 'the emulator does not support this instruction for the whole state of x87 and SSE',
  },
  {
    has: ({ mnemonic }) => /^f[^x]/.test(mnemonic) && mnemonic !== 'femms',
    words: 'of the x87 instructions the emulator supports only FNINIT, FNSTCW and FNSTSW, and no arithmetic',
  },
  {
    has: ({ operands, text }) =>
      operands.some((one) => one.kind === 'register' && /^(xmm|ymm|mm)\d/.test(one.name)) ||
      /mxcsr/.test(text),
    words:
      'of MMX, SSE and AVX the emulator supports only plain moves between memory and registers, and no arithmetic',
  },
];

/** Why the emulator gave up on an instruction, as far as that is known. */
export function whyNotEmulated(instruction: Instruction | undefined, scene: Scene): string {
  const gap = instruction && gaps.find(({ has }) => has(instruction, scene));
  return (
    gap?.words ??
    'the emulator supports only a part of the instruction set: the instructions that old kernels and BIOSes need to start, and to access devices'
  );
}
