import { type Decoded, decode, encode, type Fields } from './codec.js';
import { kvm_cpuid_entry2 as entry, kvm_cpuid2 } from './layout.js';

const fields = {
  /** EAX before CPUID: the leaf. */
  function: ['u32', entry.function],
  /** ECX before CPUID: the subleaf, where `flags` says that it matters. */
  index: ['u32', entry.index],
  flags: ['u32', entry.flags],
  eax: ['u32', entry.eax],
  ebx: ['u32', entry.ebx],
  ecx: ['u32', entry.ecx],
  edx: ['u32', entry.edx],
} as const satisfies Fields;

/** One result of the CPUID instruction (`struct kvm_cpuid_entry2`). */
export type CpuidEntry = Decoded<typeof fields>;

/** Reads `struct kvm_cpuid2` with all its entries. */
export function decodeCpuid(view: DataView): CpuidEntry[] {
  const count = Math.min(
    view.getUint32(kvm_cpuid2.nent, true),
    Math.floor((view.byteLength - kvm_cpuid2.entries) / entry.sizeof),
  );
  return Array.from({ length: count }, (_, i) => decode(fields, view, kvm_cpuid2.entries + i * entry.sizeof));
}

/** A `struct kvm_cpuid2` of these entries. */
export function encodeCpuid(entries: readonly CpuidEntry[]): DataView {
  const view = new DataView(new ArrayBuffer(kvm_cpuid2.sizeof + entries.length * entry.sizeof));
  view.setUint32(kvm_cpuid2.nent, entries.length, true);
  for (const [i, value] of entries.entries()) {
    encode(fields, view, value, kvm_cpuid2.entries + i * entry.sizeof);
  }
  return view;
}

const X2APIC = 1 << 21;
const TSC_DEADLINE = 1 << 24;

const made = new WeakMap<readonly CpuidEntry[], DataView[]>();

/**
 * CPUID for the guest of a machine without an in-kernel interrupt controller: all that the host offers, without the local
 * APIC's features, which nothing would serve (SDM 2A CPUID, leaf 1 ECX), and with the CPU's own APIC ID. Made once for each CPU
 * from the device's list: do not modify it.
 */
export function guestCpuid(supported: readonly CpuidEntry[], index: number): DataView {
  const known = made.get(supported) ?? [];
  known[index] ??= encodeGuestCpuid(supported, index);
  made.set(supported, known);
  return known[index];
}

function encodeGuestCpuid(supported: readonly CpuidEntry[], index: number): DataView {
  return encodeCpuid(
    supported.map((found) => {
      if (found.function === 1) {
        const ebx = ((found.ebx & 0xffffff) | (index << 24)) >>> 0;
        return { ...found, ebx, ecx: (found.ecx & ~(X2APIC | TSC_DEADLINE)) >>> 0 };
      }
      // Topology: EDX is the x2APIC ID.
      if (found.function === 0xb || found.function === 0x1f) return { ...found, edx: index };
      return found;
    }),
  );
}
