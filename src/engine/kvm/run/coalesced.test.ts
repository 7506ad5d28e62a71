import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind, exitKindNames } from '../../contract/index.js';
import { AFTER_MEMORY, asm, expectExit, MEMORY, noKvm, realMode } from '../testing.js';
import { RING_ENTRIES } from './coalesced.js';

const skip = noKvm();

describe('coalesced writes', { skip }, () => {
  test('come before the next exit, in their order, one per run', () => {
    const text = 'coalesced';
    using machine = realMode(
      [
        ...[...text].flatMap((c) => [...asm.movAl(c.charCodeAt(0)), ...asm.outAl(0xe9)]),
        ...asm.outAl(0x50),
        ...asm.hlt,
      ],
      { prepare: (vm) => assert.equal(vm.coalesce('port', 0xe9, 1), true) },
    );
    const { cpu } = machine;
    for (const c of text) {
      const exit = expectExit(cpu, 'io');
      assert.deepEqual(
        [exit.address, exit.size, exit.count, exit.write, exit.coalesced],
        [0xe9, 1, 1, true, true],
      );
      assert.equal(String.fromCharCode(exit.data.getUint8(exit.offset)), c);
    }
    const exit = expectExit(cpu, 'io');
    assert.deepEqual([exit.address, exit.coalesced], [0x50, false]);
    expectExit(cpu, 'halt');
  });

  test('are complete even where there are more than the ring holds', () => {
    const count = 3 * RING_ENTRIES;
    // MOV AL,0; MOV CX,count; loop: OUT 0xe9; INC AL; LOOP; HLT
    using machine = realMode(
      [...asm.movAl(0), ...asm.movCx(count), ...asm.outAl(0xe9), 0xfe, 0xc0, 0xe2, 0xfa, ...asm.hlt],
      { prepare: (vm) => vm.coalesce('port', 0xe9, 1) },
    );
    const { cpu } = machine;
    let seen = 0;
    let exits = 0;
    while (cpu.run() === ExitKind.io) {
      assert.equal(cpu.exit.data.getUint8(cpu.exit.offset), seen++ & 0xff);
      if (!cpu.exit.coalesced) exits++;
    }
    assert.equal(cpu.exit.kind, ExitKind.halt);
    assert.equal(seen, count);
    assert.ok(exits < 5, `${exits} real exits`);
  });

  test('memory writes are coalesced as well, and keep their order with ports', () => {
    using machine = realMode(
      [
        ...asm.movAx(AFTER_MEMORY),
        ...asm.movDsAx,
        ...asm.storeAx(0x100),
        ...asm.outAl(0xe9),
        ...asm.storeAl(0x102),
        ...asm.hlt,
      ],
      {
        prepare: (vm) => {
          vm.coalesce('port', 0xe9, 1);
          vm.coalesce('memory', MEMORY + 0x100, 0x10);
        },
      },
    );
    const { cpu } = machine;
    const seen = [];
    while (cpu.run() !== ExitKind.halt) {
      const { kind, address, size, coalesced } = cpu.exit;
      seen.push([exitKindNames[kind], address, size, coalesced]);
    }
    assert.deepEqual(seen, [
      ['mmio', MEMORY + 0x100, 2, true],
      ['io', 0xe9, 1, true],
      ['mmio', MEMORY + 0x102, 1, true],
    ]);
  });

  test('a range is only registered once it is busy, and no write is lost or doubled meanwhile', () => {
    const count = 100;
    using machine = realMode(
      [...asm.movAl(0), ...asm.movCx(count), ...asm.outAl(0xe9), 0xfe, 0xc0, 0xe2, 0xfa, ...asm.hlt],
      { coalesceAfter: 10, prepare: (vm) => vm.coalesce('port', 0xe0, 16) },
    );
    const { cpu } = machine;
    const kept: boolean[] = [];
    while (cpu.run() === ExitKind.io) {
      assert.equal(cpu.exit.data.getUint8(cpu.exit.offset), kept.length);
      kept.push(cpu.exit.coalesced);
    }
    assert.deepEqual(
      kept,
      Array.from({ length: count }, (_, i) => i >= 10),
    );
  });

  test('completeExit between two of them loses neither the rest nor the exit after them', () => {
    using machine = realMode(
      [...asm.movAl(1), ...asm.outAl(0xe9), ...asm.outAl(0xe9), ...asm.inAl(0x50), ...asm.hlt],
      { prepare: (vm) => vm.coalesce('port', 0xe9, 1) },
    );
    const { cpu } = machine;
    expectExit(cpu, 'io');
    cpu.completeExit();
    assert.equal(expectExit(cpu, 'io').coalesced, true);
    cpu.completeExit();
    const exit = expectExit(cpu, 'io');
    assert.deepEqual([exit.address, exit.write], [0x50, false]);
    exit.data.setUint8(exit.offset, 0x77);
    cpu.completeExit();
    assert.equal(cpu.getRegisters().rax & 0xffn, 0x77n);
    expectExit(cpu, 'halt');
  });
});
