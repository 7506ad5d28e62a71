/**
 * Why an instruction raised #UD (SDM 3A 7.15).
 *
 * @module
 */
import { hex, readLinear } from '../inspect/index.js';
import { type AbsentFeature, disassemble, MAX_LENGTH } from '../isa/index.js';
import { CR4 } from '../x86/index.js';
import { type Finding, isProtected, linearRip, modeText, type Scene } from './scene.js';
import { RAN_ON, zerosBefore } from './zeros.js';

/** Why the instruction at the scene raised #UD. */
export function explainInvalid(scene: Scene): Finding {
  const { instruction, code, system } = scene;
  const text = instruction?.text ?? '';
  if (/^ud[012]$/.test(instruction?.mnemonic ?? ''))
    return {
      check: `${instruction!.mnemonic.toUpperCase()} is invalid on purpose`,
      mistake:
        'Compilers put UD2 where the program must never get to: the end of a function without a return, or undefined behaviour.',
    };
  if (instruction?.absent !== undefined) return explainAbsent(instruction.text, instruction.absent);
  if (isEvex(scene)) return explainAbsent('an instruction that begins with 62h, the prefix EVEX,', AVX_512);
  if (/^(xgetbv|xsetbv|xsave|xrstor)/.test(text) && !(system.cr4 & CR4.OSXSAVE))
    return {
      check: `${text} needs CR4.OSXSAVE, which is 0`,
      evidence: [`CR4 ${hex(system.cr4)}`],
      mistake: 'Set CR4.OSXSAVE (bit 18) first, if CPUID reports XSAVE (leaf 1, ECX bit 26).',
    };
  if (/xmm|mm\d|mxcsr/.test(text) && !(system.cr4 & CR4.OSFXSR)) {
    return {
      check: `${text} is SSE, and CR4.OSFXSR is 0`,
      evidence: [`CR0 ${hex(system.cr0)}  CR4 ${hex(system.cr4)}`],
      mistake:
        'Set CR4.OSFXSR (bit 9) and CR4.OSXMMEXCPT (bit 10) and clear CR0.EM before SSE, or compile with -mgeneral-regs-only.',
    };
  }
  if (
    instruction?.mnemonic === 'mov' &&
    instruction.operands[0]?.kind === 'register' &&
    instruction.operands[0].name === 'cs'
  )
    return {
      check: 'MOV cannot load CS',
      mistake: 'Only a far jump, call or return loads CS: ljmp $0x08, $next.',
    };
  if (
    /^(ltr|lldt|str|sldt|lar|lsl|verr|verw|arpl)$/.test(instruction?.mnemonic ?? '') &&
    !isProtected(system)
  ) {
    return {
      check: `${instruction?.mnemonic} does not exist in real mode`,
      mistake: 'Set CR0.PE and jump to 32-bit code first.',
    };
  }
  const wide = code === 64 ? undefined : widerText(scene);
  const zeros = zerosBefore(scene, linearRip(scene.registers, system));
  return {
    check: `these bytes are not an instruction in ${modeText(scene)}`,
    ...(instruction && { evidence: [`the bytes at ${hex(scene.registers.rip)}: ${bytesAtRip(scene)}`] }),
    mistake:
      wide ??
      (zeros >= 16 ? RAN_ON : undefined) ??
      'The CPU executes data, or code for another mode. Did it jump into data, or run past the last instruction?',
  };
}

/** A hint for bytes that look like code compiled for another mode. */
function widerText(scene: Scene): string | undefined {
  const bytes = readLinear(scene, linearRip(scene.registers, scene.system), MAX_LENGTH);
  const { mnemonic, text } = disassemble(bytes, { code: 64, syntax: scene.syntax });
  if (mnemonic === '(bad)') return undefined;
  return `In 64-bit mode these bytes are ${text}: this is 64-bit code, and the CPU runs in a narrower mode. Compile it with -m32 (an ELF32 file), or switch to long mode before you jump to it.`;
}

function bytesAtRip(scene: Scene): string {
  const bytes = readLinear(scene, linearRip(scene.registers, scene.system), 8);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** An instruction that other processors have. */
function explainAbsent(text: string, { name, cpuid, instead }: AbsentFeature): Finding {
  const bit = cpuid === undefined ? '' : ` (CPUID ${cpuid})`;
  return {
    check: `${text} belongs to ${name}${bit}, which the software CPU does not have`,
    ...(instead !== undefined && { mistake: instead }),
  };
}

const AVX_512: AbsentFeature = {
  name: 'AVX-512',
  cpuid: 'leaf 7, EBX bit 16',
  instead: 'Compile without it: -mno-avx512f, or -mgeneral-regs-only.',
};

/** 62h is BOUND outside of 64-bit code, where memory follows it (SDM 2A 2.7). */
function isEvex(scene: Scene): boolean {
  const [first, second = 0] = readLinear(scene, linearRip(scene.registers, scene.system), 2);
  return first === 0x62 && (scene.code === 64 || second >= 0xc0);
}
