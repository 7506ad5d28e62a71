/** `run --lockstep`: a guest on two CPUs from exit to exit, and their first difference. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { runInLockstep } from '../../src/runtime/index.js';
import { noKvm, Scratch, terrarium } from '../support.js';

/** Guests that do not depend on time. */
const steady = ['hello', 'lj-kernel2', 'khw-real', 'khw-protected', 'so2-16bit', 'segments'];

describe('a guest on KVM and the software CPU at once', { skip: noKvm }, () => {
  for (const name of steady)
    test(`${name} does the same on both`, () => {
      const { status, stdout, stderr } = terrarium([
        'run',
        `guests/${name}`,
        '--lockstep',
        '--timeout',
        '60s',
      ]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /KVM and the software CPU gave the same results, compared [\d,]+ times?; \w+: /);
      const alone = terrarium(['run', `guests/${name}`, '--engine', 'soft', '--quiet']);
      assert.equal(stdout, alone.stdout, 'prints the same as on one CPU');
    });

  test('that never ends is compared until its limit', () => {
    const { status, stderr } = terrarium(['run', 'guests/lj-kernel1', '--lockstep', '--timeout', '500ms']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /gave the same results until then, compared \d+ times?/);
  });

  test('differs where it reads the time: both states are shown side by side', () => {
    using scratch = new Scratch();
    // Waits a while, then prints the low byte of the PIT's counter.
    writeFileSync(
      scratch.file('time.S'),
      `.code16
	movb $0x34, %al
	outb %al, $0x43
	movb $0xff, %al
	outb %al, $0x40
	outb %al, $0x40
	movl $200000, %ecx
1:	decl %ecx
	jnz 1b
	inb $0x40, %al
	outb %al, $0xe9
	hlt
`,
    );
    const { status, stderr } = terrarium(['run', scratch.file('time.S'), '--mode', 'real', '--lockstep']);
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /differ after they were compared \d+ times?: (rax differs|kvm writes 0x[0-9a-f]+ to io 0xe9)/,
    );
    assert.match(stderr, /^kvm: [\s\S]*^rip [\s\S]*^soft: [\s\S]*^rip /m);
    assert.match(stderr, /has its own clock/);
  });
});

describe('a guest interpreted and translated at once', () => {
  for (const name of [...steady, 'khw-paged', 'khw-long', 'rings-long', 'tick-real'])
    test(`${name} does the same in both`, () => {
      const { status, stderr } = terrarium([
        'run',
        `guests/${name}`,
        '--lockstep',
        'translate',
        '--max-exits',
        '2000',
      ]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /interpreted and translated gave the same results, compared [\d,]+ times?/);
    });

  test('is also compared where it never exits', () => {
    // 1: add $3, %ax; jmp 1b
    const image = Uint8Array.of(0x83, 0xc0, 3, 0xeb, 0xfb);
    const { steps, difference } = runInLockstep('translate', { image, mode: 'real' }, { maxExits: 5 });
    assert.deepEqual([steps, difference], [5, undefined]);
  });
});

test('options that it does not support are refused', () => {
  for (const [words, message] of [
    [['--gdb', ''], /--lockstep and --gdb cannot be combined/],
    [['--engine', 'soft'], /--lockstep uses both engines/],
    [['--simvirtio', 'polling'], /no exits to compare/],
  ] as const) {
    const { status, stderr } = terrarium(['run', 'guests/hello', '--lockstep', ...words.filter(Boolean)]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
  const { status, stderr } = terrarium(['run', 'guests/hello', '--lockstep=both']);
  assert.equal(status, 2);
  assert.match(stderr, /engines, translate/);
});
