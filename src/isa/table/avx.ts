/**
 * AVX, AVX2, FMA, F16C and other instructions with a VEX encoding (SDM 2D appendix A, tables A-3 to A-6): the software CPU does not have
 * them, but can name them. In the notation of one-byte.ts; in addition to sse.ts's operands:
 *
 * `H` is the vector register of VEX.vvvv, `K` that of an immediate's upper half. Sizes by VEX.L: `x` 16 or 32 bytes, `h`, `e` and `g` a
 * half, a quarter and an eighth of that; `o` is always 16. A register is a YMM register where its size is `x` and VEX.L is set. VEX.L
 * is 0, but 1 in rows with `l1` and either in those with `lx`; `w0` and `w1` say what VEX.W has to be. `f` is 4 bytes, or 8 where it is set.
 *
 * @module
 */

/** `place name, place name`, with the same operands and attributes. */
const alike = (operands: string, list: string) =>
  list
    .trim()
    .split(/[,\n]+/)
    .map((line) => {
      const [place, name] = line.trim().split(' ');
      return `vex.${place} ${name} ${operands}`;
    });

/** A mnemonic for VEX.W 0 and one for 1, by their last letters. */
const byW = (stem: string, [narrow, wide]: string) => `${stem}${narrow}/${stem}${narrow}/${stem}${wide}`;

/** Packed single and double; with scalars four forms. */
const packed = (place: string, name: string, operands: string) => [
  `vex.np.${place} v${name}ps ${operands}`,
  `vex.66.${place} v${name}pd ${operands}`,
];
const scalar = (place: string, name: string, more = '') => [
  `vex.f3.${place} v${name}ss Vo,Ho,Wd${more} lx`,
  `vex.f2.${place} v${name}sd Vo,Ho,Wq${more} lx`,
];

/** FMA: three orders of the operands, each with its row of opcodes. */
const fused = (['132', '213', '231'] as const).flatMap((order, n) => {
  const place = (low: number) => (0x90 + n * 0x10 + low).toString(16);
  const operations = ['madd', 'msub', 'nmadd', 'nmsub'];
  return [
    `vex.66.38.${place(6)} ${byW(`vfmaddsub${order}p`, 'sd')} Vx,Hx,Wx lx`,
    `vex.66.38.${place(7)} ${byW(`vfmsubadd${order}p`, 'sd')} Vx,Hx,Wx lx`,
    ...operations.flatMap((name, i) => [
      `vex.66.38.${place(8 + 2 * i)} ${byW(`vf${name}${order}p`, 'sd')} Vx,Hx,Wx lx`,
      `vex.66.38.${place(9 + 2 * i)} ${byW(`vf${name}${order}s`, 'sd')} Vo,Ho,Wf lx`,
    ]),
  ];
});

export const fmaRows: readonly string[] = fused;

export const f16cRows: readonly string[] = [
  'vex.66.38.13 vcvtph2ps Vx,Wh lx w0',
  'vex.66.3a.1d vcvtps2ph Wh,Vx,Ib lx w0',
];

