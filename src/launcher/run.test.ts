/** How a run ends, and that nothing a guest does ends it otherwise, on either engine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseImage } from '../boot/index.js';
import { Control, newControl } from '../engine/contract/index.js';
import { asm, bytesEach } from '../engine/kvm/testing.js';
import { Launcher } from './index.js';
import { endOf, engines, launcherOn } from './testing.js';

/** LOOP to itself. */
const loop = [0xe2, 0xfe];

for (const { name: engine, skip, make } of engines) {
  const launcher = launcherOn(make);

  describe(`the end of a run on ${engine}`, { skip }, () => {
    test('any callback ends it with Launcher.stop, and the next run continues from there to the guest’s end', () => {
      const code = [
        // Time for KVM to see that the window is open: it looks between two stretches of emulation.
        ...[...asm.sti, ...asm.movCx(5000), ...loop],
        ...[...asm.outAl(1), ...asm.outAx(2), ...asm.outEax(3)],
        ...[...asm.inAl(1), ...asm.inAx(2), ...asm.inEax(3)],
        ...[...asm.storeAl(0), ...asm.loadAx(0)],
        ...asm.hlt,
      ];
      // `debug`, `shutdown` and `tprAccess` need guests of their own.
      const callbacks = [
        ...['out8', 'out16', 'out32', 'in8', 'in16', 'in32', 'mmioWrite', 'mmioRead', 'unhandled', 'halt'],
        ...['preRun', 'postRun', 'tryPushInterrupts', 'tryPushNmi', 'interruptWindow'],
      ] as const;
      for (const name of callbacks) {
        let calls = 0;
        using vm = launcher(code, {
          // Asks for the window until it has come.
          ...(name === 'interruptWindow' && { tryPushInterrupts: () => calls === 0 }),
          [name]: () => (calls++ === 0 ? Launcher.stop : undefined),
        });
        const { kind, callback, reason } = vm.run({ timeoutMs: 60_000 });
        assert.deepEqual([kind, callback, reason], ['callback', name, `${name} ended the run`]);
        // A `halt` that ends the run does so at the guest's last instruction.
        if (name !== 'halt') assert.equal(vm.run({ timeoutMs: 60_000 }).kind, 'halted', name);
        assert.equal(vm.cpu.getRegisters().rip, endOf(code), name);
      }
    });

    test('the exit that ends a run is finished: the rest of a string operation still comes', () => {
      const seen: number[] = [];
      using vm = launcher(
        [...asm.cld, ...asm.movCx(4), ...asm.movDx(0x77), ...asm.movDi(0x800), ...asm.repInsb, ...asm.hlt],
        {
          in8: () => {
            seen.push(seen.length);
            return seen.length === 2 ? Launcher.stop : seen.length;
          },
        },
      );
      assert.equal(vm.run().callback, 'in8');
      while (vm.run().kind === 'callback');
      assert.equal(vm.cpu.getRegisters().rcx & 0xffffn, 0n);
      assert.deepEqual([...vm.memory.readBytes(0x800, 4)], [1, 0xff, 3, 4]);
    });

    test('registers are those after the exit: an IN that ended the run has its value', () => {
      let calls = 0;
      using vm = launcher([...asm.inAl(1), ...asm.hlt], {
        in8: () => 0x5a,
        postRun: () => (++calls === 1 ? Launcher.stop : undefined),
      });
      assert.equal(vm.run().callback, 'postRun');
      assert.equal(vm.cpu.getRegisters().rax & 0xffn, 0x5an);
      assert.equal(vm.run().kind, 'halted');
    });

    test('options end it: time, exits, a signal that a callback aborts', () => {
      using spin = launcher(asm.spin, {});
      const late = spin.run({ timeoutMs: 30 });
      assert.equal(late.kind, 'timeout');
      assert.equal(late.exits, 0);
      const abort = new AbortController();
      const chatty = [...asm.outAl(1), 0xeb, 0xfc];
      using counted = launcher(chatty, {});
      assert.deepEqual(
        [counted.run({ maxExits: 5 })].map(({ kind, exits }) => [kind, exits]),
        [['limit', 5]],
      );
      using aborted = launcher(chatty, { out8: () => abort.abort(new Error('enough')) });
      const end = aborted.run({ signal: abort.signal });
      assert.deepEqual([end.kind, end.reason], ['stopped', 'aborted: enough']);
      assert.throws(() => spin.run({ timeoutMs: Number.NaN }), /timeoutMs is NaN/);
      assert.throws(() => spin.run({ maxExits: 0 }), /maxExits is 0/);
    });

    test('another thread ends it through the control block', () => {
      const control = newControl();
      const chatty = [...asm.outAl(1), 0xeb, 0xfc];
      using vm = launcher(chatty, { out8: () => Atomics.store(control, Control.request, 1) }, { control });
      const end = vm.run({ timeoutMs: 60_000 });
      assert.deepEqual([end.kind, end.reason, end.exits], ['stopped', 'stopped from outside', 1]);
      assert.equal(Atomics.load(control, Control.request), 0);
      assert.equal(Atomics.load(control, Control.running), 0);
    });

    test('a triple fault is told to shutdown and ends it', () => {
      let told = 0;
      // In protected mode without an IDT, UD2 has nowhere to go.
      using vm = new Launcher({
        engine: make(),
        image: parseImage(Uint8Array.of(0x0f, 0x0b), 'test'),
        mode: 'protected',
        load: 0x10_0000,
        callbacks: { shutdown: () => told++ },
      });
      const end = vm.run({ timeoutMs: 60_000 });
      assert.equal(end.kind, 'shutdown');
      assert.match(end.failure!.name, /SHUTDOWN$/);
      assert.equal(told, 1);
    });

    test('a halt callback that returns nothing lets the guest run on behind HLT', () => {
      let halts = 0;
      using vm = launcher([...asm.hlt, ...asm.hlt, ...asm.outAl(9), ...asm.spin], {
        halt: () => {
          halts++;
        },
        out8: () => Launcher.stop,
      });
      assert.equal(vm.run({ timeoutMs: 60_000 }).callback, 'out8');
      assert.equal(halts, 2);
    });

    test('what a callback throws comes out of run, and the launcher can run on', () => {
      let calls = 0;
      using vm = launcher([...asm.outAl(1), ...asm.hlt], {
        out8: () => {
          if (calls++ === 0) throw new RangeError('mine');
        },
      });
      assert.throws(() => vm.run(), new RangeError('mine'));
      assert.equal(vm.run().kind, 'halted');
    });

    test('misuse is told: running twice, running after the end, TPR without controllers', () => {
      const vm: Launcher = launcher([...asm.outAl(1), ...asm.hlt], { out8: () => vm.run() });
      assert.throws(() => vm.run(), /running already/);
      vm[Symbol.dispose]();
      vm[Symbol.dispose]();
      assert.throws(() => vm.run(), /used after it was disposed/);
      assert.throws(() => vm.counters(), /used after it was disposed/);
      assert.throws(() => launcher(asm.hlt, { tprAccess() {} }), /without interrupt controllers/);
      using plain = launcher(asm.hlt, {});
      assert.throws(() => plain.setIrq(0, true), /no interrupt controllers/);
    });
  });

  describe(`a launcher’s loop on ${engine}`, { skip }, () => {
    test('allocates nothing an exit', () => {
      let sum = 0;
      // OUT; IN; JMP to the OUT
      using vm = launcher([...asm.outAl(1), ...asm.inAl(2), 0xeb, 0xfa], {
        in8: () => 1,
        out8: (port, value) => {
          sum += port + value;
        },
        tryPushInterrupts: () => false,
        preRun: () => undefined,
      });
      const rounds = 10_000;
      const bytes = bytesEach(rounds, () => vm.run({ maxExits: rounds }));
      assert.ok(sum > 0);
      // As for the engine: one boxed number would be 16 bytes an exit.
      assert.ok(bytes < 12, `${bytes} bytes an exit`);
    });

    test('survives all actions of a guest', () => {
      const kinds = ['halted', 'shutdown', 'timeout', 'limit', 'engineError', 'debug'];
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (code) => {
          let heard = 0;
          using vm = launcher([...code], {
            unhandled: ({ length }) => {
              heard += length;
            },
            mmioRead: (address) => address,
          });
          const end = vm.run({ timeoutMs: 5, maxExits: 200 });
          assert.ok(kinds.includes(end.kind), end.kind);
          assert.ok(heard >= 0 && end.exits <= 200);
        }),
        { numRuns: 60 },
      );
    });
  });
}
