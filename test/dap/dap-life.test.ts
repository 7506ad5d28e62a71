/** A session of `terrarium dap` from its launch to every kind of the guest's end. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { engines, written } from '../debug/debug-sources.js';
import { noGcc, Scratch, terrarium } from '../support.js';
import { Editor, ProcessEditor } from './dap-client.js';

for (const { name: engine, skip } of engines) {
  describe(`an editor and the life of a guest on ${engine}`, { skip: noGcc || skip }, () => {
    test('a guest that dies stops once more, with the reason', async () => {
      await using editor = new Editor();
      const dead = editor.stopped();
      await editor.launch({ program: 'guests/mistakes/no-idt/no-idt.S', engine });
      const stop = await dead;
      assert.equal(stop.reason, 'exception');
      assert.match(stop.text!, /triple fault/);
      const { body } = await editor.client.exceptionInfoRequest({ threadId: 1 });
      assert.equal(body.exceptionId, 'triple fault');
      assert.match(await editor.evaluate('why', 'repl'), /why: /);
      assert.match(await editor.evaluate('gdt', 'repl'), /GDT/);
      assert.match(await editor.evaluate('devices', 'repl'), /serial/);
      assert.match(await editor.evaluate('exits', 'repl'), /./);
      assert.match(await editor.evaluate('walk 0x1000', 'repl'), /0x1000/);
      assert.equal(await editor.finish(), 3);
      assert.match(editor.output.console!, /triple fault[\s\S]*\nwhy: /);
    });

    test('a guest that loops is paused; breakpoints are set while it runs; it is restarted and terminated', async () => {
      using scratch = new Scratch();
      await using editor = new Editor();
      const text = '.code64\n_start:\n  inc %rax\n  jmp _start\n  hlt\n';
      const launch = written(scratch, 'k.S', text, 64, engine);
      await editor.launch(launch);
      assert.equal((await editor.until(() => editor.client.pauseRequest({ threadId: 1 }))).reason, 'pause');
      await editor.client.continueRequest({ threadId: 1 });
      const source = { path: launch.program };
      const stop = await editor.until(() =>
        editor.client.setBreakpointsRequest({ source, breakpoints: [{ line: 4 }] }),
      );
      assert.equal(stop.reason, 'breakpoint');
      assert.equal(await editor.where(), 'k.S:4');
      // The source has changed in between: the line is another one, and the breakpoint moves with it.
      writeFileSync(launch.program, text.replace('jmp _start', 'nop'));
      assert.equal((await editor.until(() => editor.client.restartRequest({}))).reason, 'breakpoint');
      assert.equal(await editor.evaluate('rax'), '1');
      assert.match((await editor.evaluate('code', 'repl')).split('=>')[1]!, /^ 0x\w+ {2}nop/);
      assert.match(await editor.evaluate('list', 'repl'), /^ {7}1 {2}\.code64\n[\s\S]*\n=> {5}4 {4}nop\n/);
      const ended = Promise.all([
        editor.client.waitForEvent('exited'),
        editor.client.waitForEvent('terminated'),
      ]);
      await editor.client.terminateRequest();
      await ended;
    });

    test('a guest that ends during a step is reported as ended', async () => {
      using scratch = new Scratch();
      await using editor = new Editor();
      const launch = {
        ...written(scratch, 'k.S', '.code64\n  mov $7, %al\n  out %al, $0xf4\n', 64, engine),
        stopOnEntry: true,
      };
      const entry = editor.stopped();
      await editor.launch(launch);
      await entry;
      await editor.next();
      const exited = editor.client.waitForEvent('exited') as Promise<DebugProtocol.ExitedEvent>;
      await editor.client.nextRequest({ threadId: 1 });
      assert.ok((await exited).body.exitCode > 0);
      assert.match(await editor.refused('stackTrace', { threadId: 1 }), /the guest has ended/);
    });
  });
}

describe('an editor and a guest', { skip: noGcc }, () => {
  test('that reads its serial port gets the text typed in the debug console', async () => {
    using scratch = new Scratch();
    await using editor = new Editor();
    const echo = `.code64
again: mov $0x3fd, %dx
wait:  in %dx, %al
  test $1, %al
  jz wait
  mov $0x3f8, %dx
  in %dx, %al
  cmp $'\\n', %al
  je end
  out %al, $0xe9
  jmp again
end: hlt
`;
    const ended = editor.client.waitForEvent('exited');
    await editor.launch(written(scratch, 'k.S', echo, 64, 'soft'));
    await editor.evaluate('<hello', 'repl');
    await ended;
    assert.equal(editor.output.stdout, 'hello');
  });

  test('whose device prints does not disturb the messages to the editor', async () => {
    using scratch = new Scratch();
    await using editor = new ProcessEditor();
    const device = scratch.file('loud.mjs');
    const body =
      "ports: [{ first: 0x300, count: 1 }], writePort: (port, size, value) => console.log('noise', value)";
    writeFileSync(
      device,
      `console.log('noise at once');\nexport default () => ({ name: 'loud', ${body} });\n`,
    );
    const text = '.code64\n  mov $7, %al\n  mov $0x300, %dx\n  out %al, %dx\n  hlt\n';
    const entry = editor.stopped();
    await editor.launch({ ...written(scratch, 'k.S', text, 64, 'soft'), device, stopOnEntry: true });
    await entry;
    assert.equal(await editor.finish(), 0);
    await editor.client.disconnectRequest();
    assert.equal(await editor.status, 0);
    assert.match(editor.errors, /noise at once[\s\S]*noise 7/);
  });

  test('runs without a debugger on request', async () => {
    await using editor = new Editor();
    const ended = editor.client.waitForEvent('exited') as Promise<DebugProtocol.ExitedEvent>;
    await editor.launch({ program: 'guests/hello', engine: 'soft', noDebug: true });
    assert.equal((await ended).body.exitCode, 0);
    assert.match(editor.output.stdout!, /Hello/);
    assert.match(await editor.refused('next', { threadId: 1 }), /without a debugger/);
  });

  test('made by terrarium new is debugged with its own launch.json', async () => {
    using scratch = new Scratch();
    for (const template of ['asm16', 'asm32', 'asm64', 'c32', 'c64']) {
      const folder = scratch.file(template);
      assert.equal(terrarium(['new', folder, '--template', template]).status, 0);
      const { configurations } = JSON.parse(readFileSync(path.join(folder, '.vscode/launch.json'), 'utf8'));
      for (const configuration of configurations) {
        await using editor = new Editor();
        const text = JSON.stringify(configuration).replaceAll(/\$\{workspaceFolder\}/g, folder);
        const entry = editor.stopped();
        await editor.launch(JSON.parse(text));
        assert.equal((await entry).reason, 'entry');
        assert.match(await editor.where(), /^kernel\.(S|c):\d+$/);
        assert.equal(await editor.finish(), 0);
        assert.equal(editor.output.stdout, `Hello from ${template}!\n`);
      }
    }
  });
});