/** AVX has their forms on XMM registers, AVX2 those on YMM registers. */
export const avxIntegerRows: readonly string[] = [
  ...alike(
    'Vx,Hx,Wx lx',
    `66.60 vpunpcklbw, 66.61 vpunpcklwd, 66.62 vpunpckldq, 66.63 vpacksswb, 66.64 vpcmpgtb, 66.65 vpcmpgtw, 66.66 vpcmpgtd
    66.67 vpackuswb, 66.68 vpunpckhbw, 66.69 vpunpckhwd, 66.6a vpunpckhdq, 66.6b vpackssdw, 66.6c vpunpcklqdq, 66.6d vpunpckhqdq
    66.74 vpcmpeqb, 66.75 vpcmpeqw, 66.76 vpcmpeqd, 66.d4 vpaddq, 66.d5 vpmullw, 66.d8 vpsubusb, 66.d9 vpsubusw, 66.da vpminub
    66.db vpand, 66.dc vpaddusb, 66.dd vpaddusw, 66.de vpmaxub, 66.df vpandn, 66.e0 vpavgb, 66.e3 vpavgw, 66.e4 vpmulhuw
    66.e5 vpmulhw, 66.e8 vpsubsb, 66.e9 vpsubsw, 66.ea vpminsw, 66.eb vpor, 66.ec vpaddsb, 66.ed vpaddsw, 66.ee vpmaxsw, 66.ef vpxor
    66.f4 vpmuludq, 66.f5 vpmaddwd, 66.f6 vpsadbw, 66.f8 vpsubb, 66.f9 vpsubw, 66.fa vpsubd, 66.fb vpsubq, 66.fc vpaddb, 66.fd vpaddw
    66.fe vpaddd, 66.38.00 vpshufb, 66.38.01 vphaddw, 66.38.02 vphaddd, 66.38.03 vphaddsw, 66.38.04 vpmaddubsw, 66.38.05 vphsubw
    66.38.06 vphsubd, 66.38.07 vphsubsw, 66.38.08 vpsignb, 66.38.09 vpsignw, 66.38.0a vpsignd, 66.38.0b vpmulhrsw, 66.38.28 vpmuldq
    66.38.29 vpcmpeqq, 66.38.2b vpackusdw, 66.38.37 vpcmpgtq, 66.38.38 vpminsb, 66.38.39 vpminsd, 66.38.3a vpminuw, 66.38.3b vpminud
    66.38.3c vpmaxsb, 66.38.3d vpmaxsd, 66.38.3e vpmaxuw, 66.38.3f vpmaxud, 66.38.40 vpmulld`,
  ),
  ...alike('Vx,Hx,Wx,Ib lx', '66.3a.0e vpblendw, 66.3a.0f vpalignr, 66.3a.42 vmpsadbw'),
  ...alike('Vx,Hx,Wx,Kx lx w0', '66.3a.4c vpblendvb'),
  ...alike(
    'Vx,Hx,Wo lx',
    '66.d1 vpsrlw, 66.d2 vpsrld, 66.d3 vpsrlq, 66.e1 vpsraw, 66.e2 vpsrad, 66.f1 vpsllw, 66.f2 vpslld, 66.f3 vpsllq',
  ),
  ...alike('Vx,Wx lx', '66.38.1c vpabsb, 66.38.1d vpabsw, 66.38.1e vpabsd'),
  ...alike('Vx,Wx,Ib lx', '66.70 vpshufd, f3.70 vpshufhw, f2.70 vpshuflw'),
  ...alike(
    'Hx,Ux,Ib lx',
    `66.71/2 vpsrlw, 66.71/4 vpsraw, 66.71/6 vpsllw, 66.72/2 vpsrld, 66.72/4 vpsrad, 66.72/6 vpslld
    66.73/2 vpsrlq, 66.73/3 vpsrldq, 66.73/6 vpsllq, 66.73/7 vpslldq`,
  ),
  ...alike(
    'Vx,Wh lx',
    '66.38.20 vpmovsxbw, 66.38.23 vpmovsxwd, 66.38.25 vpmovsxdq, 66.38.30 vpmovzxbw, 66.38.33 vpmovzxwd, 66.38.35 vpmovzxdq',
  ),
  ...alike('Vx,We lx', '66.38.21 vpmovsxbd, 66.38.24 vpmovsxwq, 66.38.31 vpmovzxbd, 66.38.34 vpmovzxwq'),
  ...alike('Vx,Wg lx', '66.38.22 vpmovsxbq, 66.38.32 vpmovzxbq'),
  'vex.66.d7 vpmovmskb Gy,Ux lx',
  'vex.66.38.2a vmovntdqa Vx,Mx lx',
];

