/**
 * Help for an instruction, from the opcode table: its forms with their bytes, the flags that it writes, where it is allowed.
 *
 * @module
 */
import { manualName } from '../assembler/index.js';
import { type Opcode, opcodes } from '../isa/index.js';

/** The most forms that a help shows. */
const MOST_FORMS = 8;

/** Descriptions of the instructions of simple kernels. */
const words: Readonly<Record<string, string>> = {
  mov: 'Copies the source to the destination.',
  movzx: 'Copies a smaller source and fills up with zeros.',
  movsx: 'Copies a smaller source and fills up with its sign.',
  lea: 'Computes an address, without reading memory.',
  push: 'Puts a value on the stack, which grows down.',
  pop: 'Takes a value from the stack.',
  xchg: 'Exchanges two values; with memory as one locked access.',
  add: 'Adds the source to the destination.',
  adc: 'Adds the source and the carry flag.',
  sub: 'Subtracts the source from the destination.',
  sbb: 'Subtracts the source and the carry flag.',
  cmp: 'Subtracts, only for the flags.',
  test: 'ANDs, only for the flags.',
  and: 'ANDs the bits.',
  or: 'ORs the bits.',
  xor: 'XORs the bits; with itself it gives 0.',
  not: 'Inverts the bits.',
  neg: 'Changes the sign.',
  inc: 'Adds 1; the carry flag stays.',
  dec: 'Subtracts 1; the carry flag stays.',
  mul: 'Multiplies (E/R)AX without a sign; the result is twice as wide.',
  imul: 'Multiplies with a sign.',
  div: 'Divides (E/R)DX:(E/R)AX without a sign. #DE where the divisor is 0 or the quotient does not fit.',
  idiv: 'Divides with a sign. #DE where the divisor is 0 or the quotient does not fit.',
  shl: 'Shifts left.',
  shr: 'Shifts right, zeros come in.',
  sar: 'Shifts right, the sign stays.',
  jmp: 'Jumps to the target.',
  call: 'Pushes the address of the next instruction and jumps to the target.',
  ret: 'Pops the return address from the stack and jumps to it.',
  loop: 'Subtracts 1 from (E/R)CX and jumps unless that gives 0.',
  int: 'Calls the handler of an interrupt.',
  int3: 'Raises #BP: a breakpoint.',
  iret: 'Returns from an interrupt: takes IP, CS and the flags from the stack.',
  syscall: 'Calls the kernel at LSTAR, from ring 3.',
  sysret: 'Returns from the kernel to ring 3.',
  hlt: 'Halts the processor until an interrupt comes. An exit.',
  cli: 'Turns interrupts off (IF = 0).',
  sti: 'Turns interrupts on (IF = 1), after the next instruction.',
  cld: 'String instructions go up (DF = 0).',
  std: 'String instructions go down (DF = 1).',
  in: 'Reads from a port: a device answers. An exit.',
  out: 'Writes to a port: a device receives it. An exit.',
  ins: 'Reads from port DX to memory at ES:(E/R)DI.',
  outs: 'Writes memory at DS:(E/R)SI to port DX.',
  movs: 'Copies memory from DS:(E/R)SI to ES:(E/R)DI.',
  stos: 'Stores (E/R)AX, AL at ES:(E/R)DI.',
  lods: 'Loads (E/R)AX, AL from DS:(E/R)SI.',
  scas: 'Compares (E/R)AX, AL with memory at ES:(E/R)DI.',
  cmps: 'Compares memory at DS:(E/R)SI with that at ES:(E/R)DI.',
  lgdt: 'Loads the GDT’s limit and address from memory.',
  lidt: 'Loads the IDT’s limit and address from memory.',
  ltr: 'Loads the task register: which TSS is used.',
  invlpg: 'Drops a page from the TLB.',
  cpuid: 'Returns information about the processor, selected by EAX and ECX.',
  rdtsc: 'Reads the time-stamp counter into EDX:EAX.',
  rdmsr: 'Reads the MSR with the number ECX into EDX:EAX.',
  wrmsr: 'Writes EDX:EAX to the MSR with the number ECX.',
  nop: 'Does nothing.',
  leave: 'Removes a stack frame: (E/R)SP = (E/R)BP, then POP (E/R)BP.',
  cmpxchg: 'Compares (E/R)AX with the destination; writes the source where they are equal.',
  ud2: 'Raises #UD.',
};

