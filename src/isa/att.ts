/**
 * Operands as the GNU assembler takes them and `objdump` writes them by default.
 *
 * @module
 */
import type { Encoding } from './decode.js';
import { hex, type Names } from './names.js';
import type { MemoryOperand, Operand } from './operands.js';
import { counterWord, defaultSize } from './spelling.js';

const suffixes = new Map([
  [1, 'b'],
  [2, 'w'],
  [4, 'l'],
  [8, 'q'],
]);

/** Mnemonics that differ from the manual's by more than a suffix. */
const own = new Map([
  ['cbw', 'cbtw'],
  ['cwde', 'cwtl'],
  ['cdqe', 'cltq'],
  ['cwd', 'cwtd'],
  ['cdq', 'cltd'],
  ['cqo', 'cqto'],
  ['retf', 'lret'],
  ['retfw', 'lretw'],
  ['retfd', 'lretl'],
  ['retfq', 'lretq'],
  ['retd', 'retl'],
  ['pushad', 'pushal'],
  ['popad', 'popal'],
  ['pushfd', 'pushfl'],
  ['popfd', 'popfl'],
  ['pushd', 'pushl'],
  ['popd', 'popl'],
  ['iretd', 'iretl'],
  ['calld', 'calll'],
  ['jmpd', 'jmpl'],
  ['leaved', 'leavel'],
  ['enterd', 'enterl'],
  ['fldenvw', 'fldenvs'],
  ['fldenvd', 'fldenvl'],
  ['fnstenvw', 'fnstenvs'],
  ['fnstenvd', 'fnstenvl'],
  ['fnsavew', 'fnsaves'],
  ['fnsaved', 'fnsavel'],
  ['frstorw', 'frstors'],
  ['frstord', 'frstorl'],
  ['sysretd', 'sysretl'],
  ['sysexitd', 'sysexitl'],
]);

/** Memory operands whose size the mnemonic determines. */
const unsuffixed =
  /^(lea|les|lds|lss|lfs|lgs|bound|set|cmpxchg8b|cmpxchg16b|invlpg|[sl][gi]dt|lldt|ltr|str|sldt|smsw|lmsw|verr|verw|xlat|call|jmp|lar|lsl|fbld|fbstp|fnst[cs]w|fldcw|fldenv|fnstenv|fnsave|frstor|prefetch|clflush|clwb|v?ldmxcsr|v?stmxcsr|vmptr|vmclear|vmxon|rstorssp|clrssbsy|fx|xsave|xrstor)/;

function memory({ segment, base, index, scale, displacement, addressSize }: MemoryOperand): string {
  const prefix = segment === undefined ? '' : `%${segment}:`;
  if (base === undefined && index === undefined) return prefix + hex(displacement);
  const sign = displacement < 0n ? '-' : '';
  const away = displacement === 0n ? '' : sign + hex(displacement < 0n ? -displacement : displacement);
  let inside = base === undefined ? '' : `%${base}`;
  if (index !== undefined) inside += addressSize === 16 ? `,%${index}` : `,%${index},${scale}`;
  return `${prefix}${away}(${inside})`;
}

function operand(one: Operand, names: Names, isPort: boolean): string {
  switch (one.kind) {
    case 'register':
      return isPort && one.name === 'dx' ? '(%dx)' : `%${one.name}`;
    case 'memory':
      return memory(one);
    case 'immediate':
      return `$${hex(one.value)}`;
    case 'target':
      return names(one.address);
    case 'far':
      return `$${hex(BigInt(one.selector))},$${hex(one.offset)}`;
  }
}

/** The suffixes of x87 mnemonics for a number in memory, and for an integer there. */
const numberSuffixes = new Map([
  [4, 's'],
  [8, 'l'],
  [10, 't'],
]);
const integerSuffixes = new Map([
  [2, 's'],
  [4, 'l'],
  [8, 'll'],
]);

/**
 * For the x87 FPU. Where the result goes to ST(i), this syntax exchanges FSUB and FSUBR, and FDIV and FDIVR: an error of an assembler of
 * the eighties that all later ones have kept.
 */
