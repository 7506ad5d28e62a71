/**
 * The report on a class as plain data. It contains no time and no path of this host: the same input gives the same report to the byte.
 *
 * @module
 */
import { type CheckResult, type Exercise, passed, type Verdict } from '../../exercises/index.js';

/** One student's line. */
export interface Entry {
  readonly id: string;
  readonly name?: string;
  /** The learning platform's identifier of the submission. */
  readonly key?: string;
  readonly seed: string;
  /** A hash of the submission's files; empty where they could not be read. */
  readonly digest: string;
  readonly verdict: Verdict;
}

/** How often a check was missed. */
export interface Missed {
  readonly name: string;
  readonly missed: number;
  readonly of: number;
  readonly note?: string;
}

export class ClassReport {
  readonly exercise: Exercise;
  readonly entries: readonly Entry[];

  constructor(exercise: Exercise, entries: readonly Entry[]) {
    this.exercise = exercise;
    this.entries = [...entries].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  get passed(): number {
    return this.entries.filter(({ verdict }) => passed(verdict)).length;
  }

  count(state: Verdict['state']): number {
    return this.entries.filter(({ verdict }) => verdict.state === state).length;
  }

  /** How many submissions have 0–10 % of the points, 10–20 % and so on, and all points. */
  get distribution(): number[] {
    const counts = new Array<number>(11).fill(0);
    for (const { verdict } of this.entries) {
      const share = verdict.outOf === 0 ? 0 : verdict.points / verdict.outOf;
      counts[Math.min(10, Math.floor(share * 10 + 1e-9))]!++;
    }
    return counts;
  }

  get mean(): number {
    const sum = this.entries.reduce((total, { verdict }) => total + verdict.points, 0);
    return this.entries.length === 0 ? 0 : Math.round((sum / this.entries.length) * 100) / 100;
  }

  /** Checks by how often they were missed. */
  get missed(): Missed[] {
    const byName = new Map<string, { name: string; missed: number; of: number; note?: string }>();
    for (const { verdict } of this.entries) {
      for (const check of verdict.checks) {
        const one = byName.get(check.name) ?? { name: check.name, missed: 0, of: 0, ...noteOf(check) };
        one.of++;
        if (!check.ok) one.missed++;
        byName.set(check.name, one);
      }
    }
    return [...byName.values()].sort((a, b) => b.missed - a.missed || (a.name < b.name ? -1 : 1));
  }

  /** The submissions whose guests executed the most instructions. */
  get slowest(): { id: string; instructions: number }[] {
    return this.entries
      .map(({ id, verdict }) => ({
        id,
        instructions: verdict.runs.reduce((most, run) => Math.max(most, run.instructions), 0),
      }))
      .filter(({ instructions }) => instructions > 0)
      .sort((a, b) => b.instructions - a.instructions || (a.id < b.id ? -1 : 1))
      .slice(0, 5);
  }

  /** Students who handed in the same files. */
  get same(): string[][] {
    const byDigest = new Map<string, string[]>();
    for (const { id, digest } of this.entries)
      if (digest !== '') byDigest.set(digest, [...(byDigest.get(digest) ?? []), id]);
    return [...byDigest.values()].filter((ids) => ids.length > 1);
  }
}

const noteOf = ({ note }: CheckResult) => (note === undefined ? {} : { note });
