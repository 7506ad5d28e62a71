/**
 * The one-byte opcodes (SDM 2D appendix A, table A-2; groups: table A-6), and the notation of all rows.
 *
 * A row: place, mnemonic, operands, attributes. The place is the opcode and further selecting fields:
 * - `+r`: eight opcodes, the low three bits name a register; `+c`: sixteen, the low four bits are a condition
 * - `/reg`: ModRM's reg field; `/reg/rm`: its rm field too, and mod says register
 * - in front of the opcode `38.` and `3a.`: it stands after 0F 38 and 0F 3A
 * - in front of that `66.`, `f3.`, `f2.`: the mandatory prefix (F3 and F2 win over 66, the last of them counts); `np.`: none
 *   of them. A row without such a mark has the prefixes that no other row of its opcode names.
 * - in front of all `vex.`: encoded with VEX, L is 0; without a mark, pp is 0
 *
 * Operands as in SDM 2D A.2.1, and: `Z` a register named by the opcode, `A` the accumulator, `B` the general register of
 * VEX.vvvv, `s` before an immediate one that is sign-extended, `1` and `CL` themselves, `T0` and `Ti` the x87 FPU's top and
 * the register that rm names, `-` none. Sizes are those of SDM 2D A.2.2; `Mt` is ten bytes. Operands say which form ModRM
 * has to have: `M` memory; `U`, `N`, `R`, `Ti` a register; so do the attributes `mem` and `reg`.
 *
 * Attributes: `lock` may be locked; `no64`, `only64`, `prot` where it is valid; `d64`, `f64` the operand size in 64-bit code; `modreg` mod
 * does not count; `far`, `enter` unusual immediates; `=name` the function that executes it, where that is not the mnemonic; a number: the
 * first processor that has it.
 *
 * @module
 */
const arithmetic = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
const shifts = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar'];
const hex = (value: number) => value.toString(16).padStart(2, '0');

function arithmeticRows(): string[] {
  return arithmetic.flatMap((name, n) => {
    const lock = name === 'cmp' ? '' : 'lock';
    const at = (low: number) => hex(n * 8 + low);
    return [
      `${at(0)} ${name} Eb,Gb ${lock}`,
      `${at(1)} ${name} Ev,Gv ${lock}`,
      `${at(2)} ${name} Gb,Eb`,
      `${at(3)} ${name} Gv,Ev`,
      `${at(4)} ${name} Ab,Ib`,
      `${at(5)} ${name} Av,Iz`,
      `80/${n} ${name} Eb,Ib ${lock}`,
      `81/${n} ${name} Ev,Iz ${lock}`,
      `82/${n} ${name} Eb,Ib ${lock} no64`,
      `83/${n} ${name} Ev,sIb ${lock}`,
    ];
  });
}

function shiftRows(): string[] {
  return shifts.flatMap((name, n) => [
    `c0/${n} ${name} Eb,Ib 186`,
    `c1/${n} ${name} Ev,Ib 186`,
    `d0/${n} ${name} Eb,1`,
    `d1/${n} ${name} Ev,1`,
    `d2/${n} ${name} Eb,CL`,
    `d3/${n} ${name} Ev,CL`,
  ]);
}

export const oneByteRows: readonly string[] = [
  ...arithmeticRows(),
  ...shiftRows(),
  ...`
06 pushsegment -v d64 no64
07 popsegment -v d64 no64
0e pushsegment -v d64 no64
16 pushsegment -v d64 no64
17 popsegment -v d64 no64
1e pushsegment -v d64 no64
1f popsegment -v d64 no64
27 daa - no64
2f das - no64
37 aaa - no64
3f aas - no64
40+r inc Zv no64
48+r dec Zv no64
50+r push Zv d64
58+r pop Zv d64
60 pusha -v no64 186
61 popa -v no64 186
62 bound Gv,M no64 186
63 arpl Ew,Gw no64 prot 286
63 movsxd Gv,Ez only64
68 push Iz d64 186
69 imul3 Gv,Ev,Iz 186
6a push sIb d64 186
6b imul3 Gv,Ev,sIb 186
6c ins -b 186
6d ins -z 186
6e outs -b 186
6f outs -z 186
70+c jcc Jb f64
84 test Eb,Gb
85 test Ev,Gv
86 xchg Eb,Gb lock
87 xchg Ev,Gv lock
88 mov Eb,Gb
89 mov Ev,Gv
8a mov Gb,Eb
8b mov Gv,Ev
8c movfromsegment Ev,Sw
8d lea Gv,M
8e movtosegment Sw,Ew
8f/0 popmem Ev d64
90+r xchg Zv,Av
f3.90 pause -
98 cbw Av
99 cwd -v
9a callfar -v no64 far
9b wait -
9c pushf -v d64
9d popf -v d64
9e sahf -
9f lahf -
a0 mov Ab,Ob
a1 mov Av,Ov
a2 mov Ob,Ab
a3 mov Ov,Av
a4 movs -b
a5 movs -v
a6 cmps -b
a7 cmps -v
a8 test Ab,Ib
a9 test Av,Iz
aa stos -b
ab stos -v
ac lods -b
ad lods -v
ae scas -b
af scas -v
b0+r mov Zb,Ib
b8+r mov Zv,Iv
c2 ret -v,Iw f64
c3 ret -v f64
c4 les Gv,M no64
c5 lds Gv,M no64
c6/0 mov Eb,Ib
c7/0 mov Ev,Iz
c8 enter -v,Iw 186 d64 enter
c9 leave -v 186 d64
ca retfar -v,Iw
cb retfar -v
cc int3 -
cd intn -,Ib
ce into - no64
cf iret -v
d4 aam -,Ib no64
d5 aad -,Ib no64
d6 salc - no64
d7 xlat -
e0 loopne Jb f64
e1 loope Jb f64
e2 loop Jb f64
e3 jcxz Jb f64
e4 inimm Ab,Ib
e5 inimm Az,Ib
e6 outimm Ab,Ib
e7 outimm Az,Ib
e8 call Jz f64
e9 jmp Jz f64
ea jmpfar -v no64 far
eb jmp Jb f64
ec indx Ab
ed indx Az
ee outdx Ab
ef outdx Az
f1 int1 - 386
f4 hlt -
f5 cmc -
f6/0 test Eb,Ib
f6/1 test Eb,Ib
f6/2 not Eb lock
f6/3 neg Eb lock
f6/4 mul Eb
f6/5 imul1 Eb
f6/6 div Eb
f6/7 idiv Eb
f7/0 test Ev,Iz
f7/1 test Ev,Iz
f7/2 not Ev lock
f7/3 neg Ev lock
f7/4 mul Ev
f7/5 imul1 Ev
f7/6 div Ev
f7/7 idiv Ev
f8 clc -
f9 stc -
fa cli -
fb sti -
fc cld -
fd std -
fe/0 inc Eb lock
fe/1 dec Eb lock
ff/0 inc Ev lock
ff/1 dec Ev lock
ff/2 callind Ev f64
ff/3 callfarind -v,M
ff/4 jmpind Ev f64
ff/5 jmpfarind -v,M
ff/6 push Ev d64
`
    .trim()
    .split('\n'),
];
