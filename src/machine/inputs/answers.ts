/**
 * Checksums of the devices' answers in a recorded run: a repeated run detects at once, and not only at its end, that a device answers
 * differently, or that the guest took another path.
 *
 * @module
 */
import { type Exit, ExitKind } from '../../engine/contract/index.js';
import { type AnswerSums, ReplayError } from './record.js';

/** The most sums that are kept. Beyond that, every second one is dropped. */
const MOST = 4096;
/** FNV-1a, 32 bits. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** The running sum over reads. */
class Sum {
  value = OFFSET;
  reads = 0;

  /** True for a read, which is added. */
  add({ kind, write, address, data, offset, size, count }: Exit, instructions: number): boolean {
    if (write || (kind !== ExitKind.io && kind !== ExitKind.mmio && kind !== ExitKind.msr)) return false;
    let sum = this.value;
    sum = Math.imul(sum ^ (instructions & 0xffff_ffff), PRIME);
    sum = Math.imul(sum ^ (address & 0xffff_ffff), PRIME);
    const end = offset + size * count;
    for (let at = offset; at < end; at++) sum = Math.imul(sum ^ data.getUint8(at), PRIME);
    this.value = sum >>> 0;
    this.reads++;
    return true;
  }
}

/** Keeps the sums of a run. */
export class AnswerRecorder {
  readonly #sum = new Sum();
  #every = 1;
  #sums: { at: number; sum: number }[] = [];

  note(exit: Exit, instructions: number): void {
    if (!this.#sum.add(exit, instructions) || this.#sum.reads % this.#every !== 0) return;
    this.#sums.push({ at: instructions, sum: this.#sum.value });
    if (this.#sums.length < MOST) return;
    this.#every *= 2;
    this.#sums = this.#sums.filter((_, index) => index % 2 === 1);
  }

  get record(): AnswerSums {
    return { every: this.#every, sums: this.#sums };
  }
}

/** Compares a run with the sums of an earlier one. */
export class AnswerChecker {
  readonly #sum = new Sum();
  readonly #record: AnswerSums;
  readonly #names: readonly string[];

  /** @param names of the devices, by number */
  constructor(record: AnswerSums, names: readonly string[]) {
    this.#record = record;
    this.#names = names;
  }

  /** @throws ReplayError for the first read that differs */
  note(exit: Exit, device: number, instructions: number): void {
    const { every, sums } = this.#record;
    if (!this.#sum.add(exit, instructions) || this.#sum.reads % every !== 0) return;
    const index = this.#sum.reads / every - 1;
    const expected = sums[index];
    if (expected === undefined || (expected.sum === this.#sum.value && expected.at === instructions)) return;
    const since = index === 0 ? 0 : sums[index - 1]!.at;
    throw new ReplayError(
      `the run differs from the recorded one: ${this.#what(exit, device, instructions, expected.at, since)}`,
    );
  }

  #what(
    { kind, address, data, offset, size }: Exit,
    device: number,
    now: number,
    then: number,
    since: number,
  ): string {
    const { every } = this.#record;
    const where = `${kind === ExitKind.io ? 'port' : kind === ExitKind.msr ? 'MSR' : 'address'} 0x${address.toString(16)}`;
    const name = this.#names[device];
    const who = name === undefined ? where : `device '${name}' at ${where}`;
    if (every > 1)
      return `it changed between instructions ${since} and ${Math.max(now, then)}, where the guest reads ${who}`;
    if (now !== then) return `the guest reads ${who} at instruction ${now}, and did so at ${then}`;
    const value = Array.from({ length: size }, (_, i) => data.getUint8(offset + size - 1 - i));
    const text = value.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${who} answers 0x${text} at instruction ${now}, and answered otherwise: it is not repeatable`;
  }
}
