/**
 * What is not tried, and where the engines may differ: each with its reason.
 *
 * @module
 */
import type { Opcode } from '../isa/index.js';
import type { Difference } from './compare.js';
import type { ModeName } from './modes.js';
import { usesVectors } from './vectors.js';

interface Untried {
  names: RegExp;
  modes?: readonly ModeName[];
  because: string;
}

/** Instructions that cannot be compared this way. */
export const untried: readonly Untried[] = [
  {
    names: /^(cpuid|rdtscp?|rdpid|rdpmc|rdmsr|wrmsr|xgetbv|xsetbv)$/,
    because: 'what it gives is the processor, not the program',
  },
  { names: /^(callfar|jmpfar|callfarind|jmpfarind|retfar|iret)$/, because: 'it goes to another segment' },
  {
    names: /^(intn|int3|int1|into)$/,
    because: 'KVM without VMX or SVM brings it as another exception, or not at all',
  },
  { names: /^(syscall|sysret|sysenter|sysexit)$/, because: 'it goes to the kernel, and there is none' },
  {
    names: /^(popsegment|movtosegment|l[defgs]s)$/,
    because: 'it loads segments that the tests stand on',
  },
  {
    names: /^(popf|hlt)$/,
    modes: ['real', 'protected'],
    because: 'in ring 0 it ends the tests, or traps them',
  },
  {
    names:
      /^(cli|sti|lmsw|movtocr|movtodr|movfromdr|lgdt|lidt|lldt|ltr|clts|invd|wbinvd|invlpg|sldt|str|sgdt|sidt|smsw|movfromcr)$/,
    modes: ['real', 'protected'],
    because: 'in ring 0 it is the system, which has tests of its own',
  },
  {
    names: /^(lar|lsl|verr|verw|arpl)$/,
    because: 'it looks at the descriptor tables, which have tests of their own',
  },
  { names: /^(in|out)(s|imm|dx)$/, modes: ['real', 'protected'], because: 'it is for devices' },
  {
    names: /^(sgdt|sidt|sldt|str|smsw|movfromsegment)$/,
    modes: ['long'],
    because: 'ring 3 sees the host there',
  },
  {
    names: /^(rd|wr)[fg]sbase$|^invpcid$/,
    because: 'CR4 allows it or not, and a KVM without VMX or SVM shows ring 3 the host’s',
  },
];

/** Why a row is not tried in a mode; undefined where it is. */
export function whyUntried(row: Opcode, mode: ModeName): string | undefined {
  if (mode === 'real' && row.protectedOnly) return 'it does not exist in real mode';
  if (row.map === 0 && row.opcode >= 0xd8 && row.opcode <= 0xdf) return 'the x87 FPU has tests of its own';
  const vectorState = /^(emms|fxsave|fxrstor|xsave|xrstor|xgetbv|xsetbv|ldmxcsr|stmxcsr)$/;
  if (vectorState.test(row.name)) return 'the state of vectors has tests of its own';
  if (row.operands.some((operand) => /^[PQN]/.test(operand)))
    return 'MMX is the x87 FPU, which has tests of its own';
  if (/^r(cp|sqrt)[ps]s$/.test(row.name)) return 'the last bits of an estimate are the processor’s own';
  if (mode !== 'long' && usesVectors(row)) return 'a KVM without VMX or SVM emulates few vector instructions';
  return untried.find(({ names, modes }) => names.test(row.name) && (modes?.includes(mode) ?? true))?.because;
}

interface Known {
  modes: readonly ModeName[];
  names: RegExp;
  when?(difference: Difference): boolean;
  because: string;
}

/** Differences that are KVM's: where it has no VMX or SVM, it emulates real and protected mode, and looks at a #GP. */
export const known: readonly Known[] = [
  {
    modes: ['long'],
    names: /./,
    when: ({ fields, left: [ours, oracle] }) =>
      fields.join() === 'end' && ours.what === '#GP' && oracle.what?.startsWith('#') === true,
    because:
      'KVM looks at what is a #GP with its emulator, which finds another fault first or says #UD of what it does not know',
  },
  {
    modes: ['long'],
    names: /^(nop|prefetch.*|[lms]fence|swapgs)$/,
    when: ({ test, left: [ours] }) => test.encoding.lock && ours.what === '#UD',
    because:
      'KVM looks at what is a #UD with its emulator, which lets LOCK stand before hints, fences and SWAPGS',
  },
  {
    modes: ['long'],
    names: /^mov(to|from)[cd]r$/,
    when: ({ left: [ours, oracle] }) => ours.what === '#UD' && oracle.what === '#GP',
    because:
      'KVM looks at what is a #UD with its emulator, which asks for ring 0 before it asks whether there is such a register',
  },
  {
    modes: ['long'],
    names: /^maskmovdqu$/,
    when: ({ left: [, oracle] }) => oracle.what?.startsWith('#PF') === true,
    because:
      'whether and where bytes that MASKMOVDQU leaves out are a page fault is the processor’s own (SDM 2B)',
  },
  {
    modes: ['real', 'protected'],
    names: /^(aam|aad)$/,
    because: "KVM's emulator takes SF, ZF and PF of AAM and AAD from more than AL",
  },
  {
    modes: ['real', 'protected'],
    names: /^enter$/,
    when: ({ test: { encoding } }) => encoding.operandPrefix,
    because: "KVM's emulator takes ENTER's operand size for that of the stack",
  },
  {
    modes: ['real', 'protected'],
    names: /^[lt]zcnt$/,
    because: "KVM's emulator takes LZCNT and TZCNT for BSR and BSF, which they are without their prefix",
  },
  {
    modes: ['real', 'protected'],
    names: /^movbe$/,
    because: "KVM's emulator has MOVBE where CPUID says so, and the tests set no CPUID",
  },
  {
    modes: ['real', 'protected'],
    names: /^nop$/,
    when: ({ test: { row } }) => row.map === 1 && row.opcode !== 0x1f,
    because: "KVM's emulator knows 0F 1F, and of the other hints not all",
  },
];

/** Why a difference is not our fault; undefined where no reason is known. */
export function whyKnown(difference: Difference, mode: ModeName): string | undefined {
  const { name } = difference.test.row;
  return known.find(
    ({ modes, names, when }) => modes.includes(mode) && names.test(name) && (when?.(difference) ?? true),
  )?.because;
}
