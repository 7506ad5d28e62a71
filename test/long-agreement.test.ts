/** Both engines do the same in ring 3 of long mode, where KVM's side is a real processor: random instructions, a fixed seed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineByName } from '../src/host/index.js';
import { randomNumbers } from '../src/isa/index.js';
import { type Case, randomCase } from './agreement/cases.js';
import { describeCase, differences } from './agreement/compare.js';
import { DATA, DATA_SIZE, LongModeSide, type Result } from './agreement/long-mode.js';
import { noKvm } from './support.js';

const COMPARISONS = Number(process.env.TERRARIUM_COMPARISONS ?? 3000);
const SEED = Number(process.env.TERRARIUM_SEED ?? 64);

/**
 * KVM emulates some instructions itself, such as accesses to memory that is not there. Its emulator does not know all of
 * them, and lets LOCK stand before hints.
 */
function isEmulated({ row, encoding }: Case, real: Result): boolean {
  if (encoding.lock && /^(nop|prefetch|[lms]fence)/.test(row.name)) return true;
  return encoding.memory !== undefined && row.map > 1 && real.vector === 6;
}

describe('the two engines agree', { skip: noKvm }, () => {
  test(`on ${COMPARISONS} random instructions in ring 3 of long mode: registers, flags, memory, exceptions`, (t) => {
    using soft = new LongModeSide(engineByName('soft'));
    using kvm = new LongModeSide(engineByName('kvm'));
    const random = randomNumbers(SEED);
    const differ: string[] = [];
    let refused = 0;
    const bytes = Uint8Array.from({ length: DATA_SIZE }, () => random(256));
    for (const side of [soft, kvm]) side.memory.writeBytes(DATA, bytes);
    const start = soft.cpu.getRegisters();
    for (let n = 0; n < COMPARISONS; n++) {
      const one = randomCase(random);
      if (one === undefined) continue;
      const registers = { ...start, ...one.registers };
      for (const side of [soft, kvm]) side.memory.writeBytes(Number(registers.rip), one.bytes);
      const real = kvm.run(registers);
      const ours = soft.run(registers);
      if (real === undefined) {
        refused++;
        continue;
      }
      const found = differences(one, real, ours);
      const emulated = isEmulated(one, real);
      const [a, b] = [kvm.memory.view(DATA, DATA_SIZE), soft.memory.view(DATA, DATA_SIZE)];
      if (Buffer.compare(a, b) !== 0) {
        found.push('memory');
        soft.memory.writeBytes(DATA, Uint8Array.from(a));
      }
      if (found.length > 0 && !emulated) differ.push(`${found.join(', ')}: ${describeCase(one)}`);
    }
    t.diagnostic(`${refused} instructions are not there in this host's KVM`);
    assert.ok(refused < COMPARISONS / 10);
    assert.deepEqual(differ.slice(0, 20), []);
  });
});
