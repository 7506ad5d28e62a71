/**
 * A debugger and hostile guests: stacks that loop, mislead and end in holes, code that is unmapped, interrupts during a
 * step.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Debugger } from '../../src/debug/index.js';
import { hostMachine, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { engines, opened } from '../debug/debug-sources.js';
import { noGcc, Scratch } from '../support.js';

const FRAME_POINTERS = `.code64
.globl _start, inner, outer, back
_start: call outer
after: hlt
outer: push %rbp
  mov %rsp, %rbp
  call inner
back: pop %rbp
  ret
inner: push %rbp
  mov %rsp, %rbp
  nop
  pop %rbp
  ret
endless: call endless
  ret
`;

for (const { name: engine, skip } of engines) {
  describe(`a debugger on ${engine} and a stack`, { skip: noGcc || skip }, () => {
    const atHere = async (scratch: Scratch) => {
      const at = await opened(scratch, 'k.S', FRAME_POINTERS, 64, engine);
      await at.debug.addBreakpoint('inner+4');
      await at.debug.resume();
      return at;
    };

    test('that is valid is read by frame pointers', async () => {
      using scratch = new Scratch();
      await using at = await atHere(scratch);
      const frames = await at.debug.frames();
      assert.deepEqual(
        frames.map(({ symbol, by }) => `${symbol} ${by}`),
        ['inner+0x4 here', 'outer+0x9 frame pointer', '_start+0x5 frame pointer'],
      );
    });

    test('that points to itself, to a hole or to the last address has a few frames, quickly', async () => {
      using scratch = new Scratch();
      await using at = await atHere(scratch);
      const { debug } = at;
      const rbp = (await debug.evaluate('rbp')).value;
      await debug.set('qword [rbp]', `${rbp}`);
      assert.ok((await debug.frames(1000)).length < 10);
      for (const wrong of [
        '0',
        '0xdead0000',
        '0xffffffffffffffff',
        '0x8000000000000000',
        '0x7ffffffffffffff8',
      ]) {
        await debug.set('rsp', wrong);
        await debug.set('rbp', wrong);
        assert.equal((await debug.frames()).length, 1, wrong);
        if (wrong !== '0') await assert.rejects(debug.evaluate('[rsp]'), /there is no memory/);
      }
      // As many return addresses of a function that calls itself as fit: the list has a limit.
      const endless = (await debug.evaluate('&endless')).value;
      const words = new BigUint64Array(8192).fill(endless + 5n);
      await debug.target.write(0x180000n, new Uint8Array(words.buffer));
      await debug.set('rsp', '0x180000');
      await debug.target.setRegister('pc', endless);
      debug.changed();
      assert.equal((await debug.frames(5)).length, 5);
      assert.equal((await debug.frames(1_000_000)).length, 1000);
    });

    test('is not changed where code is unmapped: steps end in the guest’s end, and never in an error', async () => {
      using scratch = new Scratch();
      for (const how of ['step', 'next', 'stepLine', 'nextLine', 'finish', 'resume'] as const) {
        await using at = await opened(scratch, 'k.S', FRAME_POINTERS, 64, engine);
        const { debug } = at;
        await debug.target.setRegister('pc', 0x7000_0000n);
        debug.changed();
        assert.deepEqual(await debug.disassemble(0x7000_0000n, { before: 5, after: 5 }), []);
        assert.equal((await debug[how]()).why, 'end', how);
        assert.equal((await debug[how]()).again, true, how);
      }
    });

    test('of a restarted guest is the initial one', async () => {
      using scratch = new Scratch();
      await using at = await atHere(scratch);
      const state = await at.debug.restart();
      assert.equal(state.symbol, '_start');
      assert.equal((await at.debug.frames()).length, 1);
      assert.equal((await at.debug.resume()).why, 'breakpoint');
      assert.equal([...at.debug.breakpoints.values()][0]!.hits, 1);
    });
  });

  describe(`a debugger on ${engine} and a guest at the reset vector`, { skip: noGcc || skip }, () => {
    test('has its lines although it is linked for another address', async () => {
      const { image, spec, symbols } = loadImage('guests/lj-kernel1');
      await using machine = await hostMachine({ image, engine, ...spec, debug: true });
      machine.onOutput(() => {});
      const debug = new Debugger(machine.debugTarget(), new SymbolTable(symbols!()!));
      const reset = (await debug.state()).source!;
      assert.equal(reset.file.name, 'kernel1.S');
      await debug.addBreakpoint('start');
      assert.equal((await debug.resume()).why, 'breakpoint');
      assert.equal((await debug.state()).symbol, 'start');
      assert.notEqual((await debug.state()).source!.line, reset.line);
    });
  });

  describe(`interrupts and steps on ${engine}`, { skip: noGcc || skip }, () => {
    for (const guest of ['tick-real', 'tick-protected', 'tick-long']) {
      test(`in ${guest}: a HLT is stepped over with the handler that ends it; steps into the handler are possible`, async () => {
        const { image, spec, symbols } = loadImage(`guests/${guest}`);
        await using machine = await hostMachine({ image, engine, ...spec, debug: true });
        machine.onOutput(() => {});
        const debug = new Debugger(machine.debugTarget(), new SymbolTable(symbols!()!));
        await debug.addBreakpoint('sleep');
        await debug.resume();
        const { source } = await debug.state();
        const stop = await debug.nextLine();
        assert.equal(stop.why, 'step');
        assert.equal((await debug.state()).source!.line, source!.line + 1);
        const handler = await debug.addBreakpoint('tick');
        assert.deepEqual((await debug.resume()).breakpoints.length, 1);
        for (let left = 3; (await debug.state()).symbol !== 'tick' && left > 0; left--) await debug.resume();
        assert.equal((await debug.state()).symbol, 'tick');
        await debug.removeBreakpoint(handler.id);
        await debug.step();
        const [, interrupted] = await debug.frames();
        assert.equal(interrupted!.by, 'interrupt');
        assert.equal(interrupted!.source!.line, source!.line + 1);
        await debug.finish();
        assert.equal((await debug.state()).source!.line, source!.line + 1, 'IRET returns to after the HLT');
      });
    }
  });
}
