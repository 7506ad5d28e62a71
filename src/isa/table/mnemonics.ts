/**
 * The instructions by mnemonic: a record has an instruction's effect on its operands and flags, and its spelling. To add an instruction,
 * add its record here, its row to one of the tables, and its function to the software CPU.
 *
 * A record: `name kind flags undefined = mnemonic operands: source`. All but the name and the kind may be missing.
 *
 * `kind` is the signature of the software CPU's function of that name:
 * - `modify`: the first operand becomes f(first, others…); `read`: f(first, others…); `write`: the first becomes f(others…)
 * - `swap`: as `modify`, and the second operand becomes the old first one
 * - `give`: f(first), which may fail; `take`: the first becomes f(), which may fail
 * - `whole`: f gets the operation itself and does everything; `end`: the same, and the block ends after it, because the mode, the flags or
 *   the translation may have changed; `branch`: f returns whether to branch; `transfer`: f sets RIP; `repeat`: f returns whether it is done
 * - `call`: as `whole`, for large or rare functions
 * - `vector`: the first operand becomes f(first, second, immediate) as vectors, or f(second, immediate) as an integer where
 *   it is a general register; `compare`: f(first, second) as vectors, only for the flags
 *
 * Flags are letters of O S Z A P C: those that the instruction writes (`-` for none), then those that the manual leaves
 * undefined, with the manual's page as the source.
 *
 * The spelling is given where it differs from the record's name and the row's operands, which are those that the software CPU needs. In
 * a mnemonic `cc` is the condition; `a/b/c` are the mnemonics of 16, 32 and 64 bits, `@a/b/c` the same by the size of
 * addresses; `+` adds w, d or q where the size is not the default and no operand shows it; `~` adds d or q in 64-bit code.
 * Operands are a row's (one-byte.ts), and: `-` none; `Op` the segment register of the opcode; `Mp` memory that holds a far
 * pointer, `Ma` a pair of bounds, `Ms` a descriptor table's register; `P` a far pointer; `X` and `Y` memory at (E)SI and
 * ES:(E)DI; `Xl` the table of XLAT; `Rr` a register as wide as the mode's; `C`, `D` control and debug registers; `V0` XMM0;
 * `Mc` the operand of CMPXCHG8B; `a|b` is `a` for a register and `b` for memory.
 *
 * @module
 */
import { vectorNames } from './sse.js';
import { x87Names } from './x87.js';

export type Kind =
  | 'modify'
  | 'read'
  | 'write'
  | 'swap'
  | 'give'
  | 'take'
  | 'whole'
  | 'call'
  | 'vector'
  | 'compare'
  | 'end'
  | 'branch'
  | 'transfer'
  | 'repeat';

export interface Meaning {
  kind: Kind;
  /** Flags that the instruction defines. */
  flags: string;
  /** Flags that are undefined after it, and the SDM's page. */
  undefined: string;
  source: string;
}

/** The spelling of an instruction: see the notation above. */
export interface Spelling {
  mnemonic: string;
  /** Undefined where they are the row's. */
  operands: readonly string[] | undefined;
}

/** The properties of all rows of a mnemonic. */
export interface InstructionRecord {
  readonly name: string;
  readonly meaning: Meaning;
  readonly spelling: Spelling;
}

