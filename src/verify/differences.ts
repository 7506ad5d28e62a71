/**
 * Instructions that are not tried, and allowed differences between the engines, each with its reason.
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
    because: 'its result depends on the processor, not on the program',
  },
  {
    names: /^(callfar|jmpfar|callfarind|jmpfarind|retfar|iret)$/,
    because: 'it transfers to another segment',
  },
  {
    names: /^(intn|int3|int1|into)$/,
    because: 'KVM without VMX or SVM delivers another exception, or none',
  },
  { names: /^(syscall|sysret|sysenter|sysexit)$/, because: 'it calls the kernel, and there is none' },
  {
    names: /^(popsegment|movtosegment|l[defgs]s)$/,
    because: 'it loads segments that the tests use',
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
    because: 'in ring 0 it changes the system state, which has its own tests',
  },
  {
    names: /^(lar|lsl|verr|verw|arpl)$/,
    because: 'it reads the descriptor tables, which have their own tests',
  },
  { names: /^(in|out)(s|imm|dx)$/, modes: ['real', 'protected'], because: 'it is for devices' },
  {
    names: /^(sgdt|sidt|sldt|str|smsw|movfromsegment)$/,
    modes: ['long'],
    because: 'ring 3 reads values of the host',
  },
  {
    names: /^(rd|wr)[fg]sbase$|^invpcid$/,
    because: 'it depends on CR4, and a KVM without VMX or SVM uses the host’s CR4 in ring 3',
  },
];

/** Why a row is not tried in a mode; undefined where it is. */
export function whyUntried(row: Opcode, mode: ModeName): string | undefined {
  if (mode === 'real' && row.protectedOnly) return 'it does not exist in real mode';
  if (row.map === 0 && row.opcode >= 0xd8 && row.opcode <= 0xdf) return 'the x87 FPU has its own tests';
  const vectorState = /^(emms|fxsave|fxrstor|xsave|xrstor|xgetbv|xsetbv|ldmxcsr|stmxcsr)$/;
  if (vectorState.test(row.name)) return 'the vector state has its own tests';
  if (row.operands.some((operand) => /^[PQN]/.test(operand)))
    return 'MMX uses the x87 FPU, which has its own tests';
  if (/^r(cp|sqrt)[ps]s$/.test(row.name)) return 'the last bits of an estimate differ between processors';
  if (mode !== 'long' && usesVectors(row)) return 'a KVM without VMX or SVM emulates few vector instructions';
  return untried.find(({ names, modes }) => names.test(row.name) && (modes?.includes(mode) ?? true))?.because;
}

interface Known {
  modes: readonly ModeName[];
  names: RegExp;
  when?(difference: Difference): boolean;
  because: string;
}

/** Differences caused by KVM: without VMX or SVM it emulates real and protected mode, and instructions that raise #GP. */
export const known: readonly Known[] = [
  {
    modes: ['long'],
    names: /./,
    when: ({ fields, left: [ours, oracle] }) =>
      fields.join() === 'end' && ours.what === '#GP' && oracle.what?.startsWith('#') === true,
    because:
      'KVM runs its emulator at a #GP, and the emulator finds another fault first, or raises #UD for instructions that it does not support',
  },
  {
    modes: ['long'],
    names: /^(nop|prefetch.*|[lms]fence|swapgs)$/,
    when: ({ test, left: [ours] }) => test.encoding.lock && ours.what === '#UD',
    because: 'KVM runs its emulator at a #UD, and the emulator allows LOCK before hints, fences and SWAPGS',
  },
  {
    modes: ['long'],
    names: /^mov(to|from)[cd]r$/,
    when: ({ left: [ours, oracle] }) => ours.what === '#UD' && oracle.what === '#GP',
    because:
      'KVM runs its emulator at a #UD, and the emulator checks for ring 0 before it checks whether the register exists',
  },
  {
    modes: ['long'],
    names: /^maskmovdqu$/,
    when: ({ left: [, oracle] }) => oracle.what?.startsWith('#PF') === true,
    because: 'whether masked bytes of MASKMOVDQU cause a page fault differs between processors (SDM 2B)',
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
    because: 'KVM’s emulator supports MOVBE only where CPUID has it, and the tests set no CPUID',
  },
  {
    modes: ['real', 'protected'],
    names: /^nop$/,
    when: ({ test: { row } }) => row.map === 1 && row.opcode !== 0x1f,
    because: 'KVM’s emulator supports 0F 1F, and only some of the other hints',
  },
];

/** The reason for an allowed difference; undefined where none is known. */
export function whyKnown(difference: Difference, mode: ModeName): string | undefined {
  const { name } = difference.test.row;
  return known.find(
    ({ modes, names, when }) => modes.includes(mode) && names.test(name) && (when?.(difference) ?? true),
  )?.because;
}
