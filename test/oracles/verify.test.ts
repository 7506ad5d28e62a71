/** The two engines agree, and the command that checks it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineByName, hostCpuVendor } from '../../src/runtime/index.js';
import { formatReport, type ModeName, Verifier } from '../../src/verify/index.js';
import { noKvm, terrarium } from '../support.js';

const counts: Record<ModeName, number> = { long: 20_000, protected: 6000, real: 6000 };

describe('the two engines agree', { skip: noKvm }, () => {
  for (const [mode, count] of Object.entries(counts) as [ModeName, number][]) {
    test(`on ${count} random instructions, mode ${mode}`, (t) => {
      const vendors = { engine: 'intel', oracle: hostCpuVendor() ?? 'intel' } as const;
      const [engine, oracle] = [engineByName('soft'), engineByName('kvm', { assist: false })];
      using verifier = new Verifier({ engine, oracle, mode, seed: 2026, vendors });
      const { report } = verifier;
      while (report.tests < count) verifier.step(count - report.tests);
      const text = formatReport(report, 'soft', 'kvm');
      t.diagnostic(text.split('\n').slice(0, 3).join(';'));
      assert.equal(report.found.length, 0, text);
      // KVM that emulates refuses some.
      assert.ok(report.compared > count * 0.9, text);
    });
  }
});

describe('terrarium verify', () => {
  test('runs only on the software CPU on request, and reports that nothing is compared', () => {
    const { status, stdout } = terrarium(['verify', '--engine', 'soft', '--count', '500', '--seed', '3']);
    assert.equal(status, 0);
    assert.match(stdout, /^soft alone: nothing is compared, 64-bit code in ring 3, seed 3\n {2}tests +500 /);
  });

  test('compares one instruction for a time, against KVM', { skip: noKvm }, () => {
    const { status, stdout, stderr } = terrarium(['verify', '--only', 'adc', '--seconds', '0.2']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^soft against kvm/);
    assert.match(stdout, /differences +0/);
  });

  test('refuses invalid options with a message', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = terrarium(['verify', ...args]);
      assert.equal(status, 2);
      return stderr;
    };
    assert.match(refused('--seed', '-1'), /'-1' is not a whole number below 2\^32/);
    assert.match(refused('--count', '0'), /'0' is not a whole number from 1/);
    assert.match(refused('--mode', 'unreal'), /long, protected, real/);
    assert.match(refused('--engine', 'soft', '--only', 'mvo'), /the opcode table has no 'mvo'/);
    assert.match(refused('--engine', 'soft', '--only', 'cpuid'), /its result depends on the processor/);
  });

  test('shows examples first in its help', () => {
    assert.match(terrarium(['verify', '--help']).stdout, /^Examples:\n {2}\$ terrarium verify/);
  });
});