const written = `
add modify OSZAPC
or modify OSZPC A: SDM 2B OR
adc modify OSZAPC
sbb modify OSZAPC
and modify OSZPC A: SDM 2A AND
sub modify OSZAPC
xor modify OSZPC A: SDM 2D XOR
cmp read OSZAPC
test read OSZPC A: SDM 2B TEST
inc modify OSZAP
dec modify OSZAP
neg modify OSZAPC
not modify
rol modify OC O: SDM 2B RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates only
ror modify OC O: SDM 2B RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates only
rcl modify OC O: SDM 2B RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates only
rcr modify OC O: SDM 2B RCL/RCR/ROL/ROR: OF is defined for 1-bit rotates only
shl modify OSZPC OAC: SDM 2B SAL/SAR/SHL/SHR: AF; OF but for 1-bit shifts; CF where the count exceeds the size
shr modify OSZPC OAC: SDM 2B SAL/SAR/SHL/SHR: AF; OF but for 1-bit shifts; CF where the count exceeds the size
sar modify OSZPC OA: SDM 2B SAL/SAR/SHL/SHR: AF; OF but for 1-bit shifts
shld modify OSZPC OA: SDM 2B SHLD
shrd modify OSZPC OA: SDM 2B SHRD
mul whole OC SZAP: SDM 2B MUL
imul1 whole OC SZAP = imul: SDM 2A IMUL
imul2 modify OC SZAP = imul: SDM 2A IMUL
imul3 write OC SZAP = imul: SDM 2A IMUL
div whole - OSZAPC: SDM 2A DIV
idiv whole - OSZAPC: SDM 2A IDIV
daa whole SZAPC O: SDM 2A DAA
das whole SZAPC O: SDM 2A DAS
aaa whole AC OSZP: SDM 2A AAA
aas whole AC OSZP: SDM 2A AAS
aam whole SZP OAC: SDM 2A AAM
aad whole SZP OAC: SDM 2A AAD
bt whole C OSAP: SDM 2A BT
bti whole C OSAP = bt: SDM 2A BT
bts whole C OSAP: SDM 2A BTS
btsi whole C OSAP = bts: SDM 2A BTS
btr whole C OSAP: SDM 2A BTR
btri whole C OSAP = btr: SDM 2A BTR
btc whole C OSAP: SDM 2A BTC
btci whole C OSAP = btc: SDM 2A BTC
bsf whole Z OSAPC: SDM 2A BSF
bsr whole Z OSAPC: SDM 2A BSR
mov write
movzx write
movsx write
movsxd write = movsxd Gv,Ez
lea whole
les whole = les Gv,Mp
lds whole = lds Gv,Mp
lss end = lss Gv,Mp
lfs whole = lfs Gv,Mp
lgs whole = lgs Gv,Mp
xlat whole = xlat Xl
cbw whole = cbw/cwde/cdqe -
cwd whole = cwd/cdq/cqo -
bswap modify
xchg swap
xadd swap OSZAPC
cmpxchg whole OSZAPC
cmpxchg8b whole Z = cmpxchg8b/cmpxchg8b/cmpxchg16b Mc
cmov whole = cmovcc
setcc whole
push give = push+
pop take
popmem whole = pop
pusha whole = pusha+ -
popa whole = popa+ -
pushsegment whole = push+ Op
popsegment end = pop+ Op
enter whole = enter+ Iw,Level
leave whole = leave+ -
pushf whole = pushf+ -
popf end OSZAPC = popf+ -
sahf whole SZAPC
lahf whole
clc whole C
stc whole C
cmc whole C
cld whole
std whole
cli end
sti end
salc whole
movfromsegment whole = mov Ev|Mw,Sw
movtosegment end = mov Sw,Ev|Mw
jmp branch = jmp+
jcc branch = jcc
call branch = call+
callind branch = call Ev
jmpind branch = jmp Ev
ret branch = ret+
loop branch
loope branch
loopne branch
jcxz branch = @jcxz/jecxz/jrcxz
callfar transfer = call P
callfarind transfer = call Mp
jmpfar transfer = jmp P
jmpfarind transfer = jmp Mp
retfar transfer = retf+
int3 transfer
int1 transfer
intn transfer = int
into transfer
iret transfer OSZAPC = iret+ -
bound whole = bound Gv,Ma
hlt end
wait whole = fwait
nop whole
pause whole
ud2 whole
ins repeat = ins Y,DX
outs repeat = outs DX,X
movs repeat = movs Y,X
cmps repeat OSZAPC = cmps X,Y
stos repeat = stos Y,A
lods repeat = lods A,X
scas repeat OSZAPC = scas A,Y
inimm whole = in
outimm whole = out Ib,A
indx whole = in Ai,DX
outdx whole = out DX,Ai
arpl whole Z
sldt whole = sldt Ev|Mw
str whole = str Ev|Mw
lldt whole
ltr whole
verr whole Z
verw whole Z
lar whole Z = lar Gv,Ev|Mw
lsl whole Z = lsl Gv,Ev|Mw
sgdt whole = sgdt Ms
sidt whole = sidt Ms
lgdt whole = lgdt Ms
lidt whole = lidt Ms
smsw whole = smsw Ev|Mw
lmsw end
clts whole
invlpg end = invlpg Mb
invd whole
wbinvd whole
movfromcr whole = mov Rr,C
movtocr end = mov C,Rr
movfromdr whole = mov Rr,D
movtodr end = mov D,Rr
wrmsr end
rdmsr whole
rdtsc whole
rdpmc whole
rdtscp call
rdpid call
rdfsbase call = rdfsbase Ev
rdgsbase call = rdgsbase Ev
wrfsbase call = wrfsbase Ev
wrgsbase call = wrgsbase Ev
clac call
stac call
invpcid end
cpuid call
syscall transfer
sysret transfer = sysret~
sysenter transfer
sysexit transfer = sysexit~
swapgs whole
popcnt write OSZAPC
tzcnt write ZC OSAP: SDM 2D TZCNT
lzcnt write ZC OSAP: SDM 2A LZCNT
movbe write
crc32 modify
adcx modify C
adox modify O
andn write OSZC AP: SDM 2A ANDN
blsr write OSZC AP: SDM 2A BLSR
blsmsk write OSZC AP: SDM 2A BLSMSK
blsi write OSZC AP: SDM 2A BLSI
bzhi write OSZC AP: SDM 2A BZHI
bextr write OZC ASP: SDM 2A BEXTR
pdep write
pext write
mulx call
shlx write
sarx write
shrx write
rorx write
movnti write
prefetch whole
prefetchw whole
prefetchwt1 whole
prefetchnta whole
prefetcht0 whole
prefetcht1 whole
prefetcht2 whole
clflush call
clflushopt call
clwb call
lfence whole
mfence whole
sfence whole
fldenv call = fldenv+ Mn
fnstenv call = fnstenv+ Mn
fnsave call = fnsave+ Mn
frstor call = frstor+ Mn
fnstsw call = fnstsw Aw|Mw
movd vector = movd/movd/movq
pextrd vector = pextrd/pextrd/pextrq
pinsrd vector = pinsrd/pinsrd/pinsrq
fxsave call = fxsave/fxsave/fxsave64
fxrstor call = fxrstor/fxrstor/fxrstor64
xsave call = xsave/xsave/xsave64
xrstor call = xrstor/xrstor/xrstor64
pcmpestrm call OSZAPC = pcmpestrm/pcmpestrm/pcmpestrmq
pcmpestri call OSZAPC = pcmpestri/pcmpestri/pcmpestriq
pcmpistrm call OSZAPC
pcmpistri call OSZAPC
lddqu vector = lddqu Vx,M
pblendvb vector = pblendvb Vx,Wx,V0
blendvps vector = blendvps Vx,Wx,V0
blendvpd vector = blendvpd Vx,Wx,V0
`;

