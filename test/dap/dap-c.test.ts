/** Variables of C in an editor: scopes, trees, watches, other frames, inlined functions, setting. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { program } from '../debug/c/program.js';
import { noGcc, Scratch } from '../support.js';
import { Editor } from './dap-client.js';

const flags =
  '-gdwarf-5 -O0 -nostdlib -static -no-pie -ffreestanding -fno-pic -mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,--build-id=none -Wl,-Ttext=0x100000 -w';

describe('variables of C in an editor', { skip: noGcc }, () => {
  test('are a tree for each frame, can be watched, compared and set', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('prog.c'), program);
    execFileSync('gcc', [...flags.split(' '), 'prog.c', '-o', 'prog.elf'], { cwd: scratch.path });
    await using editor = new Editor();
    const stopped = editor.client.waitForEvent('stopped');
    await editor.launch({ program: scratch.file('prog.elf'), engine: 'soft' }, (client) =>
      client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'add' }] }),
    );
    await stopped;
    await editor.continue();
    // Past the beginning of the function, and past the line that sets the variable.
    for (let line = 0; line < 2; line++) await editor.next();

    const named = async (frameId: number, scope: string) => {
      const { body } = await editor.client.scopesRequest({ frameId });
      const found = body.scopes.find(({ name }) => name === scope);
      assert.ok(found, `${scope} in ${body.scopes.map(({ name }) => name)}`);
      return editor.variables(found.variablesReference);
    };
    const values = (variables: Map<string, { value: string }>) =>
      Object.fromEntries([...variables].map(([name, { value }]) => [name, value]));

    assert.deepEqual(values(await named(1, 'Arguments')), { a: '20', b: '1' });
    assert.deepEqual(values(await named(1, 'Locals')), { sum: '21' });

    const frames = await editor.frames();
    assert.deepEqual(
      frames.map(({ name }) => name.replace(/\+.*/, '')),
      ['add', 'twice (inlined)', 'work', '_start'],
    );
    assert.deepEqual(values(await named(2, 'Arguments')), { of: '10' });
    const work = await named(3, 'Arguments');
    assert.equal(work.get('letter')!.value, "65 'A'");
    assert.equal(work.get('list')!.type, 'struct node *'.replace('struct node', 'node_t'));

    // A pointer shows the members of its target, an array its elements.
    const list = await editor.variables(work.get('list')!.variablesReference);
    assert.equal(list.get('value')!.value, '1');
    const second = await editor.variables(list.get('next')!.variablesReference);
    assert.equal(second.get('value')!.value, '-2');
    const local = await named(3, 'Locals');
    const squares = await editor.variables(local.get('squares')!.variablesReference);
    assert.deepEqual(values(squares), { '[0]': '72', '[1]': '1', '[2]': '4', '[3]': '9' });

    // Names are looked up in the frame that the editor shows.
    const inFrame = async (expression: string, frameId: number) =>
      (await editor.client.evaluateRequest({ expression, frameId, context: 'watch' })).body;
    assert.equal((await inFrame('squares[3] + 1', 3)).result, '10');
    assert.equal((await inFrame('list->next->name', 3)).result.includes('two'), true);
    const watched = await inFrame('*list', 3);
    assert.equal(watched.type, 'node_t');
    assert.equal((await editor.variables(watched.variablesReference)).get('value')!.value, '1');

    const { body } = await editor.client.scopesRequest({ frameId: 1 });
    const { variablesReference } = body.scopes.find(({ name }) => name === 'Locals')!;
    await editor.client.setVariableRequest({ variablesReference, name: 'sum', value: 'a * 2' });
    assert.equal(await editor.evaluate('sum'), '40');
    await editor.evaluate('ratio = 2.5', 'repl');
    assert.equal(await editor.evaluate('ratio * 2'), '5');
    assert.match(await editor.evaluate('ptype union both', 'repl'), /^union both \{\n {4}int i;\n/);
    assert.equal(await editor.evaluate('locals', 'repl'), 'a = 20\nb = 1\nsum = 40');
    assert.match(await editor.refused('evaluate', { expression: 'sum.x', context: 'watch' }), /no members/);
    assert.match(await editor.refused('scopes', { frameId: 40 }), /no frame 39/);
  });
});
