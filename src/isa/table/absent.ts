/**
 * Instructions that other processors have and the software CPU lacks, for messages about guests that execute one, and for listings (SDM 2A
 * to 2D; APM 3 for AMD's). Grouped by their feature of CPUID. Nothing executes them: only the disassembler decodes them.
 *
 * @module
 */
import { avx2Rows, avxIntegerRows, avxRows, f16cRows, fmaRows } from './avx.js';
import { type Opcode, parseTable } from './index.js';

const rows = (text: string) => text.trim().split('\n');

/** The manual's name for a group's feature, and its bit in CPUID. */
export interface AbsentFeature {
  readonly name: string;
  /** `leaf 1, ECX bit 28`; missing where there is no bit. */
  readonly cpuid?: string;
  /** What guests can do instead. */
  readonly instead?: string;
}

interface Group extends AbsentFeature {
  readonly rows: readonly string[];
  /** Rows of one-byte opcodes. */
  readonly oneByte?: readonly string[];
}

const NO_AVX =
  'Compile without it: -mno-avx, or -mgeneral-regs-only. On a CPU that has it, set CR4.OSXSAVE, and XCR0 by XSETBV, first.';
const ASK = 'Ask CPUID first, and use other instructions where it is missing.';
const NO_VMX =
  'A guest here cannot run guests of its own. To call its monitor it writes to a port: docs/hypercalls.md.';

