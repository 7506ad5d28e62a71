/** A history that exceeds its bound, long searches that are interrupted, and two debuggers on one history. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Debugger, DebugSession } from '../../src/debug/index.js';
import { hostMachine } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { allInputs, somebody } from '../guests/all-inputs.js';
import { noCompiler } from '../guests/catalogue.js';

/** MOV [500h], CX once; then an endless loop that writes to a whole segment: INC AX; MOV [BX], AX; INC BX; JMP */
const writer = Uint8Array.from([
  ...[0x89, 0x0e, 0x00, 0x05],
  ...[0xb9, 0x00, 0x30, 0x8e, 0xd9],
  ...[0x40, 0x89, 0x07, 0x43, 0xeb, 0xfa],
]);
const options = { image: writer, mode: 'real', load: 0x1000, entry: 0x1000, engine: 'soft' } as const;

describe('a history', () => {
  test('that exceeds its bound drops its oldest moments, and reports how far back one can go', {
    skip: noCompiler,
  }, () => {
    using machine = allInputs({ ...somebody(Math.random) }, 65_534);
    // Room for some inputs; the guest reads many more.
    const session = new DebugSession(machine, {
      history: { bytes: 64 * 1024 },
      run: { maxInstructions: 200_000 },
    });
    for (let n = 0; n < 40 && session.history()!.first === 0; n++) session.resume();
    const { first, now, last } = session.history()!;
    assert.ok(first > 0 && now === last, `${first} to ${last}`);
    assert.throws(
      () => session.goTo(0),
      new RegExp(`instruction 0 is not in this history, which has ${first} to ${last}`),
    );
    assert.equal(session.goTo(first).why, 'step');
    assert.equal(session.stepBack().why, 'begin');
    session.goTo(last);
    assert.equal(session.lastWrite(0xfff0n, 1).why, 'begin');
    session.goTo(last);
    const { way, at } = session.origin({ kind: 'memory', address: 0xfff0n, size: 1 });
    assert.deepEqual([way, at], ['older', first]);
  });

  test('ends a long search when it is interrupted, and the guest is at the same moment', async () => {
    await using machine = await hostMachine({ ...options, debug: true });
    const target = machine.debugTarget();
    const running = target.resume();
    while (machine.progress === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    // Some 10^7 instructions in the past.
    for (;;) {
      await target.interrupt();
      if ((await running).why === 'interrupt') break;
    }
    const more = target.resume();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await target.interrupt();
    await more;
    const now = (await target.history())!.now;
    for (const search of [
      () => target.lastWrite(0x500n, 2),
      () => target.origin({ kind: 'memory', address: 0x500n, size: 2 }),
      () => target.origin({ kind: 'register', name: 'r15' }),
      () => target.writes(0x500n, 2),
    ]) {
      let done = false;
      const found = search()
        .then((it) => (Array.isArray(it) || !('why' in it) ? 'found' : it.why))
        .catch((error: Error) => error.message)
        .finally(() => {
          done = true;
        });
      while (!done) {
        await target.interrupt();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      // A fast host may have found it before.
      assert.match(await found, /interrupt|found|watchpoint/);
      await target.goTo(now);
      assert.equal((await target.history())!.now, now);
    }
  });

  test('serves one of two debuggers at a time, and both see the same', async () => {
    await using machine = await hostMachine({ ...options, debug: true });
    const [one, other] = [machine.debugTarget(), machine.debugTarget()];
    const symbols = new SymbolTable({ format: 'flat' });
    const [first, second] = [new Debugger(one, symbols), new Debugger(other, symbols)];
    let now = 0;
    while (now < 1000) {
      const running = first.resume();
      await assert.rejects(second.step(), /running already|busy/);
      await first.interrupt();
      await running;
      now = (await other.history())!.now;
    }
    await second.goTo(now - 100);
    assert.equal((await one.history())!.now, now - 100);
    first.changed();
    assert.deepEqual((await first.state()).pc, (await second.state()).pc);
    await Promise.allSettled([first.stepBack(), second.stepBack(), first.goTo(5), second.goTo(now)]);
    const after = (await one.history())!;
    assert.ok(after.now >= 0 && after.now <= now && after.last === now);
  });
});
