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

/** Leaf 1, EDX: EBX's bits 23-16 are the number of APIC IDs of a package. */
const HTT = 1 << 28;

/** How many bits of an APIC ID distinguish the cores of a package. */
const idBits = (cpus: number) => Math.ceil(Math.log2(cpus));

const ofPackage = ({ edx }: CpuidEntry, ebx: number, cpus: number) => ({
  ebx: ((ebx & ~0xff_0000) | ((1 << idBits(cpus)) << 16)) >>> 0,
  edx: (edx | HTT) >>> 0,
});

/** The other leaves with the cores of a package, each with one thread (SDM 2A CPUID; APM 3 E.4). */
function inPackage(found: CpuidEntry, index: number, cpus: number): CpuidEntry {
  const { function: leaf, index: subleaf } = found;
  if (leaf === 4) return { ...found, eax: ((found.eax & 0x3fff) | (((1 << idBits(cpus)) - 1) << 26)) >>> 0 };
  if (leaf === 0xb || leaf === 0x1f) {
    // Threads of a core, cores of the package, and the end of the list.
    const levels = [
      { eax: 0, ebx: 1, ecx: 1 << 8 },
      { eax: idBits(cpus), ebx: cpus, ecx: (2 << 8) | 1 },
    ];
    return { ...found, ...(levels[subleaf] ?? { eax: 0, ebx: 0, ecx: subleaf }), edx: index };
  }
  if (leaf === 0x8000_0008)
    return { ...found, ecx: ((found.ecx & ~0xf0ff) | (idBits(cpus) << 12) | (cpus - 1)) >>> 0 };
  if (leaf === 0x8000_001e) return { ...found, eax: index, ebx: index, ecx: 0 };
  return found;
}

const X2APIC = 1 << 21;
const TSC_DEADLINE = 1 << 24;

/** A guest's local APIC: none in the kernel, one, or one whose timer has deadlines (KVM_CAP_TSC_DEADLINE_TIMER). */
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
 * CPUID for a guest: all features of the host, with the CPU's own APIC ID. Without an APIC in the kernel its features
 * are removed (SDM 2A CPUID, leaf 1 ECX); with one, its deadline feature is added, which KVM does not report here (KVM
 * API 4.46). Made once for each CPU from the device's list: do not modify it.
 */
export function guestCpuid(
  supported: readonly CpuidEntry[],
  index: number,
  apic: KernelApic = 'none',
  cpus = 1,
): DataView {
  const known = made.get(supported) ?? new Map<string, DataView>();
  made.set(supported, known);
  const key = `${index} ${apic} ${cpus}`;
  const found = known.get(key) ?? encodeGuestCpuid(supported, index, apic, cpus);
  known.set(key, found);
  return found;
}

function encodeGuestCpuid(
  supported: readonly CpuidEntry[],
  index: number,
  apic: KernelApic,
  cpus: number,
): DataView {
  const hidden = (apic === 'none' ? X2APIC : 0) | TSC_DEADLINE;
  const shown = apic === 'deadline' ? TSC_DEADLINE : 0;
  return encodeCpuid(
    supported.map((found) => {
      if (found.function === 1) {
        const ebx = ((found.ebx & 0xffffff) | (index << 24)) >>> 0;
        const ecx = ((found.ecx & ~hidden) | shown) >>> 0;
        return cpus === 1 ? { ...found, ebx, ecx } : { ...found, ...ofPackage(found, ebx, cpus), ecx };
      }
      if (cpus > 1) return inPackage(found, index, cpus);
      // Topology: EDX is the x2APIC ID.
      if (found.function === 0xb || found.function === 0x1f) return { ...found, edx: index };
      return found;
    }),
  );
}
