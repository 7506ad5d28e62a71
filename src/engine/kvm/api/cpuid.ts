import { KVM_CAP_TSC_DEADLINE_TIMER } from './capabilities.js';
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

/** What a guest's local APIC can do: none in the kernel, one, or one whose timer has deadlines (KVM_CAP_TSC_DEADLINE_TIMER). */
export type KernelApic = 'none' | 'plain' | 'deadline';

/** @param isThere the machine's interrupt controllers are in the kernel */
export function kernelApic(
  kvm: { checkExtension(capability: number): number },
  isThere: boolean,
): KernelApic {
  if (!isThere) return 'none';
  return kvm.checkExtension(KVM_CAP_TSC_DEADLINE_TIMER) === 0 ? 'plain' : 'deadline';
}

const made = new WeakMap<readonly CpuidEntry[], Map<string, DataView>>();

/**
 * CPUID for a guest: all that the host offers, with the CPU's own APIC ID. Without an APIC in the kernel its features are left out,
 * which nothing would serve (SDM 2A CPUID, leaf 1 ECX); with one KVM itself does not tell of its deadlines (KVM API 4.46). Made once
 * for each CPU from the device's list: do not modify it.
 */
export function guestCpuid(
  supported: readonly CpuidEntry[],
  index: number,
  apic: KernelApic = 'none',
): DataView {
  const known = made.get(supported) ?? new Map<string, DataView>();
  made.set(supported, known);
  const key = `${index} ${apic}`;
  const found = known.get(key) ?? encodeGuestCpuid(supported, index, apic);
  known.set(key, found);
  return found;
}

function encodeGuestCpuid(supported: readonly CpuidEntry[], index: number, apic: KernelApic): DataView {
  const hidden = (apic === 'none' ? X2APIC : 0) | TSC_DEADLINE;
  const shown = apic === 'deadline' ? TSC_DEADLINE : 0;
  return encodeCpuid(
    supported.map((found) => {
      if (found.function === 1) {
        const ebx = ((found.ebx & 0xffffff) | (index << 24)) >>> 0;
        return { ...found, ebx, ecx: ((found.ecx & ~hidden) | shown) >>> 0 };
      }
      // Topology: EDX is the x2APIC ID.
      if (found.function === 0xb || found.function === 0x1f) return { ...found, edx: index };
      return found;
    }),
  );
}
