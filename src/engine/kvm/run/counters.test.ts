/** KVM's own counters, of this process's VMs and of another's, and the pages of a dirty log. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../../../memory/index.js';
import { ExitKind, newControl } from '../../contract/index.js';
import { dirtyPages } from '../api/vm.js';
import { ForeignProcess, KvmError, kvmEngine } from '../index.js';
import { asm, MEMORY, noKvm, openFiles, realMode } from '../testing.js';

const skip = noKvm();

/** This process's file descriptors whose files have this name in the kernel. */
function filesCalled(name: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === name ? [Number(fd)] : [];
    } catch {
      return [];
    }
  });
}

describe('KVM’s own counters', { skip }, () => {
  test('count a CPU’s exits, and give their units', () => {
    using machine = realMode([...asm.outAl(1), ...asm.outAl(2), ...asm.hlt]);
    const { cpu, vm } = machine;
    const exits = () => vm.readCounters().cpus[0]!.find(({ name }) => name === 'exits')!;
    const before = exits();
    assert.deepEqual([before.kind, before.unit], ['cumulative', '']);
    while (cpu.run() !== ExitKind.halt);
    assert.ok(exits().value >= before.value + 3);
    const all = [...vm.readCounters().vm, ...vm.readCounters().cpus[0]!];
    assert.ok(all.length > 20);
    assert.equal(all.find(({ name }) => name === 'halt_wait_ns')?.unit, 'ns');
    // Histograms have many values each; Stats.read() gives them.
    assert.ok(all.every(({ name }) => !name.endsWith('_hist')));
  });

  test('open no file before they are read, unless the engine is watchable', () => {
    const memory = GuestMemory.create([{ address: 0, size: MEMORY }]);
    const before = openFiles();
    {
      using vm = kvmEngine().createVm(memory);
      vm.createCpu(newControl());
      assert.deepEqual(filesCalled('anon_inode:kvm-vm-stats'), []);
      vm.readCounters();
      vm.readCounters();
      assert.equal(filesCalled('anon_inode:kvm-vm-stats').length, 1);
      assert.equal(filesCalled('anon_inode:kvm-vcpu-stats:0').length, 1);
    }
    {
      using vm = kvmEngine({ watchable: true }).createVm(memory);
      vm.createCpu(newControl());
      assert.equal(filesCalled('anon_inode:kvm-vm-stats').length, 1);
      assert.equal(filesCalled('anon_inode:kvm-vcpu-stats:0').length, 1);
    }
    assert.equal(openFiles(), before);
  });
});

describe('the counters of a process', { skip }, () => {
  test('are read through its open files, and nothing stays open', () => {
    using machine = realMode(asm.hlt);
    machine.vm.readCounters();
    machine.cpu.run();
    using self = new ForeignProcess(process.pid);
    const [fd] = filesCalled('anon_inode:kvm-vcpu-stats:0');
    const before = openFiles();
    const { id, counters } = self.readCounters(fd!);
    assert.match(id, /^kvm-\d+\/vcpu-0$/);
    assert.deepEqual(counters, machine.vm.readCounters().cpus[0]);
    assert.equal(openFiles(), before);
  });

  test('cannot be read without the process, the file, or KVM', () => {
    assert.throws(() => new ForeignProcess(4_194_303), { code: 'ESRCH', call: 'pidfd_open' });
    using self = new ForeignProcess(process.pid);
    const before = openFiles();
    assert.throws(() => self.readCounters(9999), { code: 'EBADF', call: 'pidfd_getfd' });
    for (const name of ['/dev/null', '/dev/kvm']) {
      const [fd] = filesCalled(name);
      if (fd !== undefined) assert.throws(() => self.readCounters(fd), KvmError);
    }
    assert.equal(openFiles(), before);
  });
});

describe('a dirty log', () => {
  test('names the page of each bit, lowest first', () => {
    assert.deepEqual(dirtyPages(Uint8Array.of(0b1000_0001, 0, 0b10)), [0, 7, 17]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bitmap) => {
        const pages = dirtyPages(bitmap);
        assert.equal(
          pages.length,
          bitmap.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
        );
        for (const page of pages) assert.ok((bitmap[page >> 3]! >> (page & 7)) & 1);
        assert.deepEqual(
          pages,
          pages.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('is kept for slots that request it, and refused for others', { skip }, () => {
    // MOV [0x2000], AL; HLT
    using machine = realMode([...asm.storeAl(0x2000), ...asm.hlt], { logDirty: true });
    machine.cpu.run();
    assert.deepEqual(machine.vm.takeDirtyPages(0), [2]);
    assert.deepEqual(machine.vm.takeDirtyPages(0), []);
    assert.throws(() => machine.vm.takeDirtyPages(7), { code: 'ENOSLOT' });
    using plain = realMode([0xf4]);
    assert.throws(() => plain.vm.takeDirtyPages(0), { code: 'ENOLOG' });
  });
});