/** By features; of a row that two of them have, the first. */
const groups: readonly Group[] = [
  { name: 'AVX', cpuid: 'leaf 1, ECX bit 28', instead: NO_AVX, rows: [...avxRows, ...avxIntegerRows] },
  { name: 'AVX2', cpuid: 'leaf 7, EBX bit 5', instead: NO_AVX, rows: avx2Rows },
  { name: 'FMA', cpuid: 'leaf 1, ECX bit 12', instead: NO_AVX, rows: fmaRows },
  { name: 'F16C', cpuid: 'leaf 1, ECX bit 29', instead: NO_AVX, rows: f16cRows },
  {
    name: 'AES-NI',
    cpuid: 'leaf 1, ECX bit 25',
    instead: ASK,
    rows: rows(`
66.38.db aesimc Vx,Wx
66.38.dc aesenc Vx,Wx
66.38.dd aesenclast Vx,Wx
66.38.de aesdec Vx,Wx
66.38.df aesdeclast Vx,Wx
66.3a.df aeskeygenassist Vx,Wx,Ib
vex.66.38.db vaesimc Vo,Wo
vex.66.38.dc vaesenc Vx,Hx,Wx lx
vex.66.38.dd vaesenclast Vx,Hx,Wx lx
vex.66.38.de vaesdec Vx,Hx,Wx lx
vex.66.38.df vaesdeclast Vx,Hx,Wx lx
vex.66.3a.df vaeskeygenassist Vo,Wo,Ib`),
  },
  {
    name: 'PCLMULQDQ',
    cpuid: 'leaf 1, ECX bit 1',
    instead: ASK,
    rows: ['66.3a.44 pclmulqdq Vx,Wx,Ib', 'vex.66.3a.44 vpclmulqdq Vx,Hx,Wx,Ib lx'],
  },
  {
    name: 'SHA',
    cpuid: 'leaf 7, EBX bit 29',
    instead: ASK,
    rows: rows(`
np.38.c8 sha1nexte Vx,Wx
np.38.c9 sha1msg1 Vx,Wx
np.38.ca sha1msg2 Vx,Wx
np.38.cb sha256rnds2 Vx,Wx,V0
np.38.cc sha256msg1 Vx,Wx
np.38.cd sha256msg2 Vx,Wx
np.3a.cc sha1rnds4 Vx,Wx,Ib`),
  },
  {
    name: 'GFNI',
    cpuid: 'leaf 7, ECX bit 8',
    instead: ASK,
    rows: rows(`
66.38.cf gf2p8mulb Vx,Wx
66.3a.ce gf2p8affineqb Vx,Wx,Ib
66.3a.cf gf2p8affineinvqb Vx,Wx,Ib
vex.66.38.cf vgf2p8mulb Vx,Hx,Wx lx w0
vex.66.3a.ce vgf2p8affineqb Vx,Hx,Wx,Ib lx w1
vex.66.3a.cf vgf2p8affineinvqb Vx,Hx,Wx,Ib lx w1`),
  },
  {
    name: 'RDRAND',
    cpuid: 'leaf 1, ECX bit 30',
    instead: 'Get random numbers by a hypercall: docs/hypercalls.md.',
    rows: ['np.c7/6 rdrand Rv', '66.c7/6 rdrand Rv'],
  },
  {
    name: 'RDSEED',
    cpuid: 'leaf 7, EBX bit 18',
    instead: 'Get random numbers by a hypercall: docs/hypercalls.md.',
    rows: ['np.c7/7 rdseed Rv', '66.c7/7 rdseed Rv'],
  },
  {
    name: 'MONITOR',
    cpuid: 'leaf 1, ECX bit 3',
    instead: 'Wait with HLT, which an interrupt ends.',
    rows: ['np.01/1/0 monitor -', 'np.01/1/1 mwait -'],
  },
  {
    name: 'VMX',
    cpuid: 'leaf 1, ECX bit 5',
    instead: NO_VMX,
    rows: rows(`
np.01/0/1 vmcall -
np.01/0/2 vmlaunch -
np.01/0/3 vmresume -
np.01/0/4 vmxoff -
np.01/2/4 vmfunc -
np.78 vmread Ey,Gy f64
np.79 vmwrite Gy,Ey f64
np.c7/6 vmptrld Mq
66.c7/6 vmclear Mq
f3.c7/6 vmxon Mq
np.c7/7 vmptrst Mq
66.38.80 invept Gy,Mo f64
66.38.81 invvpid Gy,Mo f64`),
  },
  {
    name: 'SVM',
    cpuid: 'leaf 80000001h, ECX bit 2',
    instead: NO_VMX,
    rows: rows(`
np.01/3/0 vmrun -
np.01/3/1 vmmcall -
np.01/3/2 vmload -
np.01/3/3 vmsave -
np.01/3/4 stgi -
np.01/3/5 clgi -
np.01/3/6 skinit -
np.01/3/7 invlpga -`),
  },
  { name: 'SMX', cpuid: 'leaf 1, ECX bit 6', rows: ['37 getsec -'] },
  {
    name: 'SGX',
    cpuid: 'leaf 7, EBX bit 2',
    rows: ['np.01/0/0 enclv -', 'np.01/1/7 encls -', 'np.01/2/7 enclu -'],
  },
  {
    name: 'RTM',
    cpuid: 'leaf 7, EBX bit 11',
    instead: ASK,
    rows: ['np.01/2/5 xend -', 'np.01/2/6 xtest -'],
    oneByte: ['c6/7/0 xabort Ib', 'c7/7/0 xbegin Jz'],
  },
  {
    name: 'XSAVEOPT',
    cpuid: 'leaf 0Dh, subleaf 1, EAX bit 0',
    instead: 'Use XSAVE.',
    rows: ['np.ae/6 xsaveopt/xsaveopt/xsaveopt64 M'],
  },
  {
    name: 'XSAVEC',
    cpuid: 'leaf 0Dh, subleaf 1, EAX bit 1',
    instead: 'Use XSAVE.',
    rows: ['np.c7/4 xsavec/xsavec/xsavec64 M'],
  },
  {
    name: 'XSAVES',
    cpuid: 'leaf 0Dh, subleaf 1, EAX bit 3',
    instead: 'Use XSAVE and XRSTOR.',
    rows: ['np.c7/5 xsaves/xsaves/xsaves64 M', 'np.c7/3 xrstors/xrstors/xrstors64 M'],
  },
  { name: 'PKU', cpuid: 'leaf 7, ECX bit 3', rows: ['np.01/5/6 rdpkru -', 'np.01/5/7 wrpkru -'] },
  {
    name: 'CET',
    cpuid: 'leaf 7, ECX bit 7',
    instead: 'Compile with -fcf-protection=none.',
    rows: rows(`
f3.ae/5 incsspd/incsspd/incsspq Ey reg
f3.ae/6 clrssbsy Mq
f3.01/5 rstorssp Mq
f3.01/5/0 setssbsy -
f3.01/5/2 saveprevssp -
np.38.f6 wrssd/wrssd/wrssq M,Gy
66.38.f5 wrussd/wrussd/wrussq M,Gy`),
  },
  {
    name: 'WAITPKG',
    cpuid: 'leaf 7, ECX bit 5',
    instead: 'Wait with HLT, which an interrupt ends.',
    rows: ['66.ae/6 tpause Ey reg', 'f2.ae/6 umwait Ey reg', 'f3.ae/6 umonitor R'],
  },
  {
    name: 'SERIALIZE',
    cpuid: 'leaf 7, EDX bit 14',
    instead: 'CPUID serializes, too.',
    rows: ['np.01/5/0 serialize -'],
  },
  { name: 'MOVDIRI', cpuid: 'leaf 7, ECX bit 27', rows: ['np.38.f9 movdiri My,Gy'] },
  { name: 'PTWRITE', cpuid: 'leaf 14h, EBX bit 4', rows: ['f3.ae/4 ptwrite Ey'] },
  { name: 'CLZERO', cpuid: 'leaf 80000008h, EBX bit 0', rows: ['np.01/7/4 clzero -'] },
  {
    name: 'MONITORX',
    cpuid: 'leaf 80000001h, ECX bit 29',
    rows: ['np.01/7/2 monitorx -', 'np.01/7/3 mwaitx -'],
  },
  { name: 'RDPRU', cpuid: 'leaf 80000008h, EBX bit 4', rows: ['np.01/7/5 rdpru -'] },
  { name: 'instructions that are invalid on purpose', rows: ['ff ud0 Gv,Ev', 'b9 ud1 Gv,Ev'] },
  {
    name: 'system management mode',
    instead: 'RSM ends a system management interrupt, which does not exist here.',
    rows: ['aa rsm -'],
  },
];

