/** Backward steps for people, in assembler and C of 16, 32 and 64 bits: each step undoes a forward one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noGcc, Scratch } from '../support.js';
import { assembler, c, opened } from './debug-sources.js';

describe('a debugger that goes back', { skip: noGcc }, () => {
  for (const bits of [16, 32, 64] as const) {
    test(`steps back over ${bits}-bit instructions, calls and REP`, async () => {
      using scratch = new Scratch();
      await using at = await opened(scratch, 'k.S', assembler(bits), bits, 'soft');
      const { debug } = at;
      const seen: bigint[] = [];
      const registers = async () => JSON.stringify((await debug.state()).view.registers, (_, v) => `${v}`);
      const states: string[] = [];
      // LOOP is one step forward, and as many as it takes backward.
      for (let steps = 0; steps < 200; steps++) {
        seen.push((await debug.state()).pc);
        states.push(await registers());
        const [line] = await debug.disassemble((await debug.state()).pc);
        const stop = /^loop/.test(line!.text) ? await debug.step() : await debug.next();
        if (stop.why === 'end') break;
      }
      assert.ok(seen.length > 10);
      console.log(
        'YY',
        await debug.history(),
        (await debug.state()).pc,
        (await debug.target.trail(300)).slice(-3),
      );
      if ((await debug.state()).pc !== seen.at(-1)) await debug.nextBack();
      for (let at = seen.length - 1; at >= 0; at--) {
        assert.equal((await debug.state()).pc, seen[at], `step ${at}`);
        assert.equal(await registers(), states[at]);
        if (at > 0) await debug.nextBack();
      }
      assert.equal((await debug.history())!.now, 0);
    });

    test(`steps back over ${bits}-bit lines of C, over and into calls, and goes back to the call`, async () => {
      using scratch = new Scratch();
      await using at = await opened(scratch, 'k.c', c, bits, 'soft');
      const { debug, line } = at;
      await debug.addBreakpoint('square');
      await debug.resume();
      const inside = await line();
      await debug.finishBack();
      const call = await line();
      assert.notEqual(call, inside);
      await debug.nextLine();
      const behind = await line();
      await debug.nextLineBack();
      assert.equal(await line(), call, 'over the call');
      await debug.nextLine();
      assert.equal(await line(), behind);
      // The compiler may have mixed the lines.
      const inSquare = async () => /^square/.test((await debug.state()).symbol ?? '');
      for (let lines = 0; lines < 5 && !(await inSquare()); lines++) await debug.stepLineBack();
      assert.ok(await inSquare(), 'into the call');
      await debug.step();
      const back = await debug.resumeBack();
      assert.equal(back.why, 'breakpoint');
      assert.equal((await debug.resumeBack()).why, 'begin');
    });
  }

  test('finds the last write to an address', async () => {
    using scratch = new Scratch();
    await using at = await opened(scratch, 'k.S', assembler(32), 32, 'soft');
    const { debug } = at;
    await debug.resume();
    const last = (await debug.history())!.last;
    const stop = await debug.lastWrite('counter:u16');
    assert.equal(stop.why, 'watchpoint');
    const [clears] = await debug.disassemble(stop.pc);
    assert.match(clears!.text, /^rep stos/);
    await debug.goTo((await debug.history())!.now - 8);
    const [counts] = await debug.disassemble((await debug.lastWrite('counter:u16')).pc);
    assert.match(counts!.text, /^inc WORD PTR/);
    assert.ok((await debug.history())!.now < last);
    await debug.goTo(0);
    assert.equal((await debug.lastWrite('counter:u16')).why, 'begin');
    await assert.rejects(debug.goTo(last + 1), /is not in this history/);
  });
});
