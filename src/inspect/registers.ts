import {
  namedBits,
  type RegisterName,
  type Registers,
  registerNames,
  type Segment,
  type SystemRegisters,
  segmentNames,
} from '../x86/index.js';

/** The names of the flags that are set, such as `ZF PF`; bits without a name appear by number. */
export function describeFlags(rflags: bigint): string {
  const iopl = Number((rflags >> 12n) & 3n);
  // Bit 1 is always 1; IOPL is a number of two bits.
  const names = names64(rflags & ~0x3002n, namedBits.rflags);
  if (iopl !== 0) names.push(`IOPL=${iopl}`);
  return names.join(' ');
}

/** The names of the bits that are set in `value`, lowest first; bits without a name as `bit 63`. */
function names64(value: bigint, bits: (typeof namedBits)[keyof typeof namedBits]): string[] {
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
    named('cr0', cr0, names64(cr0, namedBits.cr0).join(' ')),
    named('cr2', cr2, ''),
    named('cr3', cr3, names64(cr3 & 0x18n, namedBits.cr3).join(' ')),
    named('cr4', cr4, names64(cr4, namedBits.cr4).join(' ')),
    named('cr8', cr8, ''),
    named('efer', efer, names64(efer, namedBits.efer).join(' ')),
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
