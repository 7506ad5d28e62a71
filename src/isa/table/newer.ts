/**
 * Instructions on general registers that came after the 686: POPCNT, LZCNT, MOVBE, CRC32, ADX, BMI1 and BMI2; hints about caches and the
 * order of memory accesses (SDM 2D appendix A, tables ). All are after 0F, in the notation of one-byte.ts.
 *
 * @module
 */
export const newerRows: readonly string[] = `
f3.b8 popcnt Gv,Ev =countOnes
f3.bc tzcnt Gv,Ev
f3.bd lzcnt Gv,Ev
np.38.f0 movbe Gv,Mv
66.38.f0 movbe Gv,Mv
np.38.f1 movbe Mv,Gv
66.38.f1 movbe Mv,Gv
f2.38.f0 crc32 Gy,Eb
f2.38.f1 crc32 Gy,Ev
66.38.f6 adcx Gy,Ey
f3.38.f6 adox Gy,Ey
vex.38.f2 andn Gy,By,Ey
vex.38.f3/1 blsr By,Ey
vex.38.f3/2 blsmsk By,Ey
vex.38.f3/3 blsi By,Ey
vex.38.f5 bzhi Gy,Ey,By
vex.f3.38.f5 pext Gy,By,Ey
vex.f2.38.f5 pdep Gy,By,Ey
vex.f2.38.f6 mulx Gy,By,Ey
vex.38.f7 bextr Gy,Ey,By
vex.66.38.f7 shlx Gy,Ey,By
vex.f3.38.f7 sarx Gy,Ey,By
vex.f2.38.f7 shrx Gy,Ey,By
vex.f2.3a.f0 rorx Gy,Ey,Ib
np.c3 movnti My,Gy =mov
0d/0 prefetch Mb =nop
0d/1 prefetchw Mb =nop
0d/2 prefetchwt1 Mb =nop
0d nop Ev reg
18/0 prefetchnta Mb =nop
18/1 prefetcht0 Mb =nop
18/2 prefetcht1 Mb =nop
18/3 prefetcht2 Mb =nop
18/4 nop Ev
18/5 nop Ev
18/6 nop Ev
18/7 nop Ev
18 nop Ev reg
19 nop Ev
1a nop Ev
1b nop Ev
1c nop Ev
1d nop Ev
1e nop Ev
np.ae/7 clflush Mb =clflush
66.ae/7 clflushopt Mb =clflush
66.ae/6 clwb Mb =clflush
np.ae/5 lfence - reg =fence
np.ae/6 mfence - reg =fence
np.ae/7 sfence - reg =fence
`
  .trim()
  .split('\n');
