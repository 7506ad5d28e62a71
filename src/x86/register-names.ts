import {
  type RegisterName,
  type Registers,
  registerNames,
  type SystemRegisters,
  segmentNames,
} from './state.js';

/** A register that a person can name: how many bits it has and where its value is. */
export interface RegisterView {
  readonly bits: number;
  readonly read: (registers: Registers, system: SystemRegisters) => bigint;
  /** The register that it is a part of, from bit `shift` on; missing for those that are no part of the general ones. */
  readonly of?: { readonly register: RegisterName; readonly shift: number };
}

/** The eight registers that have names for their parts, by the letters in the middle (SDM 1 3.4.1, figure 3-5). */
const legacy = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** The flags that can be asked for one by one (SDM 1 3.4.3). */
const flags: Readonly<Record<string, number>> = {
  cf: 0,
  pf: 2,
  af: 4,
  zf: 6,
  sf: 7,
  tf: 8,
  if: 9,
  df: 10,
  of: 11,
};

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
  for (const [name, bit] of Object.entries(flags)) all.set(name, part('rflags', 1, bit));
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

/** Every name that `findRegister` knows. */
export const registerViewNames: readonly string[] = [...views.keys()];

/** Up to three of `names` that `word` may have been meant for, the nearest first. */
export function nearestNames(word: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Letters to change, add, drop or swap with their neighbour to make one word of the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, before[j - 2]! + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