const places: Readonly<Record<string, string>> = {
  E: 'r/m',
  G: 'r',
  I: 'imm',
  M: 'm',
  J: 'rel',
  O: 'moffs',
  S: 'sreg',
  C: 'cr',
  D: 'dr',
  R: 'r',
  X: 'm:si',
  Y: 'm:di',
  V: 'xmm',
  W: 'xmm/m',
  P: 'mm',
  Q: 'mm/m',
  Z: 'r',
};
const sizes: Readonly<Record<string, string>> = {
  b: '8',
  w: '16',
  d: '32',
  q: '64',
  v: '16/32/64',
  z: '16/32',
  y: '32/64',
};
const flagNames: Readonly<Record<string, string>> = { O: 'OF', S: 'SF', Z: 'ZF', A: 'AF', P: 'PF', C: 'CF' };

/** The rows of a mnemonic, with a letter for its size (AT&T) or without. */
function rowsOf(mnemonic: string): Opcode[] {
  const named = (name: string) =>
    opcodes().filter(({ spelling, name: own }) => {
      const plain = spelling.mnemonic.replace(/[+~@].*$/, '');
      return (
        plain.split('/').includes(name) || own === name || (plain.endsWith('cc') && isCondition(plain, name))
      );
    });
  const exact = named(mnemonic);
  return exact.length > 0 || !/[bwlq]$/.test(mnemonic) ? exact : named(mnemonic.slice(0, -1));
}

function isCondition(plain: string, name: string): boolean {
  const stem = plain.slice(0, -2);
  return (
    name.startsWith(stem) && /^n?(o|b|c|ae|e|z|be|a|s|p|pe|po|l|ge|le|g|nae)$/.test(name.slice(stem.length))
  );
}

function operandText(operand: string): string {
  const [, place = '', size = ''] = /^([A-Z])([bwdqvzy])$/.exec(operand.split('|')[0]!) ?? [];
  const known = places[place];
  return known === undefined ? operand.toLowerCase() : `${known}${sizes[size] ?? ''}`;
}

function formText(row: Opcode, mnemonic: string): string {
  const { map, prefix, opcode, reg, operands, spelling } = row;
  const escaped = ['', '0f ', '0f 38 ', '0f 3a '][map];
  const mandatory = prefix === 'any' || prefix === 'none' ? '' : `${prefix} `;
  const bytes = `${mandatory}${escaped}${opcode.toString(16).padStart(2, '0')}${reg >= 0 ? ` /${reg}` : ''}`;
  const written = (spelling.operands ?? operands).filter((one) => !/^-.?$/.test(one)).map(operandText);
  return `${mnemonic} ${written.join(', ')}`.trim().padEnd(30) + bytes;
}

/** The help for a mnemonic as text; undefined for one that the table does not have. */
export function instructionHelp(mnemonic: string): string | undefined {
  const given = mnemonic.toLowerCase();
  if (!/^[a-z][a-z\d]{0,20}$/.test(given)) return undefined;
  const isManual = rowsOf(given).length > 0;
  const name = isManual ? given : manualName(given);
  const rows = rowsOf(name);
  const [first] = rows;
  if (first === undefined) return undefined;
  const plain = first.spelling.mnemonic.replace(/[+~@/].*$/, '');
  const jump = plain.endsWith('cc')
    ? `Executes if the condition ‘${name.slice(plain.length - 2)}’ holds.`
    : '';
  const forms = [...new Set(rows.map((row) => formText(row, name)))];
  const more = forms.length > MOST_FORMS ? [`… and ${forms.length - MOST_FORMS} more forms`] : [];
  const list = (letters: string) => [...letters].map((letter) => flagNames[letter] ?? letter).join(' ');
  const { flags, undefined: unknown } = first.meaning;
  const lines = [
    words[plain] ?? words[first.name] ?? jump,
    ...forms.slice(0, MOST_FORMS),
    ...more,
    flags === '' ? '' : `writes ${list(flags)}${unknown === '' ? '' : `; leaves ${list(unknown)} undefined`}`,
    first.no64 ? 'not in 64-bit code' : '',
  ];
  return lines.filter((line) => line !== '').join('\n');
}
