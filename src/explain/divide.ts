/**
 * Why a division raised #DE (SDM 2A DIV, IDIV).
 *
 * @module
 */
import { hex, readLinear } from '../inspect/index.js';
import { type Finding, memoryOf, registerValue, type Scene } from './scene.js';

/**
 * For each size of divisor in bytes: the halves of the dividend, the instruction that clears the upper one, and the one that
 * sign-extends into it.
 */
const halves: Readonly<Record<number, { upper: string; lower: string; clear: string; extend: string }>> = {
  1: { upper: 'ah', lower: 'al', clear: 'xor %ah, %ah', extend: 'CBW' },
  2: { upper: 'dx', lower: 'ax', clear: 'xor %dx, %dx', extend: 'CWD' },
  4: { upper: 'edx', lower: 'eax', clear: 'xor %edx, %edx', extend: 'CDQ' },
  8: { upper: 'rdx', lower: 'rax', clear: 'xor %edx, %edx', extend: 'CQO' },
};

export function explainDivide(scene: Scene): Finding {
  const operand = scene.instruction?.operands[0];
  if (operand?.kind === 'immediate') {
    return {
      check: `${scene.instruction!.text} divides AL by ${operand.value}`,
      mistake: 'AAM divides AL by its operand, which is 10 where none is written. It must not be 0.',
    };
  }
  const isRegister = operand?.kind === 'register';
  const name = isRegister ? operand.name : 'the divisor';
  const size = isRegister ? operand.size : (memoryOf(scene)?.size ?? 0);
  const divisor = isRegister ? registerValue(scene, operand.name) : readOperand(scene);
  if (divisor === 0n) {
    return {
      check: `${name} is 0: nothing can be divided by zero`,
      mistake: `Check the divisor before the division: ${name} was 0.`,
    };
  }
  const parts = halves[size];
  if (divisor === undefined || parts === undefined)
    return { check: 'the quotient does not fit into its register' };
  return explainOverflow(scene, name, divisor, size * 8, parts);
}

function explainOverflow(
  scene: Scene,
  name: string,
  divisor: bigint,
  bits: number,
  { upper, lower, clear, extend }: NonNullable<(typeof halves)[number]>,
): Finding {
  const high = registerValue(scene, upper);
  const whole = (high << BigInt(bits)) | registerValue(scene, lower);
  const pair = `${upper}:${lower}`;
  if (scene.instruction?.mnemonic !== 'idiv') {
    return {
      check: `the quotient does not fit into ${lower}: ${pair} is ${hex(whole)}, and divided by ${name} (${hex(divisor)}) gives ${hex(whole / divisor)}, which has more than ${bits} bits`,
      mistake: `DIV divides ${pair.toUpperCase()} as one number, and ${upper.toUpperCase()} was ${hex(high)}. Clear it first (${clear}).`,
    };
  }
  const dividend = BigInt.asIntN(2 * bits, whole);
  const by = BigInt.asIntN(bits, divisor);
  return {
    check: `the quotient does not fit into ${lower}: ${pair} is ${dividend}, and divided by ${name} (${by}) gives ${dividend / by}, which has more than ${bits} bits with its sign`,
    mistake: `IDIV divides ${pair.toUpperCase()} as one number with a sign, and ${upper.toUpperCase()} was ${hex(high)}. First sign-extend ${lower.toUpperCase()} into it with ${extend}.`,
  };
}

function readOperand(scene: Scene): bigint | undefined {
  const access = memoryOf(scene);
  if (access === undefined) return undefined;
  const bytes = readLinear(scene, access.linear, access.size);
  if (bytes.length < access.size) return undefined;
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
