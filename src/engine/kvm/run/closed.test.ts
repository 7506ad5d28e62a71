/** Every method of a closed handle throws an error that says so. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PAGE_SIZE } from '../../../memory/index.js';
import { KVM_CAP_NR_VCPUS } from '../api/capabilities.js';
import { EventFd } from '../api/eventfd.js';
import { Kvm } from '../api/kvm.js';
import { noKvm } from '../testing.js';

const skip = noKvm();

/** Valid arguments for each method. */
function argumentsFor(name: string): unknown[] {
  const known: Record<string, unknown[]> = {
    readRun: [0, 4],
    writeRun: [0, new Uint8Array(1)],
    registerCoalesced: ['port', 0x10, 1],
    unregisterCoalesced: ['port', 0x10, 1],
    addIoEvent: [{ fd: 0, space: 'port', address: 1, length: 1 }],
    removeIoEvent: [{ fd: 0, space: 'port', address: 1, length: 1 }],
    setMemoryRegion: [{ slot: 0, address: 0, size: PAGE_SIZE, hostAddress: 0n }],
    getIrqChip: ['ioapic'],
    enableCapability: [0],
    signal: [1n],
    setGuestDebug: [{}],
    setCpuid: [[]],
    setXcrs: [[]],
    setMsr: [0x176, 0n],
    setXsave: [new Uint8Array(4096)],
    setLapic: [new Uint8Array(1024)],
    setClock: [0n],
    signalMsi: [0n, 0],
    translate: [0n],
  };
  return known[name] ?? [0, 0];
}

/** The public methods of a handle; `adopt` and `release` are for its own end. */
function methodsOf(handle: object): string[] {
  const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(handle));
  return Object.entries(own)
    .filter(
      ([name, { value }]) =>
        typeof value === 'function' && !['constructor', 'adopt', 'release'].includes(name),
    )
    .map(([name]) => name);
}

describe('a handle that is closed', { skip }, () => {
  test('closes the handles that were made from it, and each says so', () => {
    const kvm = Kvm.open();
    const vm = kvm.createVm();
    const vcpu = vm.createVcpu();
    const stats = vcpu.openStats();
    kvm[Symbol.dispose]();
    kvm[Symbol.dispose]();
    for (const [use, name] of [
      [() => kvm.createVm(), 'the KVM device'],
      [() => vm.createVcpu(1), 'the VM'],
      [() => vcpu.getRegisters(), 'vCPU 0'],
      [() => vcpu.readRun(0, 4), 'vCPU 0'],
      [() => vcpu.writeRun(0, new Uint8Array(1)), 'vCPU 0'],
      [() => stats.read(), 'the statistics of vCPU 0'],
    ] as const) {
      assert.throws(use, { code: 'ECLOSED', message: `${name} was used after it was closed` });
    }
    for (const handle of [stats, vcpu, vm]) handle[Symbol.dispose]();
  });

  test('says so in every method, also in those that need no call of the kernel', () => {
    const kvm = Kvm.open();
    kvm.vcpuMmapSize();
    kvm.supportedCpuid();
    kvm.checkExtension(KVM_CAP_NR_VCPUS);
    const vm = kvm.createVm();
    vm.createIrqChip();
    vm.createPit();
    const vcpu = vm.createVcpu();
    const handles = [kvm, vm, vcpu, vcpu.openStats(), EventFd.create()];
    const states: Record<string, unknown[]> = {
      setRegisters: [vcpu.getRegisters()],
      setSystemRegisters: [vcpu.getSystemRegisters()],
      setFpu: [vcpu.getFpu()],
      setEvents: [vcpu.getEvents()],
      setDebugRegisters: [vcpu.getDebugRegisters()],
      setPit: [vm.getPit()],
      setIrqChip: ['ioapic', vm.getIrqChip('ioapic')],
      routeMessages: [[]],
    };
    for (const handle of [...handles].reverse()) handle[Symbol.dispose]();
    const called = handles.flatMap((handle) =>
      methodsOf(handle).map((name) => {
        const method = (handle as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
        assert.throws(
          () => method.apply(handle, states[name] ?? argumentsFor(name)),
          { code: 'ECLOSED' },
          `${handle.name}.${name}`,
        );
        return name;
      }),
    );
    assert.ok(called.length > 60, `${called.length} methods`);
  });
});
