import { readFileSync } from 'node:fs';
import type { CpuVendor } from '../../x86/index.js';

const names: Readonly<Record<string, CpuVendor>> = { GenuineIntel: 'intel', AuthenticAMD: 'amd' };

/**
 * The vendor of this host's processor, from its CPUID as Linux shows it (`vendor_id` in `file`). Undefined for others, and
 * without the file.
 */
export function hostCpuVendor(file = '/proc/cpuinfo'): CpuVendor | undefined {
  try {
    const name = /^vendor_id\s*:\s*(\S+)$/m.exec(readFileSync(file, 'latin1'))?.[1] ?? '';
    return names[name];
  } catch {
    return undefined;
  }
}
