/** What the callbacks for ports and memory see of a guest, on either engine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm } from '../engine/kvm/testing.js';
import { engines, launcherOn, MEMORY, recorder } from './testing.js';

for (const { name, skip, make } of engines) {
  const launcher = launcherOn(make);

  describe(`port callbacks on ${name}`, { skip }, () => {
    test('OUT of 1, 2 and 4 bytes calls out8, out16 and out32 with port and value', () => {
      const { log, out } = recorder();
      using vm = launcher(
        [...asm.movEax(0x12345678), ...asm.outAl(0x10), ...asm.outAx(0x20), ...asm.outEax(0x30), ...asm.hlt],
        { out8: out('out8'), out16: out('out16'), out32: out('out32') },
      );
      const end = vm.run();
      assert.deepEqual(log, ['out8 10 78', 'out16 20 5678', 'out32 30 12345678']);
      assert.equal(end.kind, 'halted');
      assert.equal(end.exits, 4);
      assert.equal(end.accesses, 3);
    });

    test('IN of 1, 2 and 4 bytes takes what in8, in16 and in32 give, cut to its size', () => {
      using vm = launcher(
        [...asm.inAl(0x10), ...asm.hlt, ...asm.inAx(0x20), ...asm.hlt, ...asm.inEax(0x30), ...asm.hlt],
        {
          in8: (port) => 0x1200 + port,
          in16: (port) => 0x99_0000 + port,
          in32: () => -2,
        },
      );
      const rax = () => {
        assert.equal(vm.run().kind, 'halted');
        return vm.cpu.getRegisters().rax;
      };
      assert.equal(rax() & 0xffn, 0x10n);
      assert.equal(rax() & 0xffffn, 0x20n);
      assert.equal(rax(), 0xffff_fffen);
    });

    test('what has no callback reads as all ones and goes nowhere; unhandled hears of it', () => {
      const seen: unknown[] = [];
      const code = [...asm.movAl(72), ...asm.outAl(0xf1), ...asm.inEax(0x30), ...asm.storeAx(4), ...asm.hlt];
      using vm = launcher(code, { unhandled: (access) => seen.push({ ...access }) });
      assert.equal(vm.run().kind, 'halted');
      assert.deepEqual(seen, [
        { callback: 'out8', address: 0xf1, length: 1, value: 72 },
        { callback: 'in32', address: 0x30, length: 4, value: undefined },
        { callback: 'mmioWrite', address: MEMORY + 4, length: 2, value: 0xffff },
      ]);
      using quiet = launcher(code, {});
      assert.equal(quiet.run().kind, 'halted');
      assert.equal(quiet.cpu.getRegisters().rax, 0xffff_ffffn);
    });

    test('undefined from a read is no answer: all ones', () => {
      using vm = launcher([...asm.inAx(0x10), ...asm.loadAx(0), ...asm.hlt], {
        in16: () => undefined,
        mmioRead: () => undefined,
      });
      vm.run();
      assert.equal(vm.cpu.getRegisters().rax & 0xffffn, 0xffffn);
    });

    test('string I/O of n elements is n callbacks, however many exits KVM makes of it', () => {
      let next = 0x40;
      // ES is 0: REP INSB fills 0x800 up.
      using vm = launcher(
        [...asm.cld, ...asm.movCx(5), ...asm.movDx(0x77), ...asm.movDi(0x800), ...asm.repInsb, ...asm.hlt],
        {
          in8: (port) => {
            assert.equal(port, 0x77);
            return next++;
          },
        },
      );
      const end = vm.run();
      assert.equal(end.kind, 'halted');
      assert.equal(end.accesses, 5);
      assert.deepEqual([...vm.memory.readBytes(0x800, 6)], [0x40, 0x41, 0x42, 0x43, 0x44, 0]);
    });
  });

  describe(`memory callbacks on ${name}`, { skip }, () => {
    test('mmioWrite gets the bytes, mmioRead gives a number, a bigint or bytes', () => {
      const written: string[] = [];
      const answers = [0x1234, 0x5678n, Uint8Array.of(0xcd)];
      using vm = launcher(
        [
          ...asm.movEax(0xaabbccdd),
          ...asm.storeAl(0),
          ...asm.storeAx(2),
          ...asm.storeEax(4),
          ...[1, 2, 3].flatMap(() => [...asm.loadAx(8), ...asm.outAx(0)]),
          ...asm.hlt,
        ],
        {
          mmioWrite: (address, bytes) =>
            written.push(`${address.toString(16)} ${Buffer.from(bytes).toString('hex')}`),
          mmioRead: (address, length) => {
            assert.deepEqual([address, length], [MEMORY + 8, 2]);
            return answers.shift();
          },
          out16: (_, value) => written.push(value.toString(16)),
        },
      );
      assert.equal(vm.run().kind, 'halted');
      assert.deepEqual(written, ['10000 dd', '10002 ddcc', '10004 ddccbbaa', '1234', '5678', 'ffcd']);
    });

    test('a write to a read-only slot is an mmioWrite and leaves the slot as it is', () => {
      const seen: number[] = [];
      using vm = launcher(
        [...asm.movAl(7), ...asm.storeAl(3), ...asm.loadAx(2), ...asm.hlt],
        { mmioWrite: (address, bytes) => seen.push(address, ...bytes) },
        { slots: [{ address: MEMORY, size: 0x1000, readOnly: true }] },
      );
      vm.memory.writeBytes(MEMORY + 2, Uint8Array.of(0x11, 0x22));
      assert.equal(vm.run().kind, 'halted');
      assert.deepEqual(seen, [MEMORY + 3, 7]);
      assert.equal(vm.cpu.getRegisters().rax & 0xffffn, 0x2211n);
    });
  });
}

for (const { name, skip, make } of engines) {
  const launcher = launcherOn(make);

  test(`a dirty log on ${name} names the pages of its slot that were written since the last look`, {
    skip,
  }, () => {
    using vm = launcher(
      [
        ...asm.movAl(1),
        ...asm.storeAl(0x1000),
        ...asm.storeAl(0x3fff),
        ...asm.hlt,
        ...asm.storeAl(5),
        ...asm.hlt,
      ],
      {},
      { slots: [{ address: MEMORY, size: 0x8000, logDirty: true }] },
    );
    vm.run();
    assert.deepEqual(vm.getDirtyLog(1), [MEMORY + 0x1000, MEMORY + 0x3000]);
    assert.deepEqual(vm.getDirtyLog(1), []);
    vm.run();
    assert.deepEqual(vm.getDirtyLog(1), [MEMORY]);
    assert.throws(() => vm.getDirtyLog(0), /memory slot 0 keeps no dirty log/);
    assert.throws(() => vm.getDirtyLog(9), /there is no memory slot 9/);
  });
}
