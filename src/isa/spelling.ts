/**
 * How an instruction is written: where that is not the table's name and operands, which are what the software CPU needs.
 *
 * A line: the table's name, the mnemonic, its operands. In mnemonics `cc` is the condition, `a/b/c` are those of 16, 32
 * and 64 bits, `@a/b/c` the same by the size of addresses, `+` adds w, d or q where the size is not the default and no
 * operand shows it, `~` adds d or q in 64-bit code. Operands are the table's (one-byte.ts), and: `Op` the segment register of the opcode; `Mp` memory
 * that holds a far pointer, `Ma` a pair of bounds, `Ms` a descriptor table's register; `P` a far pointer; `X` and `Y`
 * memory at (E)SI and ES:(E)DI; `Xl` the table of XLAT; `Rr` a register as wide as the mode's; `C`, `D` control and
 * debug registers; `V0` XMM0; `Mc` what CMPXCHG8B compares; `a|b` is `a` for a register and `b` for memory.
 *
 * @module
 */
import type { Encoding } from './decode.js';
import { immediateKind } from './notation.js';
import type { Opcode } from './table/index.js';

const lines = `
imul1 imul
imul2 imul
imul3 imul
bti bt
btsi bts
btri btr
btci btc
cmov cmovcc
cbw cbw/cwde/cdqe -
cwd cwd/cdq/cqo -
xlat xlat Xl
les les Gv,Mp
lds lds Gv,Mp
lss lss Gv,Mp
lfs lfs Gv,Mp
lgs lgs Gv,Mp
bound bound Gv,Ma
cmpxchg8b cmpxchg8b/cmpxchg8b/cmpxchg16b Mc
push push+
popmem pop
pusha pusha+ -
popa popa+ -
pushf pushf+ -
popf popf+ -
pushsegment push+ Op
popsegment pop+ Op
enter enter+ Iw,Level
leave leave+ -
movsxd movsxd Gv,Ez
movfromsegment mov Ev|Mw,Sw
movtosegment mov Sw,Ev|Mw
jcc jcc
jmp jmp+
call call+
callind call Ev
jmpind jmp Ev
callfar call P
jmpfar jmp P
callfarind call Mp
jmpfarind jmp Mp
ret ret+
retfar retf+
iret iret+ -
intn int
jcxz @jcxz/jecxz/jrcxz
wait fwait
ins ins Y,DX
outs outs DX,X
movs movs Y,X
cmps cmps X,Y
stos stos Y,A
lods lods A,X
scas scas A,Y
inimm in
outimm out Ib,A
indx in Ai,DX
outdx out DX,Ai
rdfsbase rdfsbase Ev
rdgsbase rdgsbase Ev
wrfsbase wrfsbase Ev
wrgsbase wrgsbase Ev
sldt sldt Ev|Mw
str str Ev|Mw
smsw smsw Ev|Mw
lar lar Gv,Ev|Mw
lsl lsl Gv,Ev|Mw
sgdt sgdt Ms
sidt sidt Ms
lgdt lgdt Ms
lidt lidt Ms
invlpg invlpg Mb
movfromcr mov Rr,C
movtocr mov C,Rr
movfromdr mov Rr,D
movtodr mov D,Rr
fldenv fldenv+ Mn
fnstenv fnstenv+ Mn
fnsave fnsave+ Mn
frstor frstor+ Mn
fnstsw fnstsw Aw|Mw
movd movd/movd/movq
pextrd pextrd/pextrd/pextrq
pinsrd pinsrd/pinsrd/pinsrq
fxsave fxsave/fxsave/fxsave64
fxrstor fxrstor/fxrstor/fxrstor64
xsave xsave/xsave/xsave64
xrstor xrstor/xrstor/xrstor64
pcmpestrm pcmpestrm/pcmpestrm/pcmpestrmq
pcmpestri pcmpestri/pcmpestri/pcmpestriq
lddqu lddqu Vx,M
pblendvb pblendvb Vx,Wx,V0
blendvps blendvps Vx,Wx,V0
blendvpd blendvpd Vx,Wx,V0
sysret sysret~
sysexit sysexit~
`;

interface Spelling {
  mnemonic: string;
  operands: readonly string[] | undefined;
}