export const avxRows: readonly string[] = [
  ...packed('10', 'movu', 'Vx,Wx lx'),
  ...packed('11', 'movu', 'Wx,Vx lx'),
  ...packed('28', 'mova', 'Vx,Wx lx'),
  ...packed('29', 'mova', 'Wx,Vx lx'),
  ...packed('2b', 'movnt', 'Mx,Vx lx'),
  ...packed('50', 'movmsk', 'Gy,Ux lx'),
  ...packed('14', 'unpckl', 'Vx,Hx,Wx lx'),
  ...packed('15', 'unpckh', 'Vx,Hx,Wx lx'),
  ...['54 and', '55 andn', '56 or', '57 xor'].flatMap((line) =>
    packed(line.slice(0, 2), line.slice(3), 'Vx,Hx,Wx lx'),
  ),
  ...['58 add', '59 mul', '5c sub', '5d min', '5e div', '5f max'].flatMap((line) => [
    ...packed(line.slice(0, 2), line.slice(3), 'Vx,Hx,Wx lx'),
    ...scalar(line.slice(0, 2), line.slice(3)),
  ]),
  ...packed('51', 'sqrt', 'Vx,Wx lx'),
  ...scalar('51', 'sqrt'),
  ...packed('c2', 'cmp', 'Vx,Hx,Wx,Ib lx'),
  ...scalar('c2', 'cmp', ',Ib'),
  ...packed('c6', 'shuf', 'Vx,Hx,Wx,Ib lx'),
  ...`
f3.10 vmovss Vo,Ho,Uo lx
f3.10 vmovss Vo,Md lx
f2.10 vmovsd Vo,Ho,Uo lx
f2.10 vmovsd Vo,Mq lx
f3.11 vmovss Uo,Ho,Vo lx
f3.11 vmovss Md,Vo lx
f2.11 vmovsd Uo,Ho,Vo lx
f2.11 vmovsd Mq,Vo lx
np.12 vmovhlps Vo,Ho,Uo
np.12 vmovlps Vo,Ho,Mq
66.12 vmovlpd Vo,Ho,Mq
f3.12 vmovsldup Vx,Wx lx
f2.12 vmovddup Vx,Ux lx
f2.12 vmovddup Vo,Mq
f2.12 vmovddup Vx,Mx l1
np.13 vmovlps Mq,Vo
66.13 vmovlpd Mq,Vo
np.16 vmovlhps Vo,Ho,Uo
np.16 vmovhps Vo,Ho,Mq
66.16 vmovhpd Vo,Ho,Mq
f3.16 vmovshdup Vx,Wx lx
np.17 vmovhps Mq,Vo
66.17 vmovhpd Mq,Vo
f3.2a vcvtsi2ss Vo,Ho,Ey lx
f2.2a vcvtsi2sd Vo,Ho,Ey lx
f3.2c vcvttss2si Gy,Wd lx
f2.2c vcvttsd2si Gy,Wq lx
f3.2d vcvtss2si Gy,Wd lx
f2.2d vcvtsd2si Gy,Wq lx
np.2e vucomiss Vo,Wd lx
66.2e vucomisd Vo,Wq lx
np.2f vcomiss Vo,Wd lx
66.2f vcomisd Vo,Wq lx
np.52 vrsqrtps Vx,Wx lx
f3.52 vrsqrtss Vo,Ho,Wd lx
np.53 vrcpps Vx,Wx lx
f3.53 vrcpss Vo,Ho,Wd lx
np.5a vcvtps2pd Vx,Wh lx
66.5a vcvtpd2ps Vo,Wx lx
f3.5a vcvtss2sd Vo,Ho,Wd lx
f2.5a vcvtsd2ss Vo,Ho,Wq lx
np.5b vcvtdq2ps Vx,Wx lx
66.5b vcvtps2dq Vx,Wx lx
f3.5b vcvttps2dq Vx,Wx lx
66.6e ${byW('vmov', 'dq')} Vo,Ey
66.6f vmovdqa Vx,Wx lx
f3.6f vmovdqu Vx,Wx lx
np.77 vzeroupper -
np.77 vzeroall - l1
66.7c vhaddpd Vx,Hx,Wx lx
f2.7c vhaddps Vx,Hx,Wx lx
66.7d vhsubpd Vx,Hx,Wx lx
f2.7d vhsubps Vx,Hx,Wx lx
66.7e ${byW('vmov', 'dq')} Ey,Vo
f3.7e vmovq Vo,Wq
66.7f vmovdqa Wx,Vx lx
f3.7f vmovdqu Wx,Vx lx
np.ae/2 vldmxcsr Md
np.ae/3 vstmxcsr Md
66.c4 vpinsrw Vo,Ho,Rd|Mw,Ib
66.c5 vpextrw Gd,Uo,Ib
66.d0 vaddsubpd Vx,Hx,Wx lx
f2.d0 vaddsubps Vx,Hx,Wx lx
66.d6 vmovq Wq,Vo
66.e6 vcvttpd2dq Vo,Wx lx
f3.e6 vcvtdq2pd Vx,Wh lx
f2.e6 vcvtpd2dq Vo,Wx lx
66.e7 vmovntdq Mx,Vx lx
f2.f0 vlddqu Vx,M mem lx
66.f7 vmaskmovdqu Vo,Uo
66.38.0c vpermilps Vx,Hx,Wx lx w0
66.38.0d vpermilpd Vx,Hx,Wx lx w0
66.38.0e vtestps Vx,Wx lx w0
66.38.0f vtestpd Vx,Wx lx w0
66.38.17 vptest Vx,Wx lx
66.38.18 vbroadcastss Vx,Wd lx w0
66.38.19 vbroadcastsd Vx,Wq l1 w0
66.38.1a vbroadcastf128 Vx,Mo l1 w0
66.38.2c vmaskmovps Vx,Hx,Mx lx w0
66.38.2d vmaskmovpd Vx,Hx,Mx lx w0
66.38.2e vmaskmovps Mx,Hx,Vx lx w0
66.38.2f vmaskmovpd Mx,Hx,Vx lx w0
66.38.41 vphminposuw Vo,Wo
66.3a.04 vpermilps Vx,Wx,Ib lx w0
66.3a.05 vpermilpd Vx,Wx,Ib lx w0
66.3a.06 vperm2f128 Vx,Hx,Wx,Ib l1 w0
66.3a.08 vroundps Vx,Wx,Ib lx
66.3a.09 vroundpd Vx,Wx,Ib lx
66.3a.0a vroundss Vo,Ho,Wd,Ib lx
66.3a.0b vroundsd Vo,Ho,Wq,Ib lx
66.3a.0c vblendps Vx,Hx,Wx,Ib lx
66.3a.0d vblendpd Vx,Hx,Wx,Ib lx
66.3a.14 vpextrb Rd|Mb,Vo,Ib
66.3a.15 vpextrw Rd|Mw,Vo,Ib
66.3a.16 ${byW('vpextr', 'dq')} Ey,Vo,Ib
66.3a.17 vextractps Ed,Vo,Ib
66.3a.18 vinsertf128 Vx,Hx,Wo,Ib l1 w0
66.3a.19 vextractf128 Wo,Vx,Ib l1 w0
66.3a.20 vpinsrb Vo,Ho,Rd|Mb,Ib
66.3a.21 vinsertps Vo,Ho,Wd,Ib
66.3a.22 ${byW('vpinsr', 'dq')} Vo,Ho,Ey,Ib
66.3a.40 vdpps Vx,Hx,Wx,Ib lx
66.3a.41 vdppd Vo,Ho,Wo,Ib
66.3a.4a vblendvps Vx,Hx,Wx,Kx lx w0
66.3a.4b vblendvpd Vx,Hx,Wx,Kx lx w0
66.3a.60 vpcmpestrm/vpcmpestrm/vpcmpestrmq Vo,Wo,Ib
66.3a.61 vpcmpestri/vpcmpestri/vpcmpestriq Vo,Wo,Ib
66.3a.62 vpcmpistrm Vo,Wo,Ib
66.3a.63 vpcmpistri Vo,Wo,Ib
`
    .trim()
    .split('\n')
    .map((line) => `vex.${line}`),
];

