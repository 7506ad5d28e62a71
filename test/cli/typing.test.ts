/** `--type` at a moment of the run: firmware drops keys that are typed before its prompt. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { noKvm, Scratch, terrarium } from '../support.js';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());

/**
 * Drops all keys until the PIT's counter restarts, after 14 ms, as firmware does, asks "key?" and prints the scan code
 * of the key that goes down then: a 1E, b 30, c 2E.
 */
writeFileSync(
  scratch.file('drains.S'),
  `.code16
.globl _start
_start: mov     $0x34, %al              // counter 0 counts down from 0x4000, 14 ms, again and again
        out     %al, $0x43
        xor     %al, %al
        out     %al, $0x40
        mov     $0x40, %al
        out     %al, $0x40
        mov     $2, %cx
        xor     %bl, %bl
1:      in      $0x60, %al              // thrown away
        mov     $0, %al                 // latch counter 0
        out     %al, $0x43
        in      $0x40, %al
        in      $0x40, %al              // its high byte counts down
        cmp     %bl, %al
        mov     %al, %bl
        jbe     1b
        loop    1b
        mov     $question, %si
2:      lodsb
        out     %al, $0xe9
        cmp     $'?', %al
        jne     2b
3:      in      $0x64, %al
        test    $1, %al
        jz      3b
        in      $0x60, %al
        test    $0x80, %al
        jnz     3b
        out     %al, $0xe9
        cli
        hlt
question: .ascii "key?"
`,
);

const guest = ['run', scratch.file('drains.S'), '--mode', 'real', '--timeout', '60s'];
const typed = (engine: string, ...words: string[]) =>
  terrarium([...guest, '--engine', engine, ...words.flatMap((word) => ['--type', word])]);

describe('--type', () => {
  for (const [engine, skip] of [['soft', false] as const, ['kvm', noKvm] as const]) {
    test(`types when the guest has printed something, on ${engine}`, { skip }, () => {
      const { stdout, status, stderr } = typed(engine, 'a', 'b@prints:key?');
      assert.equal(stdout, 'key?\x30', stderr);
      assert.equal(status, 0);
    });
  }

  // On KVM the moment is in wall-clock time, in which a busy host may do other work.
  test('types at a time of the run', () => {
    assert.equal(typed('soft', 'a', 'c@300ms').stdout, 'key?\x2e');
  });

  test('types each text at its moment, the same in every run', () => {
    const words = ['b@16ms', 'c@20ms', 'a'];
    const runs = [1, 2].map(() => typed('soft', ...words));
    assert.deepEqual(
      runs.map(({ stdout }) => stdout),
      ['key?\x30', 'key?\x30'],
    );
    const exits = runs.map(({ stderr }) => /after (\d+) exits/.exec(stderr)?.[1]);
    assert.equal(exits[0], exits[1]);
  });

  test('types after an exit, or at the first HLT', () => {
    const echoes = scratch.file('halts.S');
    writeFileSync(
      echoes,
      `.code16
.globl _start
_start: lidt    nothing
        hlt                             // no interrupt wakes it: NMIs aside, it is the end
nothing: .word 0, 0, 0
`,
    );
    const { stdout } = typed('soft', 'c@exit:20000');
    // This many exits come after the question.
    assert.equal(stdout, 'key?\x2e');
    assert.equal(
      terrarium(['run', echoes, '--mode', 'real', '--engine', 'soft', '--type', 'a@HLT']).status,
      0,
    );
  });

  test('recognizes an @ that is a part of the text', () => {
    assert.equal(typed('soft', 'b@prints:key?', 'me@home').stdout, 'key?\x30');
    const wrong = terrarium([...guest, '--type', '\\q@3s']);
    assert.match(wrong.stderr, /'\\q' is not a key/);
    assert.equal(wrong.status, 2);
  });
});