/** Vector instructions whose only result is flags, and those that do everything themselves. */
const compares = /^(u?comis[sd]|ptest)$/;
const calls = /^(emms|maskmov|xgetbv|xsetbv|ldmxcsr|stmxcsr)/;

function vectorRecord(name: string): string {
  if (compares.test(name)) return `${name} compare OSZAPC`;
  return `${name} ${calls.test(name) ? 'call' : 'vector'}`;
}

/** Of the x87 instructions only FCOMI and similar ones write flags of RFLAGS, and clear three of them. */
function x87Record(name: string): string {
  return `${name} call${name.includes('comi') && !name.startsWith('fi') ? ' OSZAPC' : ''}`;
}

/** All records as text, the last of a name counts: most of the vector and x87 instructions are alike. */
export function recordLines(): readonly string[] {
  return [...vectorNames().map(vectorRecord), ...x87Names().map(x87Record), ...written.trim().split('\n')];
}

/** @throws Error where a line is no record */
export function parseRecord(line: string): InstructionRecord {
  const [, head = '', spelled = '', source = ''] = /^([^=:]+?)(?: = ([^:]+?))?(?:: (.*))?$/.exec(line) ?? [];
  const [name = '', kind = '', flags = '', unspecified = '', ...rest] = head.split(' ');
  if (name === '' || kind === '' || rest.length > 0) {
    throw new Error(
      `instruction records: '${line}' is not 'name kind flags undefined = mnemonic operands: source'`,
    );
  }
  const [mnemonic = '', operands] = spelled.split(' ');
  return {
    name,
    meaning: { kind: kind as Kind, flags: flags === '-' ? '' : flags, undefined: unspecified, source },
    spelling: {
      mnemonic: mnemonic === '' ? name : mnemonic,
      operands: operands === '-' ? [] : operands?.split(','),
    },
  };
}
