/**
 * General protection faults without a selector: the exception with the most causes (SDM 3A 7.15, interrupt 13).
 *
 * @module
 */

import { hex, isCanonical, pagingModeOf } from '../inspect/index.js';
import { CR0, CR4, EFER } from '../x86/index.js';
import { explainReturn } from './returns.js';
import {
  type Access,
  type Finding,
  isProtected,
  memoryOf,
  registerValue,
  type Scene,
  stackTop,
} from './scene.js';
import { checkSelector } from './selectors.js';

/** Allowed only in ring 0 (SDM 3A 6.9). */
const privileged = new Set(
  'hlt lgdt lidt lldt ltr lmsw clts invd wbinvd invlpg invpcid rdmsr wrmsr rdpmc swapgs sysexit sysret xsetbv'.split(
    ' ',
  ),
);
/** Allowed where CPL ≤ IOPL, ports also by the TSS's map (SDM 1 19.5). */
const sensitive = /^(in|out|ins[bwd]?|outs[bwd]?|cli|sti)$/;

/** Why an instruction raised #GP(0). */
export function explainGeneral(scene: Scene): Finding {
  const { instruction } = scene;
  const mnemonic = instruction?.mnemonic ?? '';
  return (
    explainPrivilege(scene, mnemonic) ??
    explainReturn(scene) ??
    explainControl(scene, mnemonic) ??
    explainSegmentLoad(scene, mnemonic) ??
    explainMemory(scene, memoryOf(scene)) ??
    explainTarget(scene) ?? {
      check: `the CPU refuses ${instruction?.text ?? 'it'} in ${isProtected(scene.system) ? `ring ${scene.cpl}` : 'real mode'}`,
    }
  );
}

function explainPrivilege(scene: Scene, mnemonic: string): Finding | undefined {
  if (!isProtected(scene.system) || scene.cpl === 0) return undefined;
  const { cpl, registers, instruction } = scene;
  const moves =
    mnemonic === 'mov' &&
    instruction?.operands.some((one) => one.kind === 'register' && /^[cd]r\d/.test(one.name));
  if (privileged.has(mnemonic) || moves) {
    return {
      check: `${mnemonic} is for ring 0, and the CPU is in ring ${cpl} (CS and SS say so)`,
      mistake:
        'Programs in ring 3 ask the kernel to do it: by an interrupt gate with DPL 3, a call gate, or SYSCALL.',
    };
  }
  const iopl = Number((registers.rflags >> 12n) & 3n);
  if (!sensitive.test(mnemonic) || cpl <= iopl) return undefined;
  const ports = mnemonic.startsWith('in') || mnemonic.startsWith('out');
  return {
    check: `${mnemonic} needs CPL ≤ IOPL, and CPL is ${cpl}, IOPL ${iopl}`,
    mistake: ports
      ? 'Let the kernel do it, or allow the port in the TSS’s I/O permission map, or set IOPL to 3.'
      : 'Only the kernel may turn interrupts on and off.',
  };
}

function explainControl(scene: Scene, mnemonic: string): Finding | undefined {
  const { instruction } = scene;
  if (mnemonic === 'wrmsr' || mnemonic === 'rdmsr') return explainMsr(scene, mnemonic);
  const [to, from] = instruction?.operands ?? [];
  if (mnemonic !== 'mov' || to?.kind !== 'register' || from?.kind !== 'register') return undefined;
  const value = registerValue(scene, from.name);
  if (to.name === 'cr0') return explainCr0(scene, value);
  if (to.name === 'cr4') return explainCr4(scene, value);
  if (to.name === 'cr3') {
    return {
      check: `CR3 is loaded with ${hex(value)}, and the tables there cannot be used`,
      mistake:
        pagingModeOf(scene.system) === 'PAE'
          ? 'With PAE the four pointers at CR3 have reserved bits: set only P, not RW and US (0x001, not 0x003).'
          : 'Bits above the processor’s physical address width must be 0.',
    };
  }
  return undefined;
}

