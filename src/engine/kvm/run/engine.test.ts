import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../../../memory/index.js';
import type { SystemRegisters } from '../../../x86/index.js';
import { ExitKind, newControl } from '../../contract/index.js';
import { closeKvm, EngineLimit, has32BitPaging, kvmEngine } from '../index.js';
import { asm, CODE, kvmMappings, MEMORY, noKvm, openFiles, realMode } from '../testing.js';
import { findPrivatePages } from './engine.js';

const skip = noKvm();

/** Flat segments in protected mode with paging by the table at 0x4000, which maps the first 4 MiB to themselves. */
function paged(system: SystemRegisters): SystemRegisters {
  const flat = { base: 0n, limit: 0xffffffff, g: true, db: true, s: true, present: true, dpl: 0 };
  const data = { ...system.ds, ...flat, selector: 16, type: 3 };
  return {
    ...system,
    cs: { ...system.cs, ...flat, selector: 8, type: 0xb },
    ds: data,
    es: data,
    ss: data,
    cr0: system.cr0 | 0x8000_0001n,
    cr3: 0x4000n,
    // PSE: one entry maps 4 MiB (SDM 3A 5.3).
    cr4: system.cr4 | 0x10n,
  };
}

describe('the engine', { skip }, () => {
  test('opens nothing before the first VM and can be closed and opened again', () => {
    closeKvm();
    const before = openFiles();
    const engine = kvmEngine();
    assert.equal(engine.name, 'kvm');
    assert.equal(openFiles(), before);
    realMode(asm.hlt)[Symbol.dispose]();
    assert.equal(openFiles(), before + 1);
    closeKvm();
    closeKvm();
    assert.equal(openFiles(), before);
    using machine = realMode(asm.hlt);
    assert.equal(machine.cpu.run(), ExitKind.halt);
  });

  test('closing it closes machines that were left open', () => {
    closeKvm();
    const before = openFiles();
    const machine = realMode(asm.hlt);
    closeKvm();
    assert.equal(openFiles(), before);
    assert.throws(() => machine.cpu.getRegisters(), { code: 'ECLOSED' });
    assert.throws(() => machine.cpu.run(), { code: 'ECLOSED' });
    machine[Symbol.dispose]();
  });

  test('says what is wrong where the device cannot be opened', () => {
    const memory = GuestMemory.create([{ address: 0, size: MEMORY }]);
    const engine = kvmEngine({ path: '/nonexistent/kvm' });
    assert.throws(() => engine.createVm(memory), { code: 'ENOENT' });
    memory.release(true);
  });

  test('200 machines leave no file and no mapping behind', () => {
    realMode(asm.hlt)[Symbol.dispose]();
    const files = openFiles();
    for (let i = 0; i < 200; i++) {
      using machine = realMode([...asm.outAl(1), ...asm.hlt]);
      assert.equal(machine.cpu.run(), ExitKind.io);
      if (i % 2) machine.cpu.setTimer(100, 0);
    }
    assert.equal(openFiles(), files);
    assert.deepEqual(
      kvmMappings().filter((line) => line.includes('vcpu')),
      [],
    );
  });

  test('a machine that cannot be made leaves nothing behind', () => {
    const files = openFiles();
    const memory = GuestMemory.create([{ address: 0, size: MEMORY }]);
    const broken = GuestMemory.attach(memory.wasm, [
      memory.regions[0]!,
      { ...memory.regions[0]!, slot: 1, address: 0x100 },
    ]);
    assert.throws(() => kvmEngine().createVm(broken), { code: 'EINVAL' });
    assert.equal(openFiles(), files);
    memory.release(true);
  });

  test('discarded memory reads as zero', () => {
    const memory = GuestMemory.create([
      { address: 0, size: MEMORY },
      { address: 0x100000, size: 0x1000 },
    ]);
    memory.view(0, MEMORY).fill(0xee);
    memory.write8(0x100fff, 1);
    assert.equal(kvmEngine().discard(memory), true);
    assert.ok(memory.readBytes(0, MEMORY).every((byte) => byte === 0));
    assert.equal(memory.read8(0x100fff), 0);
    memory.release(true);
  });

  test('regions are at the requested addresses', () => {
    using machine = realMode(
      [...asm.movAx(0xf000), ...asm.movDsAx, ...asm.loadAx(0x1234), ...asm.storeAx(0x1236), ...asm.hlt],
      { regions: [{ address: 0xf0000, size: 0x10000 }] },
    );
    machine.memory.write16(0xf1234, 0xc0de);
    assert.equal(machine.cpu.run(), ExitKind.halt);
    assert.equal(machine.memory.read16(0xf1236), 0xc0de);
  });

  test('several CPUs of a VM have their own IDs', () => {
    using machine = realMode(asm.hlt);
    const second = machine.vm.createCpu(newControl());
    assert.equal(second.index, 1);
    assert.equal(machine.cpu.run(), ExitKind.halt);
    // SDM 2A CPUID, leaf 1: the initial APIC ID is in EBX 31:24.
    const leaf1 = second.handle.getCpuid().find((entry) => entry.function === 1)!;
    assert.equal(leaf1.ebx >>> 24, 1);
  });
});

