import { namedBits } from './bits.js';
import {
  type RegisterName,
  type Registers,
  registerNames,
  type SystemRegisters,
  segmentNames,
} from './state.js';

/** A register that a user can name: how many bits it has and where its value is. */
export interface RegisterView {
  readonly bits: number;
  readonly read: (registers: Registers, system: SystemRegisters) => bigint;
  /** The register that contains it, from bit `shift` on; missing for registers that are no part of a general one. */
  readonly of?: { readonly register: RegisterName; readonly shift: number };
}

/** The eight registers that have names for their parts, by the letters in the middle (SDM 1 3.4.1, figure 3-5). */
const legacy = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** The flags that can be read one by one. */
const flags = ['CF', 'PF', 'AF', 'ZF', 'SF', 'TF', 'IF', 'DF', 'OF'];

function part(register: RegisterName, bits: number, shift = 0): RegisterView {
  return {
    bits,
    read: (registers) => BigInt.asUintN(bits, registers[register] >> BigInt(shift)),
    of: { register, shift },
  };
}

const views: ReadonlyMap<string, RegisterView> = (() => {
  const all = new Map<string, RegisterView>();
  for (const name of registerNames) all.set(name, part(name, 64));
  for (const middle of legacy) {
    const whole = `r${middle}` as RegisterName;
    all.set(`e${middle}`, part(whole, 32));
    all.set(middle, part(whole, 16));
    const letter = middle[0]!;
    if (middle.endsWith('x')) {
      all.set(`${letter}l`, part(whole, 8));
      all.set(`${letter}h`, part(whole, 8, 8));
    } else all.set(`${middle}l`, part(whole, 8));
  }
  for (let n = 8; n < 16; n++) {
    const whole = `r${n}` as RegisterName;
    all.set(`r${n}d`, part(whole, 32));
    all.set(`r${n}w`, part(whole, 16));
    all.set(`r${n}b`, part(whole, 8));
  }
  all.set('eip', part('rip', 32)).set('ip', part('rip', 16));
  all.set('eflags', part('rflags', 32)).set('flags', part('rflags', 16));
  for (const [bit, name] of namedBits.rflags)
    if (flags.includes(name)) all.set(name.toLowerCase(), part('rflags', 1, bit));
  all.set('iopl', part('rflags', 2, 12));
  for (const name of [...segmentNames, 'tr', 'ldt'] as const) {
    all.set(name, { bits: 16, read: (_, system) => BigInt(system[name].selector) });
  }
  for (const name of ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const) {
    all.set(name, { bits: 64, read: (_, system) => system[name] });
  }
  return all;
})();

/** The register of that name, in small letters: `rax`, `eax`, `ax`, `ah`, `al`, `r8d`, `zf`, `cs`, `cr0` and so on. */
export function findRegister(name: string): RegisterView | undefined {
  return views.get(name);
}

/** Every name that `findRegister` accepts. */
export const registerViewNames: readonly string[] = [...views.keys()];
