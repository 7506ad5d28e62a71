// CPUID (SDM 2A CPUID): a list that TypeScript fills (host/cpuid.ts), and the bits that follow control registers.
import {
  APIC_BASE,
  APIC_THERE,
  CPU_NOW,
  CPUID_COUNT,
  CPUID_ENTRY,
  CPUID_TABLE,
  CR4,
  CR4_OSXSAVE,
  RAX,
  RBX,
  RCX,
  RDX,
} from '../../layout';

const OSXSAVE: u32 = 1 << 27;
const APIC: u64 = 1 << 9;
const APIC_ENABLED: u64 = 0x800;

/** The entry of a leaf and subleaf, or 0. */
export function entryOf(leaf: u32, subleaf: u32): usize {
  const count = <usize>load<u32>(CPUID_COUNT);
  for (let i: usize = 0; i < count; i++) {
    const entry = CPUID_TABLE + i * CPUID_ENTRY;
    if (load<u32>(entry) != leaf) continue;
    const own = load<i32>(entry, 4);
    if (own < 0 || <u32>own == subleaf) return entry;
  }
  return 0;
}

function answer(entry: usize): void {
  store<u64>(RAX, entry ? <u64>load<u32>(entry, 8) : 0);
  store<u64>(RBX, entry ? <u64>load<u32>(entry, 12) : 0);
  store<u64>(RCX, entry ? <u64>load<u32>(entry, 16) : 0);
  store<u64>(RDX, entry ? <u64>load<u32>(entry, 20) : 0);
}

/** Leaves 4000_0000h to 4FFF_FFFFh are reserved for hypervisors (SDM 2A CPUID). */
function isHypervisors(leaf: u32): bool {
  return leaf >> 28 == 4;
}

/**
 * A leaf above the highest one returns the last basic leaf; a missing leaf returns zeros, and so do a hypervisor's leaves that
 * are not in the list.
 */
export function cpuid(_pc: usize): void {
  const leaf = load<u32>(RAX);
  const subleaf = load<u32>(RCX);
  if (isHypervisors(leaf)) {
    answer(entryOf(leaf, subleaf));
    return;
  }
  const range = entryOf(leaf & 0x80000000, 0);
  const last = range ? load<u32>(range, 8) : 0;
  const basic = entryOf(0, 0);
  answer(leaf > last && basic ? entryOf(load<u32>(basic, 8), subleaf) : entryOf(leaf, subleaf));
  if (leaf == 1 && load<u32>(CR4) & CR4_OSXSAVE) store<u64>(RCX, load<u64>(RCX) | OSXSAVE);
  // The number of this CPU's APIC, where there is one (SDM 2A CPUID, leaves 1 and 0Bh; APM 3 E.4.17).
  if (leaf == 1) store<u64>(RBX, load<u64>(RBX) | ((<u64>load<u32>(CPU_NOW)) << 24));
  if (leaf == 0xb) store<u64>(RDX, <u64>load<u32>(CPU_NOW));
  if (leaf == 0x8000001e && entryOf(leaf, subleaf)) {
    store<u64>(RAX, <u64>load<u32>(CPU_NOW));
    store<u64>(RBX, load<u64>(RBX) | <u64>load<u32>(CPU_NOW));
  }
  // An APIC that IA32_APIC_BASE turns off is not reported (SDM 3A 11.4.3).
  const off = load<u32>(APIC_THERE) != 0 && !(load<u64>(APIC_BASE) & APIC_ENABLED);
  if (leaf == 1 && off) store<u64>(RDX, load<u64>(RDX) & ~APIC);
}
