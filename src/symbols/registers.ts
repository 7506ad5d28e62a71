import type { RegisterName } from '../x86/index.js';

/** DWARF's numbers for general registers, in their order (System V ABI, i386 table 2.14 and AMD64 figure 3.36). */
const registers32: readonly RegisterName[] = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'rip'];
const registers64: readonly RegisterName[] = [
  ...(['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'] as const),
];

/** The general registers by DWARF's numbers. @param wide whether addresses have 8 bytes */
export const dwarfRegisters = (wide: boolean): readonly RegisterName[] => (wide ? registers64 : registers32);

/** The first of DWARF's numbers for XMM registers, and how many follow. */
const vectors = { wide: { first: 17, count: 16 }, narrow: { first: 21, count: 8 } } as const;

/** `xmm3` for its number; undefined where it is none of them. */
export function dwarfVector(number: number, wide: boolean): string | undefined {
  const { first, count } = vectors[wide ? 'wide' : 'narrow'];
  return number >= first && number < first + count ? `xmm${number - first}` : undefined;
}