function parse(line: string): [string, Spelling] {
  const [name = '', mnemonic = name, operands] = line.split(' ');
  return [name, { mnemonic, operands: operands === '-' ? [] : operands?.split(',') }];
}

let parsed: ReadonlyMap<string, Spelling> | undefined;

function spellings(): ReadonlyMap<string, Spelling> {
  parsed ??= new Map(lines.trim().split('\n').map(parse));
  return parsed;
}

/** SDM 1 appendix B. */
const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const sizes = [16, 32, 64];
const suffixes = ['w', 'd', 'q'];

/** Instructions that take 64 bits in 64-bit code without a prefix have that for their default. */
export function defaultSize({ row, code }: Encoding): number {
  if (code !== 64) return code;
  return row.default64 || row.force64 ? 64 : 32;
}

/** XCHG of the accumulator with itself (SDM 2B NOP). */
function isNop({ row, opcode, rex, operandPrefix }: Encoding): boolean {
  return row.name === 'xchg' && opcode === 0x90 && (rex & 1) === 0 && !operandPrefix;
}

/** The one instruction with an address or an immediate of 64 bits: binutils give it a name of its own. */
function isFull({ row, operandSize, addressSize }: Encoding): boolean {
  const kind = immediateKind(row);
  return (kind === 'offset' && addressSize === 64) || (kind === 'v' && operandSize === 64);
}

/** The predicates of CMPPS that have a name (SDM 2A table 3-1). */
const predicates = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];

/** The name of a comparison's predicate, or undefined. */
function predicateOf({ row, immediate }: Encoding): string | undefined {
  return /^cmp[ps][sd]$/.test(row.name) ? predicates[Number(immediate)] : undefined;
}

/** The mnemonic. */
export function mnemonicOf(encoding: Encoding): string {
  const { row, code, opcode, operandSize, addressSize } = encoding;
  if (isNop(encoding)) return 'nop';
  if (isFull(encoding)) return 'movabs';
  const predicate = predicateOf(encoding);
  if (predicate !== undefined) return `cmp${predicate}${row.name.slice(3)}`;
  let text = spellings().get(row.name)?.mnemonic ?? row.name;
  if (text.endsWith('cc')) text = text.slice(0, -2) + conditions[opcode & 15]!;
  if (text.startsWith('@')) return text.slice(1).split('/')[sizes.indexOf(addressSize)]!;
  if (text.includes('/')) return text.split('/')[sizes.indexOf(operandSize)]!;
  if (text.endsWith('~')) return text.slice(0, -1) + (code !== 64 ? '' : operandSize === 64 ? 'q' : 'd');
  if (!text.endsWith('+')) return text;
  const plain = text.slice(0, -1);
  const shown = (row.name === 'push' && !row.operands[0]!.includes('I')) || row.operands[0] === 'Jb';
  return shown || operandSize === defaultSize(encoding)
    ? plain
    : plain + suffixes[sizes.indexOf(operandSize)];
}

/** The operands' notation, in the order of the manual. */
export function notationOf(encoding: Encoding): readonly string[] {
  if (isNop(encoding)) return [];
  const { row, memory } = encoding;
  const all = spellings().get(row.name)?.operands ?? row.operands;
  const operands = predicateOf(encoding) === undefined ? all : all.slice(0, 2);
  return operands
    .filter((operand) => !/^-.?$/.test(operand))
    .map((operand) => {
      const [register = '', inMemory = register] = operand.split('|');
      return memory === undefined ? register : inMemory;
    });
}

/** True if the instruction repeats with F2 and F3, and how that is called. */
export function repeatWord({ row, repeat }: Encoding): string {
  if (repeat === 0 || row.meaning.kind !== 'repeat') return '';
  if (repeat === 0xf2) return 'repnz';
  return row.name === 'cmps' || row.name === 'scas' ? 'repz' : 'rep';
}

/** LOOP counts in a register as wide as addresses, which nothing else shows. */
export function counterWord({ row, code, addressSize }: Encoding): string {
  return row.name.startsWith('loop') && addressSize !== code ? `addr${addressSize}` : '';
}

/** The size of a row without sized operands: that of `ins -b`, `movs -v`. */
export function stringSize(row: Opcode): string {
  return row.operands[0]?.[1] ?? 'v';
}
