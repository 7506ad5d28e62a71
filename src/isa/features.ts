/**
 * Which feature of CPUID an instruction belongs to: a processor without it has no such instruction (SDM 2A to 2D, in the column
 * "CPUID feature flag" of each instruction).
 *
 * @module
 */
import type { Opcode } from './table/index.js';

/** Features by the names that Linux has for them in /proc/cpuinfo. */
export const instructionFeatures = [
  'tsc',
  'msr',
  'cx8',
  'sep',
  'cmov',
  'clflush',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'sse3',
  'ssse3',
  'sse4_1',
  'sse4_2',
  'cx16',
  'movbe',
  'popcnt',
  'xsave',
  'fsgsbase',
  'bmi1',
  'bmi2',
  'invpcid',
  'adx',
  'smap',
  'clflushopt',
  'clwb',
  'rdpid',
  'lahf_lm',
  'abm',
  'syscall',
  'rdtscp',
] as const;
export type InstructionFeature = (typeof instructionFeatures)[number];

/** General and system instructions, and the few of the x87 FPU that came later, by their mnemonics. */
const byName: readonly (readonly [RegExp, InstructionFeature])[] = [
  [/^rdtsc$/, 'tsc'],
  [/^(rd|wr)msr$/, 'msr'],
  [/^cmpxchg8b$/, 'cx8'],
  [/^sys(enter|exit)$/, 'sep'],
  [/^sys(call|ret)$/, 'syscall'],
  [/^(cmov|fcmov\w+|fu?comip?)$/, 'cmov'],
  [/^clflush$/, 'clflush'],
  [/^clflushopt$/, 'clflushopt'],
  [/^clwb$/, 'clwb'],
  [/^fx(save|rstor)$/, 'fxsr'],
  [/^(xsave|xrstor|xgetbv|xsetbv)$/, 'xsave'],
  [/^(ldmxcsr|stmxcsr|sfence)$/, 'sse'],
  [/^([lm]fence|movnti)$/, 'sse2'],
  [/^fisttp$/, 'sse3'],
  [/^crc32$/, 'sse4_2'],
  [/^movbe$/, 'movbe'],
  [/^popcnt$/, 'popcnt'],
  [/^lzcnt$/, 'abm'],
  [/^(tzcnt|andn|bls\w+|bextr)$/, 'bmi1'],
  [/^(bzhi|pext|pdep|mulx|s[ahr]+[lr]?x|shlx|rorx)$/, 'bmi2'],
  [/^ad[co]x$/, 'adx'],
  [/^(cl|st)ac$/, 'smap'],
  [/^(rd|wr)[fg]sbase$/, 'fsgsbase'],
  [/^rdpid$/, 'rdpid'],
  [/^rdtscp$/, 'rdtscp'],
  [/^invpcid$/, 'invpcid'],
  [/^emms$/, 'mmx'],
];

const sse3 = /^(addsubp|haddp|hsubp)[sd]$|^(lddqu|movddup|movs[hl]dup)$/;
/** The instructions that SSE added for MMX registers (SDM 1 10.4.4). */
const mmxOfSse =
  /^(pshufw|pinsrw|pextrw|pmovmskb|p(min|max)(ub|sw)|pavg[bw]|pmulhuw|psadbw|maskmovq|movntq)$/;
/** The single-precision instructions of SSE (SDM 1 10.4). */
const singles =
  /^(mov(up|ap|lp|hp|ntp|mskp|s)s|mov(hl|lh)ps|unpck[lh]ps|shufps|(cvt|cvtt)[ps]s2[ps]i|cvt[ps]i2[ps]s|u?comiss|(r?sqrt|rcp|add|sub|mul|div|min|max|cmp)[ps]s|(andn?|x?or)ps)$/;

/** For an instruction on MMX or XMM registers: opcodes after 0F 38 and 0F 3A came with SSSE3 and later; others are found by name. */
function vectorFeature({ map, opcode, name, operands }: Opcode): InstructionFeature {
  if (map === 2)
    return opcode === 0x37
      ? 'sse4_2'
      : opcode < 0x0c || (opcode >> 4 === 1 && opcode >= 0x1c)
        ? 'ssse3'
        : 'sse4_1';
  if (map === 3) return opcode === 0x0f ? 'ssse3' : opcode >= 0x60 ? 'sse4_2' : 'sse4_1';
  if (sse3.test(name)) return 'sse3';
  if (singles.test(name)) return 'sse';
  if (operands.some((operand) => /^[VWU]/.test(operand))) return 'sse2';
  if (mmxOfSse.test(name)) return 'sse';
  return /^(paddq|psubq|pmuludq)$/.test(name) ? 'sse2' : 'mmx';
}

/** The feature without which a row does not exist in code of that size, with operands of that size; undefined for none. */
export function featureOf(
  row: Opcode,
  code: 32 | 64,
  operandSize: 16 | 32 | 64,
): InstructionFeature | undefined {
  const { name, operands } = row;
  if (/^[ls]ahf$/.test(name)) return code === 64 ? 'lahf_lm' : undefined;
  if (name === 'cmpxchg8b' && operandSize === 64) return 'cx16';
  const named = byName.find(([names]) => names.test(name))?.[1];
  if (named !== undefined) return named;
  return operands.some((operand) => /^[VWUPQN]/.test(operand)) ? vectorFeature(row) : undefined;
}
