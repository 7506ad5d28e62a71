/**
 * What is done with an instruction's operands, and what becomes of the flags.
 *
 * `kind` says what the function of that name in cpu/ gets and gives:
 * - `modify`: the first operand becomes f(first, others…); `read`: f(first, others…); `write`: the first becomes f(others…)
 * - `swap`: as `modify`, and the second operand becomes what the first was
 * - `give`: f(first), which may fail; `take`: the first becomes f(), which may fail
 * - `whole`: f gets the operation itself and does everything; `end`: so too, and the block ends behind it, because the
 *   mode, the flags or the translation may be others; `branch`: f says where to go on; `transfer`: f sets RIP;
 *   `repeat`: f says whether it is done
 * - `call`: as `whole`, for what is big or rare: f is called through a table and is no part of the interpreter's loop
 * - `vector`: called so too; the first operand becomes f(first, second, immediate) as vectors, or f(second, immediate) as an
 *   integer where it is a general register; `compare`: f(first, second) as vectors, for the flags alone
 *
 * Flags by their letters O S Z A P C: those that are written, and those that the manual leaves undefined, with the place.
 *
 * @module
 */
import { sseMeanings } from './sse.js';
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
  /** Flags that are undefined after it, and where the SDM says so. */
  undefined: string;
  source: string;
}

const lines = `
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
imul1 whole OC SZAP: SDM 2A IMUL
imul2 modify OC SZAP: SDM 2A IMUL
imul3 write OC SZAP: SDM 2A IMUL
div whole - OSZAPC: SDM 2A DIV
idiv whole - OSZAPC: SDM 2A IDIV
daa whole SZAPC O: SDM 2A DAA
das whole SZAPC O: SDM 2A DAS
aaa whole AC OSZP: SDM 2A AAA
aas whole AC OSZP: SDM 2A AAS
aam whole SZP OAC: SDM 2A AAM
aad whole SZP OAC: SDM 2A AAD
bt whole C OSAP: SDM 2A BT
bti whole C OSAP: SDM 2A BT
bts whole C OSAP: SDM 2A BTS
btsi whole C OSAP: SDM 2A BTS
btr whole C OSAP: SDM 2A BTR
btri whole C OSAP: SDM 2A BTR
btc whole C OSAP: SDM 2A BTC
btci whole C OSAP: SDM 2A BTC
bsf whole Z OSAPC: SDM 2A BSF
bsr whole Z OSAPC: SDM 2A BSR
mov write
movzx write
movsx write
movsxd write
lea whole
les whole
lds whole
lss end
lfs whole
lgs whole
xlat whole
cbw whole
cwd whole
bswap modify
xchg swap
xadd swap OSZAPC
cmpxchg whole OSZAPC
cmpxchg8b whole Z
cmov whole
setcc whole
push give
pop take
popmem whole
pusha whole
popa whole
pushsegment whole
popsegment end
enter whole
leave whole
pushf whole
popf end OSZAPC
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
movfromsegment whole
movtosegment end
jmp branch
jcc branch
call branch
callind branch
jmpind branch
ret branch
loop branch
loope branch
loopne branch
jcxz branch
callfar transfer
callfarind transfer
jmpfar transfer
jmpfarind transfer
retfar transfer
int3 transfer
int1 transfer
intn transfer
into transfer
iret transfer OSZAPC
bound whole
hlt end
wait whole
nop whole
pause whole
ud2 whole
ins repeat
outs repeat
movs repeat
cmps repeat OSZAPC
stos repeat
lods repeat
scas repeat OSZAPC
inimm whole
outimm whole
indx whole
outdx whole
arpl whole Z
sldt whole
str whole
lldt whole
ltr whole
verr whole Z
verw whole Z
lar whole Z
lsl whole Z
sgdt whole
sidt whole
lgdt whole
lidt whole
smsw whole
lmsw end
clts whole
invlpg end
invd whole
wbinvd whole
movfromcr whole
movtocr end
movfromdr whole
movtodr end
wrmsr end
rdmsr whole
rdtsc whole
rdpmc whole
rdtscp call
rdpid call
rdfsbase call
rdgsbase call
wrfsbase call
wrgsbase call
clac call
stac call
invpcid end
cpuid call
syscall transfer
sysret transfer
sysenter transfer
sysexit transfer
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
lfence whole
mfence whole
sfence whole
`;

function parse(line: string): [string, Meaning] {
  const [head = '', source = ''] = line.split(/: (.*)/s);
  const [name = '', kind = '', flags = '', unspecified = ''] = head.split(' ');
  return [name, { kind: kind as Kind, flags: flags === '-' ? '' : flags, undefined: unspecified, source }];
}

/** The x87 FPU's mnemonics: FCOMI and its kin alone have flags of RFLAGS to write, and clear three of them. */
const x87Lines = [...x87Names].map(
  (name) => `${name} call${name.includes('comi') && !name.startsWith('fi') ? ' OSZAPC' : ''}`,
);

let parsed: ReadonlyMap<string, Meaning> | undefined;

/** Each mnemonic's meaning. */
export function meanings(): ReadonlyMap<string, Meaning> {
  parsed ??= new Map([...lines.trim().split('\n'), ...x87Lines, ...sseMeanings].map(parse));
  return parsed;
}
