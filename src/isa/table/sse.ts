/**
 * MMX, SSE, SSE2, SSE3, SSSE3, SSE4.1 and SSE4.2 (SDM 2D appendix A, tables ), all after 0F, in the notation of
 * one-byte.ts.
 *
 * Operands: `V` and `P` an XMM and an MMX register by ModRM's reg, `U` and `N` by its rm, `W` and `Q` by its rm or memory.
 * Their sizes: `x` 16 bytes; `q` and `d` 8 and 4, `w` 2, `b` 1. Memory of 16 bytes is aligned, but for rows with
 * `unaligned`; `value` means that the function gives an integer, though no general register is named.
 *
 * @module
 */

/** Mnemonics that both register files have: `np.` for MMX, `66.` for XMM. */
const both = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [place, name] = line.split(' ');
      return [`np.${place} ${name} Pq,Qq =${name}Mmx`, `66.${place} ${name} Vx,Wx`];
    });

/** The same where one function serves both: each element separately. */
const elements = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [place, name] = line.split(' ');
      return [`np.${place} ${name} Pq,Qq`, `66.${place} ${name} Vx,Wx`];
    });

/** Floating-point arithmetic: packed and scalar, single and double. */
const arithmetic = (place: string, name: string) => [
  `np.${place} ${name}ps Vx,Wx`,
  `66.${place} ${name}pd Vx,Wx`,
  `f3.${place} ${name}ss Vx,Wd`,
  `f2.${place} ${name}sd Vx,Wq`,
];

const logic = (place: string, name: string) => [
  `np.${place} ${name}ps Vx,Wx =p${name}`,
  `66.${place} ${name}pd Vx,Wx =p${name}`,
];

const shifts = [
  ['71/2', 'psrlw'],
  ['71/4', 'psraw'],
  ['71/6', 'psllw'],
  ['72/2', 'psrld'],
  ['72/4', 'psrad'],
  ['72/6', 'pslld'],
  ['73/2', 'psrlq'],
  ['73/6', 'psllq'],
].flatMap(([place, name]) => [
  `np.${place} ${name} Nq,Ib =${name}By`,
  `66.${place} ${name} Ux,Ib =${name}By`,
]);

