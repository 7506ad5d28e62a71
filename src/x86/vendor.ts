export const cpuVendors = ['intel', 'amd'] as const;
/** The vendor of an x86 processor, as leaf 0 of CPUID names it: `GenuineIntel`, `AuthenticAMD`. */
export type CpuVendor = (typeof cpuVendors)[number];
