/** Guest memory through a debugger, where page tables are wrong or have holes, and where the guest's code is in it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine } from '../machine/index.js';
import { createMachine } from '../runtime/index.js';
import { errorText } from './errors.js';
import { DebugSession } from './session.js';
import { testEngines } from './testing.js';

const PRESENT_LARGE = 0x83n;

/** Says that `act` is refused in such words. */
function refused(act: () => unknown, words: RegExp): void {
  assert.throws(act, (error) => {
    assert.match(errorText(error), words);
    return true;
  });
}

/** A machine in long mode, whose first 4 GiB are mapped to themselves by pages of 2 MiB. */
function longMode(engine: 'soft' | 'kvm'): Machine {
  return createMachine({ engine, image: Uint8Array.of(0xf4), mode: 'long', load: 0x10_0000 });
}

/** Where the page directory's entry for 0x200000 is. */
function entryOf2M({ cpu, memory }: Machine): number {
  const table = (at: number) => Number(memory.read64(at) & 0xffff_f000n);
  return table(table(Number(cpu.getSystemRegisters().cr3))) + 8;
}

describe('memory by linear address', () => {
  test('ends at a hole, and a write across it changes nothing', () => {
    using machine = longMode('soft');
    machine.memory.write64(entryOf2M(machine), 0n);
    const session = new DebugSession(machine);
    assert.equal(session.read(0x1f_fff0n, 64).length, 16);
    refused(() => session.read(0x20_0000n, 1), /nothing is mapped at 0x200000.*PDE is not present/s);
    refused(() => session.write(0x1f_fffcn, new Uint8Array(8).fill(1)), /nothing is mapped at 0x200000/);
    assert.deepEqual([...session.read(0x1f_fffcn, 4)], [0, 0, 0, 0]);
    assert.equal(session.read(0x3f_fff0n, 8, 'physical').length, 8, 'it is there by physical address');
  });

  test('follows tables that point to themselves', () => {
    using machine = longMode('soft');
    const { cr3 } = machine.cpu.getSystemRegisters();
    machine.memory.write64(Number(cr3) + 511 * 8, cr3 | 3n);
    const session = new DebugSession(machine);
    // Four times through the last entry of the same table: the table itself.
    const bytes = session.read(0xffff_ffff_ffff_f000n, 4096);
    assert.deepEqual(bytes, session.read(cr3, 4096, 'physical'));
    assert.match(session.describe('walk:0xfffffffffffff000'), /physical address 0x/);
    assert.match(session.describe('pages'), /page map/);
  });

  test('is refused with an error message where tables lie outside RAM, or lead to a device or to an unclaimed address', () => {
    using machine = longMode('soft');
    const entry = entryOf2M(machine);
    const session = new DebugSession(machine);
    machine.memory.write64(entry, 0xfee0_0000n | 3n);
    refused(
      () => session.read(0x20_0000n, 1),
      /nothing is mapped at 0x200000.*0xfee00000, which is not RAM/s,
    );
    machine.memory.write64(entry, 0xfe00_0000n | PRESENT_LARGE);
    refused(() => session.read(0x20_0000n, 1), /there is no memory at 0xfe000000, where 0x200000 leads/);
    refused(() => session.read(0x8000_0000_0000n, 1), /not canonical/);
    refused(() => session.read(0xffff_ffff_ffffn, 8, 'physical'), /there is no memory/);
  });
});

for (const { engine, skip } of testEngines) {
  describe(`a guest's code on ${engine}`, { skip }, () => {
    test('is what a debugger wrote there, after it has run and while it stands in it', () => {
      // 1: inc %eax; jmp 1b
      using machine = createMachine({
        engine,
        image: Uint8Array.of(0xff, 0xc0, 0xeb, 0xfc),
        mode: 'protected',
      });
      const session = new DebugSession(machine);
      const { pc } = session.here();
      for (let n = 0; n < 100; n++) session.step();
      assert.equal(machine.cpu.getRegisters().rax, 50n);
      // dec %eax; hlt
      session.write(pc, Uint8Array.of(0xff, 0xc8, 0xf4, 0x90));
      const stop = session.resume();
      assert.equal(stop.outcome?.kind, 'halted');
      assert.equal(machine.cpu.getRegisters().rax, 49n);
    });

    test('does not show the guest a breakpoint: it reads what it put there', () => {
      // mov 0x7c03,%al; nop; hlt
      const image = Uint8Array.of(0xa0, 0x03, 0x7c, 0x90, 0xf4);
      using machine = createMachine({ engine, image, mode: 'real', load: 0x7c00 });
      const session = new DebugSession(machine);
      session.addBreakpoint(0x7c03n);
      assert.equal(session.resume().why, 'breakpoint');
      assert.equal(machine.cpu.getRegisters().rax & 0xffn, 0x90n);
    });

    test('may have a breakpoint where nothing is mapped yet: it counts when the guest gets there', () => {
      using machine = longMode(engine);
      const entry = entryOf2M(machine);
      machine.memory.write64(entry, 0n);
      machine.memory.write8(0x20_0000, 0xf4);
      const imm32 = (value: number) => [
        value & 0xff,
        (value >> 8) & 0xff,
        (value >> 16) & 0xff,
        value >>> 24,
      ];
      const session = new DebugSession(machine);
      session.write(
        0x10_0000n,
        Uint8Array.from([
          ...[0x48, 0xc7, 0x04, 0x25, ...imm32(entry), ...imm32(0x20_0083)], // movq $0x200083, entry
          ...[0xb8, ...imm32(0x20_0000), 0xff, 0xe0], // mov $0x200000, %eax; jmp *%rax
        ]),
      );
      session.addBreakpoint(0x20_0000n);
      session.addBreakpoint(0x8000_0000_0000_0000n);
      const stop = session.resume();
      assert.deepEqual([stop.why, stop.pc], ['breakpoint', 0x20_0000n]);
      assert.deepEqual([...session.read(0x20_0000n, 1)], [0xf4]);
      assert.equal(session.resume().outcome?.kind, 'halted');
    });
  });
}
