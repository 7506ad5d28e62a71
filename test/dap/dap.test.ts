/** `terrarium dap` as an editor uses it, with the protocol's own client library. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { assembler, c, engines, written } from '../debug/debug-sources.js';
import { noGcc, Scratch } from '../support.js';
import { Editor } from './dap-client.js';

const breakpointsOf = async (answer: Promise<{ body: { breakpoints: DebugProtocol.Breakpoint[] } }>) =>
  (await answer).body.breakpoints;

for (const { name: engine, skip } of engines) {
  describe(`an editor and a guest on ${engine}`, { skip: noGcc || skip }, () => {
    for (const bits of [16, 32, 64] as const) {
      test(`${bits}-bit assembler: breakpoints in lines, steps, stack, registers, console, the end`, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        const launch = written(scratch, 'k.S', assembler(bits), bits, engine);
        const source = { path: launch.program };
        const hit = editor.stopped();
        await editor.launch(launch, async (client) => {
          const breakpoints = [{ line: 19 }, { line: 2 }, { line: 90 }];
          const set = await breakpointsOf(client.setBreakpointsRequest({ source, breakpoints }));
          assert.deepEqual(
            set.map(({ verified, line }) => [verified, line]),
            [
              [true, 19],
              [true, 4],
              [false, undefined],
            ],
          );
          assert.match(set[1]!.message!, /line 2 has no code: the next line with code is 4/);
          assert.match(set[2]!.message!, /k\.S has no code in line 90/);
        });
        assert.equal((await hit).reason, 'breakpoint');
        assert.equal(await editor.where(), 'k.S:4');
        await editor.client.setBreakpointsRequest({ source, breakpoints: [{ line: 19 }] });
        assert.equal((await editor.continue()).reason, 'breakpoint');
        assert.deepEqual(
          (await editor.frames()).map(({ name, line }) => [name.replace(/\+.*/, ''), line]),
          [
            ['work', 19],
            ['again', 6],
          ],
        );
        await editor.client.setBreakpointsRequest({ source, breakpoints: [] });
        assert.equal((await editor.stepOut()).reason, 'step');
        assert.equal(await editor.where(), 'k.S:7');
        await editor.next('instruction');
        assert.equal(await editor.where(), 'k.S:8');
        const registers = await editor.variables((await editor.scope('Registers')).variablesReference);
        const cx = registers.get({ 16: 'cx', 32: 'ecx', 64: 'rcx' }[bits])!;
        assert.equal((await editor.variables(cx.variablesReference)).get('cl')!.value, '2');
        assert.equal(await editor.evaluate('counter:u16'), '1');
        assert.equal(await editor.finish(), 0);
        assert.match(editor.output.console!, new RegExp(`${engine}: halted after`));
        await editor.client.disconnectRequest();
        assert.equal(await editor.status, 0);
      });

      test(`${bits}-bit assembler, backwards`, {
        skip: engine !== 'soft' && 'SKIPPED: only soft goes back',
      }, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        const launch = written(scratch, 'k.S', assembler(bits), bits, engine);
        const hit = editor.stopped();
        const able = editor.client.waitForEvent('capabilities');
        await editor.launch(launch, async (client) => {
          const source = { path: launch.program };
          await client.setBreakpointsRequest({ source, breakpoints: [{ line: 7 }] });
        });
        assert.equal((await able).body.capabilities.supportsStepBack, true);
        assert.equal((await hit).reason, 'breakpoint');
        await editor.stepBack();
        assert.equal(await editor.where(), 'k.S:6');
        await editor.stepBack('instruction');
        assert.equal(await editor.where(), 'k.S:4');
        assert.equal((await editor.continue()).reason, 'breakpoint');
        assert.equal((await editor.continue()).reason, 'breakpoint');
        assert.equal(await editor.evaluate('cx'), '2');
        assert.equal((await editor.reverse()).reason, 'breakpoint');
        assert.equal(await editor.evaluate('cx'), '3');
        assert.equal((await editor.reverse()).reason, 'entry');
        assert.equal(await editor.where(), 'k.S:4');
        // By typed words: line 19 writes the counter, line 4 sets CX to 3 and line 7 counts it down to 1.
        const seek = (text: string) => editor.until(() => editor.evaluate(text, 'repl'));
        const counter = 'word [counter]';
        const moved = async (text: string) => {
          assert.notEqual((await seek(text)).reason, 'exception');
          return editor.where();
        };
        await editor.client.setBreakpointsRequest({
          source: { path: launch.program },
          breakpoints: [{ line: 10 }],
        });
        assert.equal((await editor.continue()).reason, 'breakpoint');
        assert.equal(await moved(`last write ${counter}`), 'k.S:19');
        assert.equal(await moved('last change cx'), 'k.S:7');
        assert.equal(await moved('first cx == 1'), 'k.S:8');
        assert.equal(await moved('last cx == 2'), 'k.S:7');
        assert.equal(await moved(`next write ${counter}`), 'k.S:20');
        assert.match(
          await editor.evaluate('origin cx', 'repl'),
          /^cx is 1 at instruction [\s\S]*k\.S:7.*dec cx/,
        );
        assert.equal(await moved('first cx == 0x1234'), 'k.S:20');
        assert.match(editor.output.console!, /cx == 0x1234 holds at no moment in this history/);
        assert.equal(await moved('last nowhere == 1'), 'k.S:20');
        assert.match(editor.output.console!, /'nowhere' is neither a register nor a symbol/);
      });

      test(`${bits}-bit C: functions, lines, variables, the console, into and out of calls`, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        const launch = written(scratch, 'k.c', c, bits, engine);
        const hit = editor.stopped();
        await editor.launch(launch, async (client) => {
          const asked = client.setFunctionBreakpointsRequest({
            breakpoints: [{ name: 'square' }, { name: 'nix' }],
          });
          const [good, bad] = await breakpointsOf(asked);
          assert.equal(good!.verified, true);
          assert.match(bad!.message!, /'nix' is neither a register nor a symbol here/);
        });
        assert.equal((await hit).reason, 'function breakpoint');
        const names = (await editor.frames()).map(({ name }) => name.replace(/\+.*/, ''));
        assert.deepEqual(names, ['square', 'sum', '_start']);
        await editor.client.setFunctionBreakpointsRequest({ breakpoints: [] });
        await editor.stepOut();
        assert.match((await editor.frames())[0]!.name, /^sum\+/);
        await editor.stepOut();
        assert.match((await editor.frames())[0]!.name, /^_start\+/);
        const globals = await editor.variables((await editor.scope('Globals')).variablesReference);
        assert.equal(globals.get('total')!.value, '61');
        await editor.client.setBreakpointsRequest({
          source: { path: launch.program },
          breakpoints: [{ line: 20 }],
        });
        await editor.continue();
        assert.equal(await editor.where(), 'k.c:20');
        assert.equal(await editor.evaluate('count'), '61');
        assert.equal(await editor.finish(), 0);
        assert.equal(editor.output.stdout, '!');
      });

      test(`${bits} bits: conditions, counts, log points, data and instruction breakpoints`, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        const launch = { ...written(scratch, 'k.S', assembler(bits), bits, engine), stopOnEntry: true };
        const entry = editor.stopped();
        await editor.launch(launch);
        assert.equal((await entry).reason, 'entry');
        const { client } = editor;
        const source = { path: launch.program };
        const [logged, conditional] = await breakpointsOf(
          client.setBreakpointsRequest({
            source,
            breakpoints: [
              { line: 19, logMessage: 'cx is {cx}, {nix}' },
              { line: 7, condition: 'cx == 2' },
            ],
          }),
        );
        assert.ok(logged!.verified);
        assert.deepEqual((await editor.continue()).hitBreakpointIds, [conditional!.id]);
        assert.match(editor.output.console!, /cx is 3, \{'nix' is neither[^\n]*\n[\s\S]*cx is 2/);
        assert.equal(await editor.evaluate('cx'), '2');
        await client.setBreakpointsRequest({ source, breakpoints: [{ line: 22, hitCondition: '2' }] });

        const { body: info } = await client.customRequest('dataBreakpointInfo', { name: 'counter:u16' });
        assert.deepEqual(info.accessTypes, ['write', 'readWrite']);
        const dataId = info.dataId as string;
        await client.customRequest('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
        const touched = await editor.continue();
        assert.equal(touched.reason, 'data breakpoint');
        assert.match(touched.text!, /was 0x2, is 0x3, by the instruction at <work> {2}k\.S:19$/);
        await client.customRequest('setDataBreakpoints', { breakpoints: [] });
        assert.equal((await editor.continue()).reason, 'breakpoint');
        assert.equal(await editor.evaluate('bx'), '1', 'the second hit');

        const done = await editor.evaluate('&bottom');
        const instructionReference = done.split(' ')[0];
        await client.customRequest('setInstructionBreakpoints', { breakpoints: [{ instructionReference }] });
        assert.equal((await editor.continue()).reason, 'instruction breakpoint');
        assert.equal(await editor.where(), 'k.S:27');
      });

      test(`${bits} bits: memory and disassembly, also unmapped addresses; values are set`, async () => {
        using scratch = new Scratch();
        await using editor = new Editor();
        const launch = {
          ...written(scratch, 'k.S', assembler(bits), bits, engine),
          stopOnEntry: true,
          memory: '2M',
        };
        const entry = editor.stopped();
        await editor.launch(launch);
        await entry;
        const { client } = editor;
        const [frame] = await editor.frames();
        const memoryReference = frame!.instructionPointerReference!;

        const asked = { memoryReference, instructionOffset: -4, instructionCount: 12, resolveSymbols: true };
        const { instructions } = (await client.disassembleRequest(asked)).body!;
        assert.equal(instructions.length, 12);
        assert.equal(BigInt(instructions[4]!.address), BigInt(memoryReference));
        assert.match(instructions[4]!.instruction, /^mov cx,0x3$/);
        assert.equal(instructions[4]!.symbol, '_start');
        assert.equal(instructions[4]!.line, 4);
        assert.equal(instructions[5]!.line, 6);

        const written16 = Buffer.from([0x34, 0x12]).toString('base64');
        const counter = (await editor.evaluate('&counter')).split(' ')[0]!;
        await client.customRequest('writeMemory', { memoryReference: counter, data: written16 });
        assert.equal(await editor.evaluate('counter:u16'), '0x1234 (4660)');
        const across = { memoryReference: '0x1fffff0', offset: 0, count: 64 };
        const hole = (await client.customRequest('readMemory', across)).body;
        assert.equal(hole.unreadableBytes, 64);
        const edge = (await client.customRequest('readMemory', { ...across, memoryReference: '0x1ffff0' }))
          .body;
        assert.equal(Buffer.from(edge.data, 'base64').length + edge.unreadableBytes, 64);
        assert.match(
          await editor.refused('writeMemory', { memoryReference: '0x7ffff000', data: written16 }),
          /nothing is mapped|there is no memory/,
        );
        const past = { memoryReference: '0x7ffff000', instructionOffset: -3, instructionCount: 6 };
        const nothing = (await client.disassembleRequest(past)).body!;
        assert.deepEqual(
          nothing.instructions.map(({ presentationHint }) => presentationHint),
          Array.from({ length: 6 }, () => 'invalid'),
        );

        const registers = (await editor.scope('Registers')).variablesReference;
        const set = {
          variablesReference: registers,
          name: { 16: 'bx', 32: 'ebx', 64: 'rbx' }[bits],
          value: '0x55',
        };
        await client.setVariableRequest(set);
        assert.equal(await editor.evaluate('bl'), "0x55 (85) 'U'");
        const flags = (await editor.scope('Flags')).variablesReference;
        await client.setVariableRequest({ variablesReference: flags, name: 'CF', value: '1' });
        assert.equal(await editor.evaluate('cf'), '1');
        const control = (await editor.scope('Control registers')).variablesReference;
        const cr0 = (await editor.variables(control)).get('cr0')!;
        await client.setVariableRequest({
          variablesReference: cr0.variablesReference,
          name: 'TS',
          value: '1',
        });
        assert.match(await editor.evaluate('cr0 >> 3 & 1'), /^1$/);
        assert.match(await editor.evaluate('cx = 7', 'repl'), /^7$/);
        // An editor evaluates watches again when values have changed: so a watch must not report a change.
        const told = () => editor.events.filter(({ event }) => event === 'invalidated').length;
        assert.equal(await editor.evaluate('cx'), '7');
        const before = told();
        assert.equal(await editor.evaluate('cx == 7'), '1');
        for (const context of ['watch', 'hover'])
          assert.match(
            await editor.refused('evaluate', { expression: 'cx = 8', context }),
            /sets something.*==/,
          );
        assert.equal(await editor.evaluate('cx'), '7');
        assert.equal(told(), before);
        assert.match(
          await editor.refused('setVariable', { ...set, value: 'nix' }),
          /neither a register nor a symbol/,
        );
      });
    }
  });
}
