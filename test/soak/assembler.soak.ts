/**
 * Random operands for every row of the opcode table, until the time is over: the assembler's bytes equal those of GNU
 * as and NASM.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble, flatImage, type SourceSyntax } from '../../src/assembler/index.js';
import {
  everyLine,
  gasAnswers,
  holds,
  nasmAnswers,
  nasmLine,
  noAs,
  noNasm,
} from '../../src/assembler/testing.js';
import type { CodeSize } from '../../src/isa/index.js';
import { soakSeconds } from './duration.js';

function made(line: string, head: string, syntax: SourceSyntax): string | undefined {
  try {
    return Buffer.from(flatImage(assemble(`${head}\n${line}\n`, { file: 'x', syntax }))).toString('hex');
  } catch {
    return undefined;
  }
}

test('the assembler writes the same bytes as its peers', { skip: noAs || noNasm }, (t) => {
  const end = Date.now() + 1000 * soakSeconds;
  let count = 0;
  for (let round = 2; Date.now() < end; round++) {
    for (const code of [16, 32, 64] as CodeSize[]) {
      const peers = [
        [`.code${code}`, 'gas', gasAnswers(everyLine(code, 'att', round), code, 'att')],
        [`bits ${code}`, 'nasm', nasmAnswers(everyLine(code, 'intel', round).map(nasmLine), code)],
      ] as const;
      for (const [head, syntax, answers] of peers) {
        for (const { line, slot } of answers) {
          const bytes = made(line, head, syntax);
          // Forms that NASM accepts with a warning, such as a truncated displacement, are refused here.
          if (bytes === undefined && syntax === 'nasm') continue;
          const isDisputed = syntax === 'nasm' && /^(invpcid|xchg rax,rax|retw )/.test(line);
          assert.ok(
            isDisputed || holds(slot, bytes ?? ''),
            `${code} bits, ${line}: ${bytes}, the peer ${slot}`,
          );
          count++;
        }
      }
    }
  }
  t.diagnostic(`${count} instructions`);
});
