/** A guest that waits without success gets an explanation, with its last actions: on both engines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explain, stormText, waitLine } from '../../src/explain/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { HANGS_MS, noKvm } from '../support.js';

/** Real-mode code, and its explanation after a time. */
const guests: [what: string, code: number[], line: RegExp, why: RegExp][] = [
  [
    'polls a missing disk',
    // mov $0x1f7, %dx; 1: in %dx, %al; test $0x80, %al; jnz 1b
    [0xba, 0xf7, 0x01, 0xec, 0xa8, 0x80, 0x75, 0xfb],
    /^it polls port 0x1f7, the first ATA channel’s status, where nothing answers: no disk is attached: --disk FILE$/,
    /give all ones/,
  ],
  [
    'polls two ports alternately',
    // 1: mov $0x1f7, %dx; in %dx, %al; mov $0x3f6, %dx; in %dx, %al; jmp 1b
    [0xba, 0xf7, 0x01, 0xec, 0xba, 0xf6, 0x03, 0xec, 0xeb, 0xf6],
    /no disk is attached/,
    /all ones/,
  ],
  [
    'polls an unknown port',
    // mov $0x9999, %dx; 1: in %dx, %al; cmp $0x11, %al; jne 1b
    [0xba, 0x99, 0x99, 0xec, 0x3c, 0x11, 0x75, 0xfb],
    /^it polls port 0x9999, where nothing answers/,
    /--device MODULE/,
  ],
  [
    'waits for a byte',
    // mov $0x3fd, %dx; 1: in %dx, %al; test $1, %al; jz 1b
    [0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb],
    /^it polls port 0x3fd: the serial port, for a byte$/,
    /its input is stdin/,
  ],
  [
    'waits for a key',
    // 1: in $0x64, %al; test $1, %al; jz 1b
    [0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa],
    /^it polls port 0x64: the keyboard, for a key$/,
    /--type/,
  ],
  [
    'runs past its end into zeros',
    // ljmp $0x1800, $0: nothing was loaded there
    [0xea, 0x00, 0x00, 0x00, 0x18],
    /^it executes memory full of zeros, at 0x[0-9a-f]+: it left its code$/,
    /ran past the end of its code/,
  ],
  [
    'spins with interrupts off',
    [0xfa, 0xeb, 0xfe],
    /^it jumps to itself, at 0x1, with interrupts off/,
    /CLI and HLT/,
  ],
  ['spins with interrupts on', [0xfb, 0xeb, 0xfe], /^it jumps to itself, at 0x1$/, /CLI and HLT/],
  [
    'waits for a word in memory that nobody writes',
    // sti; 1: cmpw $0, 0x2000; jne 2f; nop; jmp 1b; 2:
    [0xfb, 0x83, 0x3e, 0x00, 0x20, 0x00, 0x75, 0x03, 0x90, 0xeb, 0xf6],
    /^it goes round in a loop at 0x1: cmp WORD PTR ds:0x2000,0x0; jne 0xb; nop; jmp 0x1$/,
    /still running/,
  ],
  [
    'polled, and then spins at another place',
    // mov $0x1f7, %dx; mov $20, %cx; 1: in %dx, %al; loop 1b; ljmp $0x0800, $0; and there: cli; jmp .
    [0xba, 0xf7, 0x01, 0xb9, 0x14, 0x00, 0xec, 0xe2, 0xfd, 0xea, 0x00, 0x80, 0x00, 0x00],
    /interrupts off/,
    /CLI and HLT/,
  ],
];

for (const engine of ['soft', 'kvm'] as const) {
  describe(`on ${engine}, a guest that`, { skip: engine === 'kvm' && noKvm }, () => {
    for (const [what, code, line, why] of guests)
      test(what, () => {
        const image = new Uint8Array(0x8003).fill(0x90);
        image.set(code);
        image.set([0xfa, 0xeb, 0xfe], 0x8000);
        // The word that one of them waits for.
        image.set([0, 0], 0x2000);
        using machine = createMachine({ engine, image, mode: 'real', clock: 'wall', coalesce: false });
        const look = () => {
          const outcome = machine.run({ timeoutMs: 150 });
          assert.equal(outcome.kind, 'timeout');
          const { memory, boot } = machine;
          const { steps, mistakes } = explain({ ...outcome, memory, image: boot, locate: () => undefined });
          const text = [...steps.map(({ text }) => text), ...mistakes].join('\n');
          return { found: waitLine(outcome, memory), text };
        };
        let { found, text } = look();
        // On a busy host the guest may need longer to reach its loop.
        const limit = performance.now() + HANGS_MS;
        while (!(why.test(text) && line.test(found ?? '')) && performance.now() < limit)
          ({ found, text } = look());
        assert.match(found ?? '', line);
        assert.match(text, why);
      });

    test('raises an interrupt without a handler again and again', () => {
      // ud2: its vector is 0000:0000, where this code is.
      using machine = createMachine({ engine, image: new Uint8Array([0x0f, 0x0b]), mode: 'real' });
      let text: string | undefined;
      for (const limit = performance.now() + HANGS_MS; text === undefined && performance.now() < limit; ) {
        const outcome = machine.run({ timeoutMs: 5 });
        text = stormText({ ...outcome, memory: machine.memory });
      }
      assert.match(text ?? '', /^an exception or interrupt at 0000:0+ had no handler: .*\(\d+ of them\)/);
    });
  });
}
