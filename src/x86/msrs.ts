/**
 * Model-specific registers by the names and numbers of SDM 4.
 *
 * @module
 */
export const MSR = {
  IA32_TIME_STAMP_COUNTER: 0x10,
  IA32_APIC_BASE: 0x1b,
  IA32_TSC_ADJUST: 0x3b,
  IA32_SYSENTER_CS: 0x174,
  IA32_SYSENTER_ESP: 0x175,
  IA32_SYSENTER_EIP: 0x176,
  IA32_MISC_ENABLE: 0x1a0,
  /** The first of eight pairs: base, then mask. */
  IA32_MTRR_PHYSBASE0: 0x200,
  IA32_MTRR_FIX64K_00000: 0x250,
  IA32_MTRR_FIX16K_80000: 0x258,
  IA32_MTRR_FIX16K_A0000: 0x259,
  /** The first of eight. */
  IA32_MTRR_FIX4K_C0000: 0x268,
  IA32_PAT: 0x277,
  IA32_MTRR_DEF_TYPE: 0x2ff,
  IA32_EFER: 0xc000_0080,
  IA32_STAR: 0xc000_0081,
  IA32_LSTAR: 0xc000_0082,
  IA32_CSTAR: 0xc000_0083,
  IA32_FMASK: 0xc000_0084,
  IA32_FS_BASE: 0xc000_0100,
  IA32_GS_BASE: 0xc000_0101,
  IA32_KERNEL_GS_BASE: 0xc000_0102,
  IA32_TSC_AUX: 0xc000_0103,
} as const;

/** Pairs of base and mask among the MTRRs, the low byte of IA32_MTRRCAP: 8 in both engines. */
export const MTRR_VARIABLE_RANGES = 8;

const range = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);

/** The memory type range registers (SDM 3A 12.11). */
export const mtrrs: readonly number[] = [
  ...range(MSR.IA32_MTRR_PHYSBASE0, 2 * MTRR_VARIABLE_RANGES),
  MSR.IA32_MTRR_FIX64K_00000,
  MSR.IA32_MTRR_FIX16K_80000,
  MSR.IA32_MTRR_FIX16K_A0000,
  ...range(MSR.IA32_MTRR_FIX4K_C0000, 8),
  MSR.IA32_MTRR_DEF_TYPE,
];

/** MSRs whose values are among the system registers, and so not in `CpuState.msrs`. */
export const systemRegisterMsrs: readonly number[] = [
  MSR.IA32_APIC_BASE,
  MSR.IA32_EFER,
  MSR.IA32_FS_BASE,
  MSR.IA32_GS_BASE,
];

/** The MSRs that both engines have: `CpuState.msrs` of each has all of them. */
export const sharedMsrs: readonly number[] = [
  MSR.IA32_TIME_STAMP_COUNTER,
  MSR.IA32_SYSENTER_CS,
  MSR.IA32_SYSENTER_ESP,
  MSR.IA32_SYSENTER_EIP,
  MSR.IA32_MISC_ENABLE,
  MSR.IA32_PAT,
  MSR.IA32_STAR,
  MSR.IA32_LSTAR,
  MSR.IA32_CSTAR,
  MSR.IA32_FMASK,
  MSR.IA32_KERNEL_GS_BASE,
  MSR.IA32_TSC_AUX,
  ...mtrrs,
];
