/**
 * Operands and names that both syntaxes allow to omit or to write differently, in the manual's form.
 *
 * @module
 */
import { type Expression, number } from './expression.js';
import { type AsmInstruction, type AsmOperand, type Register, registerNamed } from './operand.js';

const predicates = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];
const predicated = new RegExp(`^cmp(${predicates.join('|')})(ps|pd|ss|sd)$`);
/** The x87 FPU's instructions that wait for its errors: an FWAIT, then the one that does not wait. */
const waiting = /^f(init|clex|stcw|stsw|stenv|save)$/;
const shifts = /^(rol|ror|rcl|rcr|shl|shr|sar|sal)$/;
const arithmetic = /^f(add|mul|subr?|divr?)$/;
const popping = /^f(add|mul|subr?|divr?)p$/;

const immediate = (value: bigint | Expression): AsmOperand => ({
  kind: 'immediate',
  value: typeof value === 'bigint' ? number(value) : value,
  size: undefined,
});
const top = registerNamed('st')!;
const second = registerNamed('st(1)')!;
const named = (name: string): Register => registerNamed(name)!;

/** ST(0) and ST(1) where the x87 FPU's instructions name no register, or only one. */
function stack(mnemonic: string, operands: readonly AsmOperand[]): [string, readonly AsmOperand[]] {
  const [one] = operands;
  const isRegister = one?.kind === 'register';
  if (arithmetic.test(mnemonic)) {
    if (one === undefined) return [`${mnemonic}p`, [second, top]];
    return [mnemonic, operands.length === 1 && isRegister ? [top, one] : operands];
  }
  if (popping.test(mnemonic)) {
    if (one === undefined) return [mnemonic, [second, top]];
    return [mnemonic, operands.length === 1 ? [one, top] : operands];
  }
  if (/^fu?comip?$/.test(mnemonic) && operands.length < 2) return [mnemonic, [top, one ?? second]];
  if (/^fcmov/.test(mnemonic) && operands.length === 1) return [mnemonic, [top, one!]];
  if (/^(fxch|fu?comp?)$/.test(mnemonic)) {
    if (one === undefined) return [mnemonic, [second]];
    if (mnemonic === 'fxch' && operands.length === 2) {
      return [mnemonic, [one.kind === 'register' && one.number === 0 ? operands[1]! : one]];
    }
    if (operands.length === 2) return [mnemonic, [operands[1]!]];
  }
  if (mnemonic === 'fnstsw' && one === undefined) return [mnemonic, [named('ax')]];
  return [mnemonic, operands];
}

function integer(mnemonic: string, operands: readonly AsmOperand[]): readonly AsmOperand[] {
  const [first, last] = operands;
  if (
    mnemonic === 'imul' &&
    operands.length === 2 &&
    first?.kind === 'register' &&
    last?.kind === 'immediate'
  ) {
    return [first, first, last];
  }
  if (shifts.test(mnemonic) && operands.length === 1) return [...operands, immediate(1n)];
  if (/^sh[lr]d$/.test(mnemonic) && operands.length === 2) return [...operands, named('cl')];
  if (/^(aam|aad)$/.test(mnemonic) && operands.length === 0) return [immediate(10n)];
  if (/^(test|xchg)$/.test(mnemonic) && first?.kind === 'register' && last?.kind === 'memory')
    return [last, first];
  // The accumulator has a short form, on either side.
  if (
    mnemonic === 'xchg' &&
    first?.kind === 'register' &&
    first.number === 0 &&
    first.size > 1 &&
    last?.kind === 'register'
  ) {
    return [last, first];
  }
  if (/^(pblendvb|blendvp[sd])$/.test(mnemonic) && operands.length === 2) return [...operands, named('xmm0')];
  return operands;
}

/** The same instruction in the opcode table's form. */
export function plain(instruction: AsmInstruction): AsmInstruction {
  let { mnemonic, operands, prefixes } = instruction;
  if (waiting.test(mnemonic)) {
    mnemonic = `fn${mnemonic.slice(1)}`;
    prefixes = [0x9b, ...prefixes];
  }
  const compare = predicated.exec(mnemonic);
  if (compare !== null && operands.length === 2) {
    mnemonic = `cmp${compare[2]}`;
    operands = [...operands, immediate(BigInt(predicates.indexOf(compare[1]!)))];
  }
  if (mnemonic.startsWith('f')) [mnemonic, operands] = stack(mnemonic, operands);
  else operands = integer(mnemonic, operands);
  return { ...instruction, mnemonic, operands, prefixes };
}
