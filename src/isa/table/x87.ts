/**
 * The escape opcodes D8 to DF (SDM 2D A.5, tables ), in the notation of one-byte.ts. ModRM selects among them by its form:
 * `/reg` of memory, `/reg` of registers where the operand is `Ti`, `/reg/rm` of registers where there is one. `Ti` is ST(i), `T0` is ST(0),
 * `Mt` are ten bytes, `Mn` and `Ms` an environment and a state.
 *
 * The manual does not have FCOM2, FCOMP3, FCOMP5, FXCH4, FXCH7, FSTP1, FSTP8, FSTP9 and FFREEP: other encodings, which every processor
 * supports. `=name` is the function that executes it, where that is not the mnemonic's own.
 *
 * @module
 */
const operations = ['add', 'mul', 'com', 'comp', 'sub', 'subr', 'div', 'divr'];
const conditions = ['b', 'e', 'be', 'u'];

/** FADD and similar ones with each possible operand. In DC and DE, SUB and SUBR, DIV and DIVR change places. */
function arithmeticRows(): string[] {
  return operations.flatMap((name, n) => {
    const compares = n === 2 || n === 3;
    const by = compares ? 'compare' : 'arithmetic';
    const rows = [
      `d8/${n} f${name} Md =${by}Single`,
      `dc/${n} f${name} Mq =${by}Double`,
      `da/${n} fi${name} Md =${by}Long`,
      `de/${n} fi${name} Mw =${by}Word`,
      compares ? `d8/${n} f${name} Ti` : `d8/${n} f${name} T0,Ti =arithmeticTop`,
    ];
    if (compares) return rows;
    const other = n < 4 ? name : operations[n ^ 1];
    rows.push(`dc/${n} f${other} Ti,T0 =arithmeticRegister`, `de/${n} f${other}p Ti,T0 =arithmeticPop`);
    return rows;
  });
}

function moveRows(): string[] {
  return conditions.flatMap((name, n) => [
    `da/${n} fcmov${name} T0,Ti 686`,
    `db/${n} fcmovn${name} T0,Ti 686`,
  ]);
}

export const x87Rows: readonly string[] = [
  ...arithmeticRows(),
  ...moveRows(),
  ...`
d9/0 fld Md =fldSingle
d9/2 fst Md =fstSingle
d9/3 fstp Md =fstSingle
d9/4 fldenv Mn
d9/5 fldcw Mw
d9/6 fnstenv Mn
d9/7 fnstcw Mw
d9/0 fld Ti =fldRegister
d9/1 fxch Ti
d9/2/0 fnop -
d9/3 fstp1 Ti
d9/4/0 fchs -
d9/4/1 fabs -
d9/4/4 ftst -
d9/4/5 fxam -
d9/5/0 fld1 - =fldConstant
d9/5/1 fldl2t - =fldConstant
d9/5/2 fldl2e - =fldConstant
d9/5/3 fldpi - =fldConstant
d9/5/4 fldlg2 - =fldConstant
d9/5/5 fldln2 - =fldConstant
d9/5/6 fldz - =fldConstant
d9/6/0 f2xm1 -
d9/6/1 fyl2x -
d9/6/2 fptan -
d9/6/3 fpatan -
d9/6/4 fxtract -
d9/6/5 fprem1 - 386
d9/6/6 fdecstp -
d9/6/7 fincstp -
d9/7/0 fprem -
d9/7/1 fyl2xp1 -
d9/7/2 fsqrt -
d9/7/3 fsincos - 386
d9/7/4 frndint -
d9/7/5 fscale -
d9/7/6 fsin - 386
d9/7/7 fcos - 386
da/5/1 fucompp - 386
db/0 fild Md =fild<i32>
db/1 fisttp Md =fisttp<i32> 686
db/2 fist Md =fist<i32>
db/3 fistp Md =fist<i32>
db/5 fld Mt =fldExtended
db/7 fstp Mt =fstpExtended
db/4/0 fneni - =fpuNothing
db/4/1 fndisi - =fpuNothing
db/4/2 fnclex -
db/4/3 fninit -
db/4/4 fnsetpm - =fpuNothing 286
db/5 fucomi T0,Ti 686
db/6 fcomi T0,Ti 686
dc/2 fcom2 Ti =fcom
dc/3 fcomp3 Ti =fcomp
dd/0 fld Mq =fldDouble
dd/1 fisttp Mq =fisttp<i64> 686
dd/2 fst Mq =fstDouble
dd/3 fstp Mq =fstDouble
dd/4 frstor Ms
dd/6 fnsave Ms
dd/7 fnstsw Mw
dd/0 ffree Ti
dd/1 fxch4 Ti =fxch
dd/2 fst Ti =fstRegister
dd/3 fstp Ti =fstpRegister
dd/4 fucom Ti 386
dd/5 fucomp Ti 386
de/2 fcomp5 Ti =fcomp
de/3/1 fcompp -
df/0 fild Mw =fild<i16>
df/1 fisttp Mw =fisttp<i16> 686
df/2 fist Mw =fist<i16>
df/3 fistp Mw =fist<i16>
df/4 fbld Mt
df/5 fild Mq =fild<i64>
df/6 fbstp Mt
df/7 fistp Mq =fist<i64>
df/0 ffreep Ti
df/1 fxch7 Ti =fxch
df/2 fstp8 Ti =fstpRegister
df/3 fstp9 Ti =fstpRegister
df/4/0 fnstsw Aw =fnstswAx 286
df/5 fucomip T0,Ti 686
df/6 fcomip T0,Ti 686
`
    .trim()
    .split('\n'),
];

/** The mnemonics: each is an instruction that does everything itself. */
export function x87Names(): string[] {
  return [...new Set(x87Rows.map((row) => row.split(' ')[1] ?? ''))];
}