function floatingName(mnemonic: string, operands: readonly Operand[], { opcode }: Encoding): string {
  const [to] = operands;
  if (to?.kind === 'memory') {
    return mnemonic + ((mnemonic.startsWith('fi') ? integerSuffixes : numberSuffixes).get(to.size) ?? '');
  }
  const reversed = /^(fsub|fdiv)(r?)(p?)$/.exec(mnemonic);
  if (reversed === null || (opcode !== 0xdc && opcode !== 0xde)) return mnemonic;
  return `${reversed[1]}${reversed[2] === 'r' ? '' : 'r'}${reversed[3]}`;
}

/** MOVZX, MOVSX and MOVSXD name both sizes. */
function extension(mnemonic: string, operands: readonly Operand[]): string | undefined {
  if (!/^mov[sz]xd?$/.test(mnemonic)) return undefined;
  const [to, from] = operands.map((one) => ('size' in one ? suffixes.get(one.size) : undefined));
  if (mnemonic === 'movsxd') return to === 'q' ? 'movslq' : 'movsxd';
  return `${mnemonic.slice(0, 4)}${from}${to}`;
}

function mnemonicOf(mnemonic: string, operands: readonly Operand[], encoding: Encoding): string {
  const { row } = encoding;
  const extended = extension(mnemonic, operands);
  if (extended !== undefined) return extended;
  const sized = encoding.operandSize !== defaultSize(encoding);
  const size = sized ? (suffixes.get(encoding.operandSize / 8) ?? '') : '';
  if (/^(call|jmp)far/.test(row.name)) return `l${mnemonic}${size}`;
  const name = own.get(mnemonic) ?? mnemonic;
  if (counterWord(encoding) !== '') return name + suffixes.get(encoding.addressSize / 8);
  if (/^(push|pop|call|jmp)$/.test(mnemonic)) return name + (operands[0]?.kind === 'memory' ? size : '');
  if (unsuffixed.test(mnemonic)) return name;
  if (mnemonic === 'crc32' || (/^v?cvtsi2s[sd]$/.test(mnemonic) && encoding.code === 64)) {
    const from = operands.at(-1);
    return name + (from?.kind === 'memory' ? suffixes.get(from.size) : '');
  }
  if (row.opcode >> 3 === 0x1b && row.map === 0) return floatingName(name, operands, encoding);
  // The result is an XMM register for either source, so the suffix tells the source.
  if (/^vcvtt?pd2(ps|dq)$/.test(mnemonic))
    return name + (operands[1]?.kind === 'memory' ? (encoding.wide ? 'y' : 'x') : '');
  const inMemory = operands.find((one) => one.kind === 'memory');
  if (inMemory?.kind !== 'memory') return name;
  // A count or a port in a register does not determine the size in memory.
  const telling = row.operands.includes('CL') ? operands.slice(0, -1) : operands;
  const told = telling.some((one) => one.kind === 'register') && row.meaning.kind !== 'repeat';
  const implied = /^(stos|lods|scas)$/.test(mnemonic);
  return told || implied ? name : name + (suffixes.get(inMemory.size) ?? '');
}

/** `add $0x1,%eax`. */
export function attText(
  mnemonic: string,
  operands: readonly Operand[],
  names: Names,
  encoding: Encoding,
): string {
  const name = mnemonicOf(mnemonic, operands, encoding);
  if (operands.length === 0) return name;
  // ENTER and BOUND have the manual's order in this syntax as well.
  const isPort = /^(in|out)s?$/.test(mnemonic);
  const written = operands.filter((one) => one.kind !== 'immediate' || one.size !== 0);
  const ordered = /^(enter|bound)/.test(mnemonic) ? written : written.toReversed();
  const indirect = /^l?(call|jmp)/.test(name) && !['target', 'far'].includes(operands[0]!.kind) ? '*' : '';
  return `${name} ${indirect}${ordered.map((one) => operand(one, names, isPort)).join(',')}`;
}