function explainCr0({ system }: Scene, value: bigint): Finding {
  const says = (check: string, mistake: string): Finding => ({
    check: `CR0 is loaded with ${hex(value)}: ${check}`,
    evidence: [`CR0 ${hex(system.cr0)}  CR4 ${hex(system.cr4)}  EFER ${hex(system.efer)}`],
    mistake,
  });
  if (value & CR0.PG && !(value & CR0.PE))
    return says(
      'PG is set and PE is not',
      'Paging needs protected mode: set PE (bit 0) before or together with PG (bit 31).',
    );
  if (value & CR0.NW && !(value & CR0.CD))
    return says('NW is set and CD is not', 'Bits 29 and 30 are for caches: leave both 0.');
  const turnsOn = value & CR0.PG && !(system.cr0 & CR0.PG);
  if (turnsOn && system.efer & EFER.LME && !(system.cr4 & CR4.PAE))
    return says(
      'paging with EFER.LME set and CR4.PAE clear',
      'Long mode’s page tables are PAE’s: set CR4.PAE (bit 5) before you set CR0.PG.',
    );
  if (turnsOn && system.efer & EFER.LME && system.cs.l)
    return says(
      'long mode is turned on from a code segment with L = 1',
      'Turn long mode on from 32-bit code, then jump to 64-bit code.',
    );
  if (turnsOn && system.cr4 & CR4.PAE)
    return says(
      'PAE paging, and a pointer at CR3 has reserved bits set',
      'With PAE the four pointers at CR3 have only P (0x001); RW and US are reserved there. For long mode set EFER.LME first.',
    );
  return says('that combination is reserved', 'SDM 3A 2.5 lists the allowed combinations.');
}

function explainCr4({ system }: Scene, value: bigint): Finding {
  if (system.efer & EFER.LMA && !(value & CR4.PAE)) {
    return {
      check: `CR4 is loaded with ${hex(value)}: PAE is cleared in long mode`,
      mistake: 'Long mode needs PAE as long as it is on.',
    };
  }
  return {
    check: `CR4 is loaded with ${hex(value)}, with a bit that this CPU does not have`,
    evidence: [`CR4 was ${hex(system.cr4)}`],
    mistake: 'Ask CPUID for a feature before you set its bit.',
  };
}

function explainMsr(scene: Scene, mnemonic: string): Finding {
  const number = registerValue(scene, 'ecx');
  const value = (registerValue(scene, 'edx') << 32n) | registerValue(scene, 'eax');
  if (number === 0xc000_0080n && mnemonic === 'wrmsr') {
    return {
      check: `EFER (MSR 0xc0000080) is loaded with ${hex(value)}, with bits that are reserved or must not change now`,
      evidence: [`EFER ${hex(scene.system.efer)}  CR0 ${hex(scene.system.cr0)}`],
      mistake:
        'Set only LME (bit 8), before paging is on. Read EFER with RDMSR first and change that one bit; EDX is the upper half.',
    };
  }
  return {
    check: `${mnemonic} of MSR ${hex(number)}: this CPU does not have it${mnemonic === 'wrmsr' ? ', or refuses that value' : ''}`,
    mistake: 'Is the number in ECX right? EFER is 0xc0000080.',
  };
}

