/** The assembler's bytes are those of GNU as and of NASM: every row of the opcode table in every mode, form and size. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CodeSize } from '../isa/index.js';
import { assemble, flatImage, type SourceSyntax } from './index.js';
import { type Answer, everyLine, gasAnswers, holds, nasmAnswers, nasmLine, noAs, noNasm } from './testing.js';

/** `npm run soak` asks for more. */
const rounds = Number(process.env.TERRARIUM_ASSEMBLER_ROUNDS ?? 1);

function ours(line: string, head: string, syntax: SourceSyntax): string {
  try {
    return Buffer.from(flatImage(assemble(`${head}\n${line}\n`, { file: 'x', syntax }))).toString('hex');
  } catch (error) {
    return (error as Error).message;
  }
}

function differing(answers: readonly Answer[], head: string, syntax: SourceSyntax): string[] {
  return answers
    .map(({ line, slot }) => ({ line, slot, made: ours(line, head, syntax) }))
    .filter(({ slot, made }) => !holds(slot, made))
    .map(({ line, slot, made }) => `${line}: ${made}, the peer ${slot}`);
}

/** Where GNU as takes Intel's syntax for something else: a near call through four bytes is a far one to it. */
const gasDisputed = /^(call|jmp) (DWORD|WORD) PTR/;

/** Where NASM is of another mind, and the manual does not care or is on our side. */
const nasmDisputed: readonly RegExp[] = [
  // REX.W and 66 where they change nothing (SDM 2A INVPCID, XCHG), and none where one is needed (RET in 32-bit code).
  /^invpcid|^xchg rax,rax|^retw /,
  // Addresses above 2 GiB in 64-bit code: NASM warns, and cuts them.
  /\[0x[89a-f]\w{7}\]/,
];

describe('the assembler', { skip: noAs }, () => {
  for (const code of [16, 32, 64] as CodeSize[]) {
    test(`writes ${code}-bit code in the syntax of AT&T as GNU as does`, (t) => {
      const answers = gasAnswers(everyLine(code, 'att', rounds), code, 'att');
      t.diagnostic(`${answers.length} instructions`);
      assert.ok(answers.length > 6000);
      const wrong = differing(answers, `.code${code}`, 'gas');
      assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differ`);
    });

    test(`writes ${code}-bit code in Intel's syntax as GNU as does`, (t) => {
      const lines = everyLine(code, 'intel', rounds).filter((line) => !gasDisputed.test(line));
      const answers = gasAnswers(lines, code, 'intel');
      t.diagnostic(`${answers.length} instructions`);
      assert.ok(answers.length > 6000);
      const wrong = differing(answers, `.intel_syntax noprefix\n.code${code}`, 'gas');
      assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differ`);
    });
  }
});

describe('the assembler', { skip: noNasm }, () => {
  for (const code of [16, 32, 64] as CodeSize[]) {
    test(`writes ${code}-bit code as NASM does`, (t) => {
      const lines = everyLine(code, 'intel', rounds).map(nasmLine);
      const asked = lines.filter((line) => !nasmDisputed.some((pattern) => pattern.test(line)));
      const answers = nasmAnswers(asked, code);
      t.diagnostic(`${answers.length} instructions`);
      assert.ok(answers.length > 6000);
      const wrong = differing(answers, `bits ${code}`, 'nasm');
      assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differ`);
    });
  }
});
