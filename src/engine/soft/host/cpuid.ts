/**
 * The guest's CPUID leaves (SDM 2A CPUID).
 *
 * @module
 */

import { instructionFeatures } from '../../../isa/index.js';
import type { CpuVendor } from '../../../x86/index.js';
import type { ApicFeatures } from '../../contract/index.js';
import * as L from '../layout.js';
import { SoftError } from './errors.js';

/** One result of CPUID, each register 32 bits. */
export interface CpuidLeaf {
  leaf: number;
  /** The subleaf (ECX); missing: any. */
  subleaf?: number;
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

/** The CPUID bit of each feature: leaf, register, bit. */
const places = {
  fpu: [1, 'edx', 0],
  de: [1, 'edx', 2],
  pse: [1, 'edx', 3],
  tsc: [1, 'edx', 4],
  msr: [1, 'edx', 5],
  pae: [1, 'edx', 6],
  mce: [1, 'edx', 7],
  cx8: [1, 'edx', 8],
  sep: [1, 'edx', 11],
  mtrr: [1, 'edx', 12],
  pge: [1, 'edx', 13],
  mca: [1, 'edx', 14],
  cmov: [1, 'edx', 15],
  pat: [1, 'edx', 16],
  pse36: [1, 'edx', 17],
  clflush: [1, 'edx', 19],
  mmx: [1, 'edx', 23],
  fxsr: [1, 'edx', 24],
  sse: [1, 'edx', 25],
  sse2: [1, 'edx', 26],
  sse3: [1, 'ecx', 0],
  ssse3: [1, 'ecx', 9],
  cx16: [1, 'ecx', 13],
  pcid: [1, 'ecx', 17],
  sse4_1: [1, 'ecx', 19],
  sse4_2: [1, 'ecx', 20],
  movbe: [1, 'ecx', 22],
  popcnt: [1, 'ecx', 23],
  xsave: [1, 'ecx', 26],
  fsgsbase: [7, 'ebx', 0],
  bmi1: [7, 'ebx', 3],
  smep: [7, 'ebx', 7],
  bmi2: [7, 'ebx', 8],
  invpcid: [7, 'ebx', 10],
  adx: [7, 'ebx', 19],
  smap: [7, 'ebx', 20],
  clflushopt: [7, 'ebx', 23],
  clwb: [7, 'ebx', 24],
  umip: [7, 'ecx', 2],
  la57: [7, 'ecx', 16],
  rdpid: [7, 'ecx', 22],
  lahf_lm: [0x8000_0001, 'ecx', 0],
  abm: [0x8000_0001, 'ecx', 5],
  misalignsse: [0x8000_0001, 'ecx', 7],
  '3dnowprefetch': [0x8000_0001, 'ecx', 8],
  syscall: [0x8000_0001, 'edx', 11],
  nx: [0x8000_0001, 'edx', 20],
  pdpe1gb: [0x8000_0001, 'edx', 26],
  rdtscp: [0x8000_0001, 'edx', 27],
  lm: [0x8000_0001, 'edx', 29],
} as const;

/** Bits of CR4 that may be set only with a feature (SDM 3A 2.5). */
const controls: readonly (readonly [
  bit: number,
  leaf: number,
  register: 'ebx' | 'ecx' | 'edx',
  of: number,
])[] = [
  [2, 1, 'edx', 4],
  [3, 1, 'edx', 2],
  [4, 1, 'edx', 3],
  [5, 1, 'edx', 6],
  [6, 1, 'edx', 7],
  [7, 1, 'edx', 13],
  [9, 1, 'edx', 24],
  [10, 1, 'edx', 25],
  [11, 7, 'ecx', 2],
  [12, 7, 'ecx', 16],
  [16, 7, 'ebx', 0],
  [17, 1, 'ecx', 17],
  [18, 1, 'ecx', 26],
  [20, 7, 'ebx', 7],
  [21, 7, 'ebx', 20],
];
/** CR4.PCE: RDPMC always exists, and always faults. */
const ALWAYS = 0x100;

/** A feature by its name in Linux's /proc/cpuinfo, or nearly. */
export type CpuFeature = keyof typeof places;

/** The features of the software CPU with either vendor, and those only with AMD. */
const ofAmd: readonly CpuFeature[] = ['misalignsse'];
/** All features of the software CPU as one of Intel's. It has no others. */
export const cpuFeatures: readonly CpuFeature[] = (Object.keys(places) as CpuFeature[]).filter(
  (feature) => !ofAmd.includes(feature),
);

/**
 * The identity of a vendor's processor. Kernels select errata and registers by these numbers, so they are those of processors
 * that need few workarounds: an Intel Atom N450, which does not execute speculatively and so needs no mitigations, and an AMD
 * Athlon 64 X2, as in QEMU.
 */
const makers: Record<CpuVendor, { name: string; signature: number }> = {
  intel: { name: 'GenuineIntel', signature: 0x106ca },
  amd: { name: 'AuthenticAMD', signature: 0x60fb1 },
};
const BRAND = 'Terrarium software CPU';
/** CLFLUSH works on lines of 64 bytes: bits 15-8 have the size in units of 8 bytes. */
const CLFLUSH_LINE = 8 << 8;
/** The area of FXSAVE, and a header. */
const XSAVE_AREA = 576;
/** Widths of physical and linear addresses; linear ones have 57 bits with 5-level paging. */
const PHYSICAL_BITS = 40;

/** Four ASCII characters as a register's value. */
function word(text: string, at: number): number {
  let value = 0;
  for (let n = 3; n >= 0; n--) value = value * 256 + (text.charCodeAt(at + n) || 0);
  return value;
}

/** EBX, EDX and ECX of leaf 0. */
function vendorWords(vendor: CpuVendor) {
  const { name } = makers[vendor];
  return { ebx: word(name, 0), edx: word(name, 4), ecx: word(name, 8) };
}

/**
 * The leaves of a processor with these features, in the order of their numbers.
 *
 * @param features default: all of the software CPU's
 * @param vendor its name, and its results where the vendors differ
 */
export function cpuidModel(
  features: readonly CpuFeature[] = cpuFeatures,
  vendor: CpuVendor = 'intel',
): CpuidLeaf[] {
  const none = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  const names = vendorWords(vendor);
  const { signature } = makers[vendor];
  const leaves: CpuidLeaf[] = [
    { leaf: 0, eax: 0xd, ...names },
    { leaf: 1, ...none, eax: signature, ebx: CLFLUSH_LINE },
    { leaf: 7, subleaf: 0, ...none },
    // The components of XSAVE, x87 and SSE, and the size of its area.
    { leaf: 0xd, subleaf: 0, eax: 3, ebx: XSAVE_AREA, ecx: XSAVE_AREA, edx: 0 },
    { leaf: 0x8000_0000, eax: 0x8000_0008, ...names },
    { leaf: 0x8000_0001, ...none, eax: signature },
  ];
  for (let n = 0; n < 3; n++) {
    const [eax, ebx, ecx, edx] = [0, 4, 8, 12].map((at) => word(BRAND, 16 * n + at)) as [
      number,
      number,
      number,
      number,
    ];
    leaves.push({ leaf: 0x8000_0002 + n, eax, ebx, ecx, edx });
  }
  // Invariant TSC: the counter counts instructions.
  leaves.push({ leaf: 0x8000_0007, ...none, edx: 1 << 8 });
  const linearBits = features.includes('la57') ? 57 : 48;
  leaves.push({ leaf: 0x8000_0008, ...none, eax: PHYSICAL_BITS | (linearBits << 8) });
  const all = vendor === 'amd' ? [...features, ...ofAmd] : features;
  for (const feature of all) {
    const [leaf, register, bit] = places[feature];
    const found = leaves.find((one) => one.leaf === leaf);
    if (found !== undefined) found[register] = (found[register] | (1 << bit)) >>> 0;
  }
  return leaves;
}

/** The APIC of leaf 1, x2APIC and TSC deadline; of leaf 6 a timer that never stops. */
const APIC = 1 << 9;
const X2APIC = 1 << 21;
const TSC_DEADLINE = 1 << 24;
const ARAT = 4;
/** Leaf 1, EDX: EBX's bits 23-16 are the number of APIC IDs of a package. */
const HTT = 1 << 28;
/** AMD's leaf 8000_0001h, ECX: the logical processors of a package are cores; and leaf 8000_001Eh exists. */
const CMP_LEGACY = 1 << 1;
const TOPOLOGY = 1 << 22;

/** The same processor with a local APIC that is a device, as one of the cores of a package. */
export function withApic(
  leaves: readonly CpuidLeaf[],
  { x2apic, tscDeadline }: ApicFeatures,
  cpus = 1,
): CpuidLeaf[] {
  const more = (x2apic ? X2APIC : 0) | (tscDeadline ? TSC_DEADLINE : 0);
  const width = idBits(cpus);
  const known = leaves.map((one) =>
    one.leaf === 1
      ? {
          ...one,
          ebx: one.ebx | ((1 << width) << 16),
          ecx: (one.ecx | more) >>> 0,
          edx: (one.edx | APIC | (cpus > 1 ? HTT : 0)) >>> 0,
        }
      : one,
  );
  const power = { leaf: 6, eax: ARAT, ebx: 0, ecx: 0, edx: 0 };
  const all = leafOf(leaves, 6) === undefined ? [...known, power] : known;
  if (cpus === 1) return all;
  return isAmd(leaves) ? amdCores(all, cpus) : [...all, ...intelCores(cpus)];
}

/** The number of bits of an APIC ID that distinguish the cores of a package. */
const idBits = (cpus: number) => Math.ceil(Math.log2(cpus));

const Level = { thread: 1, core: 2 } as const;

/** Leaf 4: a first-level data cache of 32 KiB per core: 64 sets of 8 lines. EAX's bits 31-26 allow for all cores. */
function cacheLeaves(cpus: number): CpuidLeaf[] {
  const room = ((1 << idBits(cpus)) - 1) << 26;
  const cache = {
    leaf: 4,
    subleaf: 0,
    eax: (room | (1 << 8) | (1 << 5) | 1) >>> 0,
    ebx: (7 << 22) | 63,
    ecx: 63,
  };
  return [
    { ...cache, edx: 0 },
    { leaf: 4, eax: 0, ebx: 0, ecx: 0, edx: 0 },
  ];
}

/**
 * Leaf 0Bh: one thread per core, and all cores in one package. The processor fills in its own number, EDX (SDM 2A
 * CPUID).
 */
function intelCores(cpus: number): CpuidLeaf[] {
  const level = (subleaf: number, type: number, shift: number, count: number): CpuidLeaf => ({
    ...{ leaf: 0xb, subleaf, eax: shift, ebx: count },
    ...{ ecx: subleaf | (type << 8), edx: 0 },
  });
  // The subleaf that ends the list returns its own number in ECX.
  return [
    ...cacheLeaves(cpus),
    level(0, Level.thread, 0, 1),
    level(1, Level.core, idBits(cpus), cpus),
    level(2, 0, 0, 0),
  ];
}

/** Leaves 8000_0008h and 8000_001Eh: cores with one thread each, in one node (APM 3 E.4.7, E.4.17). */
function amdCores(leaves: readonly CpuidLeaf[], cpus: number): CpuidLeaf[] {
  const known = leaves.map((one) => {
    if (one.leaf === 0x8000_0000) return { ...one, eax: 0x8000_001e };
    if (one.leaf === 0x8000_0001) return { ...one, ecx: (one.ecx | CMP_LEGACY | TOPOLOGY) >>> 0 };
    if (one.leaf === 0x8000_0008) return { ...one, ecx: (idBits(cpus) << 12) | (cpus - 1) };
    return one;
  });
  return [...known, { leaf: 0x8000_001e, eax: 0, ebx: 0, ecx: 0, edx: 0 }];
}

/** Finds a leaf and subleaf in a list. */
function leafOf(leaves: readonly CpuidLeaf[], leaf: number, subleaf = 0): CpuidLeaf | undefined {
  return leaves.find((one) => one.leaf === leaf && (one.subleaf ?? subleaf) === subleaf);
}

const has = (leaves: readonly CpuidLeaf[], leaf: number, register: 'ebx' | 'ecx' | 'edx', bit: number) =>
  (((leafOf(leaves, leaf)?.[register] ?? 0) >>> bit) & 1) === 1;

function isAmd(leaves: readonly CpuidLeaf[]): boolean {
  const { ebx, ecx, edx } = leafOf(leaves, 0) ?? {};
  const names = vendorWords('amd');
  return ebx === names.ebx && ecx === names.ecx && edx === names.edx;
}

/** MXCSR's bits; AMD's also have that of misaligned SSE mode (APM 2 11.3.2). */
const MXCSR_BITS = 0xffff;
const MISALIGNED = 0x20000;
const X87_STATE = 1n;

/**
 * Writes the CPUID leaves and the values that follow from them.
 *
 * @param besides features that exist although the leaves do not list them
 * @throws SoftError for more leaves than the engine can hold
 */
export function writeCpuid(
  view: DataView,
  leaves: readonly CpuidLeaf[],
  besides: readonly CpuFeature[] = [],
): void {
  if (leaves.length > L.MAX_CPUID) {
    throw new SoftError(
      'ELIMIT',
      `${leaves.length} leaves of CPUID`,
      `the software engine can hold ${L.MAX_CPUID}`,
    );
  }
  view.setUint32(L.CPUID_COUNT, leaves.length, true);
  for (const [index, { leaf, subleaf = -1, eax, ebx, ecx, edx }] of leaves.entries()) {
    for (const [n, value] of [leaf, subleaf, eax, ebx, ecx, edx].entries()) {
      view.setUint32(L.CPUID_TABLE + index * L.CPUID_ENTRY + 4 * n, value, true);
    }
  }
  // Processors with few CPUID leaves have these, which have no feature bit in them.
  const more = cpuidModel(besides);
  const named = (leaf: number, register: 'ebx' | 'ecx' | 'edx', bit: number) =>
    has(leaves, leaf, register, bit) || has(more, leaf, register, bit);
  let allowed = ALWAYS;
  for (const [bit, leaf, register, of] of controls) {
    if (named(leaf, register, of)) allowed |= 1 << bit;
  }
  view.setBigUint64(L.CR4_ALLOWED, BigInt(allowed), true);
  const states = leafOf(leaves, 0xd);
  const extended = BigInt(states?.eax ?? 0) | (BigInt(states?.edx ?? 0) << 32n);
  view.setBigUint64(L.XCR0_ALLOWED, extended | X87_STATE, true);
  let features = 0n;
  for (const [n, feature] of instructionFeatures.entries()) {
    const [leaf, register, bit] = places[feature];
    if (named(leaf, register, bit)) features |= 1n << BigInt(n);
  }
  view.setBigUint64(L.FEATURES, features, true);
  const amd = isAmd(leaves);
  view.setUint32(L.CPU_AMD, amd ? 1 : 0, true);
  view.setUint32(L.MXCSR_ALLOWED, amd ? MXCSR_BITS | MISALIGNED : MXCSR_BITS, true);
}
