/** Where QEMU does not do what the manual says, and Terrarium does. */
interface Difference {
  line: RegExp;
  qemu: RegExp;
  found: RegExp;
  reason: string;
}

const known: readonly Difference[] = [
  {
    line: /^iret ss 03$/,
    qemu: /^0b/,
    found: /^0c/,
    reason: 'a stack segment that is not present is a #SS (SDM 2A IRET)',
  },
  {
    line: /^ss1 31$/,
    qemu: /^0a/,
    found: /^0c/,
    reason: 'a stack segment that is not present is a #SS (SDM 3A 6.12.1, 2A INT n)',
  },
  {
    line: /^ltr 09$/,
    qemu: /^40/,
    found: /^0d\.000$/,
    reason: 'LTR of a null selector is a #GP(0) (SDM 2A LTR)',
  },
  {
    line: /^gate call [9b]e0c30$/,
    qemu: /^40/,
    found: /^40=.*[/]4b[/]23$/,
    reason: 'a call gate to a conforming segment does not change the privilege level (SDM 3A 5.8.4)',
  },
  {
    line: /^gate jmp 1a0c00$/,
    qemu: /^0d/,
    found: /^0b/,
    reason: 'a code segment that is not present is a #NP (SDM 2A JMP)',
  },
];

/** True where the difference between two words of a line is a known one of QEMU's. */
export function isKnown(line: string, found: string, qemu: string): boolean {
  return known.some((one) => one.line.test(line) && one.qemu.test(qemu) && one.found.test(found));
}