describe('importing this room', () => {
  const run = (code: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const room = JSON.stringify(new URL('../index.js', import.meta.url).href);

  test('loads no native code and opens nothing', () => {
    const { stdout, stderr } = run(
      `await import(${room});
       const { readFileSync } = await import('node:fs');
       console.log(/koffi[^ ]*\\.node/.test(readFileSync('/proc/self/maps', 'utf8')));`,
    );
    assert.equal(stdout.trim(), 'false', stderr);
  });

  test('works on another system; opening KVM there gives an error that says what is missing', () => {
    const { stdout, stderr } = run(
      `Object.defineProperty(process, 'platform', { value: 'darwin' });
       const { Kvm, kvmEngine } = await import(${room});
       kvmEngine();
       try { Kvm.open(); } catch ({ name, code, message }) { console.log(name, code, message); }`,
    );
    const expected = 'KvmUnavailableError ENOKVM KVM needs Linux on x86-64; this is darwin on x64';
    assert.equal(stdout.trim(), expected, stderr);
  });
});

describe('32-bit paging', { skip }, () => {
  test('runs where the host can, and is refused with a reason where it cannot', () => {
    using machine = realMode([0xb8, 0x2a, 0, 0, 0, 0xf4]);
    const { cpu, memory } = machine;
    // Present, writable, 4 MiB.
    memory.write32(0x4000, 0x83);
    const system = paged(cpu.getSystemRegisters());
    if (has32BitPaging(kvmEngine().device)) {
      cpu.setSystemRegisters(system);
      assert.equal(cpu.run(), ExitKind.halt);
      assert.equal(cpu.getRegisters().rax, 42n);
      return;
    }
    assert.throws(
      () => cpu.setSystemRegisters(system),
      (error) => {
        assert.ok(error instanceof EngineLimit);
        assert.equal(error.code, 'ELIMIT');
        assert.match(error.message, /32-bit paging/);
        assert.match(error.hint ?? '', /VMX or SVM/);
        return true;
      },
    );
  });
});

describe('an instruction that KVM gives up on', { skip }, () => {
  test('is reported with its bytes where KVM gives them', (t) => {
    // FLD1; FADD ST0, ST0: native with VMX or SVM, beyond KVM's own emulator.
    using machine = realMode([0xd9, 0xe8, 0xd8, 0xc0, 0xf4]);
    const { cpu } = machine;
    if (cpu.run() === ExitKind.halt) return t.skip('this host runs it');
    assert.equal(cpu.exit.kind, ExitKind.internalError);
    const failure = cpu.failure();
    assert.equal(failure.name, 'KVM_INTERNAL_ERROR_EMULATION');
    assert.deepEqual([...failure.instruction!.slice(0, 2)], [0xd9, 0xe8]);
    assert.equal(cpu.exit.ripLow, CODE);
  });

  test('can be emulated by the caller, which sets registers; then the guest continues', (t) => {
    using machine = realMode([0xd9, 0xe8, ...asm.hlt]);
    const { cpu } = machine;
    if (cpu.run() === ExitKind.halt) return t.skip('this host runs it');
    const registers = cpu.getRegisters();
    cpu.setRegisters({ ...registers, rip: registers.rip + 2n });
    assert.equal(cpu.run(), ExitKind.halt);
  });
});

describe('the pages that VMX needs below 4 GiB', () => {
  test('are at KVM’s default where no region overlaps', () => {
    assert.equal(findPrivatePages([{ address: 0, size: 0xfe000000 }]), 0xfffbc000);
  });

  test('move below what overlaps them', () => {
    assert.equal(findPrivatePages([{ address: 0xfff00000, size: 0x100000 }]), 0xffefc000);
    assert.equal(findPrivatePages([{ address: 0, size: 0x1_0000_0000 }]), undefined);
  });

  test('never overlap a region', () => {
    const region = fc.record({
      address: fc.integer({ min: 0xfff00, max: 0xfffff }).map((page) => page * 4096),
      size: fc.integer({ min: 1, max: 32 }).map((pages) => pages * 4096),
    });
    fc.assert(
      fc.property(fc.array(region, { maxLength: 6 }), (regions) => {
        const address = findPrivatePages(regions)!;
        for (const r of regions) {
          assert.ok(address + 4 * 4096 <= r.address || r.address + r.size <= address);
        }
      }),
    );
  });
});