export const avx2Rows: readonly string[] = `
66.38.16 vpermps Vx,Hx,Wx l1 w0
66.38.36 vpermd Vx,Hx,Wx l1 w0
66.38.45 ${byW('vpsrlv', 'dq')} Vx,Hx,Wx lx
66.38.46 vpsravd Vx,Hx,Wx lx w0
66.38.47 ${byW('vpsllv', 'dq')} Vx,Hx,Wx lx
66.38.58 vpbroadcastd Vx,Wd lx w0
66.38.59 vpbroadcastq Vx,Wq lx w0
66.38.5a vbroadcasti128 Vx,Mo l1 w0
66.38.78 vpbroadcastb Vx,Wb lx w0
66.38.79 vpbroadcastw Vx,Ww lx w0
66.38.8c ${byW('vpmaskmov', 'dq')} Vx,Hx,Mx lx
66.38.8e ${byW('vpmaskmov', 'dq')} Mx,Hx,Vx lx
66.38.90 ${byW('vpgatherd', 'dq')} - mem vsib lx
66.38.91 ${byW('vpgatherq', 'dq')} - mem vsib lx
66.38.92 ${byW('vgatherdp', 'sd')} - mem vsib lx
66.38.93 ${byW('vgatherqp', 'sd')} - mem vsib lx
66.3a.00 vpermq Vx,Wx,Ib l1 w1
66.3a.01 vpermpd Vx,Wx,Ib l1 w1
66.3a.02 vpblendd Vx,Hx,Wx,Ib lx w0
66.3a.38 vinserti128 Vx,Hx,Wo,Ib l1 w0
66.3a.39 vextracti128 Wo,Vx,Ib l1 w0
66.3a.46 vperm2i128 Vx,Hx,Wx,Ib l1 w0
`
  .trim()
  .split('\n')
  .map((line) => `vex.${line}`);
