/** Guests whose exceptions never end complete no instruction: a debugger's stop and end nevertheless reach them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Editor } from '../dap/dap-client.js';
import { gdbEngines, Served } from '../debug/gdb-served.js';
import { endless } from '../guests/endless.js';
import { noKvm, Scratch } from '../support.js';

const storms = [
  'exceptions without end',
  'a handler that faults at once',
  'a breakpoint on the handler of breakpoints',
];

/** The guest's folder: 128 KiB of RAM in real mode. */
function folderOf(scratch: Scratch, storm: string): string {
  writeFileSync(scratch.file('k.bin'), Uint8Array.from(endless[storm]!));
  const guest = { image: 'k.bin', mode: 'real', memory: 0x20000 };
  writeFileSync(scratch.file('guest.json'), JSON.stringify(guest));
  return scratch.path;
}

for (const storm of storms) {
  for (const { name: engine, skip } of gdbEngines) {
    test(`gdb’s Ctrl-C reaches ${storm}, on ${engine}`, { skip }, async () => {
      using scratch = new Scratch();
      await using served = await new Served([folderOf(scratch, storm)], engine).ready();
      const text = await served.gdb(
        'set architecture i8086',
        'python import threading, os, signal; threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()',
        'continue',
        'info registers eip',
        'kill',
      );
      assert.match(text, /SIGINT/, text);
      assert.match(text, /^eip +0x/m, text);
      await served.ended;
    });
  }

  for (const [engine, skip] of [['soft', false] as const, ['kvm', noKvm] as const]) {
    describe(`an editor’s pause on ${engine}`, { skip }, () => {
      test(`reaches ${storm}, which continues, and ends with the editor`, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        await editor.launch({ program: folderOf(scratch, storm), engine });
        for (let round = 0; round < 2; round++) {
          const stop = await editor.until(() => editor.client.pauseRequest({ threadId: 1 }));
          assert.equal(stop.reason, 'pause');
          await editor.client.continueRequest({ threadId: 1 });
        }
        const ended = editor.client.waitForEvent('terminated');
        await editor.client.terminateRequest();
        await ended;
      });
    });
  }
}