export const sseRows: readonly string[] = [
  ...`
np.10 movups Vx,Wx =move unaligned
66.10 movupd Vx,Wx =move unaligned
f3.10 movss Vx,Md =move
f3.10 movss Vx,Ux =mergeSingle
f2.10 movsd Vx,Mq =move
f2.10 movsd Vx,Ux =mergeDouble
np.11 movups Wx,Vx =move unaligned
66.11 movupd Wx,Vx =move unaligned
f3.11 movss Wd,Vx =mergeSingle
f2.11 movsd Wq,Vx =mergeDouble
np.12 movlps Vx,Mq =mergeDouble
np.12 movhlps Vx,Ux
66.12 movlpd Vx,Mq =mergeDouble
f3.12 movsldup Vx,Wx
f2.12 movddup Vx,Wq
np.13 movlps Mq,Vx =move
66.13 movlpd Mq,Vx =move
np.14 unpcklps Vx,Wx =punpckldq
66.14 unpcklpd Vx,Wx =punpcklqdq
np.15 unpckhps Vx,Wx =punpckhdq
66.15 unpckhpd Vx,Wx =punpckhqdq
np.16 movhps Vx,Mq =punpcklqdq
np.16 movlhps Vx,Ux =punpcklqdq
66.16 movhpd Vx,Mq =punpcklqdq
f3.16 movshdup Vx,Wx
np.17 movhps Mq,Vx =upper
66.17 movhpd Mq,Vx =upper
np.28 movaps Vx,Wx =move
66.28 movapd Vx,Wx =move
np.29 movaps Wx,Vx =move
66.29 movapd Wx,Vx =move
np.2a cvtpi2ps Vx,Qq
66.2a cvtpi2pd Vx,Qq =cvtdq2pd
f3.2a cvtsi2ss Vx,Ey
f2.2a cvtsi2sd Vx,Ey
np.2b movntps Mx,Vx =move
66.2b movntpd Mx,Vx =move
np.2c cvttps2pi Pq,Wq
66.2c cvttpd2pi Pq,Wx =cvttpd2dq
f3.2c cvttss2si Gy,Wd
f2.2c cvttsd2si Gy,Wq
np.2d cvtps2pi Pq,Wq
66.2d cvtpd2pi Pq,Wx =cvtpd2dq
f3.2d cvtss2si Gy,Wd
f2.2d cvtsd2si Gy,Wq
np.2e ucomiss Vx,Wd
66.2e ucomisd Vx,Wq
np.2f comiss Vx,Wd
66.2f comisd Vx,Wq
np.50 movmskps Gy,Ux
66.50 movmskpd Gy,Ux
np.52 rsqrtps Vx,Wx
f3.52 rsqrtss Vx,Wd
np.53 rcpps Vx,Wx
f3.53 rcpss Vx,Wd
np.5a cvtps2pd Vx,Wq
66.5a cvtpd2ps Vx,Wx
f3.5a cvtss2sd Vx,Wd
f2.5a cvtsd2ss Vx,Wq
np.5b cvtdq2ps Vx,Wx
66.5b cvtps2dq Vx,Wx
f3.5b cvttps2dq Vx,Wx
np.60 punpcklbw Pq,Qd
66.60 punpcklbw Vx,Wx
np.61 punpcklwd Pq,Qd
66.61 punpcklwd Vx,Wx
np.62 punpckldq Pq,Qd
66.62 punpckldq Vx,Wx
66.6c punpcklqdq Vx,Wx
66.6d punpckhqdq Vx,Wx
np.6e movd Py,Ey =move
66.6e movd Vy,Ey =move
np.6f movq Pq,Qq =move
66.6f movdqa Vx,Wx =move
f3.6f movdqu Vx,Wx =move unaligned
np.70 pshufw Pq,Qq,Ib =pshuflw
66.70 pshufd Vx,Wx,Ib
f3.70 pshufhw Vx,Wx,Ib
f2.70 pshuflw Vx,Wx,Ib
66.73/3 psrldq Ux,Ib
66.73/7 pslldq Ux,Ib
np.77 emms -
66.7c haddpd Vx,Wx
f2.7c haddps Vx,Wx
66.7d hsubpd Vx,Wx
f2.7d hsubps Vx,Wx
np.7e movd Ey,Py =lowBits
66.7e movd Ey,Vy =lowBits
f3.7e movq Vx,Wq =moveLow
np.7f movq Qq,Pq =move
66.7f movdqa Wx,Vx =move
f3.7f movdqu Wx,Vx =move unaligned
np.c2 cmpps Vx,Wx,Ib
66.c2 cmppd Vx,Wx,Ib
f3.c2 cmpss Vx,Wd,Ib
f2.c2 cmpsd Vx,Wq,Ib
np.c4 pinsrw Pq,Rd,Ib =pinsrwMmx
np.c4 pinsrw Pq,Mw,Ib =pinsrwMmx
66.c4 pinsrw Vx,Rd,Ib
66.c4 pinsrw Vx,Mw,Ib
np.c5 pextrw Gd,Nq,Ib =pextrwMmx
66.c5 pextrw Gd,Ux,Ib
np.c6 shufps Vx,Wx,Ib
66.c6 shufpd Vx,Wx,Ib
66.d0 addsubpd Vx,Wx
f2.d0 addsubps Vx,Wx
66.d6 movq Wq,Vx =moveLow
f3.d6 movq2dq Vx,Nq =moveLow
f2.d6 movdq2q Pq,Ux =move
np.d7 pmovmskb Gy,Nq =pmovmskbMmx
66.d7 pmovmskb Gy,Ux
66.e6 cvttpd2dq Vx,Wx
f2.e6 cvtpd2dq Vx,Wx
f3.e6 cvtdq2pd Vx,Wq
np.e7 movntq Mq,Pq =move
66.e7 movntdq Mx,Vx =move
f2.f0 lddqu Vx,Mx =move unaligned
np.f7 maskmovq Pq,Nq
66.f7 maskmovdqu Vx,Ux
66.38.10 pblendvb Vx,Wx
66.38.14 blendvps Vx,Wx
66.38.15 blendvpd Vx,Wx
66.38.17 ptest Vx,Wx
66.38.20 pmovsxbw Vx,Wq
66.38.21 pmovsxbd Vx,Wd
66.38.22 pmovsxbq Vx,Ww
66.38.23 pmovsxwd Vx,Wq
66.38.24 pmovsxwq Vx,Wd
66.38.25 pmovsxdq Vx,Wq
66.38.28 pmuldq Vx,Wx
66.38.29 pcmpeqq Vx,Wx
66.38.2a movntdqa Vx,Mx =move
66.38.2b packusdw Vx,Wx
66.38.30 pmovzxbw Vx,Wq
66.38.31 pmovzxbd Vx,Wd
66.38.32 pmovzxbq Vx,Ww
66.38.33 pmovzxwd Vx,Wq
66.38.34 pmovzxwq Vx,Wd
66.38.35 pmovzxdq Vx,Wq
66.38.37 pcmpgtq Vx,Wx
66.38.38 pminsb Vx,Wx
66.38.39 pminsd Vx,Wx
66.38.3a pminuw Vx,Wx
66.38.3b pminud Vx,Wx
66.38.3c pmaxsb Vx,Wx
66.38.3d pmaxsd Vx,Wx
66.38.3e pmaxuw Vx,Wx
66.38.3f pmaxud Vx,Wx
66.38.40 pmulld Vx,Wx
66.38.41 phminposuw Vx,Wx
66.3a.08 roundps Vx,Wx,Ib
66.3a.09 roundpd Vx,Wx,Ib
66.3a.0a roundss Vx,Wd,Ib
66.3a.0b roundsd Vx,Wq,Ib
66.3a.0c blendps Vx,Wx,Ib
66.3a.0d blendpd Vx,Wx,Ib
66.3a.0e pblendw Vx,Wx,Ib
np.3a.0f palignr Pq,Qq,Ib =palignrMmx
66.3a.0f palignr Vx,Wx,Ib
66.3a.14 pextrb Rd,Vx,Ib
66.3a.14 pextrb Mb,Vx,Ib value
66.3a.15 pextrw Rd,Vx,Ib
66.3a.15 pextrw Mw,Vx,Ib value
66.3a.16 pextrd Ey,Vx,Ib
66.3a.17 extractps Rd,Vx,Ib =pextrd<i32>
66.3a.17 extractps Md,Vx,Ib =pextrd<i32> value
66.3a.20 pinsrb Vx,Rd,Ib
66.3a.20 pinsrb Vx,Mb,Ib
66.3a.21 insertps Vx,Ux,Ib
66.3a.21 insertps Vx,Md,Ib =insertpsFromMemory
66.3a.22 pinsrd Vx,Ey,Ib
66.3a.40 dpps Vx,Wx,Ib
66.3a.41 dppd Vx,Wx,Ib
66.3a.42 mpsadbw Vx,Wx,Ib
66.3a.60 pcmpestrm Vx,Wx,Ib unaligned
66.3a.61 pcmpestri Vx,Wx,Ib unaligned
66.3a.62 pcmpistrm Vx,Wx,Ib unaligned
66.3a.63 pcmpistri Vx,Wx,Ib unaligned
np.ae/0 fxsave M
np.ae/1 fxrstor M
np.ae/2 ldmxcsr Md =ldmxcsr
np.ae/3 stmxcsr Md =stmxcsr
np.ae/4 xsave M
np.ae/5 xrstor M
np.01/2/0 xgetbv -
np.01/2/1 xsetbv -
`
    .trim()
    .split('\n'),
  ...arithmetic('51', 'sqrt'),
  ...logic('54', 'and'),
  ...logic('55', 'andn'),
  ...logic('56', 'or'),
  ...logic('57', 'xor'),
  ...arithmetic('58', 'add'),
  ...arithmetic('59', 'mul'),
  ...arithmetic('5c', 'sub'),
  ...arithmetic('5d', 'min'),
  ...arithmetic('5e', 'div'),
  ...arithmetic('5f', 'max'),
  ...shifts,
  ...both(`
63 packsswb
67 packuswb
68 punpckhbw
69 punpckhwd
6a punpckhdq
6b packssdw
38.00 pshufb
38.01 phaddw
38.02 phaddd
38.03 phaddsw
38.05 phsubw
38.06 phsubd
38.07 phsubsw`),
  ...elements(`
64 pcmpgtb
65 pcmpgtw
66 pcmpgtd
74 pcmpeqb
75 pcmpeqw
76 pcmpeqd
d1 psrlw
d2 psrld
d3 psrlq
d4 paddq
d5 pmullw
d8 psubusb
d9 psubusw
da pminub
db pand
dc paddusb
dd paddusw
de pmaxub
df pandn
e0 pavgb
e1 psraw
e2 psrad
e3 pavgw
e4 pmulhuw
e5 pmulhw
e8 psubsb
e9 psubsw
ea pminsw
eb por
ec paddsb
ed paddsw
ee pmaxsw
ef pxor
f1 psllw
f2 pslld
f3 psllq
f4 pmuludq
f5 pmaddwd
f6 psadbw
f8 psubb
f9 psubw
fa psubd
fb psubq
fc paddb
fd paddw
fe paddd
38.04 pmaddubsw
38.08 psignb
38.09 psignw
38.0a psignd
38.0b pmulhrsw
38.1c pabsb
38.1d pabsw
38.1e pabsd`),
];

/** The mnemonics of these rows. */
export function vectorNames(): string[] {
  return [...new Set(sseRows.map((row) => row.split(' ')[1] ?? ''))];
}
