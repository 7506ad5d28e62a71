import {
  type RegisterName,
  type Registers,
  registerNames,
  type Segment,
  type SystemRegisters,
  segmentNames,
} from '../x86/index.js';

type Bits = readonly (readonly [bit: number, name: string])[];

/** SDM 1 3.4.3, figure 3-8. */
const rflagsBits: Bits = [
  [0, 'CF'],
  [2, 'PF'],
  [4, 'AF'],
  [6, 'ZF'],
  [7, 'SF'],
  [8, 'TF'],
  [9, 'IF'],
  [10, 'DF'],
  [11, 'OF'],
  [14, 'NT'],
  [16, 'RF'],
  [17, 'VM'],
  [18, 'AC'],
  [19, 'VIF'],
  [20, 'VIP'],
  [21, 'ID'],
];

/** SDM 3A 2.5, figure 2-7. */
const cr0Bits: Bits = [
  [0, 'PE'],
  [1, 'MP'],
  [2, 'EM'],
  [3, 'TS'],
  [4, 'ET'],
  [5, 'NE'],
  [16, 'WP'],
  [18, 'AM'],
  [29, 'NW'],
  [30, 'CD'],
  [31, 'PG'],
];

/** SDM 3A 2.5, figure 2-7. */
const cr4Bits: Bits = [
  [0, 'VME'],
  [1, 'PVI'],
  [2, 'TSD'],
  [3, 'DE'],
  [4, 'PSE'],
  [5, 'PAE'],
  [6, 'MCE'],
  [7, 'PGE'],
  [8, 'PCE'],
  [9, 'OSFXSR'],
  [10, 'OSXMMEXCPT'],
  [11, 'UMIP'],
  [12, 'LA57'],
  [13, 'VMXE'],
  [14, 'SMXE'],
  [16, 'FSGSBASE'],
  [17, 'PCIDE'],
  [18, 'OSXSAVE'],
  [20, 'SMEP'],
  [21, 'SMAP'],
  [22, 'PKE'],
  [23, 'CET'],
  [24, 'PKS'],
  [25, 'UINTR'],
  [28, 'LAM_SUP'],
];

/** SDM 3A tables 5-3 and 5-12; the others are the table's address, or the process-context identifier. */
const cr3Bits: Bits = [
  [3, 'PWT'],
  [4, 'PCD'],
];

/** SDM 3A 2.2.1, table 2-1; SVME is AMD's (APM 2 3.1.7). */
const eferBits: Bits = [
  [0, 'SCE'],
  [8, 'LME'],
  [10, 'LMA'],
  [11, 'NXE'],
  [12, 'SVME'],
];

/** The named bits of the registers that consist of flags. */
export const namedBits = {
  rflags: rflagsBits,
  cr0: cr0Bits,
  cr3: cr3Bits,
  cr4: cr4Bits,
  efer: eferBits,
} as const;

/** The names of the flags that are set, such as `ZF PF`; bits without a name appear by number. */
export function describeFlags(rflags: bigint): string {
  const iopl = Number((rflags >> 12n) & 3n);
  // Bit 1 is always 1; IOPL is a number of two bits.
  const names = names64(rflags & ~0x3002n, rflagsBits);
  if (iopl !== 0) names.push(`IOPL=${iopl}`);
  return names.join(' ');
}

/** The names of the bits that are set in `value`, lowest first; bits without a name as `bit 63`. */
function names64(value: bigint, bits: Bits): string[] {
  const names: string[] = [];
  let rest = value;
  for (const [bit, name] of bits) {
    const mask = 1n << BigInt(bit);
    if (rest & mask) names.push(name);
    rest &= ~mask;
  }
  for (let bit = 0n; rest !== 0n; bit++, rest >>= 1n) if (rest & 1n) names.push(`bit ${bit}`);
  return names;
}

const hex = (value: bigint | number, digits: number) => value.toString(16).padStart(digits, '0');

/** The usual reading order, four per line; the contract has the order of the encoding. */
const generalLines: readonly (readonly RegisterName[])[] = [
  ['rax', 'rbx', 'rcx', 'rdx'],
  ['rsi', 'rdi', 'rbp', 'rsp'],
  registerNames.slice(8, 12),
  registerNames.slice(12, 16),
];

/** The CPU's registers as text of several lines, without a newline at the end. Flags and control bits have names. */
export function formatRegisters(registers: Registers, system?: SystemRegisters): string {
  const lines = generalLines.map((names) =>
    names.map((name) => `${name.padEnd(3)} ${hex(registers[name], 16)}`).join('  '),
  );
  lines.push(
    named('rip', registers.rip, ''),
    named('rflags', registers.rflags, describeFlags(registers.rflags)),
  );
  if (system !== undefined) lines.push(...systemLines(system));
  return lines.join('\n');
}

function named(name: string, value: bigint, meaning: string): string {
  return `${name.padEnd(6)} ${hex(value, 16)}${meaning === '' ? '' : `  ${meaning}`}`;
}

function systemLines(system: SystemRegisters): string[] {
  const { gdt, idt, cr0, cr2, cr3, cr4, cr8, efer } = system;
  return [
    ...segmentNames.map((name) => segmentLine(name, system[name])),
    segmentLine('tr', system.tr),
    segmentLine('ldt', system.ldt),
    `gdt         base ${hex(gdt.base, 16)}  limit ${hex(gdt.limit, 8)}`,
    `idt         base ${hex(idt.base, 16)}  limit ${hex(idt.limit, 8)}`,
    named('cr0', cr0, names64(cr0, cr0Bits).join(' ')),
    named('cr2', cr2, ''),
    named('cr3', cr3, names64(cr3 & 0x18n, cr3Bits).join(' ')),
    named('cr4', cr4, names64(cr4, cr4Bits).join(' ')),
    named('cr8', cr8, ''),
    named('efer', efer, names64(efer, eferBits).join(' ')),
  ];
}

function segmentLine(name: string, segment: Segment): string {
  const { selector, base, limit } = segment;
  return `${name.padEnd(6)} ${hex(selector, 4)} base ${hex(base, 16)}  limit ${hex(limit, 8)}  ${segmentMeaning(segment)}`;
}

/** The meaning of a segment register's hidden part (SDM 3A 3.4.5.1, tables 3-1 and 3-2). */
export function segmentMeaning(segment: Segment): string {
  const { type, s, dpl, db, l, present, unusable } = segment;
  if (unusable) return 'unusable';
  const words: string[] = [];
  if (!s) words.push(systemTypes[type] ?? `system type ${type}`);
  else if (type & 8)
    words.push('code', type & 2 ? 'readable' : 'execute-only', ...(type & 4 ? ['conforming'] : []));
  else words.push('data', type & 2 ? 'writable' : 'read-only', ...(type & 4 ? ['expand-down'] : []));
  if (s) words.push(l ? '64-bit' : db ? '32-bit' : '16-bit');
  words.push(`dpl ${dpl}`);
  if (!present) words.push('not present');
  return words.join(' ');
}

/** The system segments that TR and LDTR can hold. */
const systemTypes: Readonly<Record<number, string>> = {
  1: '16-bit TSS',
  2: 'LDT',
  3: '16-bit TSS (busy)',
  9: 'TSS',
  11: 'TSS (busy)',
};