function explainSegmentLoad(scene: Scene, mnemonic: string): Finding | undefined {
  const { instruction, code } = scene;
  const [to, from] = instruction?.operands ?? [];
  if (!isProtected(scene.system) || to?.kind !== 'register') return undefined;
  const selector =
    from?.kind === 'register' && (mnemonic === 'mov' || mnemonic === 'ltr')
      ? Number(registerValue(scene, from.name) & 0xffffn)
      : mnemonic === 'ltr' || mnemonic === 'lldt'
        ? Number(registerValue(scene, to.name) & 0xffffn)
        : mnemonic === 'pop'
          ? Number((stackTop(scene, 1, code === 64 ? 8 : code === 32 ? 4 : 2)[0] ?? 0n) & 0xffffn)
          : undefined;
  if (selector === undefined) return undefined;
  if (mnemonic === 'ltr') return checkSelector(scene, selector, 'TSS');
  if (mnemonic === 'lldt') return checkSelector(scene, selector, 'LDT');
  if (to.name === 'ss') return checkSelector(scene, selector, 'stack');
  if (/^[defg]s$/.test(to.name)) return checkSelector(scene, selector, 'data');
  return undefined;
}

/** A memory operand that its segment or address forbids. */
export function explainMemory(scene: Scene, access: Access | undefined): Finding | undefined {
  if (access === undefined) return undefined;
  const { system, code } = scene;
  const { segment, offset, linear, size } = access;
  const name = segment.toUpperCase();
  if (code === 64) {
    const mode = pagingModeOf(system);
    if (isCanonical(linear, mode)) return undefined;
    return {
      check: `its address ${hex(linear)} is not canonical: bits 48 to 63 must be copies of bit 47`,
      mistake: 'The pointer, or half of it, is garbage: was the register loaded at all, and with 64 bits?',
    };
  }
  const held = system[segment];
  const evidence = [`${name} ${hex(held.selector, 4)}: base ${hex(held.base)}, limit ${hex(held.limit)}`];
  if (held.unusable || ((held.selector & 0xfffc) === 0 && isProtected(system))) {
    return {
      check: `${name} holds the null selector, and the instruction accesses memory through it`,
      evidence,
      mistake: `Load ${name} with the selector of a data segment first.`,
    };
  }
  const last = offset + BigInt(size) - 1n;
  if (last > BigInt(held.limit) && !(held.type & 4 && !(held.type & 8))) {
    return {
      check: `it accesses ${name}:${hex(offset)}, and the segment ends at ${hex(held.limit)}`,
      evidence,
      mistake: isProtected(system)
        ? 'The segment’s limit is too small: with G (bit 55) the limit counts pages of 4 KiB, without it bytes. A flat segment has limit 0xfffff with G.'
        : 'In real mode offsets have 16 bits: use another segment for memory further away.',
    };
  }
  if (held.type & 8) {
    return {
      check: `${name} is a code segment${held.type & 2 ? ', which cannot be written' : ' that can only be executed'}`,
      evidence,
      mistake: `Load ${name} with the selector of a data segment.`,
    };
  }
  if (!(held.type & 2)) {
    return {
      check: `${name} is a read-only data segment`,
      evidence,
      mistake: 'Set bit 1 of its access byte (W): 0x92.',
    };
  }
  return undefined;
}

/** A jump to an address that cannot hold code. */
function explainTarget(scene: Scene): Finding | undefined {
  const { instruction, system, registers, code } = scene;
  const target = instruction?.operands[0];
  const branch = /^(jmp|call|ret)$/.test(instruction?.mnemonic ?? '');
  if (!branch) {
    if (code === 64 || registers.rip <= BigInt(system.cs.limit)) return undefined;
    return {
      check: `the instruction pointer ${hex(registers.rip)} is beyond the code segment’s limit ${hex(system.cs.limit)}`,
      mistake: 'The code ran or jumped out of its segment.',
    };
  }
  const to =
    target?.kind === 'target'
      ? target.address
      : target?.kind === 'register'
        ? registerValue(scene, target.name)
        : stackTop(scene, 1, code === 64 ? 8 : code === 32 ? 4 : 2)[0];
  if (to === undefined) return undefined;
  return {
    check: `it goes to ${hex(to)}, which is ${code === 64 ? 'not canonical' : `beyond the code segment’s limit ${hex(system.cs.limit)}`}`,
    mistake:
      'Where does that address come from? A RET takes it from the stack: does every push have its pop?',
  };
}
