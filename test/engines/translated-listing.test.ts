/** `--dump translation` shows the code that ran: the guest's own instructions, each with its WebAssembly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../src/assembler/index.js';
import { DebugSession } from '../../src/debug/index.js';
import { dump, foundTranslations, parseDump } from '../../src/inspect/index.js';
import { createMachine, hostHere } from '../../src/runtime/index.js';

const LOAD = 0x7c00;
const LOOP = 0x7c03;
const SOURCE = `start:	movw $2000, %cx
1:	addw $3, %ax
	xorw %ax, (0x600)
	call twice
	loop 1b
	hlt
twice:	shlw $1, %ax
	ret
`;

function guest() {
  const options = { file: 'loop.S', syntax: 'gas', base: BigInt(LOAD), bits: 16 } as const;
  const [section] = assemble(SOURCE, options).sections;
  return { image: section!.bytes, mode: 'real', load: LOAD, engine: 'soft', translate: 'eager' } as const;
}

test('a translation lists the instructions in memory, their decoded form, and their code', async () => {
  await using machine = await hostHere({ ...guest(), translations: [BigInt(LOOP)] });
  const { translations, ...outcome } = await machine.run();
  assert.equal(outcome.kind, 'halted');
  const [{ translated } = assert.fail('the loop is not translated')] = translations!.found;
  assert.equal(translated.code, 16);
  for (const { address, bytes, record, code } of translated.parts) {
    if (address === undefined || bytes === undefined) continue;
    assert.deepEqual([...bytes], [...machine.memory.readBytes(address, bytes.length)], `at ${address}`);
    assert.match(record!, /^handler \d+/);
    assert.ok(code.length > 0, `at ${address}`);
  }
  const add = translated.parts.find(({ address }) => address === LOOP)!;
  assert.match(add.record!, /immediate 3/);
  assert.match(
    add.code.join('\n'),
    /local\.get \$rax[\s\S]*i32\.const 3[\s\S]*i32\.add[\s\S]*local\.set \$rax/,
    'ADD AX, 3 adds 3 to AX',
  );

  const subject = { ...outcome, memory: machine.memory, translations: foundTranslations(translations!) };
  const [list, one, none] = dump(subject, parseDump(`translation,translation@${LOOP},translation:0x500`));
  assert.match(list!.text, /^translated functions: [1-9][\s\S]*0x00007c03 {2}\d+ instructions {2}\d+ bytes/);
  assert.match(one!.text, /^ {2}0x00007c03 {2}add ax,0x3 +block$/m);
  assert.match(one!.text, /^ {2}0x00007c06 {2}xor WORD PTR ds:0x600,ax/m);
  assert.match(none!.text, /not translated: --dump translation lists the translated code/);
  assert.doesNotThrow(() =>
    JSON.stringify(one!.value, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  );
});

test('a debugger shows it at the guest’s current place, and reports where there is none', () => {
  using machine = createMachine(guest());
  const session = new DebugSession(machine);
  assert.match(session.describe('translation'), /translated functions: 0[\s\S]*nothing is translated/);
  machine.run({ maxInstructions: 4000 });
  assert.match(session.describe('translation'), /translated functions: [1-9]/);
  assert.match(session.describe(`translation:${LOOP}`), /add ax,0x3/);
});
