/**
 * The integer opcodes after 0F (SDM 2D appendix A, table A-3; groups: table A-6), in the notation of one-byte.ts.
 *
 * @module
 */
export const twoByteRows: readonly string[] = `
00/0 sldt Ev 286 prot
00/1 str Ev 286 prot
00/2 lldt Ew 286 prot
00/3 ltr Ew 286 prot
00/4 verr Ew 286 prot
00/5 verw Ew 286 prot
01/0 sgdt M 286
01/1 sidt M 286
01/2 lgdt M 286
01/3 lidt M 286
01/4 smsw Ev 286
01/6 lmsw Ew 286
01/7 invlpg M 486
01/7/0 swapgs - only64 686
02 lar Gv,Ew 286 prot
03 lsl Gv,Ew 286 prot
05 syscall - only64
06 clts - 286
07 sysret - only64
08 invd - 486
09 wbinvd - 486
0b ud2 -
1f nop Ev 686
20 movfromcr - 386 modreg
21 movfromdr - 386 modreg
22 movtocr - 386 modreg
23 movtodr - 386 modreg
30 wrmsr - 586
31 rdtsc - 586
32 rdmsr - 586
33 rdpmc - 586
34 sysenter - 686
35 sysexit - 686
40+c cmov Gv,Ev 686
80+c jcc Jz 386 f64
90+c setcc Eb 386
a0 pushsegment -v d64 386
a1 popsegment -v d64 386
a2 cpuid - 586
a3 bt Ev,Gv 386
a4 shld Ev,Gv,Ib 386
a5 shld Ev,Gv,CL 386
a8 pushsegment -v d64 386
a9 popsegment -v d64 386
ab bts Ev,Gv 386 lock
ac shrd Ev,Gv,Ib 386
ad shrd Ev,Gv,CL 386
af imul2 Gv,Ev 386
b0 cmpxchg Eb,Gb 486 lock
b1 cmpxchg Ev,Gv 486 lock
b2 lss Gv,M 386
b3 btr Ev,Gv 386 lock
b4 lfs Gv,M 386
b5 lgs Gv,M 386
b6 movzx Gv,Eb 386
b7 movzx Gv,Ew 386
ba/4 bti Ev,Ib 386
ba/5 btsi Ev,Ib 386 lock
ba/6 btri Ev,Ib 386 lock
ba/7 btci Ev,Ib 386 lock
bb btc Ev,Gv 386 lock
bc bsf Gv,Ev 386
bd bsr Gv,Ev 386
be movsx Gv,Eb 386
bf movsx Gv,Ew 386
c0 xadd Eb,Gb 486 lock
c1 xadd Ev,Gv 486 lock
c7/1 cmpxchg8b M 586 lock
c8+r bswap Zv 486
`
  .trim()
  .split('\n');
