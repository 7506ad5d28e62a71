/** The help for an instruction's name, as each syntax spells it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instructionHelp } from '../../src/browser/instruction-help.js';

describe('the help for a mnemonic', () => {
  for (const [given, manual] of [
    ['mov', 'mov'],
    ['MOV', 'mov'],
    ['movl', 'mov'],
    ['pushq', 'push'],
    ['movzbl', 'movzx'],
    ['movswq', 'movsx'],
    ['movslq', 'movsxd'],
    ['cltq', 'cdqe'],
    ['cqto', 'cqo'],
    ['ljmp', 'jmp'],
    ['lret', 'retf'],
    ['movabs', 'mov'],
    ['iretq', 'iret'],
  ] as const)
    test(`${given} is that of ${manual}`, () => {
      const help = instructionHelp(given);
      assert.ok(help, given);
      const known = instructionHelp(manual)!;
      assert.equal(help.split('\n')[0]!.replace(given, manual), known.split('\n')[0]!.replace(given, manual));
    });

  test('is missing for what is no instruction', () => {
    for (const word of ['movzzl', 'msg', 'db', '', '1', '__proto__', 'constructor'])
      assert.equal(instructionHelp(word), undefined, word);
  });
});
