/**
 * Compares two runs: finds the first moment at which they differ.
 *
 * @module
 */
import type { Machine, MachineState } from '../../machine/index.js';
import { PAGE_SIZE } from '../../memory/index.js';
import { type RegisterName, registerNames } from '../../x86/index.js';
import type { DebugSession } from '../session.js';

/** A run that has reached its end, under a session with a history. */
export interface Run {
  machine: Pick<Machine, 'memory'> & { save(): MachineState };
  session: DebugSession;
}

/** A register or memory that differs in two runs. */
export type Difference =
  | { kind: 'register'; name: RegisterName; values: readonly [bigint, bigint] }
  | { kind: 'memory'; address: bigint; values: readonly [number, number] };

/** Where two runs begin to differ. */
export interface Divergence {
  /** The last moment at which they are the same, in instructions; undefined where they differ from the start. */
  same: number | undefined;
  /** The moment after it. */
  at: number;
  differences: readonly Difference[];
}

/** Moments at which two runs are compared, from the beginning to the end. */
const LOOKS = 1000;
/** The most differences in memory that are listed. */
const MOST = 8;

/**
 * The first moment at which two runs differ; undefined where they agree up to the end of the shorter one. They are compared at a thousand
 * moments, and between two of those by bisection: runs that differ only between two of them may have an earlier difference.
 */
export function divergenceOf(one: Run, other: Run): Divergence | undefined {
  const [a, b] = [one.session.history()!, other.session.history()!];
  const at = (moment: number): Difference[] => {
    one.session.goTo(moment);
    other.session.goTo(moment);
    return differencesOf(one, other);
  };
  let low = Math.max(a.first, b.first);
  const end = Math.min(a.last, b.last);
  let found = at(low);
  if (found.length > 0) return { same: undefined, at: low, differences: found };
  const step = Math.max(1, Math.ceil((end - low) / LOOKS));
  let high = low;
  while (found.length === 0) {
    if (high >= end) return undefined;
    low = one.session.history()!.now;
    high = Math.max(low + 1, Math.min(end, high + step));
    found = at(high);
  }
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    const differences = at(middle);
    // An instruction that counts as several has no moments within it.
    const reached = one.session.history()!.now;
    if (reached >= high) break;
    if (differences.length === 0) low = reached;
    else [high, found] = [reached, differences];
  }
  return { same: low, at: high, differences: found };
}

function differencesOf(one: Run, other: Run): Difference[] {
  const [a, b] = [one.machine.save(), other.machine.save()];
  const registers = a.cpus.flatMap(({ registers: mine }, index) => {
    const theirs = b.cpus[index]!.registers;
    return registerNames
      .filter((name) => mine[name] !== theirs[name])
      .map((name): Difference => ({ kind: 'register', name, values: [mine[name], theirs[name]] }));
  });
  const places: Difference[] = [];
  const pages = new Set([...a.memory.pages.keys(), ...b.memory.pages.keys()]);
  for (const page of [...pages].sort((x, y) => x - y)) {
    const [left, right] = [a.memory.pages.get(page), b.memory.pages.get(page)];
    for (let i = 0; i < PAGE_SIZE && places.length < MOST; i++) {
      const values = [left?.[i] ?? 0, right?.[i] ?? 0] as const;
      if (values[0] === values[1]) continue;
      const address = addressOf(one.machine, page);
      if (address !== undefined) places.push({ kind: 'memory', address: BigInt(address + i), values });
    }
  }
  return [...registers, ...places];
}

/** The physical address of a page of RAM; undefined for memory that is hidden now. */
function addressOf({ memory }: Run['machine'], page: number): number | undefined {
  let first = 0;
  for (const { capacity, address, size } of memory.regions) {
    const within = (page - first) * PAGE_SIZE;
    if (within >= 0 && within < capacity) return within < size ? address + within : undefined;
    first += capacity / PAGE_SIZE;
  }
  return undefined;
}
