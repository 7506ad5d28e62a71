/** Where QEMU deviates from the manual, and Terrarium does not. */
interface Difference {
  line: RegExp;
  qemu: RegExp;
  found: RegExp;
  reason: string;
}

const known: readonly Difference[] = [
  {
    line: /^iret ss(0|3|32)? /,
    qemu: /^0b/,
    found: /^0c/,
    reason: 'a stack segment that is not present is a #SS (SDM 2A IRET)',
  },
  {
    line: /^ss1 31$/,
    qemu: /^0a/,
    found: /^0c/,
    reason: 'a stack segment that is not present is a #SS (SDM 3A 7.12.1, 2A INT n)',
  },
  {
    line: /^ltr 09$/,
    qemu: /^40/,
    found: /^0d\.000/,
    reason: 'LTR of a null selector is a #GP(0) (SDM 2A LTR)',
  },
  {
    line: /^gate call (9e|be|9ea)0c30$/,
    qemu: /^40/,
    found: /^40=.*[/](4b|63)[/]2/,
    reason: 'a call gate to a conforming segment does not change the privilege level (SDM 3A 6.8.4)',
  },
  {
    line: /^gate jmp (1a|1aa)0c00$/,
    qemu: /^0d/,
    found: /^0b/,
    reason: 'a code segment that is not present is a #NP (SDM 2A JMP)',
  },
  {
    line: /^(mov ss|iret ss0|iret ss1) 09$/,
    qemu: /^40/,
    found: /^0d\.000/,
    reason: 'a null stack selector has the RPL of the privilege level (SDM 2B MOV, 2A IRET)',
  },
  {
    line: /^(lar|lsl) c/,
    qemu: /^40=(00c|ff)/,
    found: /^40=0/,
    reason: 'the 16-bit descriptor types are invalid in long mode (SDM 2A LAR, LSL)',
  },
  {
    line: /^ltr c/,
    qemu: /^(40|0b)/,
    found: /^0d\.050/,
    reason: 'a 16-bit task state segment is invalid in long mode (SDM 3A table 3-2)',
  },
  {
    line: / e[03][03]$/,
    qemu: /^(40|0b|0d[.]010)/,
    found: /^0d\.050/,
    reason: 'a code segment with both L and D is a #GP (SDM 2A JMP, CALL, 2B RET)',
  },
  {
    line: /^gate int /,
    qemu: /^0[bd]\.302/,
    found: /^0[bd]\.182/,
    reason: 'an error code holds a vector by its number, in long mode too (SDM 3A 7.13)',
  },
  {
    line: /^address (pop|push) $/,
    qemu: /^0d\.000/,
    found: /^0c\.000/,
    reason: 'an address of the stack that is not canonical is a #SS (SDM 1 3.3.7.1)',
  },
  {
    line: /^enter 03$/,
    qemu: /^(40=|sp=|0e)/,
    found: /^(0d\.000|sp=)/,
    reason: 'the low two bits of IA32_SYSENTER_CS do not make a selector (SDM 2B SYSENTER, SYSEXIT)',
  },
  {
    line: /^enter /,
    qemu: /^40=/,
    found: /^0d\.000/,
    reason: 'SYSEXIT to a stack pointer that is not canonical is a #GP (SDM 2B SYSEXIT)',
  },
  {
    line: /^bad task gate/,
    qemu: /^000a$/,
    found: /^000d$/,
    reason: 'a task gate that names a local descriptor is a #GP (SDM 2A CALL, INT n)',
  },
  {
    line: /^trap$/,
    qemu: /^(0040|0ff0)$/,
    found: /^(0001|8ff0)$/,
    reason: 'a task with its T flag begins with a debug exception (SDM 3B 18.3.1.5)',
  },
  {
    line: /general detect$/,
    qemu: /^(0040|0ff0)$/,
    found: /^(0001|2ff0)$/,
    reason: 'DR7.GD keeps the debug registers (SDM 3B 18.2.4)',
  },
];

/** True where the difference between two words of a line is a known one of QEMU's. */
export function isKnown(line: string, found: string, qemu: string): boolean {
  return known.some((one) => one.line.test(line) && one.qemu.test(qemu) && one.found.test(found));
}
