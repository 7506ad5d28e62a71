/** The common core of the debuggers, with real guests: in 16, 32 and 64 bits, on both engines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noGcc, Scratch } from '../support.js';
import { assembler, c, engines, opened } from './debug-sources.js';

for (const { name: engine, skip } of engines) {
  describe(`a debugger on ${engine}`, { skip: noGcc || skip }, () => {
    for (const bits of [16, 32, 64] as const) {
      test(`steps through ${bits}-bit assembler: into and over calls, REP, out of recursion`, async () => {
        using scratch = new Scratch();
        await using at = await opened(scratch, 'k.S', assembler(bits), bits, engine);
        const { debug, line } = at;
        assert.equal(await line(), 4);
        await debug.next();
        assert.equal(await line(), 6);
        await debug.step();
        assert.equal(await line(), 19);
        assert.equal((await debug.state()).symbol, 'work');
        const [inner, outer] = await debug.frames();
        assert.equal(inner!.symbol, 'work');
        assert.equal(outer!.source!.line, 6);
        assert.equal(outer!.by, 'entry');
        await debug.finish();
        assert.equal(await line(), 7);
        assert.equal((await debug.evaluate('counter:u16')).value, 1n);
        await debug.addBreakpoint('k.S:10');
        assert.equal((await debug.resume()).why, 'breakpoint');
        assert.equal(await line(), 10);
        await debug.nextLine();
        assert.equal(await line(), 11, 'a recursive call is one step');
        await debug.runTo((await debug.locate(':15')).addresses[0]!);
        await debug.next();
        assert.equal(await line(), 16, 'a REP is one step');
        assert.equal((await debug.evaluate('[counter]:u32')).value, 0n);
        await debug.step();
        assert.equal((await debug.evaluate('al')).value, 0x77n);
        const end = await debug.resume();
        assert.equal(end.why, 'end');
        assert.equal(end.outcome!.kind, 'halted');
      });

      test(`finishes a call from the middle of ${bits}-bit code without a frame pointer`, async () => {
        using scratch = new Scratch();
        await using at = await opened(scratch, 'k.S', assembler(bits), bits, engine);
        const { debug, line } = at;
        // The inner one of two.
        const breakpoint = await debug.addBreakpoint('bottom');
        await debug.resume();
        assert.equal(await line(), 27);
        await debug.removeBreakpoint(breakpoint.id);
        await debug.finish();
        assert.equal(await line(), 25);
        await debug.finish();
        assert.equal(await line(), 11);
      });

      test(`stops on conditions, counts and watched bytes in ${bits} bits`, async () => {
        using scratch = new Scratch();
        await using at = await opened(scratch, 'k.S', assembler(bits), bits, engine);
        const { debug, logs } = at;
        await debug.addBreakpoint('work', { log: 'cx is {cx}' });
        const when = await debug.addBreakpoint('k.S:7', { condition: 'cx == 2' });
        const stop = await debug.resume();
        assert.deepEqual(stop.breakpoints, [when.id]);
        assert.equal((await debug.evaluate('cx')).value, 2n);
        assert.deepEqual(logs, ['cx is 3', 'cx is 2']);
        await debug.removeBreakpoint(when.id);
        const watch = await debug.addWatchpoint('counter', 2);
        const touched = await debug.resume();
        assert.equal(touched.why, 'watchpoint');
        assert.deepEqual(touched.watchpoint, { id: watch.id, before: 2n, after: 3n });
        assert.equal(debug.symbols.lineAt(touched.by!), 'k.S:19', 'the INCW, not the RET after it');
        await debug.set('counter:u16', '0x1234');
        assert.equal((await debug.evaluate('byte [counter + 1]')).value, 0x12n);
        await debug.set('ah', '0x55');
        assert.equal((await debug.evaluate('ax >> 8')).value, 0x55n);
      });
    }

    for (const bits of [16, 32, 64] as const) {
      test(`steps through the lines of ${bits}-bit C`, async () => {
        using scratch = new Scratch();
        await using at = await opened(scratch, 'k.c', c, bits, engine);
        const { debug, line } = at;
        const set = await debug.addBreakpoint('square');
        assert.equal((await debug.resume()).why, 'breakpoint');
        const names = (await debug.frames()).map(({ symbol }) => symbol?.replace(/\+.*/, ''));
        assert.deepEqual(names, ['square', 'sum', '_start']);
        await debug.finish();
        assert.match((await debug.state()).symbol!, /^sum\+/);
        await debug.removeBreakpoint(set.id);
        for (let left = 10; left > 0 && !(await debug.state()).symbol!.startsWith('_start'); left--)
          await debug.nextLine();
        assert.match((await debug.state()).symbol!, /^_start\+/);
        assert.ok([18, 19].includes((await line())!), `${await line()}`);
        await debug.addBreakpoint('k.c:20');
        await debug.resume();
        assert.equal((await debug.evaluate('count')).value, 61n);
        assert.equal((await debug.evaluate('total')).value, 61n);
      });
    }
  });
}