const nameOf = (line: string) => line.split(' ')[1]!;

/** A record for each mnemonic: the spelling is that of the row. */
const recordOf = (name: string) => `${name} whole${name.includes('/') ? ` = ${name}` : ''}`;

let parsed: { rows: readonly Opcode[]; features: ReadonlyMap<Opcode, AbsentFeature> } | undefined;

function parse() {
  if (parsed !== undefined) return parsed;
  const features = new Map<Opcode, AbsentFeature>();
  for (const group of groups) {
    const { rows: twoByte, oneByte = [], ...feature } = group;
    const records = [...twoByte, ...oneByte].map((line) => recordOf(nameOf(line)));
    for (const row of parseTable({ records, oneByte, twoByte, x87: [] })) features.set(row, feature);
  }
  parsed = { rows: [...features.keys()], features };
  return parsed;
}

/** Every row, as `opcodes` gives those of the software CPU. */
export function absentOpcodes(): readonly Opcode[] {
  return parse().rows;
}

/** The feature of a row of `absentOpcodes`; undefined for one of the software CPU's own. */
export function absentFeature(row: Opcode, wide: boolean): AbsentFeature | undefined {
  const feature = parse().features.get(row);
  // AVX added YMM registers for floating-point numbers, AVX2 for integers.
  const isInteger =
    feature?.name === 'AVX' && wide && avxIntegerRows.some((line) => nameOf(line) === row.name);
  return isInteger ? groups[1] : feature;
}
