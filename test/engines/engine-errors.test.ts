/** Explanations of instructions that KVM on this host gives up on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { noGcc, noKvm, Scratch, terrarium } from '../support.js';

/** Runs a source in 32-bit protected mode on KVM and returns the messages about its end. */
function end(code: string, ...flags: string[]): { status: number | null; text: string } {
  using scratch = new Scratch();
  const file = scratch.file('guest.S');
  writeFileSync(file, `.code32\n.globl _start\n_start:\n${code}\n`);
  const { status, stderr } = terrarium(['run', file, '--mode', 'protected', '--engine', 'kvm', ...flags]);
  return { status, text: stderr.replace(/\s+/g, ' ') };
}

/** Only a KVM that emulates gives up on these. */
const emulates = !noKvm && !noGcc && end('fldpi\nhlt', '--assist', 'off').status === 4;
const skip = noKvm || noGcc || (emulates ? false : 'SKIPPED: this host’s KVM runs it all by itself');

describe('an instruction that this KVM’s emulator does not support', { skip }, () => {
  for (const [name, code, words] of [
    ['of the x87', 'fldpi', /KVM.* emulator does not support fldpi.*of the x87/],
    ['through a gate', 'int $0x20', /does not support int 0x20.*only in real mode, not through the gates/],
    [
      'that returns through one',
      'pushf\npush %cs\npush $0x100000\niret',
      /does not support iret.*only in real mode/,
    ],
    ['that computes with SSE', 'mov $0x600, %eax\nmov %eax, %cr4\naddps %xmm0, %xmm1', /addps.*plain moves/],
  ] as const) {
    test(`${name} is explained, with advice`, () => {
      const { status, text } = end(`${code}\nhlt`, '--assist', 'off');
      assert.equal(status, 4, text);
      assert.match(text, words);
      assert.match(text, /runs 32-bit protected mode in its emulator.*what to do Leave --assist on/);
      assert.match(text, /guest\.S:\d/);
    });
  }

  test('outside of memory is reported as the guest’s mistake', () => {
    const { status, text } = end(
      'mov $0x600, %eax\nmov %eax, %cr4\naddps 0xfe000000, %xmm1\nhlt',
      '--assist',
      'off',
    );
    assert.equal(status, 4, text);
    assert.match(text, /accesses 0xfe000000, which is not RAM.*the likely mistake Access devices with/);
  });

  test('is executed by the software CPU if the user follows the advice', () => {
    assert.equal(end('fldpi\nhlt').status, 0);
    assert.equal(end('fldpi\nhlt', '--assist', 'on').status, 0);
  });
});
